#include "questions.h"

#include <stddef.h>
#include <stdlib.h>

/* A turn: what one request may have in the store at a time, in limit_work. A quarter of a command to Redis
   (redis_batch.h), so that what others ask meanwhile has room beside it and does not wait long for it. */
#define TURN_WORK 256

static uint32_t
work_of(const struct limiter_take *take)
{
    uint32_t work = 0;

    for (uint32_t i = 0; i < take->rule->limit_count; i++)
        work += limit_work(&take->rule->limits[i], take->cost);
    return work;
}

static enum limiter_status
ask(struct questions *questions, struct question *question)
{
    return questions->is_reset ? limiter_reset(questions->asker.limiter, &question->take)
                               : limiter_take(questions->asker.limiter, &question->take);
}

/* What is decided at once takes nothing of the turn. LIMITER_DONE: all have their answers. */
static enum limiter_status
ask_turn(struct questions *questions)
{
    uint32_t work = 0;

    while (questions->asked < questions->count && work < TURN_WORK) {
        struct question *question = &questions->list[questions->asked++];
        if (question->mistake.status != 0 || ask(questions, question) == LIMITER_DONE)
            continue;
        question->pending = true;
        questions->pending++;
        work += work_of(&question->take);
    }
    return questions->pending == 0 ? LIMITER_DONE : LIMITER_PENDING;
}

static void
on_taken(struct limiter_take *take)
{
    struct question *question = (struct question *)((char *)take - offsetof(struct question, take));
    struct questions *questions = question->all;

    question->pending = false;
    if (--questions->pending == 0 && ask_turn(questions) == LIMITER_DONE)
        questions->asker.callback(questions);
}

struct questions *
questions_new(const struct questions_asker *asker, uint32_t count)
{
    struct questions *questions = calloc(1, sizeof(*questions) + count * sizeof(struct question));

    if (questions == NULL)
        return NULL;
    questions->asker = *asker;
    questions->count = count;
    for (uint32_t i = 0; i < count; i++) {
        questions->list[i].all = questions;
        questions->list[i].take.cost = 1;
        questions->list[i].take.callback = on_taken;
    }
    return questions;
}

enum limiter_status
questions_ask(struct questions *questions)
{
    return ask_turn(questions);
}

void
questions_free(struct questions *questions)
{
    if (questions == NULL)
        return;
    for (uint32_t i = 0; i < questions->asked && questions->pending > 0; i++) {
        if (!questions->list[i].pending)
            continue;
        limiter_cancel(questions->asker.limiter, &questions->list[i].take);
        questions->pending--;
    }
    free(questions);
}
