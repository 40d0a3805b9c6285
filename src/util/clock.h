/*
 * clock: the time in microseconds.
 *
 * Three clocks, never mixed:
 *   clock_mono_us   since an arbitrary start; never steps. For deadlines and intervals.
 *   clock_wall_us   since the Unix epoch; may step. For header values that name a moment, and for log lines.
 *   struct clock    the clock that a store counts by, passed in, so that a test can set the time. Production
 *                   passes clock_steady(), which reads the Unix time once and then advances with the
 *                   monotonic clock: aligned to the epoch, and never stepping.
 *
 * Any thread.
 */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

#define US_PER_MS INT64_C(1000)
#define US_PER_S  INT64_C(1000000)

struct clock {
    int64_t (*read_us)(const struct clock *clock); /* microseconds since the epoch */
    int64_t offset_us; /* what read_us adds to its source; a test clock is all offset */
};

int64_t clock_mono_us(void);
int64_t clock_wall_us(void);

/* The production clock. By value: it owns nothing. */
struct clock clock_steady(void);

/* A clock that shows `now_us` until its offset_us is changed. For tests. */
struct clock clock_fixed(int64_t now_us);

static inline int64_t
clock_now_us(const struct clock *clock)
{
    return clock->read_us(clock);
}

#endif
