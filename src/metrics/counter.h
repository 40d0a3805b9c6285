/*
 * counter: a number that one thread counts and any thread reads.
 *
 * Its one writer loads, adds and stores; so nothing is locked, and no other writer's line of the cache is
 * touched. A reader sees a moment in the past, never a torn value.
 */
#ifndef COUNTER_H
#define COUNTER_H

#include <stdatomic.h>
#include <stdint.h>

typedef _Atomic uint64_t counter;

static inline uint64_t
counter_value(const counter *counted)
{
    return atomic_load_explicit(counted, memory_order_relaxed);
}

/* By the one writer alone. */
static inline void
counter_add(counter *counted, uint64_t more)
{
    atomic_store_explicit(counted, counter_value(counted) + more, memory_order_relaxed);
}

#endif
