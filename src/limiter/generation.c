#include "generation.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "rule_counts.h"

/* A generation with its shares, all in one allocation. */
struct generation_version {
    struct generation face;
    struct policy *policy;
    struct generations *of;
    _Atomic unsigned holders; /* shares that are not dropped, and `of` while it is the newest */
    struct generation_share shares[];
};

/* Each on lines of the cache of its own. */
struct generation_reader {
    _Atomic(struct generation_share *) offered; /* published, and not taken yet; NULL: nothing new */
    struct generation_share *current;           /* the worker's own */
} __attribute__((aligned(64)));

struct generations {
    pthread_mutex_t lock; /* publishers exclude each other; no worker takes it */
    struct generation_version *newest;
    _Atomic unsigned alive, mistakes;
    unsigned reader_count;
    struct generation_reader readers[];
};

static void
drop(struct generation_version *version)
{
    if (atomic_fetch_sub_explicit(&version->holders, 1, memory_order_acq_rel) > 1)
        return;
    atomic_fetch_sub_explicit(&version->of->alive, 1, memory_order_relaxed);
    rule_counts_detach(version->policy);
    policy_free(version->policy);
    free(version);
}

/* What follows `last`, which may be NULL. Held by each reader and by `newest`. */
static struct generation_version *
version_new(struct generations *generations, struct policy *policy, const struct generation_version *last)
{
    unsigned count = generations->reader_count;
    struct generation_version *version =
        aligned_alloc(64, sizeof(*version) + count * sizeof(version->shares[0]));

    if (version == NULL)
        return NULL;
    if (!rule_counts_attach(policy, last != NULL ? last->policy : NULL, count)) {
        free(version);
        return NULL;
    }
    *version = (struct generation_version){
        .face = {.number = last != NULL ? last->face.number + 1 : 1, .policy = policy},
        .policy = policy,
        .of = generations};
    atomic_init(&version->holders, count + 1);
    for (unsigned i = 0; i < count; i++)
        version->shares[i] = (struct generation_share){.generation = &version->face, .version = version};
    atomic_fetch_add_explicit(&generations->alive, 1, memory_order_relaxed);
    return version;
}

struct generations *
generations_new(struct policy *policy, unsigned readers)
{
    struct generations *generations =
        aligned_alloc(64, sizeof(*generations) + readers * sizeof(generations->readers[0]));

    if (generations == NULL)
        return NULL;
    *generations = (struct generations){.reader_count = readers};
    generations->newest = version_new(generations, policy, NULL);
    if (generations->newest == NULL) {
        free(generations);
        return NULL;
    }
    pthread_mutex_init(&generations->lock, NULL);
    for (unsigned i = 0; i < readers; i++)
        generations->readers[i] = (struct generation_reader){.offered = &generations->newest->shares[i]};
    return generations;
}

/* What the worker has not taken by now it will never see. */
static void
offer(struct generation_reader *reader, struct generation_share *share)
{
    struct generation_share *missed = atomic_exchange_explicit(&reader->offered, share, memory_order_acq_rel);

    if (missed != NULL)
        drop(missed->version);
}

bool
generations_publish(struct generations *generations, struct policy *policy)
{
    struct generation_version *last, *version;

    pthread_mutex_lock(&generations->lock);
    last = generations->newest;
    version = version_new(generations, policy, last);
    if (version != NULL) {
        generations->newest = version;
        for (unsigned i = 0; i < generations->reader_count; i++)
            offer(&generations->readers[i], &version->shares[i]);
        drop(last);
    }
    pthread_mutex_unlock(&generations->lock);
    return version != NULL;
}

const struct policy *
generations_policy(const struct generations *generations)
{
    return generations->newest->policy;
}

void
generations_set_mistakes(struct generations *generations, unsigned mistakes)
{
    atomic_store_explicit(&generations->mistakes, mistakes, memory_order_relaxed);
}

unsigned
generations_mistakes(const struct generations *generations)
{
    return atomic_load_explicit(&generations->mistakes, memory_order_relaxed);
}

unsigned
generations_alive(const struct generations *generations)
{
    return atomic_load_explicit(&generations->alive, memory_order_relaxed);
}

struct generation_reader *
generations_reader(struct generations *generations, unsigned index)
{
    assert(index < generations->reader_count);
    return &generations->readers[index];
}

void
generations_free(struct generations *generations)
{
    if (generations == NULL)
        return;
    for (unsigned i = 0; i < generations->reader_count; i++)
        offer(&generations->readers[i], NULL);
    drop(generations->newest);
    assert(generations->alive == 0);
    pthread_mutex_destroy(&generations->lock);
    free(generations);
}

/* The worker's side. */

static void
drop_if_empty(struct generation_share *share)
{
    if (share->is_left && share->requests == 0)
        drop(share->version);
}

/* `share` may be NULL. */
static void
leave_behind(struct generation_share *share)
{
    if (share == NULL)
        return;
    share->is_left = true;
    drop_if_empty(share);
}

static void
catch_up(struct generation_reader *reader)
{
    struct generation_share *last = reader->current;

    /* Only this thread takes, and nobody offers NULL while it runs: there is one. */
    reader->current = atomic_exchange_explicit(&reader->offered, NULL, memory_order_acq_rel);
    leave_behind(last);
}

const struct generation *
generation_current(struct generation_reader *reader)
{
    if (atomic_load_explicit(&reader->offered, memory_order_relaxed) != NULL)
        catch_up(reader);
    return reader->current->generation;
}

struct generation_share *
generation_enter(struct generation_reader *reader)
{
    generation_current(reader);
    reader->current->requests++;
    return reader->current;
}

void
generation_stay(struct generation_share *share)
{
    assert(share->requests > 0);
    share->requests++;
}

void
generation_leave(struct generation_share *share)
{
    assert(share->requests > 0);
    share->requests--;
    drop_if_empty(share);
}

void
generation_reader_close(struct generation_reader *reader)
{
    assert(reader->current == NULL || reader->current->requests == 0);
    leave_behind(reader->current);
    reader->current = NULL;
}
