/*
 * stream: random operations of a few clients on a few rules, made from a seed, and the answers of each
 * implementation.
 */
#ifndef STREAM_H
#define STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reference.h"
#include "virtual_redis.h"

#define STREAM_RULES_MAX  6
#define STREAM_LIMITS_MAX 3
#define STREAM_CLIENTS    3

/* What the limits of a stream are: one of the algorithms, or a mixture of all with several limits a rule;
   STREAM_PENALTY: the same, and every rule has a penalty.
   STREAM_OVERRIDES: one rule, whose clients get limits of their own and lose them. The first of the stream's
   rules has the rule's own limit, the others have those of overrides: another number, another algorithm,
   another period. Limits that differ in their number alone decide by the same state; each other has a state
   of its own, which waits until that limit decides again. A client that is unlimited or blocked for a while
   asks no limit: it does nothing while time passes. */
#define STREAM_MIXED     ALGORITHM_COUNT
#define STREAM_PENALTY   (ALGORITHM_COUNT + 1)
#define STREAM_OVERRIDES (ALGORITHM_COUNT + 2)

struct operation {
    int64_t now_us;
    size_t rule;
    size_t client;
    int64_t cost;
    int64_t count; /* equal requests, one after the other */
};

struct stream_rule {
    struct asked_limit asked[STREAM_LIMITS_MAX];
    struct limit limits[STREAM_LIMITS_MAX]; /* the same, compiled */
    size_t limit_count;
    const struct penalty *penalty; /* own_penalty, or NULL */
    struct penalty own_penalty;
    size_t state; /* the first rule that has the same states in C and in Redis: by limit_state_name() */
    size_t reference_state; /* in the reference: by what the limits are */
};

struct stream {
    struct stream_rule rules[STREAM_RULES_MAX];
    size_t rule_count;
    struct operation *operations;
    size_t count;
};

/* `kind`: an enum algorithm or one of the STREAM_ above. The same seed makes the same stream, on any machine. */
void stream_make(struct stream *stream, uint64_t seed, int kind, size_t count);
void stream_free(struct stream *stream);

/* Decides the stream by C, by the reference and by Lua: the number of the first operation whose answers are
   not equal in every field, or -1. `explain` prints that operation and the answers. */
int64_t stream_check(const struct stream *stream, struct virtual_redis *redis, bool explain);

/* Leaves out operations as long as the rest still fails; then prints the rest with its answers. */
void stream_shrink(struct stream *stream, struct virtual_redis *redis);

#endif
