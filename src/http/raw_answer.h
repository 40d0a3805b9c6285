/*
 * raw_answer: an answer that needs nothing of libmicrohttpd: it is written to the socket, and the connection ends.
 *
 * What is refused for its size must not depend on the memory that it has filled. And where libmicrohttpd gives a request
 * up by itself, because its answer's header does not fit, it closes the connection without a byte; a proxy that fails
 * open lets such a request pass. Both get their answer from here, as application/problem+json with Connection: close.
 */
#ifndef RAW_ANSWER_H
#define RAW_ANSWER_H

#include <stdbool.h>

struct raw_answer {
    unsigned status;        /* 0: there is nothing to say, and nothing is sent */
    const char *detail;     /* a static sentence; NULL: no body, for a request whose method is not known */
    bool head;              /* to a HEAD request: no body either, but its length is told */
    unsigned retry_after_s; /* 0: no Retry-After */
};

/* Writes it whole, without waiting. False where the socket does not take it: the client has gone, or has left so many
   answers unread that the kernel's buffer is full. Earlier answers have been written before. */
bool raw_answer_send(const struct raw_answer *answer, int fd);

#endif
