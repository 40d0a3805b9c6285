/*
 * random_numbers: the same numbers in every run, so that a failure comes back (xorshift64*, after Vigna).
 */
#ifndef RANDOM_NUMBERS_H
#define RANDOM_NUMBERS_H

#include <stddef.h>
#include <stdint.h>

/* `*state` must not be 0. */
static inline uint64_t
random_next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

static inline uint64_t
random_below(uint64_t *state, uint64_t bound)
{
    return random_next(state) % bound;
}

static inline void
random_fill(uint64_t *state, void *out, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        ((unsigned char *)out)[i] = (unsigned char)(random_next(state) >> 32);
}

#endif
