/*
 * top_url: where the service is that `ratelimitd top` looks at: http://HOST[:PORT][/PREFIX] or unix:/PATH.
 *
 * What passes here holds visible ASCII only, so it can be part of a request and be shown. Pure; any thread.
 */
#ifndef TOP_URL_H
#define TOP_URL_H

#include <stdbool.h>

#define TOP_URL_BYTES    512
#define TOP_PATH_BYTES   108 /* of a socket: what its address has room for */
#define TOP_URL_ACCEPTED "http://HOST[:PORT][/PREFIX] or unix:/PATH"

struct top_url {
    char text[TOP_URL_BYTES];      /* as it was given: for messages */
    char path[TOP_PATH_BYTES];     /* of a Unix socket; "": host and port */
    char host[TOP_URL_BYTES];      /* an IPv6 address without brackets */
    char authority[TOP_URL_BYTES]; /* for the field Host */
    char port[8];
    char prefix[TOP_URL_BYTES]; /* of every path, without a slash at its end; mostly "" */
};

/* NULL; or what is wrong with the text, which may hold a password and is not repeated. */
const char *top_url_parse(struct top_url *url, const char *text);

/* The URL of a service on this machine with these settings (settings.h). False: it has no admin listener that others can
   find. */
bool top_url_of_listener(char out[TOP_URL_BYTES], const char *listen, const char *host, int port);

#endif
