/*
 * table: the states of one shard of the memory store: a hash table of a fixed number of entries, which forgets by a
 * stated order when it is full.
 *
 *      buckets   hash ──► number of an entry ──► the next with that hash          numbers from 1; 0 is none
 *      recency   newest ◄─► ... ◄─► oldest, two lists: entries whose last decision was a refusal, and the others. Use does
 *                not move an entry, which would cost two cache lines of its neighbours, but marks it; the mark is good
 *                for a second round when its turn has come
 *      sweep     a hand that goes round the entries, a few at each insertion, and frees what means nothing any more
 *
 * An entry is one cache line. It holds no key text but 128 bits of a keyed hash of it (util/siphash.h tells why that is
 * enough), so long keys cost what short ones do, and nothing that a client sent stays in memory.
 *
 * Who goes when room is needed: entries whose quota is whole again (they mean the same as none), then of those not refused the
 * one that has longest not been used (by the marks: in rounds, not to the moment), and only when there is none, of the
 * refused: so a flood of new clients cannot free a client that is being refused, and clients seen once go before regular
 * ones.
 *
 * All room is reserved at the making and touched when first used; nothing is allocated later. One thread at a time.
 */
#ifndef TABLE_H
#define TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "algorithm.h"
#include "siphash.h"

struct table_entry {
    struct siphash fingerprint;
    union algorithm_state state;
    int64_t full_at_us; /* from this moment on the state means the same as none; TABLE_PINNED: in use, keep */
    uint32_t chain;     /* next in the bucket */
    uint32_t newer, older;
    uint8_t algorithm; /* enum algorithm: whose state it is */
    uint8_t list;      /* enum table_list */
    bool recent;       /* used since it was last the newest of its list */
};
_Static_assert(sizeof(struct table_entry) == 64, "an entry is one cache line");

#define TABLE_PINNED INT64_MAX

enum table_list { TABLE_IDLE, TABLE_REFUSED, TABLE_FREE };

struct table {
    struct table_entry *entries; /* entries[0] is not used */
    uint32_t *buckets;
    uint32_t bucket_mask;
    uint32_t capacity;
    uint32_t used;      /* entries in a list */
    uint32_t untouched; /* entries from this number on have never been used */
    uint32_t free_head; /* linked by chain */
    uint32_t hand;
    uint32_t newest[2], oldest[2]; /* by enum table_list */
    uint64_t evicted;              /* live entries dropped for room, ever */
    struct window_log_pool pool;
};

/* `log_chunks` is the room for the logs of sliding windows. False where address space cannot be had. */
bool table_init(struct table *table, uint32_t capacity, uint32_t log_chunks);
void table_fini(struct table *table);

/* Begins to fetch what table_find reads first. Without the lock, too. */
static inline void
table_prefetch(const struct table *table, struct siphash fingerprint)
{
    __builtin_prefetch(&table->buckets[fingerprint.low & table->bucket_mask]);
}

/* NULL where there is none. */
struct table_entry *table_find(struct table *table, struct siphash fingerprint);

/* A new entry, pinned, its state not yet set; makes room where there is none. Never NULL as long as fewer entries
   than the capacity are pinned (asserted). */
struct table_entry *table_insert(struct table *table, struct siphash fingerprint, enum algorithm algorithm,
                                 int64_t now_us);

/* The entry was used: it is marked, or the newest of another list, and no longer pinned. */
void table_touch(struct table *table, struct table_entry *entry, enum table_list list, int64_t full_at_us);

void table_remove(struct table *table, struct table_entry *entry);

/* Drops sliding windows, as the sweep meets them and refused ones last, until `chunks` can be had from the pool.
   False where even all of them that are not pinned would not do. */
bool table_make_log_room(struct table *table, uint32_t chunks, int64_t now_us);

#endif
