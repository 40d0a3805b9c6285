#include "checks.h"

#include <stdlib.h>
#include <string.h>

#include "container_of.h"

static uint32_t
limits_work(const struct limit_set *limits, int64_t cost)
{
    uint32_t work = 0;

    for (uint32_t i = 0; i < limits->count; i++)
        work += limit_work(&limits->limits[i], cost);
    return work;
}

uint32_t
check_work(const struct check *check)
{
    const struct rule *rule = check->take.rule;
    const struct limit_set *limits = check->take.limits;
    uint32_t work;

    if (check->error.status != 0 || rule == NULL)
        return 0;
    if (limits == NULL)
        limits = &rule->limits;
    work = limits_work(limits, check->take.cost) + limits_work(&rule->candidate, check->take.cost);
    return rule_penalty(rule) != NULL ? work + PENALTY_WORK : work;
}

static void
note_verdict(struct checks *checks, const struct limiter_take *take)
{
    checks->refused |= take->verdict == VERDICT_REFUSED || take->verdict == VERDICT_BLOCKED;
    checks->unavailable |= take->verdict == VERDICT_UNAVAILABLE;
}

static void
end_pending(struct check *check)
{
    check->pending = false;
    check->all->pending--;
    if (check->all->caller.turns != NULL)
        turns_answered(check->all->caller.turns, check->work);
}

static void
on_taken(struct limiter_take *take)
{
    struct check *check = container_of(take, struct check, take);
    struct checks *checks = check->all;

    end_pending(check);
    note_verdict(checks, take);
    if (checks->pending == 0 && checks->asked == checks->count)
        checks->caller.callback(checks);
}

static enum limiter_status
ask(struct checks *checks, struct check *check)
{
    return checks->is_reset ? limiter_reset(checks->caller.limiter, &check->take)
                            : limiter_take(checks->caller.limiter, &check->take);
}

static void
ask_next(struct checks *checks)
{
    struct check *check = &checks->list[checks->asked++];

    if (check->error.status != 0)
        return;
    if (ask(checks, check) == LIMITER_DONE) {
        note_verdict(checks, &check->take);
        return;
    }
    check->pending = true;
    checks->pending++;
    check->work = check_work(check);
    if (checks->caller.turns != NULL)
        turns_asked(checks->caller.turns, check->work);
}

/* The service ends. */
static void
give_up_next(struct checks *checks)
{
    struct limiter_take *take = &checks->list[checks->asked++].take;

    take->verdict = VERDICT_UNAVAILABLE;
    take->degraded = true;
    note_verdict(checks, take);
}

static void
take_turn(struct checks *checks)
{
    turns_ask(checks->caller.turns, &checks->turn, check_work(&checks->list[checks->asked]));
}

static void
on_turn(struct turn *turn)
{
    struct checks *checks = container_of(turn, struct checks, turn);

    if (checks->caller.turns->ended)
        give_up_next(checks);
    else
        ask_next(checks);
    if (checks->asked < checks->count) {
        take_turn(checks);
        return;
    }
    turns_leave(turn);
    if (checks->pending == 0)
        checks->caller.callback(checks);
}

struct checks *
checks_new(const struct checks_caller *caller, uint32_t count)
{
    struct checks *checks = malloc(sizeof(*checks) + count * sizeof(struct check));

    if (checks != NULL)
        *checks = (struct checks){.caller = *caller, .turn.step = on_turn, .count = count};
    return checks;
}

struct check *
checks_begin(struct checks *checks, uint32_t index)
{
    struct check *check = &checks->list[index];

    memset(check, 0, sizeof(*check));
    check->all = checks;
    check->take.cost = 1;
    check->take.share = checks->caller.share;
    check->take.trace_id = checks->caller.trace_id;
    check->take.callback = on_taken;
    return check;
}

enum limiter_status
checks_start(struct checks *checks)
{
    if (checks->caller.turns != NULL) {
        take_turn(checks);
        return LIMITER_PENDING;
    }
    while (checks->asked < checks->count)
        ask_next(checks);
    return checks->pending == 0 ? LIMITER_DONE : LIMITER_PENDING;
}

void
checks_free(struct checks *checks)
{
    if (checks == NULL)
        return;
    turns_leave(&checks->turn);
    for (uint32_t i = 0; i < checks->asked && checks->pending > 0; i++) {
        if (!checks->list[i].pending)
            continue;
        limiter_cancel(checks->caller.limiter, &checks->list[i].take);
        end_pending(&checks->list[i]);
    }
    free(checks);
}
