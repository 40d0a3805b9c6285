/* Shrinks a stream that fails to the shortest one found that still fails. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream.h"

static void
remove_operations(struct stream *stream, size_t begin, size_t count)
{
    memmove(stream->operations + begin, stream->operations + begin + count,
            (stream->count - begin - count) * sizeof(*stream->operations));
    stream->count -= count;
}

/* Tries without `count` operations from `begin` on; true where the rest still fails, and is then all that is
   left. */
static bool
fails_without(struct stream *stream, struct virtual_redis *redis, size_t begin, size_t count)
{
    size_t bytes = stream->count * sizeof(*stream->operations), before = stream->count;
    struct operation *copy = malloc(bytes);
    int64_t failing;

    if (copy == NULL)
        return false;
    memcpy(copy, stream->operations, bytes);
    remove_operations(stream, begin, count);
    failing = stream_check(stream, redis, false);
    if (failing >= 0) {
        stream->count = (size_t)failing + 1;
    } else {
        memcpy(stream->operations, copy, bytes);
        stream->count = before;
    }
    free(copy);
    return failing >= 0;
}

static void
print_stream(const struct stream *stream)
{
    for (size_t r = 0; r < stream->rule_count; r++) {
        for (size_t i = 0; i < stream->rules[r].limit_count; i++) {
            const struct asked_limit *asked = &stream->rules[r].asked[i];

            fprintf(stderr, "  rule %zu: %s %" PRId64 ", refill %" PRId64 ", period %" PRId64 " us\n", r,
                    algorithm_name(asked->limit.algorithm), asked->limit.limit, asked->refill,
                    asked->period_us);
        }
        if (stream->rules[r].penalty != NULL) {
            const struct penalty *penalty = stream->rules[r].penalty;

            fprintf(stderr,
                    "  rule %zu: penalty after %" PRId64 " within %" PRId64 " for %" PRId64 " growth %" PRId64
                    " up_to %" PRId64 " us\n",
                    r, penalty->after, penalty->within_us, penalty->for_us, penalty->growth,
                    penalty->up_to_us);
        }
    }
    for (size_t i = 0; i < stream->count; i++) {
        const struct operation *operation = &stream->operations[i];

        fprintf(stderr, "  %zu: at %" PRId64 " rule %zu client %zu cost %" PRId64 " x%" PRId64 "\n", i,
                operation->now_us, operation->rule, operation->client, operation->cost, operation->count);
    }
}

void
stream_shrink(struct stream *stream, struct virtual_redis *redis)
{
    int64_t failing = stream_check(stream, redis, false);

    if (failing < 0)
        return;
    stream->count = (size_t)failing + 1;
    for (size_t chunk = stream->count / 2; chunk > 0; chunk /= 2) {
        for (size_t begin = 0; begin + chunk <= stream->count;) {
            if (!fails_without(stream, redis, begin, chunk))
                begin += chunk;
        }
    }
    print_stream(stream);
    stream_check(stream, redis, true);
}
