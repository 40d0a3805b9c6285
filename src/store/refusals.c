#include "refusals.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "siphash.h"

#define WAYS          4 /* places that one refusal can have */
#define SETS          4096
#define REFUSAL_US    (1 * US_PER_S)
#define SUBJECT_BYTES (CLIENT_BYTES + 1 + 255 + sizeof(int64_t))

struct refusal {
    struct siphash fingerprint;
    uint32_t generation; /* another than the table's: forgotten */
    uint32_t limit_count;
    int64_t sent_us, until_us; /* monotonic */
    struct decision decisions[STORE_LIMITS_MAX];
};

struct refusals {
    struct siphash_key key;
    uint32_t generation;
    struct refusal table[SETS][WAYS];
};

struct refusals *
refusals_new(void)
{
    struct refusals *refusals =
        calloc(1, sizeof(*refusals)); /* 6 MiB, of which only what is used is touched */

    if (refusals == NULL)
        return NULL;
    refusals->key = siphash_random_key();
    refusals->generation = 1;
    return refusals;
}

void
refusals_free(struct refusals *refusals)
{
    free(refusals);
}

void
refusals_clear(struct refusals *refusals)
{
    refusals->generation++;
}

/* Client, rule and cost: neither of the first two has a newline in it. */
static struct siphash
fingerprint_of(const struct refusals *refusals, const struct store_request *request)
{
    const struct store_subject *subject = &request->subject;
    char text[SUBJECT_BYTES];
    size_t rule_bytes = strlen(subject->rule), bytes = subject->client->bytes;

    assert(rule_bytes <= 255);
    memcpy(text, subject->client->text, bytes);
    text[bytes++] = '\n';
    memcpy(text + bytes, subject->rule, rule_bytes);
    bytes += rule_bytes;
    memcpy(text + bytes, &request->cost, sizeof(request->cost));
    return siphash128(refusals->key, text, bytes + sizeof(request->cost));
}

static bool
is_of(const struct refusal *refusal, struct siphash fingerprint)
{
    return refusal->fingerprint.low == fingerprint.low && refusal->fingerprint.high == fingerprint.high;
}

/* How long all limits together will refuse: as long as the one that does so longest. */
static int64_t
refused_for_us(const struct store_request *request)
{
    int64_t longest = 0;

    for (uint32_t i = 0; i < request->subject.limit_count; i++) {
        const struct decision *decision = &request->decisions[i];
        if (decision->retry_after_us == RETRY_NEVER)
            return REFUSAL_US;
        if (decision->retry_after_us > longest)
            longest = decision->retry_after_us;
    }
    return longest < REFUSAL_US ? longest : REFUSAL_US;
}

void
refusals_note(struct refusals *refusals, const struct store_request *request, int64_t sent_us)
{
    struct siphash fingerprint = fingerprint_of(refusals, request);
    struct refusal *set = refusals->table[fingerprint.high % SETS], *place = &set[0];

    for (int way = 0; way < WAYS; way++) {
        struct refusal *refusal = &set[way];
        if (is_of(refusal, fingerprint)) {
            place = refusal;
            break;
        }
        if (refusal->generation != refusals->generation || refusal->until_us < place->until_us)
            place = refusal;
    }
    place->fingerprint = fingerprint;
    place->generation = refusals->generation;
    place->limit_count = request->subject.limit_count;
    place->sent_us = sent_us;
    place->until_us = sent_us + refused_for_us(request);
    memcpy(place->decisions, request->decisions, place->limit_count * sizeof(struct decision));
}

static int64_t
less_elapsed(int64_t duration_us, int64_t elapsed_us)
{
    return duration_us > elapsed_us ? duration_us - elapsed_us : 0;
}

/* The decision as it has become: a limit that refused for less long than another may allow by now. */
static void
age(struct decision *decision, int64_t elapsed_us)
{
    decision->reset_after_us = less_elapsed(decision->reset_after_us, elapsed_us);
    if (decision->allowed || decision->retry_after_us == RETRY_NEVER)
        return;
    decision->retry_after_us = less_elapsed(decision->retry_after_us, elapsed_us);
    decision->allowed = decision->retry_after_us == 0;
}

bool
refusals_answer(const struct refusals *refusals, struct store_request *request, int64_t now_us)
{
    struct siphash fingerprint = fingerprint_of(refusals, request);
    const struct refusal *set = refusals->table[fingerprint.high % SETS];

    for (int way = 0; way < WAYS; way++) {
        const struct refusal *refusal = &set[way];
        if (!is_of(refusal, fingerprint) || refusal->generation != refusals->generation ||
            now_us >= refusal->until_us || refusal->limit_count != request->subject.limit_count)
            continue;
        request->allowed = false;
        for (uint32_t i = 0; i < refusal->limit_count; i++) {
            request->decisions[i] = refusal->decisions[i];
            age(&request->decisions[i], now_us - refusal->sent_us);
        }
        return true;
    }
    return false;
}
