#include "redis_batch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct redis_batch *
redis_batch_new(void)
{
    return calloc(1, sizeof(struct redis_batch));
}

void
redis_batch_free(struct redis_batch *batch)
{
    if (batch == NULL)
        return;
    free(batch->command);
    free(batch);
}

void
redis_batch_clear(struct redis_batch *batch)
{
    batch->next = NULL;
    batch->request_count = batch->group_count = batch->rule_count = batch->key_count = 0;
    batch->work = 0;
    batch->live = batch->expiring = 0;
    batch->resent = 0;
    batch->is_reset = batch->repeats = false;
    memset(batch->buckets, 0, sizeof(batch->buckets));
}

/* Gathering. */

/* FNV-1a. Clients chosen to collide only cost a few hundred comparisons within a batch. */
static uint32_t
hash_client(const struct client *client)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < client->bytes; i++)
        hash = (hash ^ (unsigned char)client->text[i]) * 16777619u;
    return hash ^ hash >> 15;
}

static bool
is_same_subject(const struct store_subject *a, const struct store_subject *b)
{
    return a->limits->id == b->limits->id && a->client->bytes == b->client->bytes &&
           memcmp(a->client->text, b->client->text, a->client->bytes) == 0;
}

/* The first request of the group that still waits; NULL: none. Before it is sent. */
static const struct store_request *
first_of(const struct redis_batch *batch, struct redis_batch_group *group)
{
    while (batch->slots[group->first].request == NULL && group->first != group->last)
        group->first = batch->slots[group->first].next_equal;
    return batch->slots[group->first].request;
}

/* The latest group of the request's subject, or the empty bucket for a new one (`*group` NULL). Skips groups
   whose requests have all been removed: there is nothing to compare with. `*is_known`: the batch has a group
   of this client under any rule, or of another client with the same hash. */
static uint16_t *
find_group(struct redis_batch *batch, const struct store_request *request, uint32_t hash,
           struct redis_batch_group **group, bool *is_known)
{
    const struct store_request *first;

    *is_known = false;
    for (uint32_t i = hash;; i++) {
        uint16_t *bucket = &batch->buckets[i % BATCH_BUCKETS];
        *group = NULL;
        if (*bucket == 0)
            return bucket;
        *group = &batch->groups[*bucket - 1];
        if ((*group)->hash != hash)
            continue;
        *is_known = true;
        first = first_of(batch, *group);
        if (first != NULL && is_same_subject(&first->subject, &request->subject))
            return bucket;
    }
}

/* The index of the rule in the batch; if it is not there, that of the next new one. */
static uint16_t
find_rule(const struct redis_batch *batch, const struct store_subject *subject)
{
    uint16_t number = 0;

    while (number < batch->rule_count && batch->rules[number].limits.id != subject->limits->id)
        number++;
    return number;
}

static void
add_rule(struct redis_batch *batch, const struct store_subject *subject)
{
    struct redis_batch_rule *rule = &batch->rules[batch->rule_count++];

    rule->limits = *subject->limits;
    rule->penalty = subject->penalty != NULL ? *subject->penalty : (struct penalty){0};
}

/* The rest of Redis' work for each key, in the unit of limit_work: to set up another rule, and to decide
   another equal request of a group. */
#define RULE_WORK 3
#define FOLD_WORK 1

static uint32_t
work_of(const struct redis_batch *batch, const struct store_request *request, uint16_t rule)
{
    const struct store_subject *subject = &request->subject;
    const struct limit_set *limits = subject->limits;
    uint32_t work = rule > 0 && rule == batch->rule_count ? RULE_WORK * store_key_count(subject) : 0;

    for (uint32_t i = 0; i < limits->count; i++)
        work += limit_work(&limits->limits[i], request->cost);
    return subject->penalty != NULL ? work + PENALTY_WORK : work;
}

/* Adds to the batch's work. False: that would exceed BATCH_WORK. */
static bool
add_work(struct redis_batch *batch, uint32_t work)
{
    if (batch->work + work > BATCH_WORK)
        return false;
    batch->work = (uint16_t)(batch->work + work);
    return true;
}

bool
redis_batch_add(struct redis_batch *batch, struct store_request *request, int64_t deadline_us)
{
    uint32_t hash = hash_client(request->subject.client);
    const struct store_request *first;
    struct redis_batch_group *group;
    uint16_t *bucket, position = batch->request_count, rule;
    bool is_known;

    if (position == BATCH_REQUESTS)
        return false;
    bucket = find_group(batch, request, hash, &group, &is_known);
    first = group != NULL ? first_of(batch, group) : NULL;
    /* Only into the latest group, so that it does not overtake a request of another cost. */
    if (first == NULL || first->cost != request->cost) {
        rule = find_rule(batch, &request->subject);
        if (rule == BATCH_RULES || !add_work(batch, work_of(batch, request, rule)))
            return false;
        if (rule == batch->rule_count)
            add_rule(batch, &request->subject);
        group = &batch->groups[batch->group_count++];
        *bucket = batch->group_count;
        *group = (struct redis_batch_group){.hash = hash, .first = position, .last = position, .rule = rule};
        batch->key_count = (uint16_t)(batch->key_count + store_key_count(&request->subject));
        batch->repeats |= is_known;
    } else {
        if (!add_work(batch, FOLD_WORK * store_key_count(&request->subject)))
            return false;
        batch->slots[group->last].next_equal = position;
        group->last = position;
    }
    request->place = &batch->slots[position];
    batch->slots[position] =
        (struct redis_batch_slot){.batch = batch, .request = request, .deadline_us = deadline_us};
    batch->request_count++;
    batch->live++;
    return true;
}

/* The request is its caller's again. */
static struct store_request *
vacate(struct redis_batch_slot *slot)
{
    struct store_request *request = slot->request;

    slot->request = NULL;
    slot->batch->live--;
    request->place = NULL;
    return request;
}

void
redis_batch_remove(struct store_request *request)
{
    struct redis_batch_slot *slot = request->place;

    assert(slot->request == request);
    vacate(slot);
}

/* Answering. */

void
redis_batch_decide_reset(struct redis_batch *batch)
{
    batch->slots[0].decided = true;
}

void
redis_batch_answer(struct redis_batch *batch)
{
    for (uint16_t i = 0; i < batch->request_count && batch->live > 0; i++) {
        struct redis_batch_slot *slot = &batch->slots[i];
        if (slot->request == NULL)
            continue;
        struct store_request *request = vacate(slot);
        request->callback(request, slot->decided ? STORE_DONE : STORE_UNAVAILABLE);
    }
}

int64_t
redis_batch_deadline(const struct redis_batch *batch)
{
    for (uint32_t i = batch->expiring; i < batch->request_count; i++)
        if (batch->slots[i].request != NULL)
            return batch->slots[i].deadline_us;
    return INT64_MAX;
}

void
redis_batch_expire(struct redis_batch *batch, int64_t now_us, int64_t *next_us)
{
    for (; batch->expiring < batch->request_count; batch->expiring++) {
        struct redis_batch_slot *slot = &batch->slots[batch->expiring];
        struct store_request *request = slot->request;
        if (request == NULL)
            continue;
        if (slot->deadline_us > now_us) {
            *next_us = slot->deadline_us;
            break;
        }
        redis_batch_remove(request);
        request->callback(request, STORE_UNAVAILABLE);
    }
}
