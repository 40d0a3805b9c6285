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

bool
first_line_read(struct MHD_Connection *connection, const char *target, size_t *bytes)
{
    bool clean = is_clean(target);
    char *query = strchr(target, '?');

    *bytes = strlen(target);
    if (query != NULL)
        query[1] = '\0';
    /* Where it fails, the first line has taken all of the memory, and the first header will not fit
       either. */
    MHD_set_connection_value(connection, MHD_HEADER_KIND, shield, "");
    return clean;
}

bool
first_line_is_shield(const char *name)
{
    return name == shield;
}
