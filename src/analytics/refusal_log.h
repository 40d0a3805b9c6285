/*
 * refusal_log: logs refusals, in a bounded number of lines.
 *
 *      a record ─┬─ its client is in the table: counted ··· a minute after its last line: a line, `suppressed: 812`
 *                ├─ a newcomer, and there is room: a line at once, and into the table
 *                └─ a newcomer in a crowd: into a sample ··· at the end of the second: a line for each of these
 *
 * A "client" here is a client under one rule with one result; while the store is unavailable, all clients of
 * the rule count as one.
 *
 * Lines a second, each with a burst of REFUSAL_LOG_BURST: REFUSAL_LOG_NEWCOMERS for newcomers,
 * REFUSAL_LOG_SUMS for sums; with REFUSALS_ALL, first REFUSAL_LOG_ALL for single refusals. No kind takes the
 * room of another. Refusals without a line are counted, and one line a minute gives their number.
 *
 * A crowd cannot hide a client: each second, a keyed hash of client and second chooses the newcomers that get
 * a line. So each of n newcomers has the same chance, REFUSAL_LOG_NEWCOMERS / n a second, however often the
 * others are refused and in whatever order they come. A client that got a line is known for a minute, and
 * takes no part in the choice.
 *
 * If more than 60 * REFUSAL_LOG_SUMS clients are refused all the time, their sums come less often than once a
 * minute.
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
    const char *key; /* of the hashes; "": a random one for each process */
};

struct refusal_log;

/* The options are copied. NULL when out of memory. */
struct refusal_log *refusal_log_new(const struct refusal_log_options *options, int64_t now_us);
void refusal_log_free(struct refusal_log *log); /* NULL is allowed */

/* Any record; RESULT_ALLOWED is ignored. */
void refusal_log_add(struct refusal_log *log, const struct decision_record *record, int64_t now_us);

/* Writes what is due. Call it several times a second. */
void refusal_log_tick(struct refusal_log *log, int64_t now_us);

/* At the end of the service: writes all that was suppressed, at most one line for each client in the table
   and one for the others. */
void refusal_log_end(struct refusal_log *log);

#endif
