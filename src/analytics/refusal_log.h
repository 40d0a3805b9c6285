/*
 * refusal_log: who is refused, as lines of the log that are bounded, whatever comes.
 *
 *      a record ─┬─ its client is in the table: counted ··· a minute after its last line: a line, `suppressed: 812`
 *                ├─ a newcomer, and there is room: a line at once, and into the table
 *                └─ a newcomer in a crowd: into a sample ··· at the end of the second: a line for each of these
 *
 * A "client" here is one under one rule with one result; where the store is unavailable, all clients of the rule are
 * one.
 *
 * Lines a second, each with a burst of REFUSAL_LOG_BURST: REFUSAL_LOG_NEWCOMERS for newcomers, REFUSAL_LOG_SUMS for sums;
 * with REFUSALS_ALL before these REFUSAL_LOG_ALL for each refusal. Neither kind takes the other's room. What no
 * line tells of is counted, and told once a minute in one line for all.
 *
 * Nobody hides another client behind a crowd: each second, those of the crowd that get a line are chosen by a keyed
 * hash of client and second. So of n newcomers, each has the same chance, REFUSAL_LOG_NEWCOMERS / n a second,
 * however often the others are refused and whoever comes first; and a client that is told stays known for a minute,
 * in which it takes no part.
 *
 * The lines of a client that is refused on and on come later than a minute where more than 60 * REFUSAL_LOG_SUMS are.
 *
 * One thread. Times are of the monotonic clock.
 */
#ifndef REFUSAL_LOG_H
#define REFUSAL_LOG_H

#include "clock.h"
#include "decision_record.h"
#include "refusal.h"

#define REFUSAL_LOG_NEWCOMERS 5
#define REFUSAL_LOG_SUMS      5
#define REFUSAL_LOG_BURST     50
#define REFUSAL_LOG_ALL       1000
#define REFUSAL_LOG_SUM_US    (60 * US_PER_S)

enum refusal_log_mode { REFUSALS_OFF, REFUSALS_SUMMARY, REFUSALS_ALL };

struct refusal_log_options {
    enum refusal_log_mode mode; /* not REFUSALS_OFF */
    enum client_display clients;
    const char *key; /* of the hashes; "": another one for each process */
};

struct refusal_log;

/* The options are copied. NULL when out of memory. */
struct refusal_log *refusal_log_new(const struct refusal_log_options *options, int64_t now_us);
void refusal_log_free(struct refusal_log *log); /* NULL is allowed */

/* Any record; only those that are no RESULT_ALLOWED are told. */
void refusal_log_add(struct refusal_log *log, const struct decision_record *record, int64_t now_us);

/* Writes what is due; to be called several times a second. */
void refusal_log_tick(struct refusal_log *log, int64_t now_us);

/* Writes all that is suppressed, as the service ends: a line for each client in the table at most, and one for the
   others. */
void refusal_log_end(struct refusal_log *log);

#endif
