#include "generation.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "container_of.h"
#include "overrides.h"
#include "rule_counts.h"

/* Of all generations that have it. */
struct policy_share {
    struct policy *policy;
    _Atomic unsigned holders;
};

/* A generation with its shares, all in one allocation. */
struct generation_version {
    struct generation face;
    struct policy_share *policy;
    struct overrides *overrides; /* NULL: none */
    struct generations *of;
    _Atomic unsigned holders; /* shares not dropped, `of` while this is the newest, generations_hold */
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
    struct override_list *list; /* of the newest; NULL: none */
    _Atomic unsigned alive, mistakes;
    unsigned reader_count;
    struct generation_reader readers[];
};

static void
drop_policy(struct policy_share *share)
{
    if (atomic_fetch_sub_explicit(&share->holders, 1, memory_order_acq_rel) > 1)
        return;
    rule_counts_detach(share->policy);
    policy_free(share->policy);
    free(share);
}

static void
drop(struct generation_version *version)
{
    if (atomic_fetch_sub_explicit(&version->holders, 1, memory_order_acq_rel) > 1)
        return;
    atomic_fetch_sub_explicit(&version->of->alive, 1, memory_order_relaxed);
    overrides_free(version->overrides);
    drop_policy(version->policy);
    free(version);
}

/* Not held yet. `before` is what it follows; NULL: nothing. Returns NULL when out of memory. */
static struct policy_share *
policy_share_new(struct policy *policy, const struct policy *before, unsigned readers)
{
    struct policy_share *share = malloc(sizeof(*share));

    if (share == NULL)
        return NULL;
    *share = (struct policy_share){.policy = policy};
    if (rule_counts_attach(policy, before, readers))
        return share;
    free(share);
    return NULL;
}

/* Of a share that nothing holds; the policy remains the caller's. NULL is allowed. */
static void
policy_share_undo(struct policy_share *share)
{
    if (share != NULL)
        rule_counts_detach(share->policy);
    free(share);
}

/* Held by each reader and by `newest`. */
static struct generation_version *
version_new(struct generations *generations, struct policy_share *policy, const struct override_list *list,
            uint64_t number)
{
    unsigned count = generations->reader_count;
    bool has_some = list != NULL && list->count > 0;
    struct overrides *overrides = has_some ? overrides_compile(list, policy->policy) : NULL;
    struct generation_version *version =
        aligned_alloc(64, sizeof(*version) + count * sizeof(version->shares[0]));

    if (version == NULL || (has_some && overrides == NULL)) {
        overrides_free(overrides);
        free(version);
        return NULL;
    }
    *version = (struct generation_version){
        .face = {.number = number,
                 .policy = overrides != NULL ? overrides_policy(overrides) : policy->policy},
        .policy = policy,
        .overrides = overrides,
        .of = generations};
    atomic_init(&version->holders, count + 1);
    for (unsigned i = 0; i < count; i++)
        version->shares[i] = (struct generation_share){.generation = &version->face, .version = version};
    atomic_fetch_add_explicit(&policy->holders, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&generations->alive, 1, memory_order_relaxed);
    return version;
}

struct generations *
generations_new(struct policy *policy, unsigned readers)
{
    struct policy_share *share;
    struct generations *generations =
        aligned_alloc(64, sizeof(*generations) + readers * sizeof(generations->readers[0]));

    if (generations == NULL)
        return NULL;
    *generations = (struct generations){.reader_count = readers};
    share = policy_share_new(policy, NULL, readers);
    generations->newest = share != NULL ? version_new(generations, share, NULL, 1) : NULL;
    if (generations->newest == NULL) {
        policy_share_undo(share);
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

/* With the lock. False: out of memory. */
static bool
publish(struct generations *generations, struct policy_share *policy, const struct override_list *list)
{
    struct generation_version *last = generations->newest;
    struct generation_version *version = version_new(generations, policy, list, last->face.number + 1);

    if (version == NULL)
        return false;
    generations->newest = version;
    for (unsigned i = 0; i < generations->reader_count; i++)
        offer(&generations->readers[i], &version->shares[i]);
    drop(last);
    return true;
}

bool
generations_publish(struct generations *generations, struct policy *policy)
{
    struct policy_share *share;
    bool is_published;

    pthread_mutex_lock(&generations->lock);
    share = policy_share_new(policy, generations->newest->policy->policy, generations->reader_count);
    is_published = share != NULL && publish(generations, share, generations->list);
    if (!is_published)
        policy_share_undo(share);
    pthread_mutex_unlock(&generations->lock);
    return is_published;
}

bool
generations_override(struct generations *generations, struct override_list *list)
{
    struct override_list *last = NULL;
    bool is_published;

    pthread_mutex_lock(&generations->lock);
    is_published = publish(generations, generations->newest->policy, list);
    if (is_published) {
        last = generations->list;
        generations->list = list;
    }
    pthread_mutex_unlock(&generations->lock);
    override_list_free(last);
    return is_published;
}

const struct policy *
generations_policy(struct generations *generations)
{
    const struct policy *policy;

    pthread_mutex_lock(&generations->lock);
    policy = generations->newest->policy->policy;
    pthread_mutex_unlock(&generations->lock);
    return policy;
}

struct generation *
generations_hold(struct generations *generations)
{
    struct generation_version *version;

    pthread_mutex_lock(&generations->lock);
    version = generations->newest;
    atomic_fetch_add_explicit(&version->holders, 1, memory_order_relaxed);
    pthread_mutex_unlock(&generations->lock);
    return &version->face;
}

void
generations_release(struct generation *generation)
{
    drop(container_of(generation, struct generation_version, face));
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
    override_list_free(generations->list);
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

    /* Only this thread takes, and NULL is not offered while it runs: there is one. */
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
