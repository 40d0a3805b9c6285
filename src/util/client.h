/*
 * client: the text that identifies a client in keys.
 *
 *     ip=203.0.113.7        header:user_id=test_user        global        header:x-tenant=acme&ip=203.0.113.7
 *
 * It begins with the source that named the client, spelt as in `identify_by`, so that an address is never
 * mistaken for a header's value. The value follows, escaped: every byte but printable ASCII without `{`, `}`,
 * `%`, `&` and space is written %XX, which keeps distinct clients distinct. A client that several sources
 * name together has a part for each, joined by `&`: no source has a `=` in it and no escaped value a `&`, so
 * the text can be taken apart in one way only. A text longer than CLIENT_BYTES is replaced by "sha256=" and
 * the digest of the entire escaped text in hexadecimal.
 *
 * Pure; any thread.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#define CLIENT_BYTES 128

struct client {
    size_t bytes;                /* 1 .. CLIENT_BYTES */
    char text[CLIENT_BYTES + 1]; /* zero-terminated */
};

/* `source` as in `identify_by`, lower case; `value` may be NULL with bytes 0 for a source that has none
   ("global": no "=" is written). Any bytes may be in `value`. */
void client_write(struct client *client, const char *source, const char *value, size_t value_bytes);

struct client_part {
    const char *source, *value; /* as above */
    size_t value_bytes;
    bool percent_encoded; /* the value's %XX stand for bytes: `%61` and `a` are one client */
};

/* The client that all parts name together, in this order. */
void client_write_parts(struct client *client, const struct client_part *parts, size_t count);

/* From the text of a client. False: no client is written like this. */
bool client_parse(struct client *client, const char *text, size_t bytes);

#endif
