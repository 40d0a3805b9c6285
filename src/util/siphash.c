#include "siphash.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct lanes {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t
rotate_left(uint64_t value, int bits)
{
    return value << bits | value >> (64 - bits);
}

static inline void
mix(struct lanes *s, int rounds)
{
    for (int i = 0; i < rounds; i++) {
        s->v0 += s->v1;
        s->v1 = rotate_left(s->v1, 13) ^ s->v0;
        s->v0 = rotate_left(s->v0, 32);
        s->v2 += s->v3;
        s->v3 = rotate_left(s->v3, 16) ^ s->v2;
        s->v0 += s->v3;
        s->v3 = rotate_left(s->v3, 21) ^ s->v0;
        s->v2 += s->v1;
        s->v1 = rotate_left(s->v1, 17) ^ s->v2;
        s->v2 = rotate_left(s->v2, 32);
    }
}

/* Little-endian on every machine, as in the paper. */
static inline uint64_t
load_word(const unsigned char *from, size_t bytes)
{
    uint64_t word = 0;

    memcpy(&word, from, bytes);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

static inline void
absorb(struct lanes *s, uint64_t word)
{
    s->v3 ^= word;
    mix(s, 2);
    s->v0 ^= word;
}

struct siphash
siphash128(struct siphash_key key, const void *data, size_t bytes)
{
    const unsigned char *from = data;
    struct lanes s = {
        .v0 = key.k0 ^ UINT64_C(0x736f6d6570736575),
        .v1 = key.k1 ^ UINT64_C(0x646f72616e646f6d) ^ 0xee, /* 0xee: the 128-bit variant */
        .v2 = key.k0 ^ UINT64_C(0x6c7967656e657261),
        .v3 = key.k1 ^ UINT64_C(0x7465646279746573),
    };
    size_t rest = bytes % 8;
    struct siphash result;

    for (const unsigned char *end = from + bytes - rest; from < end; from += 8)
        absorb(&s, load_word(from, 8));
    absorb(&s, (rest ? load_word(from, rest) : 0) | (uint64_t)bytes << 56);

    s.v2 ^= 0xee;
    mix(&s, 4);
    result.low = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
    s.v1 ^= 0xdd;
    mix(&s, 4);
    result.high = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
    return result;
}

struct siphash_key
siphash_random_key(void)
{
    struct siphash_key key;

    /* A read this short is never partial once the kernel's pool is initialised. */
    if (getrandom(&key, sizeof(key), 0) != (ssize_t)sizeof(key))
        abort();
    return key;
}
