/*
 * table: the states of one shard of the memory store: a hash table with a fixed number of entries and a
 * defined order of eviction.
 *
 *      buckets   hash ──► number of an entry ──► the next with that hash          numbered from 1; 0: none
 *      recency   newest ◄─► ... ◄─► oldest, two lists: entries whose last decision was a refusal, and the
 *                others. Use only marks an entry: moving it would touch the cache lines of two neighbours. A
 *                marked entry gets a second round when its turn comes
 *      sweep     a hand that goes round the entries, a few at each insertion, and frees those whose quota is
 *                full
 *
 * An entry is one cache line. Instead of the key it holds 128 bits of its keyed hash (util/siphash.h says why
 * that is enough), so long keys take no more room than short ones, and no text from a client stays in memory.
 *
 * Order of eviction: entries whose quota is full (they mean the same as none); then the least recently used
 * of those not refused (by the marks, so approximately); then the least recently used of the refused. So a
 * flood of new clients cannot free a client that is being refused, and clients seen once go before regular
 * ones.
 *
 * All memory is reserved by table_init and touched on first use; nothing is allocated later. One thread at a
 * time.
 */
#ifndef TABLE_H
#define TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "algorithm.h"
#include "penalty.h"
#include "siphash.h"

struct table_entry {
    struct siphash fingerprint;
    union {
        union algorithm_state state;  /* of a limit */
        struct penalty_state penalty; /* of a rule's penalty */
    };
    int64_t full_at_us; /* from then on the entry means the same as none; TABLE_PINNED: in use, keep */
    uint32_t chain;     /* next in the bucket */
    uint32_t newer, older;
    uint8_t list; /* enum table_list */
    bool has_log; /* a sliding window: its state has chunks in the pool */
    bool recent;  /* used since it was the newest of its list */
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
    uint64_t evicted;              /* live entries evicted, ever */
    struct window_log_pool pool;
};

/* `log_chunks` is the room for the logs of sliding windows. False: no address space. */
bool table_init(struct table *table, uint32_t capacity, uint32_t log_chunks);
void table_fini(struct table *table);

/* Memory that has been touched, and therefore is the process' own from then on. */
size_t table_bytes(const struct table *table);

/* Prefetches what table_find reads first. Needs no lock. */
static inline void
table_prefetch(const struct table *table, struct siphash fingerprint)
{
    __builtin_prefetch(&table->buckets[fingerprint.low & table->bucket_mask]);
}

/* NULL: there is none. */
struct table_entry *table_find(struct table *table, struct siphash fingerprint);

/* A new entry, pinned, its state not yet set; evicts one if the table is full. `has_log`: for a sliding
   window. Never NULL while fewer entries than the capacity are pinned (asserted). */
struct table_entry *table_insert(struct table *table, struct siphash fingerprint, bool has_log,
                                 int64_t now_us);

/* The entry was used: marks it, or makes it the newest of the other list; unpins it. */
void table_touch(struct table *table, struct table_entry *entry, enum table_list list, int64_t full_at_us);

void table_remove(struct table *table, struct table_entry *entry);

/* Evicts sliding windows, in the order of the sweep and refused ones last, until the pool has `chunks` free.
   False: not even without all that are not pinned. */
bool table_make_log_room(struct table *table, uint32_t chunks, int64_t now_us);

#endif
