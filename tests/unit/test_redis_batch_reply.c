/*
 * redis_batch: which request gets which answer, and that no reply makes it answer one twice.
 */
#include "random_numbers.h"
#include "redis_batch_fixture.h"

/* Decoding. */

/* a b a c a: the bucket for a and b, the pair for c. */
static void
ask_five(void)
{
    ck_assert(ask(0, "a", bucket, 1, 1));
    ck_assert(ask(1, "b", bucket, 1, 1));
    ck_assert(ask(2, "a", bucket, 1, 1));
    ck_assert(ask(3, "c", pair, 2, 1));
    ck_assert(ask(4, "a", bucket, 1, 1));
    ck_assert(redis_batch_encode(batch));
}

#define REPLY_A "1 1 0 0 3000000 2 0 0 1000000 3000000"
#define REPLY_B "1 1 2 0 1000000"
#define REPLY_C "1 1 99 0 120000000 0 0 -1 7"
#define REPLY   REPLY_A " " REPLY_B " " REPLY_C

static void
check_answer(int number, int limit, bool allowed, int64_t remaining, int64_t retry_after_us,
             int64_t reset_after_us)
{
    const struct decision *decision = &asked[number].request.decisions[limit];

    ck_assert_msg(asked[number].answers == 1 && asked[number].status == STORE_DONE, "request %d", number);
    ck_assert_msg(decision->allowed == allowed && decision->remaining == remaining &&
                      decision->retry_after_us == retry_after_us &&
                      decision->reset_after_us == reset_after_us,
                  "request %d: %d %" PRId64 " %" PRId64 " %" PRId64, number, decision->allowed,
                  decision->remaining, decision->retry_after_us, decision->reset_after_us);
}

START_TEST(equal_requests_are_decided_in_the_order_of_arrival)
{
    unsigned foreign = 0;

    ask_five();
    ck_assert(decode(REPLY, strlen(REPLY), &foreign));
    check_answer(0, 0, true, 0, 0, 3000000);
    check_answer(2, 0, false, 0, 1000000, 3000000);
    check_answer(4, 0, false, 0, 1000000, 3000000);
    check_answer(1, 0, true, 2, 0, 1000000);
    check_answer(3, 0, true, 99, 0, 120000000);
    check_answer(3, 1, false, 0, RETRY_NEVER, 7);
    ck_assert(asked[0].request.allowed && !asked[2].request.allowed && !asked[3].request.allowed);
    ck_assert_int_eq(asked[3].request.decisions[0].limit, 100);
    ck_assert_int_eq(asked[3].request.decisions[1].limit, 10);
    ck_assert_uint_eq(foreign, 0);
    ck_assert_uint_eq(batch->live, 0);
}
END_TEST

START_TEST(request_removed_after_sending_gets_no_callback)
{
    unsigned foreign = 0;

    ask_five();
    redis_batch_remove(&asked[0].request);
    redis_batch_remove(&asked[3].request);
    ck_assert(decode(REPLY, strlen(REPLY), &foreign));
    ck_assert_int_eq(answered(5, STORE_DONE), 3);
    check_answer(2, 0, false, 0, 1000000, 3000000);
    check_answer(4, 0, false, 0, 1000000, 3000000);
    ck_assert_int_eq(asked[0].answers + asked[3].answers, 0);
}
END_TEST

START_TEST(request_expired_after_sending_gets_one_callback)
{
    unsigned foreign = 0;
    int64_t next_us = 0;

    ask_five();
    redis_batch_expire(batch, 1002, &next_us);
    ck_assert_int_eq(next_us, 1003);
    ck_assert_int_eq(answered(5, STORE_UNAVAILABLE), 3);
    ck_assert(decode(REPLY, strlen(REPLY), &foreign));
    ck_assert_int_eq(answered(5, STORE_DONE), 2);
    check_answer(4, 0, false, 0, 1000000, 3000000);
}
END_TEST

START_TEST(foreign_key_is_unavailable_to_all_its_requests)
{
    unsigned foreign = 0;

    ask_five();
    ck_assert(decode("0 " REPLY_B " 0", strlen("0 " REPLY_B " 0"), &foreign));
    ck_assert_uint_eq(foreign, 2);
    ck_assert_int_eq(answered(5, STORE_UNAVAILABLE), 4);
    check_answer(1, 0, true, 2, 0, 1000000);
}
END_TEST

static const char *const bad_replies[] = {
    "",
    " ",
    "OK",
    " " REPLY,
    REPLY " ",
    REPLY " 1",
    REPLY " 0",
    REPLY_A "  " REPLY_B " " REPLY_C,
    REPLY_A "\t" REPLY_B " " REPLY_C,
    REPLY_A " " REPLY_B,
    "4 1 2 0 1000000",              /* more than were asked */
    "-1 1 2 0 1000000",             /* fewer than none */
    "18446744073709551617 1 2 0 1", /* 1, modulo 2^64 */
    "00000000000000001 1 2 0 1",    /* seventeen digits, though 1 */
    "1.0 1 2 0 1",
    "0x1 1 2 0 1",
    "+1 1 2 0 1",
    "- 1 2 0 1",
    "1 1 0 0 3000000 3 0 0 1 3000000", /* one too many of what is left */
    "nan inf -inf nil",
};

