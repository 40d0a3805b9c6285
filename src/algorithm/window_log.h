/*
 * window_log: the entries of sliding windows, oldest first: a queue of (moment, count) for each client, all
 * of them kept in one pool of equal chunks, so that a decision allocates nothing and memory does not
 * fragment.
 *
 *      log ──► chunk ──► chunk ──► chunk     a chunk: the number of the next one, and CHUNK_ENTRIES entries
 *              ▲ head: popped here    ▲ tail: pushed here
 *
 * The pool reserves its memory when it is made and touches each page when it is first used. One thread at a
 * time (the store's shard lock).
 */
#ifndef WINDOW_LOG_H
#define WINDOW_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHUNK_ENTRIES 7
#define CHUNK_NONE    UINT32_MAX

struct window_log_entry {
    int64_t at_us; /* when */
    int64_t count; /* how many requests, at least 1 */
};

struct window_log_chunk {
    uint32_t next; /* CHUNK_NONE: the last one, of a log or of the free list */
    uint32_t unused;
    struct window_log_entry entries[CHUNK_ENTRIES];
};

struct window_log_pool {
    struct window_log_chunk *chunks;
    uint32_t capacity;  /* chunks reserved */
    uint32_t untouched; /* chunks at and past this number have never been used */
    uint32_t free_head; /* chunks given back, linked */
    uint32_t free_count;
};

/* Zeroed is not empty: use window_log_init. */
struct window_log {
    uint32_t head, tail; /* chunk numbers; CHUNK_NONE: empty */
    uint16_t first;      /* index of the oldest entry in the head chunk */
    uint16_t end;        /* index after the newest entry in the tail chunk */
    uint32_t entry_count;
};

/* False if the address space for `chunks` chunks cannot be reserved. */
bool window_log_pool_init(struct window_log_pool *pool, uint32_t chunks);
void window_log_pool_fini(struct window_log_pool *pool);

/* Chunks that can still be taken. A push takes at most one. */
uint32_t window_log_pool_room(const struct window_log_pool *pool);

void window_log_init(struct window_log *log);

/* The oldest and the newest entry; NULL when there is none. Valid until the next push, pop or clear. */
struct window_log_entry *window_log_oldest(const struct window_log *log, const struct window_log_pool *pool);
struct window_log_entry *window_log_newest(const struct window_log *log, const struct window_log_pool *pool);

/* The pool must have room for one chunk (asserted). */
void window_log_push(struct window_log *log, struct window_log_pool *pool, struct window_log_entry entry);
/* The log must not be empty (asserted). */
void window_log_pop(struct window_log *log, struct window_log_pool *pool);
/* Gives every chunk back; O(chunks). */
void window_log_clear(struct window_log *log, struct window_log_pool *pool);

/* Walks from the oldest entry: starts at `window_log_begin`; NULL at the end. */
struct window_log_cursor {
    uint32_t chunk;
    uint16_t index;
};
struct window_log_cursor window_log_begin(const struct window_log *log);
const struct window_log_entry *window_log_next(const struct window_log *log,
                                               const struct window_log_pool *pool,
                                               struct window_log_cursor *cursor);

#endif
