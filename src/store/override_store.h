/*
 * override_store: the interface to where overrides (override.h) are kept for all nodes. It knows their ids
 * and texts, not what these mean.
 *
 *      override_store_put, _remove ──► true    the callback runs exactly once, later: done, full or not known
 *                                  └─► false   the store is away: nothing has changed; no callback
 *      override_store_run          ──► on_begin, on_text for each that is kept, on_end: when they may have
 *                                      changed, and never from within another function
 *
 * One thread.
 */
#ifndef OVERRIDE_STORE_H
#define OVERRIDE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum override_status {
    OVERRIDE_DONE,
    OVERRIDE_FULL,    /* there are as many as may be: nothing has changed */
    OVERRIDE_UNKNOWN, /* the store was lost before it answered: it may have changed or not */
};

/* A change under way. Belongs to the caller, and must live until its callback. */
struct override_call {
    void (*callback)(struct override_call *call, enum override_status status);
};

/* Hears what is kept. The texts are borrowed, and any program may have written them. */
struct override_listener {
    void (*on_begin)(void *arg);
    void (*on_text)(void *arg, const char *id, size_t id_bytes, const char *text, size_t text_bytes,
                    int64_t end_us); /* monotonic; may be over */
    void (*on_end)(void *arg);       /* these were all; without it, on_begin comes again */
    void *arg;
};

struct override_store;
struct override_store_ops {
    bool (*put)(struct override_store *store, const char *id, const char *text, int64_t for_us,
                struct override_call *call);
    bool (*remove)(struct override_store *store, const char *id, struct override_call *call);
    void (*sweep)(struct override_store *store, const char *id);
    void (*run)(struct override_store *store, int64_t now_us);
    void (*free)(struct override_store *store);
};

/* Embedded first in each store's handle. */
struct override_store {
    const struct override_store_ops *ops;
    struct override_listener listener; /* set by the user of the store, before the first run */
};

/* How often to call override_store_run. */
#define OVERRIDE_RUN_US INT64_C(250000)

#endif