START_TEST(invalid_reply_answers_each_request_once)
{
    unsigned foreign = 0;
    const char *reply = bad_replies[_i];
    char *copy = malloc(strlen(reply) + 1); /* an own one, so that a read past its end is seen */

    ask_five();
    memcpy(copy, reply, strlen(reply));
    ck_assert_msg(!decode(copy, strlen(reply), &foreign), "\"%s\"", reply);
    redis_batch_answer(batch);
    ck_assert_int_eq(answered(5, STORE_DONE) + answered(5, STORE_UNAVAILABLE), 5);
    ck_assert_uint_eq(batch->live, 0);
    free(copy);
}
END_TEST

/* For the bucket of 3 that a and b have; a decision's words, in the place of b's. */
static const char *const bad_decisions[] = {
    "2 2 0 1000000",              /* neither allowed nor refused */
    "-1 2 0 1000000",             /* nor is this */
    "1 4 0 1000000",              /* more remaining than the limit */
    "1 -1 0 1000000",             /* less than nothing */
    "1 2 -2 1000000",             /* only -1 means never */
    "1 2 0 -1",                   /* whole again before now */
    "1 2 0 9007199254740992",     /* beyond what Lua counts exactly */
    "1 2 0 99999999999999999999", /* twenty digits */
    "1 2 0 18446744073709551617", /* 1, modulo 2^64 */
    "1 2 99999999999999999 1",    /* seventeen */
    "1 2 0 1.5",                  /* no whole number */
    "1 2 0 1e3",
    "1 2 0 0x10",
    "1 2 0 +5",
    "1 2 - 5",
    "1 2 --1 5",
    "nan inf -inf nil",
    "-9223372036854775808 -nan 1e+20 -1e+20",
    "\n \r\n \t \"",
};

START_TEST(invalid_numbers_of_one_group_affect_no_other)
{
    char reply[512];
    unsigned foreign = 0;

    ask_five();
    snprintf(reply, sizeof(reply), "%s 1 %s %s", REPLY_A, bad_decisions[_i], REPLY_C);
    ck_assert_msg(decode(reply, strlen(reply), &foreign), "\"%s\"", reply);
    ck_assert_uint_eq(foreign, 1);
    ck_assert_int_eq(answered(5, STORE_DONE), 4);
    ck_assert(asked[1].answers == 1 && asked[1].status == STORE_UNAVAILABLE);
    check_answer(4, 0, false, 0, 1000000, 3000000);
    check_answer(3, 1, false, 0, RETRY_NEVER, 7);
}
END_TEST

/* Of three folded requests the first has its decision already. */
static const char *const bad_halves[] = {
    "1 1 0 0 3000000 2 0 9 1000000 3000000",
    "1 1 0 0 3000000 1 0 9 1000000 3000000 1 0 0 1 3000000",
    "1 1 0 0 3000000 0",
};

START_TEST(invalid_rest_of_a_folded_group_fails_alone)
{
    char reply[512];
    unsigned foreign = 0;

    ask_five();
    snprintf(reply, sizeof(reply), "%s %s %s", bad_halves[_i], REPLY_B, REPLY_C);
    ck_assert_msg(decode(reply, strlen(reply), &foreign), "\"%s\"", reply);
    ck_assert_uint_eq(foreign, 1);
    check_answer(0, 0, true, 0, 0, 3000000);
    check_answer(1, 0, true, 2, 0, 1000000);
    check_answer(3, 0, true, 99, 0, 120000000);
    ck_assert_int_eq(answered(5, STORE_UNAVAILABLE), 2);
}
END_TEST

START_TEST(truncated_reply_is_invalid_at_every_byte)
{
    for (size_t bytes = 0; bytes < strlen(REPLY); bytes++) {
        char *copy = malloc(bytes + 1);
        unsigned foreign = 0;

        memcpy(copy, REPLY, bytes);
        redis_batch_clear(batch);
        ask_five();
        ck_assert_msg(!decode(copy, bytes, &foreign), "%zu bytes", bytes);
        redis_batch_answer(batch);
        ck_assert_int_eq(answered(5, STORE_DONE) + answered(5, STORE_UNAVAILABLE), 5);
        free(copy);
    }
}
END_TEST

START_TEST(reading_a_reply_runs_no_callback)
{
    unsigned foreign = 0;

    ask_five();
    ck_assert(redis_batch_decode(batch, REPLY, strlen(REPLY), &foreign));
    ck_assert_int_eq(answered(5, STORE_DONE) + answered(5, STORE_UNAVAILABLE), 0);
    redis_batch_answer(batch);
    ck_assert_int_eq(answered(5, STORE_DONE), 5);
}
END_TEST

static void
remove_the_others(struct store_request *request, enum store_status status)
{
    on_answer(request, status);
    for (int i = 0; i < 5; i++)
        if (asked[i].request.place != NULL) {
            redis_batch_remove(&asked[i].request);
            reuse(i);
        }
}

