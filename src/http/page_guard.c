#include "page_guard.h"

#include <string.h>
#include <sys/socket.h>

#include <microhttpd.h>

#include "head.h"
#include "raw_answer.h"

void
page_guard_begin(struct page_guards *guards, struct page_guard *guard, struct MHD_Connection *connection)
{
    page_guard_end(guard);
    guard->connection = connection;
    LIST_INSERT_HEAD(guards, guard, links);
}

void
page_guard_end(struct page_guard *guard)
{
    if (guard->connection != NULL)
        LIST_REMOVE(guard, links);
    guard->connection = NULL;
}

/* The method is not known here, so the answer has no body: it may be one to HEAD. */
static unsigned
answer(struct MHD_Connection *connection, unsigned status)
{
    int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;

    if (!raw_answer_send(&(struct raw_answer){.status = status}, fd))
        status = 0;
    shutdown(fd, SHUT_WR);
    return status;
}

unsigned
page_guard_log(struct page_guards *guards, const char *format, va_list arguments)
{
    static const char page[] = "Error processing request (HTTP response code is %u";
    struct page_guard *guard = LIST_FIRST(guards);
    unsigned status;

    if (strncmp(format, page, sizeof(page) - 1) != 0)
        return 0;
    while (guard != NULL && head_bytes(guard->connection) == 0)
        guard = LIST_NEXT(guard, links);
    if (guard == NULL)
        return 0; /* about headers that are not complete, or a malformed body: those pages are sent once */
    status = answer(guard->connection, va_arg(arguments, unsigned));
    page_guard_end(guard);
    return status;
}
