/*
 * store_url: the URL of the store as text: its scheme checked, and composed from parts.
 *
 * The store reads the rest (redis_url.h). Pure; any thread.
 */
#ifndef STORE_URL_H
#define STORE_URL_H

#include <stdbool.h>
#include <stdint.h>

struct store_url_parts {
    const char *host; /* a name or an address, an IPv6 one without brackets */
    int64_t port;
    int64_t db;
    const char *username; /* "": none */
    const char *password; /* likewise */
};

/* "memory", or one of the schemes. */
bool store_url_is_known(const char *url);

/* redis://[[username]:[password]@]host:port/db, percent-encoded. The caller wipes and frees it. */
char *store_url_compose(const struct store_url_parts *parts);

/* A host name, an IPv4 or an IPv6 address, without brackets. */
bool store_url_is_host(const char *text);

#endif
