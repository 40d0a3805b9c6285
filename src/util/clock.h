/*
 * clock: what time it is, as a number of microseconds.
 *
 * Three readings, never mixed:
 *   clock_mono_us   since an arbitrary start; never steps. For deadlines and intervals.
 *   clock_wall_us   since the Unix epoch; may step. For header values that name a moment, and for log lines.
 *   struct clock    what a store counts by, handed to it, so that a test can move the time. The one that
 *                   production hands out, clock_steady(), reads the Unix time once, at its making, and goes
 *                   on from there by the monotonic clock: aligned to the epoch, and never stepping.
 *
 * All of it may be called from any thread.
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

/* A clock that stands at `now_us` until its offset_us is changed. For tests. */
struct clock clock_fixed(int64_t now_us);

static inline int64_t
clock_now_us(const struct clock *clock)
{
    return clock->read_us(clock);
}

#endif
