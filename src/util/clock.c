#include "clock.h"

#include <time.h>

static int64_t
read_clock_us(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now); /* cannot fail for the two clocks that are read here */
    return (int64_t)now.tv_sec * US_PER_S + now.tv_nsec / 1000;
}

int64_t
clock_mono_us(void)
{
    return read_clock_us(CLOCK_MONOTONIC);
}

int64_t
clock_wall_us(void)
{
    return read_clock_us(CLOCK_REALTIME);
}

static int64_t
read_steady_us(const struct clock *clock)
{
    return clock_mono_us() + clock->offset_us;
}

struct clock
clock_steady(void)
{
    return (struct clock){.read_us = read_steady_us, .offset_us = clock_wall_us() - clock_mono_us()};
}

static int64_t
read_fixed_us(const struct clock *clock)
{
    return clock->offset_us;
}

struct clock
clock_fixed(int64_t now_us)
{
    return (struct clock){.read_us = read_fixed_us, .offset_us = now_us};
}
