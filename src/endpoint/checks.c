#include "checks.h"

#include <stdlib.h>

#include "container_of.h"

/* A turn: what one request may have in the store at a time, in limit_work. A quarter of a command to Redis
   (redis_batch.h), so that other requests have room beside it and do not wait long for it. */
#define TURN_WORK 256

static uint32_t
work_of(const struct limiter_take *take)
{
    uint32_t work = 0;

    for (uint32_t i = 0; i < take->limits->count; i++)
        work += limit_work(&take->limits->limits[i], take->cost);
    return rule_penalty(take->rule) != NULL ? work + PENALTY_WORK : work;
}

static enum limiter_status
ask(struct checks *checks, struct check *check)
{
    return checks->is_reset ? limiter_reset(checks->caller.limiter, &check->take)
                            : limiter_take(checks->caller.limiter, &check->take);
}

/* A check that is decided at once does not count towards the turn. LIMITER_DONE: all are answered. */
static enum limiter_status
ask_turn(struct checks *checks)
{
    uint32_t work = 0;

    while (checks->asked < checks->count && work < TURN_WORK) {
        struct check *check = &checks->list[checks->asked++];
        if (check->error.status != 0 || ask(checks, check) == LIMITER_DONE)
            continue;
        check->pending = true;
        checks->pending++;
        work += work_of(&check->take);
    }
    return checks->pending == 0 ? LIMITER_DONE : LIMITER_PENDING;
}

static void
on_taken(struct limiter_take *take)
{
    struct check *check = container_of(take, struct check, take);
    struct checks *checks = check->all;

    check->pending = false;
    if (--checks->pending == 0 && ask_turn(checks) == LIMITER_DONE)
        checks->caller.callback(checks);
}

struct checks *
checks_new(const struct checks_caller *caller, uint32_t count)
{
    struct checks *checks = calloc(1, sizeof(*checks) + count * sizeof(struct check));

    if (checks == NULL)
        return NULL;
    checks->caller = *caller;
    checks->count = count;
    for (uint32_t i = 0; i < count; i++) {
        checks->list[i].all = checks;
        checks->list[i].take.cost = 1;
        checks->list[i].take.callback = on_taken;
    }
    return checks;
}

enum limiter_status
checks_start(struct checks *checks)
{
    return ask_turn(checks);
}

void
checks_free(struct checks *checks)
{
    if (checks == NULL)
        return;
    for (uint32_t i = 0; i < checks->asked && checks->pending > 0; i++) {
        if (!checks->list[i].pending)
            continue;
        limiter_cancel(checks->caller.limiter, &checks->list[i].take);
        checks->pending--;
    }
    free(checks);
}
