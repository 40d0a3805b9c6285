/* limiter_handle: the library's limiters and their decisions. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "error.h"
#include "handle.h"
#include "limit.h"
#include "number.h"
#include "rule_name.h"
#include "unique.h"

_Static_assert(RATELIMIT_LIMITS == LIMIT_SET_MAX, "ratelimit.h repeats limit.h");
_Static_assert(RATELIMIT_NAME_BYTES == RULE_NAME_BYTES, "ratelimit.h repeats rule_name.h");
_Static_assert(RATELIMIT_NEVER == RETRY_NEVER, "ratelimit.h repeats decision.h");
_Static_assert((int)RATELIMIT_TOKEN_BUCKET == TOKEN_BUCKET &&
                   (int)RATELIMIT_SLIDING_WINDOW == SLIDING_WINDOW &&
                   (int)RATELIMIT_SLIDING_WINDOW_COUNTER == SLIDING_WINDOW_COUNTER &&
                   (int)RATELIMIT_FIXED_WINDOW == FIXED_WINDOW,
               "ratelimit.h repeats limit.h");

/* Immutable once made. */
struct ratelimit_limiter {
    struct ratelimit_store *store;
    char name[RULE_NAME_BYTES + 1];
    struct limit_set limits;
};

/* What is wrong with a limit. */

static const enum ratelimit_status limit_statuses[] = {
    [LIMIT_OK] = RATELIMIT_OK,
    [LIMIT_NOT_POSITIVE] = RATELIMIT_NOT_POSITIVE,
    [LIMIT_WINDOW_TOO_LONG] = RATELIMIT_PERIOD_TOO_LONG,
    [LIMIT_TOO_LARGE] = RATELIMIT_TOO_LARGE,
};

static enum limit_error
compile(struct limit *compiled, const struct ratelimit_limit *limit)
{
    int64_t period_us;

    /* Before the product that could overflow. */
    if (limit->period_ms < 1)
        return LIMIT_NOT_POSITIVE;
    if (limit->period_ms > RATELIMIT_PERIOD_MS_MAX)
        return LIMIT_WINDOW_TOO_LONG;
    period_us = limit->period_ms * US_PER_MS;
    if (limit->algorithm == RATELIMIT_TOKEN_BUCKET)
        return limit_init_token_bucket(compiled, limit->limit, limit->refill, period_us);
    return limit_init_window(compiled, (enum algorithm)limit->algorithm, limit->limit, period_us);
}

static enum ratelimit_status
refuse_limit(const char *name, const struct ratelimit_limit *limit, enum limit_error reason,
             struct ratelimit_error *error)
{
    const char *algorithm = algorithm_name((enum algorithm)limit->algorithm);

    if (limit->algorithm == RATELIMIT_TOKEN_BUCKET)
        return error_set(
            error, limit_statuses[reason],
            "limiter \"%s\": %s of capacity %" PRId64 ", refill %" PRId64 " in %" PRId64 " ms: %s", name,
            algorithm, limit->limit, limit->refill, limit->period_ms, limit_error_text(reason));
    return error_set(error, limit_statuses[reason], "limiter \"%s\": %s of %" PRId64 " in %" PRId64 " ms: %s",
                     name, algorithm, limit->limit, limit->period_ms, limit_error_text(reason));
}

static enum ratelimit_status
read_limit(struct ratelimit_limiter *limiter, const struct ratelimit_limit *limit,
           struct ratelimit_error *error)
{
    enum limit_error reason;

    if ((unsigned)limit->algorithm >= ALGORITHM_COUNT)
        return error_set(error, RATELIMIT_BAD_ALGORITHM,
                         "limiter \"%s\": algorithm %d; accepted: one of enum ratelimit_algorithm, 0 to %d",
                         limiter->name, (int)limit->algorithm, ALGORITHM_COUNT - 1);
    reason = compile(&limiter->limits.limits[limiter->limits.count], limit);
    if (reason != LIMIT_OK)
        return refuse_limit(limiter->name, limit, reason, error);
    limiter->limits.count++;
    return RATELIMIT_OK;
}

/* The life of a limiter. */

