/*
 * redis_url: the address of a Redis and the credentials for it, from one URL.
 *
 *     redis://[user[:password]@]host[:port][/db]      user and password percent-encoded; no user: `default`
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

#define REDIS_URL_ACCEPTED \
    "redis://[user:password@]host[:port][/db], rediss://... for TLS, unix:///path/of.sock[?db=n]"

struct redis_url {
    bool tls;
    char *host; /* NULL: a Unix socket */
    bool host_is_address;
    int port;
    char *path; /* NULL: TCP */
    int db;
    char *user;     /* NULL: none */
    char *password; /* NULL: none */
    char *display;  /* for logs: without user and password */
};

/* What redis_url_read returns when memory is short. */
extern const char redis_url_no_memory[];

/* NULL, and `*url` owns its strings until redis_url_fini; else what is wrong, without quoting `text`. */
const char *redis_url_read(struct redis_url *url, const char *text);

/* The same. False, with a line in `report` that says what is wrong and what is accepted. `place` is the
   setting that gave the URL: "--store". */
bool redis_url_parse(struct redis_url *url, const char *place, const char *text, struct report *report);
void redis_url_fini(struct redis_url *url);

#endif
