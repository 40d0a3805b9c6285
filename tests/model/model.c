/*
 * model: C, Lua and the reference decide the same random streams.
 *
 *      model NAME      an algorithm's name, "mixed", "penalty" or "overrides"
 *
 * RATELIMITD_SEED and RATELIMITD_OPERATIONS change where it begins and how much it does. A failure prints the
 * seed of its stream, by which that stream alone is made again:
 *
 *      RATELIMITD_SEED=... RATELIMITD_OPERATIONS=1 model NAME
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"
#include "stream.h"

#define DEFAULT_SEED        20250923
#define DEFAULT_OPERATIONS  100000
#define OPERATIONS_A_STREAM 400

static int64_t
number_from_environment(const char *name, int64_t otherwise)
{
    const char *text = getenv(name);
    int64_t number;

    if (text == NULL || *text == '\0')
        return otherwise;
    if (!number_parse(text, 0, NUMBER_EXACT_MAX, &number)) {
        fprintf(stderr, "%s: %s is not a whole number\n", name, text);
        exit(2);
    }
    return number;
}

/* -1: there is none of this name. */
static int
kind_by_name(const char *name)
{
    if (strcmp(name, "mixed") == 0)
        return STREAM_MIXED;
    if (strcmp(name, "overrides") == 0)
        return STREAM_OVERRIDES;
    return strcmp(name, "penalty") == 0 ? STREAM_PENALTY : algorithm_by_name(name);
}

static int
run(int kind, const char *name, struct virtual_redis *redis)
{
    int64_t seed = number_from_environment("RATELIMITD_SEED", DEFAULT_SEED);
    int64_t operations = number_from_environment("RATELIMITD_OPERATIONS", DEFAULT_OPERATIONS);

    for (int64_t done = 0; done < operations; done += OPERATIONS_A_STREAM, seed++) {
        struct stream stream;
        int64_t failing;

        stream_make(&stream, (uint64_t)seed, kind, OPERATIONS_A_STREAM);
        failing = stream_check(&stream, redis, false);
        if (failing >= 0) {
            fprintf(stderr,
                    "%s: RATELIMITD_SEED=%" PRId64 ": operation %" PRId64 " fails; the shortest found:\n",
                    name, seed, failing);
            stream_shrink(&stream, redis);
        }
        stream_free(&stream);
        if (failing >= 0) {
            printf("0%%: Checks: 1, Failures: 1, Errors: 0\n");
            return 1;
        }
    }
    printf("%s: %" PRId64 " operations\n100%%: Checks: 1, Failures: 0, Errors: 0\n", name, operations);
    return 0;
}

int
main(int count, char **arguments)
{
    const char *name = count == 2 ? arguments[1] : "";
    int kind = kind_by_name(name);
    struct virtual_redis *redis;
    int status;

    if (kind < 0) {
        fprintf(stderr, "usage: model NAME, an algorithm's name, mixed, penalty or overrides\n");
        return 2;
    }
    redis = virtual_redis_new();
    if (redis == NULL)
        return 1;
    status = run(kind, name, redis);
    virtual_redis_free(redis);
    return status;
}
