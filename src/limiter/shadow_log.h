/*
 * shadow_log: what shadow rules and candidates would have refused, a line a minute for each rule; none where they
 * would have refused nothing.
 *
 *     rule search: shadow would have refused 812 of 20123 requests in the last 60 s
 *     rule search: candidate would have refused 7 of 20100 requests in the last 60 s; 23 were not tried
 *
 * One thread. It shares nothing with the workers but the counts, which it reads.
 */
#ifndef SHADOW_LOG_H
#define SHADOW_LOG_H

#include "clock.h"
#include "generation.h"

#define SHADOW_LOG_US    (60 * US_PER_S)
#define SHADOW_LOG_RULES 16 /* have lines of their own; of the others there is one that says how many */

struct shadow_log {
    struct generations *generations; /* borrowed */
    int64_t told_us;                 /* when it told last, or began; monotonic */
};

/* When to call shadow_log_tell next. */
static inline int64_t
shadow_log_due_us(const struct shadow_log *log)
{
    return log->told_us + SHADOW_LOG_US;
}

/* Tells what has come since the last time. To be called at the end, too. */
void shadow_log_tell(struct shadow_log *log, int64_t now_us);

#endif
