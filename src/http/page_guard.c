#include "page_guard.h"

#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include <microhttpd.h>

#include "raw_answer.h"

void
page_guard_begin(struct page_guard **guards, struct page_guard *guard, struct MHD_Connection *connection)
{
    page_guard_end(guard);
    *guard = (struct page_guard){.next = *guards, .link = guards, .connection = connection};
    if (guard->next)
        guard->next->link = &guard->next;
    *guards = guard;
}

void
page_guard_end(struct page_guard *guard)
{
    if (guard->link == NULL)
        return;
    *guard->link = guard->next;
    if (guard->next)
        guard->next->link = guard->link;
    guard->link = NULL;
}

/* The size is 0 as long as the end of the headers has not been found, also while a page about that is sent. */
static bool
has_all_headers(const struct page_guard *guard)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(guard->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

    return info != NULL && info->header_size > 0;
}

/* The method is not known here, so the answer has no body: it may be one to HEAD. */
static void
answer(const struct page_guard *guard, unsigned status)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(guard->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    int fd = info->connect_fd;

    raw_answer_send(&(struct raw_answer){.status = status}, fd);
    shutdown(fd, SHUT_WR);
}

void
page_guard_log(struct page_guard **guards, const char *format, va_list arguments)
{
    static const char page[] = "Error processing request (HTTP response code is %u";
    struct page_guard *guard = *guards;

    if (strncmp(format, page, sizeof(page) - 1) != 0)
        return;
    while (guard != NULL && !has_all_headers(guard))
        guard = guard->next;
    if (guard == NULL)
        return; /* about headers that are not complete, or a malformed body: those pages are sent once */
    page_guard_end(guard);
    answer(guard, va_arg(arguments, unsigned));
}
