/*
 * store_url: the URL of the store as text: checked for its scheme, put together, shown without its password.
 *
 * What the rest of the URL means is the store's matter. Pure; any thread.
 */
#ifndef STORE_URL_H
#define STORE_URL_H

#include <stdbool.h>
#include <stdint.h>

struct store_url_parts {
    const char *host; /* a name or an address, an IPv6 one without brackets */
    int64_t port;
    int64_t db;
    const char *username; /* "" where there is none */
    const char *password; /* likewise */
};

/* "memory", or one of the schemes. */
bool store_url_is_known(const char *url);

/* redis://[[username]:[password]@]host:port/db, escaped. The caller wipes and frees it. */
char *store_url_compose(const struct store_url_parts *parts);

/* The URL without its password (url_redact.h). The caller frees it. */
char *store_url_redact(const char *url);

/* A host name, an IPv4 or an IPv6 address, without brackets. */
bool store_url_is_host(const char *text);

#endif
