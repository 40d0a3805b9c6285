#include "limit.h"

#include <assert.h>
#include <string.h>

#include "clock.h"
#include "number.h"

/* What each algorithm is called in rules and commands, and the letter that its states' keys have. */
static const struct {
    const char *name;
    char letter;
} words[ALGORITHM_COUNT] = {
    [TOKEN_BUCKET] = {"token_bucket", 'b'},
    [SLIDING_WINDOW] = {"sliding_window", 'w'},
    [SLIDING_WINDOW_COUNTER] = {"sliding_window_counter", 'c'},
    [FIXED_WINDOW] = {"fixed_window", 'f'},
};

enum limit_error
limit_init_token_bucket(struct limit *limit, int64_t capacity, int64_t refill, int64_t refill_period_us)
{
    int64_t divisor, full;

    if (capacity < 1 || refill < 1 || refill_period_us < 1)
        return LIMIT_NOT_POSITIVE;
    if (refill_period_us > DURATION_MAX_US)
        return LIMIT_WINDOW_TOO_LONG;
    divisor = number_gcd(refill, refill_period_us);
    *limit = (struct limit){
        .algorithm = TOKEN_BUCKET,
        .limit = capacity,
        .units_per_token = refill_period_us / divisor,
        .units_per_us = refill / divisor,
        .tick_us = 1,
    };
    /* A full bucket is the largest number that a token bucket forms. */
    if (limit->units_per_us > NUMBER_EXACT_MAX || !number_product(capacity, limit->units_per_token, &full))
        return LIMIT_TOO_LARGE;
    limit->window_us = divide_up(full, limit->units_per_us);
    return limit->window_us <= DURATION_MAX_US ? LIMIT_OK : LIMIT_WINDOW_TOO_LONG;
}

/* The finest tick by which the counter's largest number, limit * window_us / tick_us, is exact; 0: none. */
static int64_t
finest_tick_us(int64_t requests, int64_t window_us)
{
    static const int64_t ticks_us[] = {1, US_PER_MS, US_PER_S};
    int64_t product;

    for (size_t i = 0; i < sizeof(ticks_us) / sizeof(ticks_us[0]); i++) {
        if (window_us % ticks_us[i] == 0 && number_product(requests, window_us / ticks_us[i], &product))
            return ticks_us[i];
    }
    return 0;
}

/* A window begins within a tick and touches one more than it is long in ticks. */
static int64_t
entry_tick_us(int64_t requests, int64_t window_us)
{
    const int64_t ticks = SLIDING_WINDOW_ENTRIES - 1;

    return requests <= SLIDING_WINDOW_ENTRIES ? 1 : divide_up(window_us, ticks);
}

static int64_t
window_tick_us(enum algorithm algorithm, int64_t requests, int64_t window_us)
{
    switch (algorithm) {
    case SLIDING_WINDOW:
        return entry_tick_us(requests, window_us);
    case SLIDING_WINDOW_COUNTER:
        return finest_tick_us(requests, window_us);
    default:
        return 1;
    }
}

enum limit_error
limit_init_window(struct limit *limit, enum algorithm algorithm, int64_t requests, int64_t window_us)
{
    assert(algorithm != TOKEN_BUCKET);
    if (requests < 1 || window_us < 1)
        return LIMIT_NOT_POSITIVE;
    if (window_us > DURATION_MAX_US)
        return LIMIT_WINDOW_TOO_LONG;
    if (requests > NUMBER_EXACT_MAX)
        return LIMIT_TOO_LARGE;
    *limit = (struct limit){
        .algorithm = algorithm,
        .limit = requests,
        .window_us = window_us,
        .tick_us = window_tick_us(algorithm, requests, window_us),
    };
    return limit->tick_us != 0 ? LIMIT_OK : LIMIT_TOO_LARGE;
}

const char *
limit_error_text(enum limit_error error)
{
    switch (error) {
    case LIMIT_OK:
        return "nothing is wrong";
    case LIMIT_NOT_POSITIVE:
        return "every number of a limit must be at least 1";
    case LIMIT_WINDOW_TOO_LONG:
        return "the window, or the time in which the bucket fills, is longer than 366 days";
    case LIMIT_TOO_LARGE:
        return "the limit times its window, or the capacity times the refill period, is too large "
               "to be counted exactly; accepted: products below 2^53 in microseconds, after reduction";
    }
    return "unknown error";
}

size_t
limit_state_name(const struct limit *limit, char *out)
{
    bool is_bucket = limit->algorithm == TOKEN_BUCKET;
    char *end = out;

    *end++ = words[limit->algorithm].letter;
    end += duration_write(end, is_bucket ? limit->units_per_token : limit->window_us);
    if (is_bucket && limit->units_per_us != 1) {
        *end++ = '/';
        end += number_write(end, limit->units_per_us);
    }
    return (size_t)(end - out);
}

const char *
algorithm_name(enum algorithm algorithm)
{
    return words[algorithm].name;
}

int
algorithm_by_name(const char *name)
{
    for (int i = 0; i < ALGORITHM_COUNT; i++) {
        if (strcmp(name, words[i].name) == 0)
            return i;
    }
    return -1;
}
