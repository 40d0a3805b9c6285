/*
 * memory_store: counters in this process, shared by all its workers: for one machine, with nothing to install.
 *
 * Clients are spread over shards by hash, each with a lock and a table of its own; all limits of a client under a
 * rule lie in one shard, so that several limits are decided together under one lock. Always answers STORE_DONE; any
 * thread may call it.
 */
#ifndef MEMORY_STORE_H
#define MEMORY_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "clock.h"
#include "store.h"

struct memory_store_options {
    int64_t
        max_keys; /* so many clients' limits are always held; slots for some more are reserved. Of sliding windows, which
                         need room for their logs beside it, so many as log 28 moments each on average; beyond that idle
                         ones go first */
    const struct clock *clock; /* borrowed for the store's life */
};

/* NULL where memory cannot be reserved. store_free ends it, after its last user. */
struct store *memory_store_new(const struct memory_store_options *options);

/* Entries in use, and live entries dropped for room since the start. Takes each shard's lock in turn. */
struct memory_store_counts {
    uint64_t entries;
    uint64_t evicted;
};
struct memory_store_counts memory_store_counts(struct store *store);

#endif
