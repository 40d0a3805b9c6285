#include "denial_cache.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "fingerprint.h"

#define WAYS       4 /* slots that a refusal may use */
#define SETS       32768
#define REFUSAL_US (1 * US_PER_S)

/* The decision of one limit; a refusal under a rule of several limits has one for each. One more, with the
   index of no limit, holds the penalty, if the rule has one: its rest is retry_after_us. */
struct refusal {
    struct siphash fingerprint;
    int64_t sent_us, until_us; /* monotonic; the same for all limits of a refusal */
    int64_t remaining;
    int64_t retry_after_us; /* 0: this limit allowed it */
    int64_t reset_after_us;
    uint32_t generation; /* differs from the cache's: cleared */
};
_Static_assert(sizeof(struct refusal) == 64, "one cache line");

struct denial_cache {
    struct refusal (*sets)[WAYS]; /* 8 MiB; only used pages are touched */
    struct siphash_key key;
    uint32_t generation;
};

struct denial_cache *
denial_cache_new(void)
{
    struct denial_cache *denials = calloc(1, sizeof(*denials));

    if (denials == NULL)
        return NULL;
    denials->sets = calloc(SETS, sizeof(*denials->sets));
    if (denials->sets == NULL) {
        free(denials);
        return NULL;
    }
    denials->key = siphash_random_key();
    denials->generation = 1;
    return denials;
}

void
denial_cache_free(struct denial_cache *denials)
{
    if (denials == NULL)
        return;
    free(denials->sets);
    free(denials);
}

void
denial_cache_clear(struct denial_cache *denials)
{
    denials->generation++;
}

/* Of client, rule and cost. The rule by its id too: another one of the same name may allow what this one
   refused. */
static struct siphash
fingerprint_of(const struct denial_cache *denials, const struct store_request *request)
{
    const uint64_t numbers[] = {request->subject.limits->id, (uint64_t)request->cost};
    char text[SUBJECT_BYTES + sizeof(numbers)];
    size_t bytes = subject_write(text, &request->subject);

    memcpy(text + bytes, numbers, sizeof(numbers));
    return siphash128(denials->key, text, bytes + sizeof(numbers));
}

static struct refusal *
set_of(const struct denial_cache *denials, struct siphash fingerprint)
{
    return denials->sets[fingerprint.low % SETS];
}

/* How long Redis would refuse without counting it: the rest of the penalty, under a rule that has one; else
   the longest of its limits. */
static int64_t
refused_for_us(const struct store_request *request)
{
    int64_t longest = 0;

    if (request->subject.penalty != NULL)
        return request->penalty_us < REFUSAL_US ? request->penalty_us : REFUSAL_US;
    for (uint32_t i = 0; i < request->subject.limits->count; i++) {
        const struct decision *decision = &request->decisions[i];
        if (decision->retry_after_us == RETRY_NEVER)
            return REFUSAL_US;
        if (decision->retry_after_us > longest)
            longest = decision->retry_after_us;
    }
    return longest < REFUSAL_US ? longest : REFUSAL_US;
}

/* Its own slot, else a cleared one, else the one that expires first. */
static struct refusal *
place_for(const struct denial_cache *denials, struct siphash fingerprint)
{
    struct refusal *set = set_of(denials, fingerprint), *place = &set[0];

    for (int way = 0; way < WAYS; way++) {
        if (siphash_equals(set[way].fingerprint, fingerprint))
            return &set[way];
        if (set[way].generation != denials->generation)
            set[way].until_us = INT64_MIN;
        if (set[way].until_us < place->until_us)
            place = &set[way];
    }
    return place;
}

void
denial_cache_note(struct denial_cache *denials, const struct store_request *request, int64_t sent_us)
{
    const struct store_subject *subject = &request->subject;
    const struct decision penalty = {.retry_after_us = request->penalty_us};
    struct siphash fingerprint = fingerprint_of(denials, request);
    int64_t until_us = sent_us + refused_for_us(request);

    for (uint32_t i = 0; i < store_key_count(subject); i++) {
        const struct decision *decision = i < subject->limits->count ? &request->decisions[i] : &penalty;
        struct siphash own = limit_fingerprint(fingerprint, i);
        *place_for(denials, own) = (struct refusal){.fingerprint = own,
                                                    .sent_us = sent_us,
                                                    .until_us = until_us,
                                                    .remaining = decision->remaining,
                                                    .retry_after_us = decision->retry_after_us,
                                                    .reset_after_us = decision->reset_after_us,
                                                    .generation = denials->generation};
    }
}

static int64_t
less_elapsed(int64_t duration_us, int64_t elapsed_us)
{
    return duration_us > elapsed_us ? duration_us - elapsed_us : 0;
}

/* The limit's decision by now: one that refused for a shorter time than another may allow it. */
static struct decision
age(const struct refusal *refusal, const struct limit *limit, int64_t now_us)
{
    int64_t elapsed_us = now_us - refusal->sent_us, retry_after_us = refusal->retry_after_us;

    if (retry_after_us != RETRY_NEVER)
        retry_after_us = less_elapsed(retry_after_us, elapsed_us);
    return (struct decision){.allowed = retry_after_us == 0,
                             .limit = limit->limit,
                             .remaining = refusal->remaining,
                             .retry_after_us = retry_after_us,
                             .reset_after_us = less_elapsed(refusal->reset_after_us, elapsed_us)};
}

static const struct refusal *
find(const struct denial_cache *denials, struct siphash fingerprint, int64_t now_us)
{
    const struct refusal *set = set_of(denials, fingerprint);

    for (int way = 0; way < WAYS; way++)
        if (siphash_equals(set[way].fingerprint, fingerprint))
            return set[way].generation == denials->generation && now_us < set[way].until_us ? &set[way]
                                                                                            : NULL;
    return NULL;
}

bool
denial_cache_answer(const struct denial_cache *denials, struct store_request *request, int64_t now_us)
{
    const struct store_subject *subject = &request->subject;
    struct siphash fingerprint = fingerprint_of(denials, request);
    int64_t sent_us = 0;

    request->penalty_us = 0;
    for (uint32_t i = 0; i < store_key_count(subject); i++) {
        const struct refusal *refusal = find(denials, limit_fingerprint(fingerprint, i), now_us);
        if (refusal == NULL || (i > 0 && refusal->sent_us != sent_us))
            return false; /* absent, or partly replaced */
        sent_us = refusal->sent_us;
        if (i < subject->limits->count)
            request->decisions[i] = age(refusal, &subject->limits->limits[i], now_us);
        else
            request->penalty_us = less_elapsed(refusal->retry_after_us, now_us - sent_us);
    }
    request->allowed = false;
    return true;
}
