/*
 * redis_batch: what is sent for which requests, and how much fits into a batch.
 */
#include "redis_batch_fixture.h"
#include "take_script.h"

/* Encoding. */

START_TEST(request_has_these_bytes)
{
    char expected[512];

    ck_assert(ask(0, "ip=10.0.0.1", bucket, 1, 2));
    ck_assert(redis_batch_encode(batch));
    snprintf(expected, sizeof(expected),
             "*15\r\n$7\r\nEVALSHA\r\n$40\r\n%s\r\n$1\r\n1\r\n$%zu\r\n%s\r\n"
             "$1\r\n0\r\n$1\r\n1\r\n$1\r\n1\r\n$12\r\ntoken_bucket\r\n$1\r\n3\r\n$7\r\n1000000\r\n$1\r\n1\r\n"
             "$1\r\n1\r\n$1\r\n2\r\n$1\r\n1\r\n$1\r\n1\r\n",
             take_script_sha1, strlen("rl:{ip=10.0.0.1}:r:0:b1s"), "rl:{ip=10.0.0.1}:r:0:b1s");
    ck_assert_uint_eq(batch->command_bytes, strlen(expected));
    ck_assert_mem_eq(batch->command, expected, batch->command_bytes);
}
END_TEST

START_TEST(equal_requests_are_one_group_with_a_count)
{
    ck_assert(ask(0, "a", bucket, 1, 1));
    ck_assert(ask(1, "b", bucket, 1, 1));
    ck_assert(ask(2, "a", bucket, 1, 1));
    ck_assert(ask(3, "a", pair, 2, 1));
    ck_assert(ask(4, "a", bucket, 1, 1));
    ck_assert(ask(5, "a", bucket, 1, 2));
    ck_assert_str_eq(
        encoded(),
        "EVALSHA SCRIPT 5 rl:{a}:r:0:b1s rl:{b}:r:0:b1s rl:{a}:r:0:c1m rl:{a}:r:1:w1s rl:{a}:r:0:b1s "
        "1 2 " BUCKET " " PAIR " 1 1 3 1 1 1 1 1 2 1 1 1 1 2 1 1");
}
END_TEST

START_TEST(request_of_another_cost_is_not_overtaken)
{
    ck_assert(ask(0, "a", bucket, 1, 1));
    ck_assert(ask(1, "a", bucket, 1, 2));
    ck_assert(ask(2, "a", bucket, 1, 1));
    ck_assert(ask(3, "a", bucket, 1, 1));
    ck_assert_str_eq(encoded(), "EVALSHA SCRIPT 3 rl:{a}:r:0:b1s rl:{a}:r:0:b1s rl:{a}:r:0:b1s 1 1 " BUCKET
                                " 1 1 1 1 1 2 1 1 1 1 2 1");
}
END_TEST

START_TEST(eval_has_the_arguments_of_evalsha)
{
    size_t bytes;
    char *command, expected[512];

    ck_assert(ask(0, "a", bucket, 1, 1));
    snprintf(expected, sizeof(expected), "EVAL %s", encoded() + strlen("EVALSHA "));
    command = redis_batch_encode_eval(batch, &bytes);
    ck_assert_ptr_nonnull(command);
    ck_assert_str_eq(words_of(command, bytes), expected);
    ck_assert_ptr_nonnull(memmem(command, bytes, take_script_text, take_script_bytes));
    free(command);
}
END_TEST

START_TEST(removed_request_is_not_sent)
{
    for (int i = 0; i < 6; i++)
        ck_assert(ask(i, i % 2 ? "b" : "a", bucket, 1, 1)); /* a b a b a b */
    redis_batch_remove(&asked[1].request);
    redis_batch_remove(&asked[2].request);
    redis_batch_remove(&asked[3].request);
    redis_batch_remove(&asked[5].request);
    ck_assert_str_eq(encoded(), "EVALSHA SCRIPT 1 rl:{a}:r:0:b1s 0 1 " BUCKET " 1 1 2 1");
    ck_assert_uint_eq(batch->live, 2);
    /* And neither when the command could not be sent and is made once more. */
    ck_assert_str_eq(encoded(), "EVALSHA SCRIPT 1 rl:{a}:r:0:b1s 0 1 " BUCKET " 1 1 2 1");
    ck_assert(ask(6, "b", bucket, 1, 1));
    ck_assert_str_eq(encoded(),
                     "EVALSHA SCRIPT 2 rl:{a}:r:0:b1s rl:{b}:r:0:b1s 1 1 " BUCKET " 1 1 2 1 1 1 1 1");
    ck_assert_int_eq(answered(7, STORE_DONE) + answered(7, STORE_UNAVAILABLE), 0);
}
END_TEST

