/*
 * redis_queue: batches are sent in the order of arrival, few at a time; the deadlines over all of them.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "limit_set_of.h"
#include "redis_queue.h"
#include "suite.h"

#define REQUESTS 200

static struct redis_queue queue;
static struct limit_set limits;
static struct client client;
static struct store_request requests[REQUESTS];
static int unavailable;

static void
on_answer(struct store_request *request, enum store_status status)
{
    (void)request;
    unavailable += status == STORE_UNAVAILABLE;
}

static void
set_up(void)
{
    struct limit limit;

    ck_assert_int_eq(limit_init_window(&limit, FIXED_WINDOW, 10, US_PER_S), LIMIT_OK);
    limits = limit_set_of(1, &limit, 1);
    client.bytes = (size_t)sprintf(client.text, "ip=192.0.2.1");
    unavailable = 0;
    ck_assert(redis_queue_init(&queue, NULL));
}

static void
tear_down(void)
{
    redis_queue_fini(&queue);
}

/* Into a batch of its own, due at 1000 and its number. Returns the batch. */
static struct redis_batch *
add(int number)
{
    struct redis_batch *batch = queue.gathering;

    requests[number] = (struct store_request){
        .subject = {.client = &client, .rule = "r", .limits = &limits}, .cost = 1, .callback = on_answer};
    ck_assert(redis_batch_add(batch, &requests[number], 1000 + number));
    ck_assert(redis_queue_begin(&queue));
    return batch;
}

/* As the store sends: those that are due. Returns how many. */
static int
send_due(void)
{
    int sent = 0;

    for (; redis_queue_is_due(&queue); sent++) {
        ck_assert(queue.unsent != queue.gathering || redis_queue_begin(&queue));
        redis_queue_advance(&queue);
    }
    return sent;
}

static void
answer(struct redis_batch *batch)
{
    redis_batch_answer(batch);
    redis_queue_remove(&queue, batch);
}

START_TEST(batches_are_sent_in_order_and_removed_in_any)
{
    struct redis_batch *batches[3] = {add(0), add(1), add(2)};

    ck_assert_int_eq(send_due(), 3);
    ck_assert_ptr_eq(queue.sent, batches[0]);
    ck_assert_ptr_eq(queue.sent->next, batches[1]);
    answer(batches[2]); /* the last: what is sent next follows the second */
    batches[2] = add(3);
    ck_assert_int_eq(send_due(), 1);
    answer(batches[1]);
    ck_assert_ptr_eq(queue.sent, batches[0]);
    ck_assert_ptr_eq(queue.sent->next, batches[2]);
    answer(batches[0]);
    answer(batches[2]);
    ck_assert_ptr_null(queue.sent);
}
END_TEST

START_TEST(a_batch_that_gathers_waits_while_two_commands_are_under_way)
{
    struct redis_batch *first = add(0);

    add(1);
    ck_assert_int_eq(send_due(), 2);
    requests[2] = requests[0];
    ck_assert(redis_batch_add(queue.gathering, &requests[2], 1002));
    ck_assert(!redis_queue_is_due(&queue));
    answer(first);
    ck_assert_int_eq(send_due(), 1);
    while (queue.sent != NULL)
        answer(queue.sent);
}
END_TEST

START_TEST(full_batches_wait_while_64_commands_are_under_way)
{
    for (int i = 0; i < 70; i++)
        add(i);
    ck_assert_int_eq(send_due(), 64);
    answer(queue.sent);
    ck_assert_int_eq(send_due(), 1);
    while (queue.sent != NULL)
        answer(queue.sent);
    ck_assert_int_eq(unavailable, 65);
    redis_queue_fail_unsent(&queue);
    ck_assert_int_eq(unavailable, 70);
}
END_TEST

START_TEST(a_batch_whose_requests_were_removed_is_not_sent)
{
    add(0);
    redis_batch_remove(&requests[0]);
    ck_assert_int_eq(send_due(), 1);
    ck_assert_ptr_null(queue.sent);
}
END_TEST

START_TEST(deadlines_pass_over_sent_and_unsent_batches)
{
    add(0);
    ck_assert_int_eq(send_due(), 1);
    add(1);
    add(2);
    ck_assert(!redis_queue_is_overdue(&queue, 999));
    ck_assert_int_eq(redis_queue_expire(&queue, 999), 1000);
    ck_assert(redis_queue_is_overdue(&queue, 1000));
    ck_assert_int_eq(redis_queue_expire(&queue, 1001), 1002);
    ck_assert_int_eq(unavailable, 2);
    ck_assert(!redis_queue_is_overdue(&queue, 2000)); /* what was not sent does not tell that Redis is late */
    ck_assert_int_eq(redis_queue_expire(&queue, 2000), INT64_MAX);
    ck_assert_int_eq(unavailable, 3);
    answer(queue.sent);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("redis_queue");
    TCase *tests = tcase_create("redis_queue");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, batches_are_sent_in_order_and_removed_in_any);
    tcase_add_test(tests, a_batch_that_gathers_waits_while_two_commands_are_under_way);
    tcase_add_test(tests, full_batches_wait_while_64_commands_are_under_way);
    tcase_add_test(tests, a_batch_whose_requests_were_removed_is_not_sent);
    tcase_add_test(tests, deadlines_pass_over_sent_and_unsent_batches);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
