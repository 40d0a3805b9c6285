/*
 * page_guard: an answer of our own in the place of libmicrohttpd's error pages, where those go wrong.
 *
 * Between the last header line and the first call of the access handler libmicrohttpd may find that it has no
 * memory for what it makes of the headers, or that a Content-Length is no number. It then sends a page of its
 * own, and version 0.9.75 writes the head of that page twice; where it fits only once the connection closes
 * without a byte. There is no callback at that point, but there is a line for the log right before it. The
 * connection whose headers are complete (MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE is known) and whose request
 * has not reached the handler is the one it speaks of, and the only one: it gets a raw answer (raw_answer.h),
 * and its sending side is shut down, so that the page goes nowhere.
 *
 * A libmicrohttpd that was built without messages sends its pages as ever. The worker's thread only.
 */
#ifndef PAGE_GUARD_H
#define PAGE_GUARD_H

#include <stdarg.h>
#include <sys/queue.h>

struct MHD_Connection;

/* A request whose first line is read, and which has not reached the handler. Part of its connection's
   memory. */
struct page_guard {
    LIST_ENTRY(page_guard) links;
    struct MHD_Connection *connection; /* NULL: in no list */
};
LIST_HEAD(page_guards, page_guard); /* a worker's */

void page_guard_begin(struct page_guards *guards, struct page_guard *guard,
                      struct MHD_Connection *connection);

/* It has reached the handler, or is over. May be called twice. */
void page_guard_end(struct page_guard *guard);

/* From within the callback of MHD_OPTION_EXTERNAL_LOGGER. The status of the answer that was sent; 0: none. */
unsigned page_guard_log(struct page_guards *guards, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

#endif