START_TEST(removed_request_is_not_read_again)
{
    for (int i = 0; i < 3; i++)
        ck_assert(ask(i, "a", bucket, 1, 1));
    for (int i = 0; i < 2; i++) {
        redis_batch_remove(&asked[i].request);
        reuse(i);
    }
    ck_assert(ask(3, "a", bucket, 1, 1));
    ck_assert_str_eq(encoded(), "EVALSHA SCRIPT 1 rl:{a}:r:0:b1s 0 1 " BUCKET " 1 1 2 1");
}
END_TEST

START_TEST(expired_request_is_not_read_again)
{
    int64_t next_us = 0;

    for (int i = 0; i < 3; i++)
        ck_assert(ask(i, "a", bucket, 1, 1)); /* deadlines 1000, 1001, 1002 */
    redis_batch_expire(batch, 1001, &next_us);
    ck_assert_int_eq(answered(3, STORE_UNAVAILABLE), 2);
    ck_assert_int_eq(next_us, 1002);
    reuse(0);
    reuse(1);
    ck_assert(ask(3, "a", bucket, 1, 1));
    ck_assert_str_eq(encoded(), "EVALSHA SCRIPT 1 rl:{a}:r:0:b1s 0 1 " BUCKET " 1 1 2 1");
}
END_TEST

/* A rule that lives no longer than its requests wait, as a limiter of the library may. */
static struct limit *
short_lived_limit(int64_t requests)
{
    struct limit *limit = malloc(sizeof(*limit));

    ck_assert_ptr_nonnull(limit);
    ck_assert_int_eq(limit_init_window(limit, FIXED_WINDOW, requests, US_PER_S), LIMIT_OK);
    return limit;
}

START_TEST(a_rule_may_be_freed_before_its_batch_is_sent)
{
    struct limit *limit = short_lived_limit(7);

    ck_assert(ask_as(0, "a", 1, limit, 1, 1));
    redis_batch_remove(&asked[0].request);
    free(limit);
    ck_assert(ask(1, "a", bucket, 1, 1));
    ck_assert_str_eq(encoded(),
                     "EVALSHA SCRIPT 1 rl:{a}:r:0:b1s 1 2 1 fixed_window 7 1000000 1 " BUCKET " 2 1 1 1");
}
END_TEST

START_TEST(a_rule_may_be_freed_before_its_reply_comes)
{
    struct limit *limit = short_lived_limit(7);
    unsigned foreign = 0;

    ck_assert(ask_as(0, "a", 1, limit, 1, 1));
    ck_assert(ask(1, "b", bucket, 1, 1));
    encoded();
    redis_batch_remove(&asked[0].request);
    free(limit);
    ck_assert(decode("1 1 6 0 5 1 1 2 0 9", 19, &foreign));
    ck_assert_int_eq(answered(2, STORE_DONE), 1);
}
END_TEST

START_TEST(rule_in_reused_memory_is_another_rule)
{
    struct limit reused;

    ck_assert_int_eq(limit_init_window(&reused, FIXED_WINDOW, 7, US_PER_S), LIMIT_OK);
    ck_assert(ask_as(0, "a", 1, &reused, 1, 1));
    ck_assert_int_eq(limit_init_window(&reused, FIXED_WINDOW, 9, US_PER_S), LIMIT_OK);
    ck_assert(ask_as(1, "a", 2, &reused, 1, 1));
    ck_assert_str_eq(encoded(),
                     "EVALSHA SCRIPT 2 rl:{a}:r:0:f1s rl:{a}:r:0:f1s 1 2 1 fixed_window 7 1000000 1 "
                     "1 fixed_window 9 1000000 1 1 1 1 1 2 1 1 1");
}
END_TEST

