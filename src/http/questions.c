#include "questions.h"

#include <stddef.h>
#include <stdlib.h>

static void
on_taken(struct limiter_take *take)
{
    struct question *question = (struct question *)((char *)take - offsetof(struct question, take));

    question->pending = false;
    if (--question->all->pending == 0)
        question->all->asker.callback(question->all);
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

static enum limiter_status
ask(struct questions *questions, struct question *question)
{
    return questions->is_reset ? limiter_reset(questions->asker.limiter, &question->take)
                               : limiter_take(questions->asker.limiter, &question->take);
}

enum limiter_status
questions_ask(struct questions *questions)
{
    questions->pending = 1; /* this function itself: an early answer must not look like the last one */
    for (uint32_t i = 0; i < questions->count; i++) {
        struct question *question = &questions->list[i];
        if (question->mistake.status != 0)
            continue;
        question->pending = true;
        questions->pending++;
        if (ask(questions, question) == LIMITER_DONE) {
            question->pending = false;
            questions->pending--;
        }
    }
    return --questions->pending == 0 ? LIMITER_DONE : LIMITER_PENDING;
}

void
questions_free(struct questions *questions)
{
    if (questions == NULL)
        return;
    for (uint32_t i = 0; i < questions->count && questions->pending > 0; i++) {
        if (!questions->list[i].pending)
            continue;
        limiter_cancel(questions->asker.limiter, &questions->list[i].take);
        questions->pending--;
    }
    free(questions);
}