static enum ratelimit_status
check_arguments(const struct ratelimit_store *store, const char *name, const struct ratelimit_limit *limits,
                size_t limit_count, struct ratelimit_error *error)
{
    if (store == NULL || name == NULL || limits == NULL)
        return error_set(error, RATELIMIT_NULL, "the limiter's %s is NULL",
                         store == NULL  ? "store"
                         : name == NULL ? "name"
                                        : "list of limits");
    if (!rule_name_is_good(name))
        return error_set(error, RATELIMIT_BAD_NAME,
                         "the limiter's name is \"%.80s\"; accepted: 1 to %d of A-Z a-z 0-9 _ . -", name,
                         RULE_NAME_BYTES);
    if (limit_count < 1 || limit_count > LIMIT_SET_MAX)
        return error_set(error, RATELIMIT_BAD_LIMIT_COUNT, "limiter \"%s\" has %zu limits; accepted: 1 to %d",
                         name, limit_count, LIMIT_SET_MAX);
    return RATELIMIT_OK;
}

struct ratelimit_limiter *
ratelimit_limiter_new(struct ratelimit_store *store, const char *name, const struct ratelimit_limit *limits,
                      size_t limit_count, struct ratelimit_error *error)
{
    struct ratelimit_limiter *limiter;

    if (check_arguments(store, name, limits, limit_count, error) != RATELIMIT_OK)
        return NULL;
    limiter = calloc(1, sizeof(*limiter));
    if (limiter == NULL) {
        error_set(error, RATELIMIT_NO_RESOURCES, "limiter \"%s\": out of memory", name);
        return NULL;
    }
    handle_acquire(store);
    limiter->store = store;
    memcpy(limiter->name, name, strlen(name));
    limiter->limits.id = unique_id();
    for (size_t i = 0; i < limit_count; i++) {
        if (read_limit(limiter, &limits[i], error) != RATELIMIT_OK) {
            ratelimit_limiter_free(limiter);
            return NULL;
        }
    }
    error_clear(error);
    return limiter;
}

void
ratelimit_limiter_free(struct ratelimit_limiter *limiter)
{
    if (limiter == NULL)
        return;
    handle_release(limiter->store);
    free(limiter);
}

struct ratelimit_limiter *
ratelimit_token_bucket(struct ratelimit_store *store, const char *name, int64_t capacity, int64_t refill,
                       int64_t period_ms, struct ratelimit_error *error)
{
    const struct ratelimit_limit limit = {RATELIMIT_TOKEN_BUCKET, capacity, period_ms, refill};

    return ratelimit_limiter_new(store, name, &limit, 1, error);
}

struct ratelimit_limiter *
ratelimit_sliding_window(struct ratelimit_store *store, const char *name, int64_t requests, int64_t window_ms,
                         struct ratelimit_error *error)
{
    const struct ratelimit_limit limit = {RATELIMIT_SLIDING_WINDOW, requests, window_ms, 0};

    return ratelimit_limiter_new(store, name, &limit, 1, error);
}

struct ratelimit_limiter *
ratelimit_sliding_window_counter(struct ratelimit_store *store, const char *name, int64_t requests,
                                 int64_t window_ms, struct ratelimit_error *error)
{
    const struct ratelimit_limit limit = {RATELIMIT_SLIDING_WINDOW_COUNTER, requests, window_ms, 0};

    return ratelimit_limiter_new(store, name, &limit, 1, error);
}

struct ratelimit_limiter *
ratelimit_fixed_window(struct ratelimit_store *store, const char *name, int64_t requests, int64_t window_ms,
                       struct ratelimit_error *error)
{
    const struct ratelimit_limit limit = {RATELIMIT_FIXED_WINDOW, requests, window_ms, 0};

    return ratelimit_limiter_new(store, name, &limit, 1, error);
}

/* Decisions. */

static enum ratelimit_status
check_key(const struct ratelimit_limiter *limiter, const char *key, size_t key_bytes,
          struct ratelimit_error *error)
{
    const struct ratelimit_store *store = limiter->store;