START_TEST(a_reset_deletes_every_key_of_the_subject)
{
    static const char expected[] = "*3\r\n$3\r\nDEL\r\n$14\r\nrl:{a}:r:0:c1m\r\n$14\r\nrl:{a}:r:1:w1s\r\n";

    ck_assert(ask(0, "a", pair, 2, 0));
    ck_assert(redis_batch_encode_reset(batch));
    ck_assert_uint_eq(batch->command_bytes, strlen(expected));
    ck_assert_mem_eq(batch->command, expected, strlen(expected));
    redis_batch_decide_reset(batch);
    redis_batch_answer(batch);
    ck_assert_int_eq(answered(1, STORE_DONE), 1);
    redis_batch_answer(batch);
    ck_assert_int_eq(asked[0].answers, 1);
}
END_TEST

START_TEST(cancelled_reset_gets_no_callback)
{
    ck_assert(ask(0, "a", pair, 2, 0));
    ck_assert(redis_batch_encode_reset(batch));
    redis_batch_remove(&asked[0].request);
    redis_batch_decide_reset(batch);
    redis_batch_answer(batch);
    ck_assert_int_eq(asked[0].answers, 0);
}
END_TEST

/* Bounds. */

START_TEST(batch_is_full_at_its_most_requests)
{
    char client[16];

    for (int i = 0; i < BATCH_REQUESTS; i++) {
        sprintf(client, "c%d", i % 150);
        ck_assert(ask(i, client, bucket, 1, 1));
    }
    ck_assert(!ask(BATCH_REQUESTS, "c0", bucket, 1, 1));
    ck_assert_uint_eq(batch->live, BATCH_REQUESTS);
    ck_assert_uint_eq(batch->group_count, 150);
    encoded();
}
END_TEST

/* Adds requests, of a client each, until the batch is full; returns how many. */
static int
fill(const char *prefix, const struct limit *limits, uint32_t limit_count, int64_t cost)
{
    char client[16];

    for (int i = 0;; i++) {
        sprintf(client, "%s%d", prefix, i);
        if (!ask(batch->request_count, client, limits, limit_count, cost))
            return i;
    }
}

START_TEST(batch_is_full_at_its_most_work)
{
    ck_assert_int_eq(fill("c", many[0], LIMIT_SET_MAX, 1),
                     BATCH_WORK / (LIMIT_SET_MAX * (int)limit_work(&many[0][0], 1)));
    ck_assert_int_eq(fill("new", bucket, 1, 1), 0);
    encoded();
}
END_TEST

START_TEST(sliding_window_and_larger_cost_take_more_work)
{
    const struct limit *counter = &pair[0], *sliding = &pair[1];

    ck_assert_int_gt(limit_work(sliding, 1), 5 * limit_work(counter, 1));
    ck_assert_int_gt(limit_work(sliding, 2), limit_work(sliding, 1));
    for (int64_t cost = 0; cost <= 3; cost++) {
        redis_batch_clear(batch);
        ck_assert_int_eq(fill("c", sliding, 1, cost), BATCH_WORK / (int)limit_work(sliding, cost));
        redis_batch_clear(batch);
        ck_assert_int_eq(fill("c", pair, 2, cost),
                         BATCH_WORK / (int)(limit_work(sliding, cost) + limit_work(counter, cost)));
    }
}
END_TEST

START_TEST(another_equal_request_takes_little_work)
{
    int64_t first = LIMIT_SET_MAX * limit_work(&many[0][0], 1);
    int count = 1 + (int)(BATCH_WORK - first) / LIMIT_SET_MAX;

    for (int i = 0; i < count; i++)
        ck_assert(ask(i, "c", many[0], LIMIT_SET_MAX, 1));
    ck_assert(!ask(count, "c", many[0], LIMIT_SET_MAX, 1));
    ck_assert_uint_eq(batch->group_count, 1);
    encoded();
}
END_TEST

