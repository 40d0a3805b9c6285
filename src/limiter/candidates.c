#include "candidates.h"

#include <assert.h>
#include <stdlib.h>

#include "container_of.h"
#include "generation.h"
#include "rule_counts.h"

struct candidate {
    struct store_request request;
    struct client client;
    const struct limiter *limiter;
    const struct rule *rule;
    struct generation_share *share; /* that the rule is of; NULL: the rule outlives the request anyway */
    struct candidate *next;         /* unused */
};

struct candidates {
    struct candidate *unused; /* the one that was used last comes first */
    uint32_t made;            /* of the list; the others have never been touched */
    struct candidate list[CANDIDATES_MAX];
};

struct candidates *
candidates_new(void)
{
    struct candidates *candidates = malloc(sizeof(*candidates));

    if (candidates != NULL) {
        candidates->unused = NULL;
        candidates->made = 0;
    }
    return candidates;
}

void
candidates_free(struct candidates *candidates)
{
    free(candidates);
}

/* NULL: all are in use. */
static struct candidate *
candidate_get(struct candidates *candidates)
{
    struct candidate *candidate = candidates->unused;

    if (candidate != NULL)
        candidates->unused = candidate->next;
    else if (candidates->made < CANDIDATES_MAX)
        candidate = &candidates->list[candidates->made++];
    return candidate;
}

/* The rule may be freed with this. */
static void
candidate_end(struct candidate *candidate)
{
    struct candidates *candidates = candidate->limiter->candidates;

    if (candidate->share != NULL)
        generation_leave(candidate->share);
    candidate->next = candidates->unused;
    candidates->unused = candidate;
}

static void
on_decided(struct store_request *request, enum store_status status)
{
    struct candidate *candidate = container_of(request, struct candidate, request);
    enum rule_count what = request->allowed ? COUNT_CANDIDATE_ALLOWED : COUNT_CANDIDATE_REFUSED;

    rule_counts_add(candidate->rule->counts, candidate->limiter->worker,
                    status == STORE_DONE ? what : COUNT_CANDIDATE_MISSED);
    candidate_end(candidate);
}

static void
on_forgotten(struct store_request *request, enum store_status status)
{
    (void)status;
    candidate_end(container_of(request, struct candidate, request));
}

/* NULL: all are in use. */
static struct candidate *
candidate_begin(const struct limiter_take *take,
                void (*callback)(struct store_request *request, enum store_status status))
{
    struct candidates *candidates = take->limiter->candidates;
    struct candidate *candidate = candidates != NULL ? candidate_get(candidates) : NULL;

    if (candidate == NULL)
        return NULL;
    candidate->client = take->client;
    candidate->limiter = take->limiter;
    candidate->rule = take->rule;
    candidate->share = take->share;
    if (candidate->share != NULL)
        generation_stay(candidate->share);
    candidate->request.subject = (struct store_subject){
        .client = &candidate->client, .rule = take->rule->candidate_name, .limits = &take->rule->candidate};
    candidate->request.cost = take->cost;
    candidate->request.callback = callback;
    return candidate;
}

void
candidates_ask(const struct limiter_take *take)
{
    struct candidate *candidate = candidate_begin(take, on_decided);
    enum store_status status;

    if (candidate == NULL) {
        rule_counts_add(take->rule->counts, take->limiter->worker, COUNT_CANDIDATE_MISSED);
        return;
    }
    candidate->request.allowed = false;
    status = store_take(take->limiter->store, &candidate->request);
    if (status != STORE_PENDING)
        on_decided(&candidate->request, status);
}

void
candidates_reset(const struct limiter_take *take)
{
    struct candidate *candidate = candidate_begin(take, on_forgotten);
    enum store_status status;

    if (candidate == NULL)
        return;
    status = store_reset(take->limiter->store, &candidate->request);
    if (status != STORE_PENDING)
        on_forgotten(&candidate->request, status);
}
