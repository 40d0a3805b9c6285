/*
 * raw_answer: an answer that does not need libmicrohttpd: it is written to the socket, and the connection
 * ends.
 *
 * A refusal for size must not depend on the memory that the request has filled. And when libmicrohttpd
 * abandons a request because the answer's header does not fit, it closes the connection without a byte; a
 * proxy that fails open lets such a request pass. Both get their answer from here, as
 * application/problem+json with Connection: close.
 */
#ifndef RAW_ANSWER_H
#define RAW_ANSWER_H

#include <stdbool.h>

#include "traceparent.h"

struct raw_answer {
    unsigned status;        /* 0: nothing is sent */
    const char *detail;     /* a static sentence; NULL: no body, when the method is not known */
    bool head;              /* to a HEAD request: no body either, but its Content-Length */
    unsigned retry_after_s; /* 0: no Retry-After */
    struct trace_id_text trace_id;
};

/* Writes all of it, without waiting. False when the socket does not accept it: the client has gone, or has
   left enough answers unread to fill the kernel's buffer. Earlier answers have been written already. */
bool raw_answer_send(const struct raw_answer *answer, int fd);

#endif
