/*
 * redis_report: counts the errors that Redis replies, and the replies that do not come, and tells the log:
 * one line of each kind in an interval, for all workers. Any thread; the counts are the worker's own.
 */
#ifndef REDIS_REPORT_H
#define REDIS_REPORT_H

#include <stddef.h>
#include <stdint.h>

struct redis_counts;
struct redis_url;

/* An error reply. Its text is not shown (redis_error.h). */
void redis_report_error(const struct redis_url *url, struct redis_counts *counts, const char *text,
                        size_t bytes);

/* A reply that our commands never get. Not counted. */
void redis_report_unexpected(const struct redis_url *url);

/* A command has not been answered in time. */
void redis_report_stall(const struct redis_url *url, struct redis_counts *counts, int64_t timeout_us);

#endif
