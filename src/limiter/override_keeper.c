#include "override_keeper.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "container_of.h"
#include "log.h"

/* Swept from the store at a time. */
#define SWEEPS_MAX 64

#define LOG_US (10 * US_PER_S)

struct override_change {
    struct override_call call;
    struct override_keeper *keeper;
    struct override *override; /* NULL: `id` is removed */
    char id[OVERRIDE_ID_BYTES + 1];
    override_changed *callback; /* NULL: the caller does not wait */
    void *arg;
};

struct override_keeper {
    struct generations *generations;
    struct override_store *store;
    struct override_list *list; /* of `generations`, where it is published */
    bool is_published;
    struct override_reading reading; /* of the store */
};

/* The list. */

/* Takes the place of the list. False, and nothing has changed: out of memory. */
static bool
publish(struct override_keeper *keeper, struct override **items, uint32_t count)
{
    struct override_list *list = override_list_new(items, count);

    if (list == NULL || !generations_override(keeper->generations, list)) {
        override_list_free(list);
        log_error("overrides", "out of memory: clients are treated as before");
        return false;
    }
    if (!keeper->is_published)
        override_list_free(keeper->list);
    keeper->is_published = true;
    keeper->list = list;
    return true;
}

/* Without the one of that id, and with `added`, unless that is NULL. */
static enum override_outcome
change_list(struct override_keeper *keeper, const char *id, struct override *added)
{
    const struct override_list *list = keeper->list;
    uint32_t without = override_list_find(list, id), count = 0;
    struct override **items = malloc((list->count + 1) * sizeof(struct override *));
    bool is_changed = false;

    for (uint32_t i = 0; items != NULL && i < list->count; i++)
        if (i != without)
            items[count++] = list->items[i];
    if (items != NULL && added != NULL)
        items[count++] = added;
    if (items != NULL)
        is_changed = publish(keeper, items, count);
    else
        override_free(added);
    free(items);
    return is_changed ? OVERRIDE_CHANGED : OVERRIDE_NO_MEMORY;
}

const struct override_list *
override_keeper_list(const struct override_keeper *keeper)
{
    return keeper->list;
}

/* What is over. */

static void
sweep(struct override_keeper *keeper, const struct override *override, uint32_t *count)
{
    if (keeper->store != NULL && ++*count <= SWEEPS_MAX)
        keeper->store->ops->sweep(keeper->store, override->id);
}

static int64_t
next_end_us(const struct override_keeper *keeper)
{
    int64_t next_us = INT64_MAX;

    for (uint32_t i = 0; i < keeper->list->count; i++)
        if (keeper->list->items[i]->end_us < next_us)
            next_us = keeper->list->items[i]->end_us;
    return next_us;
}

static void
end_those_over(struct override_keeper *keeper, int64_t now_us)
{
    const struct override_list *list = keeper->list;
    struct override **items = malloc((list->count + 1) * sizeof(struct override *));
    uint32_t count = 0, swept = 0;

    for (uint32_t i = 0; items != NULL && i < list->count; i++) {
        if (list->items[i]->end_us > now_us)
            items[count++] = list->items[i];
        else
            sweep(keeper, list->items[i], &swept);
    }
    if (items != NULL)
        publish(keeper, items, count);
    free(items);
}

/* What the store says. */

static void
on_begin(void *arg)
{
    struct override_keeper *keeper = arg;

    override_reading_begin(&keeper->reading);
}

static void
on_text(void *arg, const char *id, size_t id_bytes, const char *text, size_t text_bytes, int64_t end_us)
{
    struct override_keeper *keeper = arg;

    override_reading_add(&keeper->reading, id, id_bytes, text, text_bytes, end_us);
}

static void
tell_unknown(uint32_t count)
{
    static struct log_limiter limiter;
    uint64_t suppressed;

    if (count > 0 && log_limiter_allows(&limiter, LOG_US, &suppressed))
        log_warn("overrides",
                 "%" PRIu32 " of the clients that are blocked or limited at run time are skipped: another "
                 "program, or another version, wrote them",
                 count);
}

static void
on_end(void *arg)
{
    struct override_keeper *keeper = arg;
    struct override_reading *reading = &keeper->reading;

    tell_unknown(reading->unknown_count);
    if (reading->items != NULL && (reading->count > 0 || keeper->list->count > 0))
        publish(keeper, reading->items, reading->count);
    reading->count = 0; /* they are the list's, or freed */
    override_reading_forget(reading);
}

/* Changes. */

