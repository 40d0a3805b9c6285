/*
 * http_reply: an answer of HTTP/1.1 on a connection that ends after it. Pure; one thread at a time.
 */
#ifndef HTTP_REPLY_H
#define HTTP_REPLY_H

#include <stdbool.h>
#include <stddef.h>

struct http_reply {
    unsigned status;
    char *body; /* inside of `text`, zero-terminated */
    size_t bytes;
};

/* Takes the whole of what came, which it changes; `text` has room for one byte more. False: it is no answer, or not all
   of one. */
bool http_reply_parse(struct http_reply *reply, char *text, size_t bytes);

#endif
