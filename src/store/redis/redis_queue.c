#include "redis_queue.h"

#include <assert.h>

/* While this many commands are under way, a batch that is not full waits for a reply. */
#define SENT_BEFORE_WAITING 2

/* Commands under way, at most. Beyond that, full batches wait too. */
#define SENT_MAX 64

/* Empty batches kept for the next burst; the rest are freed. */
#define UNUSED_MAX 64

bool
redis_queue_init(struct redis_queue *queue, struct denial_cache *denials)
{
    *queue = (struct redis_queue){.denials = denials, .sent_end = &queue->sent};
    return redis_queue_begin(queue);
}

static void
free_list(struct redis_batch *batch)
{
    while (batch != NULL) {
        struct redis_batch *next = batch->next;
        redis_batch_free(batch);
        batch = next;
    }
}

void
redis_queue_fini(struct redis_queue *queue)
{
    assert(queue->sent == NULL);
    if (queue->gathering != NULL)
        redis_queue_fail_unsent(queue);
    free_list(queue->unsent);
    free_list(queue->unused);
}

static struct redis_batch *
new_batch(struct redis_queue *queue)
{
    struct redis_batch *batch = queue->unused;

    if (batch != NULL) {
        queue->unused = batch->next;
        queue->unused_count--;
    } else {
        batch = redis_batch_new();
    }
    if (batch != NULL) {
        batch->next = NULL;
        batch->denials = queue->denials;
    }
    return batch;
}

static void
recycle(struct redis_queue *queue, struct redis_batch *batch)
{
    assert(batch->live == 0);
    if (queue->unused_count == UNUSED_MAX) {
        redis_batch_free(batch);
        return;
    }
    redis_batch_clear(batch);
    batch->next = queue->unused;
    queue->unused = batch;
    queue->unused_count++;
}

bool
redis_queue_begin(struct redis_queue *queue)
{
    struct redis_batch *batch = new_batch(queue);

    if (batch == NULL)
        return false;
    if (queue->gathering != NULL)
        queue->gathering->next = batch;
    else
        queue->unsent = batch;
    queue->gathering = batch;
    return true;
}

bool
redis_queue_is_due(const struct redis_queue *queue)
{
    unsigned most = queue->unsent == queue->gathering ? SENT_BEFORE_WAITING : SENT_MAX;

    return queue->unsent->request_count > 0 && queue->sent_count < most;
}

void
redis_queue_advance(struct redis_queue *queue)
{
    struct redis_batch *batch = queue->unsent;

    queue->unsent = batch->next;
    if (batch->live == 0) {
        recycle(queue, batch);
        return;
    }
    batch->next = NULL;
    *queue->sent_end = batch;
    queue->sent_end = &batch->next;
    queue->sent_count++;
}

void
redis_queue_remove(struct redis_queue *queue, struct redis_batch *batch)
{
    struct redis_batch **link = &queue->sent;

    while (*link != batch)
        link = &(*link)->next;
    *link = batch->next;
    if (queue->sent_end == &batch->next)
        queue->sent_end = link;
    queue->sent_count--;
    recycle(queue, batch);
}

void
redis_queue_fail_unsent(struct redis_queue *queue)
{
    while (queue->unsent != queue->gathering) {
        struct redis_batch *batch = queue->unsent;
        queue->unsent = batch->next;
        redis_batch_answer(batch);
        recycle(queue, batch);
    }
    redis_batch_answer(queue->gathering);
    redis_batch_clear(queue->gathering);
}

bool
redis_queue_is_overdue(const struct redis_queue *queue, int64_t now_us)
{
    for (const struct redis_batch *batch = queue->sent; batch != NULL; batch = batch->next)
        if (redis_batch_deadline(batch) <= now_us)
            return true;
    return false;
}

/* Deadlines and batches are in the order of arrival. */
static int64_t
expire_list(struct redis_batch *batch, int64_t now_us)
{
    int64_t next_us = INT64_MAX;

    for (; batch != NULL && next_us == INT64_MAX; batch = batch->next)
        redis_batch_expire(batch, now_us, &next_us);
    return next_us;
}

int64_t
redis_queue_expire(struct redis_queue *queue, int64_t now_us)
{
    int64_t next_us = expire_list(queue->sent, now_us);

    return next_us != INT64_MAX ? next_us : expire_list(queue->unsent, now_us);
}
