/*
 * redis_batch: rules with a penalty: what is sent, what the answers are, and which refusals are repeated without Redis.
 */
#include "denial_cache.h"
#include "redis_batch_fixture.h"

static const struct penalty mild = {
    .after = 20, .within_us = 60000000, .for_us = 600000000, .growth = 2, .up_to_us = 86400000000};
static struct denial_cache *denials;

#define PENALTY "penalty 20 60000000 600000000 2 86400000000"

static void
set_up_penalty(void)
{
    set_up();
    penalty = &mild;
    denials = denial_cache_new();
    ck_assert_ptr_nonnull(denials);
    batch->denials = denials;
}

static void
tear_down_penalty(void)
{
    tear_down();
    denial_cache_free(denials);
}

START_TEST(a_penalty_is_the_last_key_of_its_request)
{
    ck_assert(ask(0, "a", pair, 2, 1));
    ck_assert(ask(1, "b", pair, 2, 1));
    penalty = NULL;
    ck_assert(ask(2, "a", bucket, 1, 1));
    ck_assert_str_eq(
        encoded(), "EVALSHA SCRIPT 7 rl:{a}:r:0:c1m rl:{a}:r:1:w1s rl:{a}:r:p rl:{b}:r:0:c1m rl:{b}:r:1:w1s "
                   "rl:{b}:r:p rl:{a}:r:0:b1s 1 2 3 sliding_window_counter 100 60000000 1 sliding_window 10 "
                   "1000000 1 " PENALTY " " BUCKET " 1 1 1 2 2 1 1 1");
}
END_TEST

START_TEST(a_rule_may_be_freed_before_its_batch_is_sent)
{
    struct penalty *own = malloc(sizeof(*own));

    ck_assert_ptr_nonnull(own);
    *own = mild;
    penalty = own;
    ck_assert(ask_as(0, "a", 1, bucket, 1, 1));
    redis_batch_remove(&asked[0].request);
    reuse(0);
    free(own);
    penalty = NULL;
    ck_assert(ask_as(1, "a", 2, bucket, 1, 1));
    ck_assert_str_eq(encoded(), "EVALSHA SCRIPT 1 rl:{a}:r:0:b1s 1 2 2 token_bucket 3 1000000 1 " PENALTY
                                " " BUCKET " 2 1 1 1");
}
END_TEST

START_TEST(a_reset_deletes_the_penalty)
{
    ck_assert(ask(0, "a", pair, 2, 0));
    ck_assert(redis_batch_encode_reset(batch));
    ck_assert_str_eq(words_of(batch->command, batch->command_bytes),
                     "DEL SCRIPT rl:{a}:r:1:w1s rl:{a}:r:p"); /* words_of writes the first word as SCRIPT */
}
END_TEST

START_TEST(a_penalty_takes_its_share_of_the_work)
{
    char client[16];
    int count = 0;

    do
        sprintf(client, "c%d", count);
    while (ask(count++, client, many[0], LIMIT_SET_MAX, 1));
    ck_assert_int_eq(count - 1,
                     BATCH_WORK / (LIMIT_SET_MAX * (int)limit_work(&many[0][0], 1) + PENALTY_WORK));
}
END_TEST

/* The longest of everything at once: the command's room is asserted by the encoder itself. */
START_TEST(the_largest_batch_fits_its_command)
{
    static const struct penalty largest = {.after = PENALTY_AFTER_MAX,
                                           .within_us = DURATION_MAX_US,
                                           .for_us = DURATION_MAX_US,
                                           .growth = PENALTY_GROWTH_MAX,
                                           .up_to_us = DURATION_MAX_US};
    char client[CLIENT_BYTES + 1];

    penalty = &largest;
    memset(client, 'c', CLIENT_BYTES);
    client[CLIENT_BYTES] = '\0';
    memset(rule_name, 'r', 255);
    for (uint32_t limits = 1; limits <= LIMIT_SET_MAX; limits++) {
        redis_batch_clear(batch);
        for (int i = 0;
             i < BATCH_REQUESTS && ask(i, client, many[i % BATCH_RULES], limits, NUMBER_EXACT_MAX - i);)
            i++;
        encoded();
    }
}
END_TEST

static void
check_answer(int number, bool allowed, int64_t penalty_us, int64_t remaining, int64_t retry_after_us,
             int64_t reset_after_us)
{
    const struct store_request *request = &asked[number].request;

    ck_assert_msg(asked[number].answers == 1 && asked[number].status == STORE_DONE, "request %d", number);
    ck_assert_msg(request->allowed == allowed && request->decisions[0].allowed == allowed, "request %d",
                  number);
    ck_assert_int_eq(request->penalty_us, penalty_us);
    ck_assert_int_eq(request->decisions[0].remaining, remaining);
    ck_assert_int_eq(request->decisions[0].retry_after_us, retry_after_us);
    ck_assert_int_eq(request->decisions[0].reset_after_us, reset_after_us);
}

START_TEST(each_request_of_a_group_gets_its_own_penalty)
{
    static const char reply[] = "1 1 0 0 3000000 0 2 0 0 1000000 3000000 0 1 0 0 1000000 3000000 600000000 "
                                "1 1 2 0 1000000 5";
    unsigned foreign = 0;

    for (int i = 0; i < 4; i++)
        ck_assert(ask(i, "a", bucket, 1, 1));
    ck_assert(ask(4, "b", bucket, 1, 1));
    encoded();
    ck_assert(decode(reply, strlen(reply), &foreign));
    check_answer(0, true, 0, 0, 0, 3000000);
    check_answer(1, false, 0, 0, 1000000, 3000000);
    check_answer(2, false, 0, 0, 1000000, 3000000);
    check_answer(3, false, 600000000, 0, 600000000, 600000000);
    check_answer(4, false, 5, 0, 5, 1000000); /* its limit would have allowed it */
    ck_assert_uint_eq(foreign, 0);
}
END_TEST

