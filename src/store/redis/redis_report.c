#include "redis_report.h"

#include <inttypes.h>

#include "clock.h"
#include "log.h"
#include "metrics.h"
#include "redis_error.h"
#include "redis_url.h"

_Static_assert(REDIS_ERROR_COUNT <= REDIS_ERRORS_MAX, "each has its counter");

#define ERROR_LOG_US (10 * US_PER_S)
#define STALL_LOG_US (1 * US_PER_S)

void
redis_report_error(const struct redis_url *url, struct redis_counts *counts, const char *text, size_t bytes)
{
    static struct log_limiter limiters[REDIS_ERROR_COUNT];
    const struct redis_error *error = redis_error_of(text, bytes);
    char shown[REDIS_ERROR_SHOWN_BYTES];
    uint64_t suppressed;

    counter_add(&counts->errors[redis_error_index(error)], 1);
    if (log_limiter_allows(&limiters[redis_error_index(error)], ERROR_LOG_US, &suppressed))
        log_error("redis",
                  "%s replies \"%s\": %s; on_store_failure decides (%" PRIu64
                  " more such replies since the last message)",
                  url->display, redis_error_shown(shown, text, bytes), error->advice, suppressed);
}

void
redis_report_unexpected(const struct redis_url *url)
{
    static struct log_limiter limiter;
    uint64_t suppressed;

    if (log_limiter_allows(&limiter, ERROR_LOG_US, &suppressed))
        log_error("redis",
                  "%s sends an unexpected reply; is it another server? on_store_failure decides (%" PRIu64
                  " more such replies since the last message)",
                  url->display, suppressed);
}

void
redis_report_stall(const struct redis_url *url, struct redis_counts *counts, int64_t timeout_us)
{
    static struct log_limiter limiter;
    uint64_t suppressed;

    counter_add(&counts->stalls, 1);
    if (log_limiter_allows(&limiter, STALL_LOG_US, &suppressed))
        log_warn("redis",
                 "%s has not answered within %" PRId64 " ms; until it does, on_store_failure decides",
                 url->display, timeout_us / US_PER_MS);
}