START_TEST(callback_may_remove_other_requests)
{
    unsigned foreign = 0;

    ask_five();
    asked[1].request.callback = remove_the_others;
    ck_assert(decode(REPLY, strlen(REPLY), &foreign));
    ck_assert_int_eq(answered(5, STORE_DONE), 2);
    ck_assert(asked[0].answers == 1 && asked[1].answers == 1);
    ck_assert_uint_eq(batch->live, 0);
}
END_TEST

START_TEST(undecided_requests_are_unavailable_once)
{
    ask_five();
    redis_batch_remove(&asked[2].request);
    redis_batch_answer(batch);
    redis_batch_answer(batch);
    ck_assert_int_eq(answered(5, STORE_UNAVAILABLE), 4);
}
END_TEST

START_TEST(requests_expire_in_order_at_their_microsecond)
{
    int64_t next_us = -1;

    ask_five(); /* deadlines 1000 .. 1004 */
    redis_batch_expire(batch, 999, &next_us);
    ck_assert_int_eq(answered(5, STORE_UNAVAILABLE), 0);
    ck_assert_int_eq(next_us, 1000);
    redis_batch_expire(batch, 1000, &next_us);
    ck_assert_int_eq(answered(5, STORE_UNAVAILABLE), 1);
    ck_assert_int_eq(next_us, 1001);
    redis_batch_remove(&asked[1].request);
    redis_batch_expire(batch, 1001, &next_us);
    ck_assert_int_eq(answered(5, STORE_UNAVAILABLE), 1);
    ck_assert_int_eq(next_us, 1002);
    next_us = -1;
    redis_batch_expire(batch, 5000, &next_us);
    ck_assert_int_eq(next_us, -1); /* nobody is left */
    ck_assert_int_eq(answered(5, STORE_UNAVAILABLE), 4);
    ck_assert_uint_eq(batch->live, 0);
}
END_TEST

/* Adds, leaves, expiries and encodings in any order; then a reply for what was sent. */
START_TEST(every_request_is_answered_once_or_removed)
{
    uint64_t random = (uint64_t)_i + 1;
    static char reply[BATCH_REQUESTS * 32];

    for (int round = 0; round < 300; round++) {
        int count = 1 + (int)random_below(&random, 60), gone = 0, expired;
        int64_t next_us, now_us = 1000;
        unsigned foreign = 0;
        size_t bytes = 0;

        redis_batch_clear(batch);
        for (int i = 0; i < count; i++) {
            char client[2] = {(char)('a' + random_below(&random, 5)), '\0'};
            int other = (int)random_below(&random, (uint64_t)i + 1);

            if (!ask(i, client, bucket, 1, (int64_t)random_below(&random, 2)))
                ck_abort_msg("there was room");
            if (random_below(&random, 3) == 0 && asked[other].request.place != NULL) {
                redis_batch_remove(&asked[other].request);
                gone++;
            }
            if (random_below(&random, 10) == 0) {
                redis_batch_expire(batch, now_us, &next_us);
                now_us += (int64_t)random_below(&random, 5);
            }
            if (random_below(&random, 10) == 0)
                encoded();
        }
        encoded();
        for (unsigned i = 0; i < batch->group_count; i++)
            if (batch->groups[i].count > 0)
                bytes +=
                    (size_t)sprintf(reply + bytes, "%s%u 1 1 0 0", bytes ? " " : "", batch->groups[i].count);
        expired = answered(count, STORE_UNAVAILABLE);
        if (!redis_batch_decode(batch, reply, bytes, &foreign))
            ck_abort_msg("round %d: %s", round, reply);
        redis_batch_answer(batch);
        ck_assert_int_eq(answered(count, STORE_UNAVAILABLE), expired);
        if (answered(count, STORE_DONE) + answered(count, STORE_UNAVAILABLE) + gone != count)
            ck_abort_msg("round %d: of %d requests %d are gone", round, count, gone);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("redis_batch_reply");
    TCase *tests = tcase_create("redis_batch_reply");

    tcase_set_timeout(tests, 60); /* for a busy machine */
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, equal_requests_are_decided_in_the_order_of_arrival);
    tcase_add_test(tests, request_removed_after_sending_gets_no_callback);
    tcase_add_test(tests, request_expired_after_sending_gets_one_callback);
    tcase_add_test(tests, foreign_key_is_unavailable_to_all_its_requests);
    tcase_add_loop_test(tests, invalid_reply_answers_each_request_once, 0, ROWS(bad_replies));
    tcase_add_loop_test(tests, invalid_numbers_of_one_group_affect_no_other, 0, ROWS(bad_decisions));
    tcase_add_loop_test(tests, invalid_rest_of_a_folded_group_fails_alone, 0, ROWS(bad_halves));
    tcase_add_test(tests, truncated_reply_is_invalid_at_every_byte);
    tcase_add_test(tests, reading_a_reply_runs_no_callback);
    tcase_add_test(tests, callback_may_remove_other_requests);
    tcase_add_test(tests, undecided_requests_are_unavailable_once);
    tcase_add_test(tests, requests_expire_in_order_at_their_microsecond);
    tcase_add_loop_test(tests, every_request_is_answered_once_or_removed, 0, 3);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
