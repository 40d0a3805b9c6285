/*
 * redis_tls: TLS of rediss:// connections: trusted authorities, the certificate of this service, and the
 * check of the server's.
 *
 * TLS 1.2 or later. The server's certificate must lead to a trusted authority and be for the host in the URL,
 * a name (sent as SNI) or an address. One for all workers; immutable, so any thread may start a connection
 * with it.
 */
#ifndef REDIS_TLS_H
#define REDIS_TLS_H

#include <stdbool.h>

#include "redis_url.h"
#include "report.h"

struct redis_tls;
struct redisAsyncContext;

struct redis_tls_options {
    const char *ca_file;   /* PEM; "": the system's authorities */
    const char *cert_file; /* PEM, the client's certificate; "": none */
    const char *key_file;  /* PEM, its key; "": in cert_file */
    /* The settings that gave these, for the report: "--redis-tls-ca-file". */
    const char *ca_place, *cert_place, *key_place;
    bool skip_verify; /* accept any certificate: a man in the middle reads the password */
};

/* NULL, with a line in `report`: a file cannot be used, or the build's hiredis has no TLS. */
struct redis_tls *redis_tls_new(const struct redis_tls_options *options, struct report *report);
void redis_tls_free(struct redis_tls *tls);

/* Starts TLS on a new connection. False, with the context's errstr: it failed. If the server's certificate is
   rejected later, `*certificate_error` becomes the reason, a static string; `certificate_error` must live as
   long as the connection. */
bool redis_tls_start(const struct redis_tls *tls, struct redisAsyncContext *context,
                     const struct redis_url *url, const char **certificate_error);

#endif
