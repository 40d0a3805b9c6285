/*
 * redis_url: where a Redis is and how to enter it, read from one URL.
 *
 *     redis://[user[:password]@]host[:port][/db]      user and password percent-encoded; without a user: `default`
 *     rediss://...                                    the same over TLS
 *     unix://[user[:password]@]/path/of.sock[?db=n]
 *
 * A host may be a name, an IPv4 address or an IPv6 one in brackets.
 */
#ifndef REDIS_URL_H
#define REDIS_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "report.h"

#define REDIS_PORT 6379

struct redis_url {
    bool tls;
    char *host; /* NULL: a Unix socket */
    int port;
    char *path; /* NULL: TCP */
    int db;
    char *user;     /* NULL: none */
    char *password; /* NULL: none */
    char *display;  /* for people: without user and password */
};

/* False with a line in `report` that says what is wrong and what is accepted, and never shows a password. On success
   `*url` owns its strings until redis_url_fini. */
bool redis_url_parse(struct redis_url *url, const char *text, struct report *report);
void redis_url_fini(struct redis_url *url);

#endif