START_TEST(batch_is_full_at_its_most_rules)
{
    for (int i = 0; i < BATCH_RULES; i++)
        ck_assert(ask(i, "a", many[i], 1, 1));
    ck_assert(!ask(BATCH_RULES, "a", many[BATCH_RULES], 1, 1));
    ck_assert(ask(BATCH_RULES, "b", many[0], 1, 1));
    ck_assert_uint_eq(batch->rule_count, BATCH_RULES);
    encoded();
}
END_TEST

/* The longest of everything at once: the command's room is asserted by the encoder itself. */
START_TEST(the_largest_batch_fits_its_command)
{
    char client[CLIENT_BYTES + 1];

    memset(client, 'c', CLIENT_BYTES);
    client[CLIENT_BYTES] = '\0';
    memset(rule_name, 'r', 255);
    for (int i = 0;
         i < BATCH_REQUESTS && ask(i, client, many[i % BATCH_RULES], LIMIT_SET_MAX, NUMBER_EXACT_MAX);)
        i++;
    encoded();
    redis_batch_clear(batch);
    for (int i = 0; i < BATCH_REQUESTS && ask(i, client, many[i % BATCH_RULES], 1, NUMBER_EXACT_MAX - i);)
        i++;
    encoded();
    redis_batch_clear(batch);
    for (int i = 0; i < BATCH_WORK / (int)limit_work(&many[0][0], 1); i++) {
        sprintf(client, "%0*d", CLIENT_BYTES, i);
        ck_assert(ask(i, client, many[0], 1, NUMBER_EXACT_MAX));
    }
    encoded();
    ck_assert_uint_eq(batch->group_count, BATCH_WORK / limit_work(&many[0][0], 1));
}
END_TEST

START_TEST(cleared_batch_is_like_a_new_one)
{
    unsigned foreign = 0;

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 20; i++)
            ck_assert(ask(i, i % 3 ? "a" : "b", bucket, 1, 1));
        redis_batch_remove(&asked[7].request);
        ck_assert_str_eq(encoded(),
                         "EVALSHA SCRIPT 2 rl:{b}:r:0:b1s rl:{a}:r:0:b1s 0 1 " BUCKET " 1 1 7 1 1 1 12 1");
        ck_assert(decode("7 1 0 0 5 12 0 0 9 9", 20, &foreign));
        ck_assert_int_eq(answered(20, STORE_DONE), 19);
        redis_batch_clear(batch);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("redis_batch");
    TCase *tests = tcase_create("redis_batch");

    tcase_set_timeout(tests, 60); /* for a busy machine */
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, request_has_these_bytes);
    tcase_add_test(tests, equal_requests_are_one_group_with_a_count);
    tcase_add_test(tests, request_of_another_cost_is_not_overtaken);
    tcase_add_test(tests, eval_has_the_arguments_of_evalsha);
    tcase_add_test(tests, removed_request_is_not_sent);
    tcase_add_test(tests, removed_request_is_not_read_again);
    tcase_add_test(tests, expired_request_is_not_read_again);
    tcase_add_test(tests, a_rule_may_be_freed_before_its_batch_is_sent);
    tcase_add_test(tests, a_rule_may_be_freed_before_its_reply_comes);
    tcase_add_test(tests, rule_in_reused_memory_is_another_rule);
    tcase_add_test(tests, a_reset_deletes_every_key_of_the_subject);
    tcase_add_test(tests, cancelled_reset_gets_no_callback);
    tcase_add_test(tests, batch_is_full_at_its_most_requests);
    tcase_add_test(tests, batch_is_full_at_its_most_work);
    tcase_add_test(tests, sliding_window_and_larger_cost_take_more_work);
    tcase_add_test(tests, another_equal_request_takes_little_work);
    tcase_add_test(tests, batch_is_full_at_its_most_rules);
    tcase_add_test(tests, the_largest_batch_fits_its_command);
    tcase_add_test(tests, cleared_batch_is_like_a_new_one);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