START_TEST(a_foreign_or_invalid_penalty_affects_no_other_group)
{
    static const char *const rows[] = {"0", "1 1 2 0 9 -1", "1 1 2 0 9 9007199254740992", "1 1 2 0 9 x",
                                       "1 1 2 0 9 1.5"};

    for (int row = 0; row < ROWS(rows); row++) {
        char reply[128];
        unsigned foreign = 0;
        int bytes = sprintf(reply, "%s 1 1 1 0 7 0", rows[row]);

        redis_batch_clear(batch);
        ck_assert(ask(0, "a", bucket, 1, 1));
        ck_assert(ask(1, "b", bucket, 1, 1));
        encoded();
        ck_assert_msg(decode(reply, (size_t)bytes, &foreign), "%s", reply);
        ck_assert_uint_eq(foreign, 1);
        ck_assert_int_eq(asked[0].status, STORE_UNAVAILABLE);
        check_answer(1, true, 0, 1, 0, 7);
    }
}
END_TEST

START_TEST(a_reply_without_the_penalty_is_invalid)
{
    unsigned foreign = 0;

    ck_assert(ask(0, "a", bucket, 1, 1));
    encoded();
    ck_assert(!decode("1 1 2 0 9", 9, &foreign));
    ck_assert_int_eq(answered(1, STORE_UNAVAILABLE), 1);
}
END_TEST

/* The request is asked again at `now_us`, of what has been sent at 0. */
static bool
is_repeated(int number, const char *client, int64_t now_us)
{
    ask(number, client, bucket, 1, 1);
    return denial_cache_answer(denials, &asked[number].request, now_us);
}

START_TEST(only_what_the_penalty_refuses_is_repeated)
{
    static const char reply[] = "1 0 0 1000000 3000000 0 1 0 0 1000000 3000000 300000 1 1 1 0 9 0";
    unsigned foreign = 0;

    ck_assert(ask(0, "counted", bucket, 1, 1));
    ck_assert(ask(1, "penalised", bucket, 1, 1));
    ck_assert(ask(2, "allowed", bucket, 1, 1));
    encoded();
    ck_assert(decode(reply, strlen(reply), &foreign));
    redis_batch_clear(batch);
    ck_assert(!is_repeated(0, "counted", 0));
    ck_assert(!is_repeated(1, "allowed", 0));
    ck_assert(is_repeated(2, "penalised", 100000));
    ck_assert_int_eq(asked[2].request.penalty_us, 200000);
    ck_assert(!asked[2].request.allowed);
    ck_assert_int_eq(asked[2].request.decisions[0].retry_after_us, 900000);
    /* Its limit still refuses it then, which is to be counted. */
    ck_assert(is_repeated(3, "penalised", 299999));
    ck_assert(!is_repeated(4, "penalised", 300000));
}
END_TEST

START_TEST(a_penalty_is_repeated_for_a_second_at_most)
{
    unsigned foreign = 0;

    ck_assert(ask(0, "a", bucket, 1, 1));
    encoded();
    ck_assert(decode("1 0 0 1000000 3000000 600000000", 31, &foreign));
    redis_batch_clear(batch);
    ck_assert(is_repeated(0, "a", US_PER_S - 1));
    ck_assert_int_eq(asked[0].request.penalty_us, 600000000 - US_PER_S + 1);
    ck_assert(!is_repeated(1, "a", US_PER_S));
}
END_TEST

START_TEST(a_refusal_from_before_the_rule_had_a_penalty_is_not_repeated)
{
    unsigned foreign = 0;

    penalty = NULL;
    ck_assert(ask(0, "a", bucket, 1, 1));
    encoded();
    ck_assert(decode("1 0 0 1000000 3000000", 21, &foreign));
    redis_batch_clear(batch);
    ck_assert(is_repeated(0, "a", 5));
    ck_assert_int_eq(asked[0].request.penalty_us, 0);
    penalty = &mild;
    ck_assert(!is_repeated(1, "a", 5));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("redis_batch_penalty");
    TCase *sent = tcase_create("sent"), *answers = tcase_create("answers"),
          *repeated = tcase_create("repeated");

    tcase_add_checked_fixture(sent, set_up_penalty, tear_down_penalty);
    tcase_add_checked_fixture(answers, set_up_penalty, tear_down_penalty);
    tcase_add_checked_fixture(repeated, set_up_penalty, tear_down_penalty);
    tcase_add_test(sent, a_penalty_is_the_last_key_of_its_request);
    tcase_add_test(sent, a_rule_may_be_freed_before_its_batch_is_sent);
    tcase_add_test(sent, a_reset_deletes_the_penalty);
    tcase_add_test(sent, a_penalty_takes_its_share_of_the_work);
    tcase_add_test(sent, the_largest_batch_fits_its_command);
    tcase_add_test(answers, each_request_of_a_group_gets_its_own_penalty);
    tcase_add_test(answers, a_foreign_or_invalid_penalty_affects_no_other_group);
    tcase_add_test(answers, a_reply_without_the_penalty_is_invalid);
    tcase_add_test(repeated, only_what_the_penalty_refuses_is_repeated);
    tcase_add_test(repeated, a_penalty_is_repeated_for_a_second_at_most);
    tcase_add_test(repeated, a_refusal_from_before_the_rule_had_a_penalty_is_not_repeated);
    suite_add_tcase(suite, sent);
    suite_add_tcase(suite, answers);
    suite_add_tcase(suite, repeated);
    return run_suite(suite);
}
