/*
 * Makes streams. An operation is chosen by the answers so far, because they show where the edges are: a
 * client that was refused returns just before and exactly at retry_after, takes what remains and one more,
 * crosses the window's edge, or finds the clock set back.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "counters.h"
#include "number.h"
#include "stream.h"

#define START_US    INT64_C(1700000000000000)
#define EARLIEST_US INT64_C(1000000000000000)
#define LATEST_US   INT64_C(8500000000000000)

#define INDEPENDENT_RULES_MAX 3

struct random {
    uint64_t state;
};

/* splitmix64, after Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014). */
static uint64_t
random_bits(struct random *random)
{
    uint64_t bits = random->state += UINT64_C(0x9e3779b97f4a7c15);

    bits = (bits ^ (bits >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    bits = (bits ^ (bits >> 27)) * UINT64_C(0x94d049bb133111eb);
    return bits ^ (bits >> 31);
}

/* From 0 to below `end`. */
static int64_t
random_below(struct random *random, int64_t end)
{
    return end <= 1 ? 0 : (int64_t)(random_bits(random) % (uint64_t)end);
}

static int64_t
random_of(struct random *random, const int64_t *values, size_t count)
{
    return values[random_below(random, (int64_t)count)];
}
#define RANDOM_OF(random, values) random_of(random, values, sizeof(values) / sizeof((values)[0]))

static int64_t
random_requests(struct random *random)
{
    static const int64_t usual[] = {1, 2, 3, 4, 5, 7, 10, 17, 60};
    static const int64_t unusual[] = {1000,
                                      SLIDING_WINDOW_ENTRIES,
                                      SLIDING_WINDOW_ENTRIES + 1,
                                      5000,
                                      999983,
                                      1000000,
                                      94906265,
                                      9007199254,
                                      9007199255,
                                      9007199254741,
                                      NUMBER_EXACT_MAX / 2,
                                      NUMBER_EXACT_MAX};

    return random_below(random, 100) < 75 ? RANDOM_OF(random, usual) : RANDOM_OF(random, unusual);
}

static int64_t
random_period_us(struct random *random)
{
    static const int64_t usual[] = {1000, 1000000, 60000000, 3600000000, 86400000000};
    static const int64_t unusual[] = {1, 2, 3, 7, 10, 1001, 999983, 94906266, DURATION_MAX_US};

    return random_below(random, 100) < 50 ? RANDOM_OF(random, usual) : RANDOM_OF(random, unusual);
}

static void
make_limit(struct random *random, enum algorithm algorithm, struct asked_limit *asked)
{
    enum limit_error error;

    do {
        int64_t requests = random_requests(random);

        asked->period_us = random_period_us(random);
        asked->refill = algorithm == TOKEN_BUCKET ? random_requests(random) : 0;
        if (algorithm == TOKEN_BUCKET)
            error = limit_init_token_bucket(&asked->limit, requests, asked->refill, asked->period_us);
        else
            error = limit_init_window(&asked->limit, algorithm, requests, asked->period_us);
    } while (error != LIMIT_OK);
}

static void
make_penalty(struct random *random, struct stream_rule *rule)
{
    static const int64_t after[] = {1, 1, 2, 3, 7, 20}, times[] = {1, 2, 9, 1000};
    struct penalty *penalty = &rule->own_penalty;

    *penalty = (struct penalty){.after = RANDOM_OF(random, after),
                                .within_us = random_period_us(random),
                                .for_us = random_period_us(random),
                                .growth = 1 + random_below(random, PENALTY_GROWTH_MAX)};
    if (!number_product(penalty->for_us, RANDOM_OF(random, times), &penalty->up_to_us) ||
        penalty->up_to_us > DURATION_MAX_US)
        penalty->up_to_us = DURATION_MAX_US;
    rule->penalty = penalty;
}

/* The same algorithm, and the same flow of tokens or the same window. */
static bool
is_counted_alike(const struct asked_limit *a, const struct asked_limit *b)
{
    if (a->limit.algorithm != b->limit.algorithm)
        return false;
    if (a->limit.algorithm != TOKEN_BUCKET)
        return a->period_us == b->period_us;
    return (__int128)a->refill * b->period_us == (__int128)b->refill * a->period_us;
}

static bool
has_same_state_name(const struct limit *a, const struct limit *b)
{
    char names[2][LIMIT_STATE_NAME_BYTES];
    size_t bytes = limit_state_name(a, names[0]);

    return bytes == limit_state_name(b, names[1]) && memcmp(names[0], names[1], bytes) == 0;
}

/* The same algorithm and period as `own`, and another number; the flow of a bucket written in another way. */
static void
make_other_number(struct random *random, const struct asked_limit *own, struct asked_limit *asked)
{
    enum limit_error error;

    *asked = *own;
    do {
        int64_t requests = random_requests(random), times = 1 + random_below(random, 3);

        if (own->limit.algorithm == TOKEN_BUCKET) {
            asked->refill = own->refill * times;
            asked->period_us = own->period_us * times;
            error = limit_init_token_bucket(&asked->limit, requests, asked->refill, asked->period_us);
        } else {
            error = limit_init_window(&asked->limit, own->limit.algorithm, requests, own->period_us);
        }
    } while (error != LIMIT_OK);
}

static void
make_overrides(struct random *random, struct stream *stream)
{
    struct stream_rule *rules = stream->rules;

    stream->rule_count = STREAM_RULES_MAX;
    for (size_t r = 0; r < STREAM_RULES_MAX; r++) {
        rules[r].limit_count = 1;
        if (r > 0 && random_below(random, 10) < 7)
            make_other_number(random, &rules[random_below(random, (int64_t)r)].asked[0], &rules[r].asked[0]);
        else
            make_limit(random, (enum algorithm)random_below(random, ALGORITHM_COUNT), &rules[r].asked[0]);
        rules[r].limits[0] = rules[r].asked[0].limit;
        while (!has_same_state_name(&rules[rules[r].state].limits[0], &rules[r].limits[0]))
            rules[r].state++;
        while (!is_counted_alike(&rules[rules[r].reference_state].asked[0], &rules[r].asked[0]))
            rules[r].reference_state++;
    }
}

static void
make_rules(struct random *random, int kind, struct stream *stream)
{
    if (kind == STREAM_OVERRIDES) {
        make_overrides(random, stream);
        return;
    }
    stream->rule_count = 1 + (size_t)random_below(random, INDEPENDENT_RULES_MAX);
    for (size_t r = 0; r < stream->rule_count; r++) {
        struct stream_rule *rule = &stream->rules[r];

        rule->state = rule->reference_state = r;
        rule->limit_count = kind >= STREAM_MIXED ? 1 + (size_t)random_below(random, STREAM_LIMITS_MAX) : 1;
        if (kind == STREAM_PENALTY)
            make_penalty(random, rule);
        for (size_t i = 0; i < rule->limit_count; i++) {
            int algorithm = kind >= STREAM_MIXED ? (int)random_below(random, ALGORITHM_COUNT) : kind;

            make_limit(random, (enum algorithm)algorithm, &rule->asked[i]);
            rule->limits[i] = rule->asked[i].limit;
        }
    }
}

/* How the clock moves before an operation, seen from the last decision of one of its limits. */
static int64_t
random_step_us(struct random *random, const struct limit *limit, const struct decision *last, int64_t now_us,
               bool clock_steps_back)
{
    int64_t dice = random_below(random, 100);
    int64_t to_next_window_us = limit->window_us - now_us % limit->window_us;

    if (dice < 35)
        return 0;
    if (dice < 45)
        return random_below(random, limit->window_us / (limit->limit < 1000 ? limit->limit : 1000) + 2);
    if (dice < 53)
        return random_below(random, 2 * limit->window_us) + 1;
    if (dice < 66)
        return last->retry_after_us > 0 ? last->retry_after_us - (dice < 57) : 0;
    if (dice < 76)
        return last->reset_after_us > 0 ? last->reset_after_us - (dice < 70) : 0;
    if (dice < 84)
        return to_next_window_us - (dice < 80);
    if (dice < 88)
        return limit->tick_us - now_us % limit->tick_us;
    if (!clock_steps_back)
        return dice - 87;
    if (dice < 95)
        return -1 - random_below(random, limit->window_us);
    if (dice < 97)
        return -limit->window_us - (dice < 96);
    return -random_below(random, 3 * limit->window_us);
}

/* To, and just before, the end of the penalty, of the refusals that are counted, and of the memory of the
   last penalty; or back by as much. */
static int64_t
random_penalty_step_us(struct random *random, const struct penalty *penalty, int64_t rest_us,
                       bool clock_steps_back)
{
    const int64_t steps_us[] = {rest_us, penalty->within_us, penalty->for_us, penalty->up_to_us};
    int64_t step_us = RANDOM_OF(random, steps_us) - random_below(random, 2);

    return clock_steps_back && random_below(random, 4) == 0 ? -step_us - random_below(random, 2) : step_us;
}

static int64_t
random_cost(struct random *random, const struct limit *limit, const struct decision *last)
{
    int64_t dice = random_below(random, 100);

    if (dice < 50)
        return 1;
    if (dice < 57)
        return 0;
    if (dice < 65)
        return last->remaining;
    if (dice < 70)
        return last->remaining < NUMBER_EXACT_MAX ? last->remaining + 1 : 1;
    if (dice < 88)
        return 1 + random_below(random, limit->limit);
    if (dice < 93)
        return limit->limit;
    if (dice < 98)
        return limit->limit < NUMBER_EXACT_MAX ? limit->limit + 1 : NUMBER_EXACT_MAX;
    return NUMBER_EXACT_MAX;
}

/* The client that asks, and the rule that decides. `rules`: that of each client of STREAM_OVERRIDES, which
   changes now and then; STREAM_RULES_MAX: unlimited or blocked, so it asks nothing. */
static void
choose_client(struct random *random, int kind, const struct stream *stream, size_t *rules,
              struct operation *operation)
{
    size_t *rule;

    if (kind != STREAM_OVERRIDES) {
        operation->rule = (size_t)random_below(random, (int64_t)stream->rule_count);
        operation->client = (size_t)random_below(random, STREAM_CLIENTS);
        return;
    }
    do {
        operation->client = (size_t)random_below(random, STREAM_CLIENTS);
        rule = &rules[operation->client];
        if (random_below(random, 4) == 0)
            *rule = random_below(random, 3) == 0 ? 0 : (size_t)random_below(random, STREAM_RULES_MAX + 1);
    } while (*rule == STREAM_RULES_MAX);
    operation->rule = *rule;
}

void
stream_make(struct stream *stream, uint64_t seed, int kind, size_t count)
{
    struct random random = {.state = seed};
    struct decision last[STREAM_LIMITS_MAX] = {{.remaining = 1}};
    struct counters counters[STREAM_RULES_MAX];
    int64_t now_us = START_US + random_below(&random, 86400000000), penalty_us = 0;
    size_t rules[STREAM_CLIENTS] = {0};
    bool clock_steps_back;

    *stream = (struct stream){.operations = calloc(count, sizeof(*stream->operations)), .count = count};
    assert(stream->operations != NULL);
    make_rules(&random, kind, stream);
    clock_steps_back = random_below(&random, 2) == 0;
    for (size_t r = 0; r < stream->rule_count; r++) {
        counters_init(&counters[r], stream->rules[r].limits, stream->rules[r].limit_count);
        counters[r].penalty = stream->rules[r].penalty;
    }
    for (size_t i = 0; i < count; i++) {
        struct operation *operation = &stream->operations[i];
        const struct stream_rule *rule;
        const struct limit *limit;
        int64_t step_us;
        size_t l;

        choose_client(&random, kind, stream, rules, operation);
        rule = &stream->rules[operation->rule];
        l = (size_t)random_below(&random, (int64_t)rule->limit_count);
        limit = &rule->limits[l];
        step_us = random_step_us(&random, limit, &last[l], now_us, clock_steps_back);
        if (rule->penalty != NULL && random_below(&random, 4) == 0)
            step_us = random_penalty_step_us(&random, rule->penalty, penalty_us, clock_steps_back);
        if (now_us + step_us >= EARLIEST_US && now_us + step_us <= LATEST_US)
            now_us += step_us;
        operation->now_us = now_us;
        operation->cost = random_cost(&random, limit, &last[l]);
        operation->count = random_below(&random, 100) < 80 ? 1 : 2 + random_below(&random, 7);
        counters[rule->state].limits = rule->limits;
        for (int64_t k = 0; k < operation->count; k++)
            counters_take(&counters[rule->state], operation->client, now_us, operation->cost, last,
                          &penalty_us);
    }
    for (size_t r = 0; r < stream->rule_count; r++)
        counters_fini(&counters[r]);
}

void
stream_free(struct stream *stream)
{
    free(stream->operations);
    *stream = (struct stream){0};
}
