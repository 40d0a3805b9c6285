/* Decides streams by C, by the reference and by Lua, and compares. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "counters.h"
#include "stream.h"

/* Batches sent before the first answer is read. */
#define IN_FLIGHT 64

/* The answers of one implementation: for each operation, for each of its requests, for each limit a decision;
   and the rest of the client's penalty for each request. */
struct answers {
    struct decision *decisions;
    int64_t *penalties_us;
    size_t *begin;         /* of each operation's decisions, and one more */
    size_t *request_begin; /* of each operation's requests, and one more */
};

static struct answers
answers_new(const struct stream *stream)
{
    struct answers answers = {.begin = calloc(stream->count + 1, sizeof(size_t)),
                              .request_begin = calloc(stream->count + 1, sizeof(size_t))};

    assert(answers.begin != NULL && answers.request_begin != NULL);
    for (size_t i = 0; i < stream->count; i++) {
        const struct operation *operation = &stream->operations[i];
        size_t limits = stream->rules[operation->rule].limit_count;

        answers.begin[i + 1] = answers.begin[i] + (size_t)operation->count * limits;
        answers.request_begin[i + 1] = answers.request_begin[i] + (size_t)operation->count;
    }
    answers.decisions = calloc(answers.begin[stream->count] + 1, sizeof(struct decision));
    answers.penalties_us = calloc(answers.request_begin[stream->count] + 1, sizeof(int64_t));
    assert(answers.decisions != NULL && answers.penalties_us != NULL);
    return answers;
}

static void
answers_free(struct answers *answers)
{
    free(answers->decisions);
    free(answers->penalties_us);
    free(answers->begin);
    free(answers->request_begin);
}

static void
decide_by_c(const struct stream *stream, struct answers *answers)
{
    struct counters counters[STREAM_RULES_MAX];

    for (size_t r = 0; r < stream->rule_count; r++) {
        counters_init(&counters[r], stream->rules[r].limits, stream->rules[r].limit_count);
        counters[r].penalty = stream->rules[r].penalty;
    }
    for (size_t i = 0; i < stream->count; i++) {
        const struct operation *operation = &stream->operations[i];
        const struct stream_rule *rule = &stream->rules[operation->rule];
        struct decision *decisions = answers->decisions + answers->begin[i];

        counters[rule->state].limits = rule->limits;
        for (int64_t k = 0; k < operation->count; k++) {
            counters_take(&counters[rule->state], operation->client, operation->now_us, operation->cost,
                          decisions, &answers->penalties_us[answers->request_begin[i] + (size_t)k]);
            decisions += rule->limit_count;
        }
    }
    for (size_t r = 0; r < stream->rule_count; r++)
        counters_fini(&counters[r]);
}

static void
decide_by_reference(const struct stream *stream, struct answers *answers)
{
    static struct reference references[STREAM_RULES_MAX];

    for (size_t r = 0; r < stream->rule_count; r++)
        reference_init(&references[r], stream->rules[r].asked, stream->rules[r].limit_count,
                       stream->rules[r].penalty);
    for (size_t i = 0; i < stream->count; i++) {
        const struct operation *operation = &stream->operations[i];
        const struct stream_rule *rule = &stream->rules[operation->rule];
        struct decision *decisions = answers->decisions + answers->begin[i];

        references[rule->reference_state].limits = rule->asked;
        for (int64_t k = 0; k < operation->count; k++) {
            reference_take(&references[rule->reference_state], operation->client, operation->now_us,
                           operation->cost, decisions,
                           &answers->penalties_us[answers->request_begin[i] + (size_t)k]);
            decisions += rule->limit_count;
        }
    }
    for (size_t r = 0; r < stream->rule_count; r++)
        reference_fini(&references[r]);
}

/* The operations from `first` on that one call of the script decides: those of one moment. */
static struct virtual_batch
next_batch(const struct stream *stream, size_t first, const struct virtual_rule *rules,
           struct virtual_request *requests)
{
    int64_t now_us = stream->operations[first].now_us;
    size_t count = 0;

    while (count < VIRTUAL_REQUESTS_MAX && first + count < stream->count &&
           stream->operations[first + count].now_us == now_us) {
        const struct operation *operation = &stream->operations[first + count];

        requests[count] = (struct virtual_request){.rule = operation->rule,
                                                   .client = operation->client,
                                                   .cost = operation->cost,
                                                   .count = operation->count};
        count++;
    }
    return (struct virtual_batch){.now_us = now_us,
                                  .rules = rules,
                                  .rule_count = stream->rule_count,
                                  .requests = requests,
                                  .request_count = count};
}

