#include "head.h"

#include <string.h>

#include <microhttpd.h>

#include "stringify.h"
#include "token.h"

static bool
refuse(struct raw_answer *refusal, unsigned status, const char *detail)
{
    refusal->status = status;
    refusal->detail = detail;
    return false;
}

size_t
head_bytes(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

    return info != NULL ? info->header_size : 0;
}

static bool
is_within_bounds(const struct request_line *line, size_t bytes, struct raw_answer *refusal)
{
    if (strlen(line->method) > METHOD_BYTES_MAX)
        return refuse(refusal, 501, "The method is longer than " STRINGIFY(METHOD_BYTES_MAX) " bytes.");
    if (line->target_bytes > TARGET_BYTES_MAX)
        return refuse(refusal, 414,
                      "The request target is longer than " STRINGIFY(TARGET_BYTES_MAX) " bytes.");
    if (bytes > HEAD_BYTES_MAX)
        return refuse(
            refusal, 431,
            "The request line and the headers are longer than " STRINGIFY(HEAD_BYTES_MAX) " bytes.");
    return true;
}

static const char *
line_mistake(const struct request_line *line)
{
    if (!is_token(line->method, strlen(line->method)))
        return "The method is not a token.";
    if (line->target != line->method + strlen(line->method) + 1 ||
        line->version != line->target + line->target_bytes + 1 || !line->is_clean)
        return "The request line is not a method, a target and a version with one blank between them.";
    return NULL;
}

bool
head_read(struct headers *headers, const struct header_index *index, struct MHD_Connection *connection,
          const struct request_line *line, struct raw_answer *refusal)
{
    size_t bytes = head_bytes(connection);
    const char *why;

    if (!is_within_bounds(line, bytes, refusal))
        return false;
    why = line_mistake(line);
    if (why != NULL)
        return refuse(refusal, 400, why);
    switch (headers_read(headers, index, connection, line->version, line->method + bytes, &why)) {
    case HEADERS_BAD:
        return refuse(refusal, 400, why);
    case HEADERS_TOO_MANY:
        return refuse(refusal, 431, "The headers have more than " STRINGIFY(HEADERS_MAX) " lines.");
    case HEADERS_GOOD:
        break;
    }
    return true;
}