static enum override_outcome
apply(struct override_change *change)
{
    struct override *override = change->override;

    change->override = NULL;
    return change_list(change->keeper, change->id, override);
}

static void
change_free(struct override_change *change)
{
    override_free(change->override);
    free(change);
}

static void
on_stored(struct override_call *call, enum override_status status)
{
    struct override_change *change = container_of(call, struct override_change, call);
    enum override_outcome outcome = status == OVERRIDE_DONE   ? apply(change)
                                    : status == OVERRIDE_FULL ? OVERRIDE_TOO_MANY
                                                              : OVERRIDE_AWAY;
    override_changed *callback = change->callback;
    void *arg = change->arg;

    change_free(change);
    if (callback != NULL)
        callback(arg, outcome);
}

static enum override_outcome
change_here(struct override_change *change)
{
    const struct override_list *list = change->keeper->list;
    bool is_new = override_list_find(list, change->id) == list->count;

    return change->override != NULL && is_new && list->count >= OVERRIDES_MAX ? OVERRIDE_TOO_MANY
                                                                              : apply(change);
}

static bool
store_change(struct override_change *change, int64_t for_us)
{
    struct override_store *store = change->keeper->store;

    return change->override != NULL
               ? store->ops->put(store, change->id, change->override->text, for_us, &change->call)
               : store->ops->remove(store, change->id, &change->call);
}

static enum override_outcome
begin(struct override_change *change, int64_t for_us, struct override_change **pending)
{
    enum override_outcome outcome = OVERRIDE_AWAY;

    if (change->keeper->store == NULL) {
        outcome = change_here(change);
    } else if (store_change(change, for_us)) {
        *pending = change;
        return OVERRIDE_PENDING;
    }
    change_free(change);
    return outcome;
}

enum override_outcome
override_keeper_put(struct override_keeper *keeper, struct override *override, int64_t for_us,
                    override_changed *callback, void *arg, struct override_change **change)
{
    struct override_change *made = calloc(1, sizeof(*made));

    *change = NULL;
    if (made == NULL) {
        override_free(override);
        return OVERRIDE_NO_MEMORY;
    }
    override->end_us = clock_mono_us() + for_us;
    *made = (struct override_change){
        .call.callback = on_stored, .keeper = keeper, .override = override, .callback = callback, .arg = arg};
    memcpy(made->id, override->id, sizeof(made->id));
    return begin(made, for_us, change);
}

enum override_outcome
override_keeper_remove(struct override_keeper *keeper, const char *id, override_changed *callback, void *arg,
                       struct override_change **change)
{
    struct override_change *made = calloc(1, sizeof(*made));

    *change = NULL;
    if (made == NULL)
        return OVERRIDE_NO_MEMORY;
    *made = (struct override_change){
        .call.callback = on_stored, .keeper = keeper, .callback = callback, .arg = arg};
    memcpy(made->id, id, strlen(id) + 1);
    return begin(made, 0, change);
}

void
override_change_forget(struct override_change *change)
{
    change->callback = NULL;
}

/* Its life. */

int64_t
override_keeper_run(struct override_keeper *keeper, int64_t now_us)
{
    int64_t next_us;

    if (next_end_us(keeper) <= now_us)
        end_those_over(keeper, now_us);
    next_us = next_end_us(keeper);
    if (next_us <= now_us) /* out of memory */
        next_us = now_us + OVERRIDE_RUN_US;
    if (keeper->store == NULL)
        return next_us;
    keeper->store->ops->run(keeper->store, now_us);
    return next_us < now_us + OVERRIDE_RUN_US ? next_us : now_us + OVERRIDE_RUN_US;
}

struct override_keeper *
override_keeper_new(struct generations *generations, struct override_store *store)
{
    struct override_keeper *keeper = calloc(1, sizeof(*keeper));

    if (keeper == NULL)
        return NULL;
    *keeper = (struct override_keeper){
        .generations = generations, .store = store, .list = override_list_new(NULL, 0)};
    if (store != NULL)
        store->listener = (struct override_listener){
            .on_begin = on_begin, .on_text = on_text, .on_end = on_end, .arg = keeper};
    if (keeper->list != NULL)
        return keeper;
    free(keeper);
    return NULL;
}

void
override_keeper_free(struct override_keeper *keeper)
{
    if (keeper == NULL)
        return;
    override_reading_forget(&keeper->reading);
    if (!keeper->is_published)
        override_list_free(keeper->list);
    free(keeper);
}