    if (key_bytes == 0)
        return error_set(error, RATELIMIT_EMPTY_KEY,
                         "limiter \"%s\": the key is \"\"; accepted: 1 to %d bytes", limiter->name,
                         RATELIMIT_KEY_BYTES);
    if (key_bytes > RATELIMIT_KEY_BYTES)
        return error_set(error, RATELIMIT_LONG_KEY,
                         "limiter \"%s\": the key \"%.40s...\" is longer than %d bytes", limiter->name, key,
                         RATELIMIT_KEY_BYTES);
    if (store->process != 0 && store->process != getpid())
        return error_set(error, RATELIMIT_FORKED,
                         "%s was opened by process %d; its child %d must open a store of its own",
                         store->url.display, (int)store->process, (int)getpid());
    return RATELIMIT_OK;
}

static void
report(struct ratelimit_decision *decision, const struct store_request *request)
{
    uint32_t index = decision_tightest(request->decisions, request->subject.limits->count);
    const struct decision *tightest = &request->decisions[index];

    decision->allowed = request->allowed;
    decision->limit_index = index;
    decision->limit = tightest->limit;
    decision->remaining = tightest->remaining;
    decision->retry_after_ms =
        tightest->retry_after_us == RETRY_NEVER ? RATELIMIT_NEVER : us_to_ms_up(tightest->retry_after_us);
    decision->reset_after_ms = us_to_ms_up(tightest->reset_after_us);
}

/* `operation` is store_take or store_reset. */
static enum ratelimit_status
ask(const struct ratelimit_limiter *limiter, const char *key,
    enum store_status (*operation)(struct store *store, struct store_request *request),
    struct store_request *request, struct ratelimit_error *error)
{
    size_t key_bytes = strnlen(key, RATELIMIT_KEY_BYTES + 1);
    enum ratelimit_status status = check_key(limiter, key, key_bytes, error);
    struct client client;

    if (status != RATELIMIT_OK)
        return status;
    client_write(&client, "client", key, key_bytes);
    request->subject =
        (struct store_subject){.client = &client, .rule = limiter->name, .limits = &limiter->limits};
    if (operation(limiter->store->store, request) == STORE_DONE)
        return error_clear(error);
    return error_set(error, RATELIMIT_UNAVAILABLE,
                     "limiter \"%s\": %s is unavailable, or did not answer within %" PRId64 " ms",
                     limiter->name, limiter->store->url.display, limiter->store->timeout_ms);
}

enum ratelimit_status
ratelimit_take(struct ratelimit_limiter *limiter, const char *key, int64_t cost,
               struct ratelimit_decision *decision, struct ratelimit_error *error)
{
    struct store_request request; /* not cleared: that would take longer than a decision */
    enum ratelimit_status status;

    if (decision != NULL)
        *decision = (struct ratelimit_decision){.allowed = false};
    if (limiter == NULL || key == NULL || decision == NULL)
        return error_set(error, RATELIMIT_NULL, "the %s is NULL",
                         limiter == NULL ? "limiter"
                         : key == NULL   ? "key"
                                         : "decision");
    if (cost < 0 || cost > NUMBER_EXACT_MAX)
        return error_set(error, RATELIMIT_BAD_COST,
                         "limiter \"%s\": the cost is %" PRId64 "; accepted: 0 to %" PRId64, limiter->name,
                         cost, NUMBER_EXACT_MAX);
    request.cost = cost;
    status = ask(limiter, key, store_take, &request, error);
    if (status == RATELIMIT_OK)
        report(decision, &request);
    return status;
}

bool
ratelimit_is_allowed(struct ratelimit_limiter *limiter, const char *key, struct ratelimit_error *error)
{
    struct ratelimit_decision decision;

    ratelimit_take(limiter, key, 1, &decision, error);
    return decision.allowed;
}

enum ratelimit_status
ratelimit_reset(struct ratelimit_limiter *limiter, const char *key, struct ratelimit_error *error)
{
    struct store_request request = {.cost = 0};

    if (limiter == NULL || key == NULL)
        return error_set(error, RATELIMIT_NULL, "the %s is NULL", limiter == NULL ? "limiter" : "key");
    return ask(limiter, key, store_reset, &request, error);
}

const char *
ratelimit_version(void)
{
    return RATELIMITD_VERSION;
}
