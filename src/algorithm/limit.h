/*
 * limit: one limit of a rule, compiled: what an algorithm needs to decide, in integers that stay exact.
 *
 * Units: requests, microseconds. Lua counts in doubles, so no value and no product of two values that an
 * algorithm forms may reach 2^53; limit_init reduces fractions and refuses what is still too large.
 * A limit is immutable once made; any thread may read it.
 */
#ifndef LIMIT_H
#define LIMIT_H

#include <stddef.h>
#include <stdint.h>

enum algorithm {
    TOKEN_BUCKET,
    SLIDING_WINDOW,
    SLIDING_WINDOW_COUNTER,
    FIXED_WINDOW,
};
#define ALGORITHM_COUNT 4

struct limit {
    enum algorithm algorithm;
    int64_t limit; /* requests: the capacity of a token bucket, the limit of a window */

    /* The window in microseconds; of a token bucket, the time from empty to full, rounded up. */
    int64_t window_us;

    /* TOKEN_BUCKET: its level is counted in units small enough that a whole number flows in each microsecond.
       10 a minute: 6 000 000 units a token, 1 unit a microsecond. 0 for the others. */
    int64_t units_per_token;
    int64_t units_per_us;

    /* The step in which the clock is read, in microseconds. 1 for the other algorithms.
       SLIDING_WINDOW_COUNTER: 1, 1000 or 1000000, the finest that divides the window and keeps limit *
       window_us / tick_us below 2^53. SLIDING_WINDOW: 1 up to a limit of SLIDING_WINDOW_ENTRIES. Above, the
       finest of which a window touches no more ticks than that; requests of one tick share an entry. */
    int64_t tick_us;
};

/*
 * What decides a request: limits that it must all fit. A rule has one, and so has everything that may be
 * given limits of its own under a rule. Immutable once made; any thread may read it.
 */
#define LIMIT_SET_MAX 8
struct limit_set {
    uint64_t id;    /* unique_id(): equal ids mean the same rule, equal limits and the same penalty */
    uint32_t count; /* 1 .. LIMIT_SET_MAX */
    struct limit limits[LIMIT_SET_MAX];
};

/* A sliding window keeps no more entries than this, whatever its limit. Lua has the same number. */
#define SLIDING_WINDOW_ENTRIES 1024

enum limit_error {
    LIMIT_OK = 0,
    LIMIT_NOT_POSITIVE,    /* limit, capacity, refill or window below 1 */
    LIMIT_WINDOW_TOO_LONG, /* above DURATION_MAX_US, or a bucket that takes longer to fill */
    LIMIT_TOO_LARGE,       /* a product would reach 2^53, even reduced */
};

/* `refill` tokens flow in evenly each `refill_period_us`. */
enum limit_error limit_init_token_bucket(struct limit *limit, int64_t capacity, int64_t refill,
                                         int64_t refill_period_us);

/* One of the three window algorithms. */
enum limit_error limit_init_window(struct limit *limit, enum algorithm algorithm, int64_t requests,
                                   int64_t window_us);

/*
 * How long one decision by this limit keeps Redis busy at worst, whatever is stored, in units of about a
 * microsecond, as measured by bench/redis_worst on one machine. A sliding window may have to search its log
 * for what has expired, and again, for a cost above 1, for the entry that it waits for.
 */
static inline uint32_t
limit_work(const struct limit *limit, int64_t cost)
{
    if (limit->algorithm != SLIDING_WINDOW)
        return 4;
    return cost <= 1 ? 50 : 60;
}

/* What is wrong and what is accepted, in a clause: "capacity times the refill period is too large ...". */
const char *limit_error_text(enum limit_error error);

/*
 * Names what a state of this limit is counted in: the letter of its algorithm, and its period. It is part of
 * the state's key, so limits that cannot read each other's states never meet:
 *
 *     b6s, b1s/3     token_bucket: a token each 6 s; 3 tokens each second
 *     w1m            sliding_window of a minute
 *     c1h            sliding_window_counter of an hour
 *     f1d            fixed_window of a day
 *
 * Written without a terminating zero; returns the bytes, at most LIMIT_STATE_NAME_BYTES.
 */
#define LIMIT_STATE_NAME_BYTES 44
size_t limit_state_name(const struct limit *limit, char *out);

/* "token_bucket" ... and back; algorithm_by_name returns -1 for an unknown name. */
const char *algorithm_name(enum algorithm algorithm);
int algorithm_by_name(const char *name);

#endif
