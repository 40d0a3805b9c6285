#include "turns.h"

#include <assert.h>
#include <stddef.h>

#include "clock.h"

void
turns_init(struct turns *turns)
{
    *turns = (struct turns){.asked_work = 0};
    turns->working.next = turns->working.previous = &turns->working;
    turns->asking.next = turns->asking.previous = &turns->asking;
}

void
turns_leave(struct turn *turn)
{
    if (turn->next == NULL)
        return;
    turn->next->previous = turn->previous;
    turn->previous->next = turn->next;
    turn->next = turn->previous = NULL;
}

static void
put(struct turn *head, struct turn *turn)
{
    turns_leave(turn);
    turn->next = head;
    turn->previous = head->previous;
    head->previous->next = turn;
    head->previous = turn;
}

void
turns_work(struct turns *turns, struct turn *turn)
{
    put(&turns->working, turn);
}

void
turns_ask(struct turns *turns, struct turn *turn, uint32_t work)
{
    turn->work = work;
    put(&turns->asking, turn);
}

void
turns_asked(struct turns *turns, uint32_t work)
{
    turns->asked_work += work;
}

void
turns_answered(struct turns *turns, uint32_t work)
{
    assert(turns->asked_work >= work);
    turns->asked_work -= work;
}

static bool
is_empty(const struct turn *head)
{
    return head->next == head;
}

static bool
may_ask(const struct turns *turns)
{
    return !is_empty(&turns->asking) &&
           (turns->asked_work == 0 || turns->asked_work + turns->asking.next->work <= TURNS_STORE_WORK);
}

static void
step_first(struct turn *head)
{
    struct turn *turn = head->next;

    put(head, turn);
    turn->step(turn);
}

bool
turns_run(struct turns *turns)
{
    int64_t until_us;

    if (is_empty(&turns->working) && !may_ask(turns))
        return false;
    until_us = clock_mono_us() + TURNS_SLICE_US;
    do {
        if (may_ask(turns))
            step_first(&turns->asking);
        if (!is_empty(&turns->working))
            step_first(&turns->working);
    } while ((!is_empty(&turns->working) || may_ask(turns)) && clock_mono_us() < until_us);
    return !is_empty(&turns->working) || may_ask(turns);
}

void
turns_end(struct turns *turns)
{
    turns->ended = true;
    while (!is_empty(&turns->asking))
        step_first(&turns->asking);
    while (!is_empty(&turns->working))
        step_first(&turns->working);
}
