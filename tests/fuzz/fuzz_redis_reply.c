/*
 * A batch of some requests, some of which leave before or after the sending, gets any reply: each is answered
 * at most once, with a decision that is within its limit, and what the reply did not answer can still be
 * failed.
 *
 * Of the input, the first byte says how many requests there are; a byte each says who asks for what and
 * whether he leaves; the rest is the reply.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"
#include "redis_batch.h"

#define ASKED_MAX 32

struct asked {
    struct store_request request;
    int answers;
    enum store_status status;
    bool left;
};

static struct limit_set rules[2] = {{.id = 1, .count = 1}, {.id = 2, .count = 3}};
static const struct penalty penalty = {
    .after = 1, .within_us = 1000000, .for_us = 1000000, .growth = 1, .up_to_us = 1000000};
static struct client clients[4];

static void
prepare(void)
{
    if (clients[0].bytes > 0)
        return;
    for (int i = 0; i < 4; i++)
        clients[i].bytes = (size_t)sprintf(clients[i].text, "c%d", i);
    for (int rule = 0; rule < 2; rule++)
        for (int i = 0; i < LIMIT_SET_MAX; i++)
            limit_init_window(&rules[rule].limits[i], FIXED_WINDOW, 100, 1000000);
}

static void
on_answer(struct store_request *request, enum store_status status)
{
    struct asked *asked = (struct asked *)(void *)request;

    asked->answers++;
    asked->status = status;
}

/* Bits of `how`: 0-1 client, 2 rule (the second has a penalty), 3 cost, 4 leaves before the sending, 5 after it. */
static void
ask(struct redis_batch *batch, struct asked *asked, uint8_t how)
{
    int rule = how >> 2 & 1;
    bool added;

    *asked = (struct asked){.request = {.subject = {.client = &clients[how & 3],
                                                    .rule = "r",
                                                    .limits = &rules[rule],
                                                    .penalty = rule == 1 ? &penalty : NULL},
                                        .cost = how >> 3 & 1,
                                        .callback = on_answer}};
    added = redis_batch_add(batch, &asked->request, 0);
    assert(added);
    if (how & 16) {
        redis_batch_remove(&asked->request);
        asked->left = true;
    }
}

static void
check_decisions(const struct asked *asked)
{
    const struct store_request *request = &asked->request;

    assert(request->penalty_us >= 0 && request->penalty_us <= NUMBER_EXACT_MAX);
    assert(request->penalty_us == 0 || (request->subject.penalty != NULL && !request->allowed));
    for (uint32_t i = 0; i < request->subject.limits->count; i++) {
        const struct decision *decision = &request->decisions[i];
        assert(decision->limit == 100);
        assert(decision->remaining >= 0 && decision->remaining <= 100);
        assert(decision->retry_after_us >= RETRY_NEVER && decision->retry_after_us <= NUMBER_EXACT_MAX);
        assert(decision->reset_after_us >= 0 && decision->reset_after_us <= NUMBER_EXACT_MAX);
        assert(decision->allowed || !request->allowed);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static struct redis_batch *batch;
    struct asked asked[ASKED_MAX];
    unsigned foreign = 0, failed = 0, live;
    size_t count;
    char *reply;
    bool good;

    prepare();
    if (batch == NULL)
        batch = redis_batch_new();
    assert(batch);
    if (bytes == 0)
        return 0;
    count = data[0] % ASKED_MAX < bytes - 1 ? data[0] % ASKED_MAX : bytes - 1;
    redis_batch_clear(batch);
    for (size_t i = 0; i < count; i++)
        ask(batch, &asked[i], data[1 + i]);
    assert(redis_batch_encode(batch));
    for (size_t i = 0; i < count; i++)
        if ((data[1 + i] & 32) && !asked[i].left) {
            redis_batch_remove(&asked[i].request);
            asked[i].left = true;
        }

    bytes -= 1 + count;
    reply = malloc(bytes ? bytes : 1); /* an own copy, so that a read past its end is seen */
    assert(reply);
    if (bytes > 0)
        memcpy(reply, data + 1 + count, bytes);
    live = batch->live;
    good = redis_batch_decode(batch, reply, bytes, &foreign);
    free(reply);
    assert(batch->live == live); /* no callback has run */
    redis_batch_answer(batch);
    assert(batch->live == 0);
    for (size_t i = 0; i < count; i++) {
        assert(asked[i].answers == !asked[i].left);
        if (asked[i].answers && asked[i].status == STORE_DONE)
            check_decisions(&asked[i]);
        failed += asked[i].answers && asked[i].status == STORE_UNAVAILABLE;
    }
    assert(failed == 0 || !good || foreign > 0);
    return 0;
}
