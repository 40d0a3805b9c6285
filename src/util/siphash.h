/*
 * siphash: SipHash-2-4 with a 128-bit result, after Aumasson and Bernstein, "SipHash: a fast short-input PRF"
 * (2012), checked in tests/unit against the vectors of their reference implementation.
 *
 * Under a random key, a client cannot choose inputs that collide, neither in a bucket nor in all 128 bits:
 * among a million clients the chance that any two share 128 bits is below 2^-88. Pure; any thread.
 */
#ifndef SIPHASH_H
#define SIPHASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct siphash_key {
    uint64_t k0, k1;
};

struct siphash {
    uint64_t low, high;
};

struct siphash siphash128(struct siphash_key key, const void *data, size_t bytes);

static inline bool
siphash_equals(struct siphash a, struct siphash b)
{
    return a.low == b.low && a.high == b.high;
}

/* A key from the kernel's random source; aborts if there is none. */
struct siphash_key siphash_random_key(void);

#endif
