#include "places.h"

#include <assert.h>

#define RESERVE_PART 16

void
places_init(struct places *places, unsigned max)
{
    unsigned reserve = (max + RESERVE_PART - 1) / RESERVE_PART;

    atomic_init(&places->taken, 0);
    atomic_init(&places->wished, false);
    places->full_log = (struct log_limiter){0};
    places->max = max;
    places->reserve = max < 4 ? 0 : reserve < PLACES_RESERVE_MAX ? reserve : PLACES_RESERVE_MAX;
}

/* Relaxed: no other memory is ordered by the count. */
bool
places_take(struct places *places, bool local)
{
    unsigned bound = places->max - (local ? 0 : places->reserve);
    unsigned taken = atomic_load_explicit(&places->taken, memory_order_relaxed);

    while (taken < bound)
        if (atomic_compare_exchange_weak_explicit(&places->taken, &taken, taken + 1, memory_order_relaxed,
                                                  memory_order_relaxed))
            return true;
    return false;
}

void
places_give(struct places *places)
{
    unsigned before = atomic_fetch_sub_explicit(&places->taken, 1, memory_order_relaxed);

    assert(before > 0);
}

bool
places_are_crowded(const struct places *places)
{
    unsigned taken = atomic_load_explicit(&places->taken, memory_order_relaxed);

    return taken > places->max - 2 * places->reserve;
}

void
places_wish(struct places *places, bool wished)
{
    atomic_store_explicit(&places->wished, wished, memory_order_relaxed);
}

bool
places_are_wished(const struct places *places)
{
    return atomic_load_explicit(&places->wished, memory_order_relaxed);
}