/* Returns how many operations were answered. */
static size_t
decide_by_lua(const struct stream *stream, struct virtual_redis *redis, struct answers *answers)
{
    static struct virtual_request requests[IN_FLIGHT][VIRTUAL_REQUESTS_MAX];
    struct virtual_batch batches[IN_FLIGHT];
    struct virtual_rule rules[STREAM_RULES_MAX];
    size_t sent = 0, received = 0;
    bool failed = !virtual_redis_clear(redis);

    for (size_t r = 0; r < stream->rule_count; r++)
        rules[r] = (struct virtual_rule){stream->rules[r].limits, stream->rules[r].limit_count,
                                         stream->rules[r].penalty, stream->rules[r].state};
    while (!failed && received < stream->count) {
        size_t in_flight = 0;

        for (; in_flight < IN_FLIGHT && sent < stream->count; in_flight++) {
            batches[in_flight] = next_batch(stream, sent, rules, requests[in_flight]);
            if (!virtual_redis_send(redis, &batches[in_flight]))
                abort();
            sent += batches[in_flight].request_count;
        }
        for (size_t i = 0; i < in_flight; i++) {
            /* Pending replies must be read, or they would be taken for those of the next stream. */
            failed = !virtual_redis_receive(redis, &batches[i], answers->decisions + answers->begin[received],
                                            answers->penalties_us + answers->request_begin[received]) ||
                     failed;
            if (!failed)
                received += batches[i].request_count;
        }
    }
    return received;
}

static bool
same_decision(const struct decision *a, const struct decision *b)
{
    return a->allowed == b->allowed && a->limit == b->limit && a->remaining == b->remaining &&
           a->retry_after_us == b->retry_after_us && a->reset_after_us == b->reset_after_us;
}

static void
print_decision(const char *label, const struct decision *decision)
{
    fprintf(stderr, "    %-9s  %s, remaining %" PRId64 ", retry_after %" PRId64 ", reset_after %" PRId64 "\n",
            label, decision->allowed ? "allowed" : "refused", decision->remaining, decision->retry_after_us,
            decision->reset_after_us);
}

/* The first operation where two answers differ, or stream->count. */
static size_t
first_difference(const struct stream *stream, const struct answers *c, const struct answers *other,
                 const char *label, bool explain)
{
    for (size_t i = 0; i < stream->count; i++) {
        size_t limits = stream->rules[stream->operations[i].rule].limit_count;

        for (size_t k = c->begin[i]; k < c->begin[i + 1]; k++) {
            if (same_decision(&c->decisions[k], &other->decisions[k]))
                continue;
            if (explain) {
                fprintf(stderr, "  operation %zu, request %zu, limit %zu:\n", i, (k - c->begin[i]) / limits,
                        (k - c->begin[i]) % limits);
                print_decision("C", &c->decisions[k]);
                print_decision(label, &other->decisions[k]);
            }
            return i;
        }
        for (size_t k = c->request_begin[i]; k < c->request_begin[i + 1]; k++) {
            if (c->penalties_us[k] == other->penalties_us[k])
                continue;
            if (explain)
                fprintf(stderr,
                        "  operation %zu, request %zu: C says a penalty of %" PRId64 " us, %s %" PRId64 "\n",
                        i, k - c->request_begin[i], c->penalties_us[k], label, other->penalties_us[k]);
            return i;
        }
    }
    return stream->count;
}

/* Checks what passed, not how it was decided: of one client, on one rule, in the window that ends with
   operation `last`, costs that passed add up to no more than the limit. Only where the clock never steps
   back. */
static bool
window_holds_no_more_than_the_limit(const struct stream *stream, const struct answers *answers, size_t last)
{
    const struct operation *end = &stream->operations[last];
    const struct stream_rule *rule = &stream->rules[end->rule];
    __int128 sum = 0;

    for (size_t i = last + 1; i-- > 0;) {
        const struct operation *operation = &stream->operations[i];

        if (operation->now_us <= end->now_us - rule->limits[0].window_us)
            break;
        if (operation->rule != end->rule || operation->client != end->client)
            continue;
        for (size_t k = answers->begin[i]; k < answers->begin[i + 1]; k++)
            sum += answers->decisions[k].allowed ? operation->cost : 0;
    }
    return sum <= rule->limits[0].limit;
}

static bool
clock_steps_back(const struct stream *stream)
{
    for (size_t i = 1; i < stream->count; i++) {
        if (stream->operations[i].now_us < stream->operations[i - 1].now_us)
            return true;
    }
    return false;
}

static size_t
first_overfull_window(const struct stream *stream, const struct answers *answers, bool explain)
{
    if (clock_steps_back(stream))
        return stream->count;
    for (size_t i = 0; i < stream->count; i++) {
        const struct stream_rule *rule = &stream->rules[stream->operations[i].rule];

        if (rule->limit_count > 1 || rule->limits[0].algorithm != SLIDING_WINDOW ||
            window_holds_no_more_than_the_limit(stream, answers, i))
            continue;
        if (explain)
            fprintf(stderr, "  operation %zu: more than the limit in one window\n", i);
        return i;
    }
    return stream->count;
}

int64_t
stream_check(const struct stream *stream, struct virtual_redis *redis, bool explain)
{
    struct answers c = answers_new(stream), reference = answers_new(stream), lua = answers_new(stream);
    size_t first, other;

    decide_by_c(stream, &c);
    decide_by_reference(stream, &reference);
    first = decide_by_lua(stream, redis, &lua);
    if (first == stream->count)
        first = first_difference(stream, &c, &lua, "Lua", explain);
    other = first_difference(stream, &c, &reference, "reference", explain);
    first = other < first ? other : first;
    other = first_overfull_window(stream, &c, explain);
    first = other < first ? other : first;
    answers_free(&c);
    answers_free(&reference);
    answers_free(&lua);
    return first < stream->count ? (int64_t)first : -1;
}
