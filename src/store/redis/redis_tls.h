/*
 * redis_tls: the TLS of rediss:// connections: what is trusted, who we are, and that the other side is who it should be.
 *
 * TLS 1.2 or later. The server's certificate must lead to a trusted authority and be for the host of the URL, a name (sent as
 * SNI) or an address. One for all workers; immutable once made, so any thread may start a connection with it.
 */
#ifndef REDIS_TLS_H
#define REDIS_TLS_H

#include <stdbool.h>

#include "report.h"

struct redis_tls;
struct redisAsyncContext;

struct redis_tls_options {
    const char *ca_file;   /* PEM; "": the system's authorities */
    const char *cert_file; /* PEM, the client's certificate; "": none */
    const char *key_file;  /* PEM, its key; "": in cert_file */
    /* Where these were given, as the report names it: "--redis-tls-ca-file". */
    const char *ca_place, *cert_place, *key_place;
    bool skip_verify; /* take any certificate: whoever sits in between reads the password */
};

/* NULL with a line in `report` for each file that cannot be used, and in a build whose hiredis has no TLS. */
struct redis_tls *redis_tls_new(const struct redis_tls_options *options, struct report *report);
void redis_tls_free(struct redis_tls *tls);

/* Puts TLS on a connection that has just been begun. False, with the context's errstr: it cannot be. Should the server's
   certificate not be taken, `*mistrust` then says why, in a static string; it must live as long as the connection. */
bool redis_tls_start(const struct redis_tls *tls, struct redisAsyncContext *context, const char *host,
                     const char **mistrust);

#endif
