#include "health.h"

#include <inttypes.h>

#define BODY_BYTES 512

static const char *
state_name(enum store_state state)
{
    static const char *const names[] = {
        [STORE_READY] = "ready", [STORE_CONNECTING] = "connecting", [STORE_LOST] = "lost"};

    return names[state];
}

static uint64_t
count_of(const struct limiter *limiter, enum failure_mode mode)
{
    return atomic_load_explicit(&limiter->counts->degraded[mode], memory_order_relaxed);
}

struct answer
health_answer(const struct limiter *limiter, bool closing)
{
    enum store_state state = limiter_store_state(limiter);
    char buffer[BODY_BYTES];
    struct text body = {.start = buffer, .room = sizeof(buffer)};

    text_put(&body, "{\"status\": \"%s\", \"store\": {\"kind\": \"%s\", \"state\": \"%s\"}",
             state == STORE_READY ? "ok" : "degraded", store_health(limiter->store).kind, state_name(state));
    text_put(
        &body, ", \"degraded\": {\"closed\": %" PRIu64 ", \"open\": %" PRIu64 ", \"local\": %" PRIu64 "}}\n",
        count_of(limiter, FAILURE_CLOSED), count_of(limiter, FAILURE_OPEN), count_of(limiter, FAILURE_LOCAL));
    return answer_new(200, &body, ANSWER_JSON, closing);
}

struct answer
ready_answer(const struct limiter *limiter, enum failure_mode mode, bool draining)
{
    bool away = limiter_store_state(limiter) != STORE_READY && mode == FAILURE_CLOSED;
    char buffer[BODY_BYTES];
    struct text body = {.start = buffer, .room = sizeof(buffer)};

    text_put(&body, "{\"ready\": %s, \"reason\": \"%s\"}\n", draining || away ? "false" : "true",
             draining ? "draining"
             : away   ? "the store is away"
                      : "");
    return answer_new(draining || away ? 503 : 200, &body, ANSWER_JSON, draining);
}
