/*
 * limit_set_of: the limits of a test as a store takes them.
 */
#ifndef LIMIT_SET_OF_H
#define LIMIT_SET_OF_H

#include <assert.h>
#include <string.h>

#include "limit.h"

static inline struct limit_set
limit_set_of(uint64_t id, const struct limit *limits, uint32_t count)
{
    struct limit_set set = {.id = id, .count = count};

    assert(count <= LIMIT_SET_MAX);
    memcpy(set.limits, limits, count * sizeof(limits[0]));
    return set;
}

#endif
