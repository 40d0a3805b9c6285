/*
 * cases: the expected answers of limits, as tables that a person can read and check. Every implementation is
 * tested against them: the C functions, the Lua script in a real Redis, the service over HTTP.
 *
 *      # a comment
 *      case a_token_is_there_at_its_microsecond
 *      limit token_bucket 3 1/1s                    capacity, refill / period
 *      limit fixed_window 10 1s                     limit, window; more lines: several limits, all or nothing
 *      penalty 1 1m 10m 2 1d                        after, within, for, growth, up_to; may be left out
 *        0s          alice 3  -> yes 0 0 3s | yes 7 0 1s
 *        1s-1us      alice 1  -> no  0 1us 2s+1us | yes 7 0 1us
 *        1s          bob   2x3  -> 1: yes 1 0 2s    | yes 8 0 1s
 *                             -> 1: no  1 1s 2s   | yes 8 0 1s
 *                             -> 1: no  0 10m 10m | no  0 10m 10m | penalty 10m
 *
 * A step: when (counted from the start of the case), who, the cost, and how many such requests at that moment
 * ("1x5"); after "->", for each limit: allowed, remaining, retry_after, reset_after. Where requests of one
 * step get different answers each group has a line of its own, "N:" before it, beginning with "->" from the
 * second on. Of a penalised client, `| penalty` and the rest of the penalty follow.
 *
 * A time is a sum of whole numbers with us, ms, s, m, h or d: 1s, 1s-1us, -2h+5ms; 0 needs no unit.
 * retry_after may be `never`. Every case starts with empty counters at CASES_START_US, where windows of any
 * common length begin.
 */
#ifndef CASES_H
#define CASES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decision.h"
#include "limit.h"
#include "penalty.h"

/* A whole number of weeks, days, hours and minutes after the epoch, in November 2023. */
#define CASES_START_US INT64_C(1700092800000000)

#define CASES_LIMITS_MAX 8
#define CASES_NAME_BYTES 96

/* `count` requests, one after the other, that get the same answer. */
struct cases_answer {
    int64_t count;
    struct decision decisions[CASES_LIMITS_MAX]; /* one for each limit */
    int64_t penalty_us;                          /* the rest of the penalty; 0: not penalised */
};

struct cases_step {
    int line; /* in the file */
    int64_t now_us;
    char client[CASES_NAME_BYTES];
    int64_t cost;
    int64_t count;
    struct cases_answer *answers; /* their counts add up to `count` */
    size_t answer_count;
};

/* A limit as it was written, and compiled. */
struct cases_limit {
    int64_t requests;  /* capacity or limit */
    int64_t refill;    /* TOKEN_BUCKET; else 0 */
    int64_t period_us; /* in which `refill` tokens come; or the window */
    struct limit limit;
};

struct cases_case {
    char name[CASES_NAME_BYTES];
    struct cases_limit limits[CASES_LIMITS_MAX];
    size_t limit_count;
    struct penalty penalty; /* `after` 0: none */
    struct cases_step *steps;
    size_t step_count;
};

struct cases {
    const char *path; /* as given */
    struct cases_case *cases;
    size_t count;
};

/* Prints the first mistake as "path:line: what" on standard error and exits: a table with a mistake tests
   nothing. */
struct cases cases_read(const char *path);
void cases_free(struct cases *cases);

/*
 * An implementation that is tested against the tables. `begin` empties the counters; `take` makes step->count
 * requests at step->now_us and fills one answer each, in order (`decisions` has room for count * limit_count,
 * `penalties_us` for count). False: it failed, and has printed the reason on standard error.
 */
struct cases_runner {
    const char *name;
    void *context;
    bool (*begin)(void *context, const struct cases_case *c);
    bool (*take)(void *context, const struct cases_case *c, const struct cases_step *step,
                 struct decision *decisions, int64_t *penalties_us);
};

/* Runs every case of every file; a difference is printed as "path:line: case, limit, expected, got". Returns
   main's exit status: 0 if there was none. The last line is "100%: Checks: N, Failures: 0, Errors: 0"; a case
   is a check. */
int cases_run(const struct cases_runner *runner, int path_count, char **paths);

#endif
