/*
 * memory_store: counters in this process, shared by all its workers.
 *
 * Clients are spread over shards by hash. Each shard has its own lock and table. All limits of a client under
 * a rule, and its penalty, are in one shard, so that they are decided together under one lock. Always answers
 * STORE_DONE; any thread may call it.
 */
#ifndef MEMORY_STORE_H
#define MEMORY_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "clock.h"
#include "store.h"

struct memory_store_options {
    /* The keys that are always held: one per client and limit, and one per client that a rule's penalty
       counts. Slots for some more are reserved. Sliding windows also need room for their logs: they are held if
       they log 28 moments each on average; beyond that, idle ones are evicted. */
    int64_t max_keys;
    const struct clock *clock; /* borrowed for the store's life */
};

/* NULL: memory cannot be reserved. Call store_free after its last use. */
struct store *memory_store_new(const struct memory_store_options *options);

/* Takes the lock of each shard in turn. */
struct memory_store_counts {
    uint64_t entries; /* in use */
    uint64_t bytes;   /* of memory that they, and those that were there before, have touched */
    uint64_t evicted; /* live ones, since the start */
};
struct memory_store_counts memory_store_counts(struct store *store);

#endif
