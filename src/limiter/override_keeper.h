/*
 * override_keeper: knows the overrides in force, and publishes a generation whenever they are others.
 *
 *      a change: POST /v1/clients/block, ...  ──►  the store, if there is one  ──┐
 *      the store: another node changed some   ───────────────────────────────────┼─► generations_override
 *      the time: one is over                  ───────────────────────────────────┘
 *
 * Without a store they are this process' own, and end with it. With one, what was known stays in force while
 * the store is away, until it is over. One thread, that of the worker of the admin listener.
 */
#ifndef OVERRIDE_KEEPER_H
#define OVERRIDE_KEEPER_H

#include "generation.h"
#include "override.h"
#include "override_store.h"

struct override_keeper;

/* All is borrowed and must outlive it. `store` NULL: none. NULL when out of memory. */
struct override_keeper *override_keeper_new(struct generations *generations, struct override_store *store);
void override_keeper_free(struct override_keeper *keeper); /* NULL is allowed */

/* To be called now and then. Returns the moment of the next time, at most; INT64_MAX: there is nothing to do
   before the next change. Monotonic. */
int64_t override_keeper_run(struct override_keeper *keeper, int64_t now_us);

/* Those in force, and perhaps some that were until a moment ago. Until the next change or run. */
const struct override_list *override_keeper_list(const struct override_keeper *keeper);

enum override_outcome {
    OVERRIDE_CHANGED, /* in force on this node */
    OVERRIDE_PENDING, /* the callback says what came of it */
    OVERRIDE_TOO_MANY,
    OVERRIDE_AWAY, /* the store is; whether it has changed is not known. It is safe to ask again */
    OVERRIDE_NO_MEMORY,
};

/* A change under way. */
struct override_change;
typedef void override_changed(void *arg, enum override_outcome outcome);

/* Puts it in the place of the one with its id; the keeper owns it from then on. Its end is `for_us` from now.
   Unless PENDING is returned, the callback does not run and `*change` is NULL. */
enum override_outcome override_keeper_put(struct override_keeper *keeper, struct override *override,
                                          int64_t for_us, override_changed *callback, void *arg,
                                          struct override_change **change);
/* Removes the one with that id, if there is one. */
enum override_outcome override_keeper_remove(struct override_keeper *keeper, const char *id,
                                             override_changed *callback, void *arg,
                                             struct override_change **change);

/* The change goes on, but its callback will not run. For one that is PENDING. */
void override_change_forget(struct override_change *change);

#endif
