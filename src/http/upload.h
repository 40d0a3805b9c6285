/*
 * upload: request bodies, kept while they arrive, and the memory that those of one worker may take.
 *
 * A body of up to UPLOAD_SMALL_BYTES lies in its upload, so it is bounded by the number of connections and
 * always kept. A larger one takes from a budget. A peer may hold as much of it as stays free: half when
 * alone, a third beside one other, and so on, so that the next peer finds as much as each one before it has.
 * A peer is an IPv4 address or an IPv6 /64; all peers of a Unix socket are one.
 *
 * A keyed hash maps peers to UPLOAD_SHARES shares; peers that collide have one share between them.
 *
 * The worker's thread only.
 */
#ifndef UPLOAD_H
#define UPLOAD_H

#include <stdbool.h>
#include <stddef.h>

#include "address.h"
#include "siphash.h"

#define UPLOAD_SMALL_BYTES  2048
#define UPLOAD_BUDGET_BYTES (64 * 1024 * 1024)
#define UPLOAD_SHARES       1024

/* A worker's. */
struct uploads {
    struct siphash_key key;
    size_t bytes; /* taken of the budget */
    size_t shares[UPLOAD_SHARES];
};

struct upload {
    struct uploads *uploads;
    size_t *share;
    size_t bytes;
    size_t large_bytes; /* the room of `large` */
    char *large;        /* malloc()ed; NULL: the body is in `small` */
    bool refused;       /* there was no room for all of it: nothing is kept */
    char small[UPLOAD_SMALL_BYTES];
};

/* `key` is secret, so that a peer cannot choose an address that collides with another's. */
void uploads_init(struct uploads *uploads, struct siphash_key key);

/* An empty body; `uploads` has to outlive it. */
void upload_init(struct upload *upload, struct uploads *uploads, const struct address *peer);

/* Adds a piece. False when there is no room for it: the body is freed, and this and all later pieces are
   dropped. */
bool upload_put(struct upload *upload, const char *bytes, size_t count);

/* `upload->bytes` bytes, without a terminating zero; valid until the next call. */
const char *upload_text(const struct upload *upload);

/* Frees the body and leaves the upload empty. */
void upload_clear(struct upload *upload);

#endif
