#include "first_line.h"

#include <string.h>

#include <microhttpd.h>

/* Told from a client's by its address. */
static const char shield[] = MHD_HTTP_HEADER_COOKIE;

static bool
is_clean(const char *target)
{
    for (; *target != '\0'; target++)
        if ((unsigned char)*target <= ' ' || *target == 0x7f)
            return false;
    return true;
}

void
first_line_read(struct first_line *line, struct MHD_Connection *connection, const char *target)
{
    char *mark = strchr(target, '?');

    *line = (struct first_line){.target_bytes = strlen(target), .is_clean = is_clean(target)};
    if (mark != NULL) {
        line->query = mark + 1;
        line->first = *line->query;
        *line->query = '\0';
    }
    /* Where it fails, the first line has taken all of the memory, and the first header will not fit
       either. */
    MHD_set_connection_value(connection, MHD_HEADER_KIND, shield, "");
}

const char *
first_line_query(struct first_line *line)
{
    if (line->query == NULL)
        return "";
    *line->query = line->first;
    return line->query;
}

bool
first_line_is_shield(const char *name)
{
    return name == shield;
}
