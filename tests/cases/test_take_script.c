/*
 * The script as the service runs it, by the server's own clock: its arguments and reply, the keys that it
 * keeps, and keys that are not its own. Its decisions are tested by the tables and by tests/model.
 */
#include <inttypes.h>
#include <time.h>

#include "limit.h"
#include "take_script_fixture.h"

/* The number of writes since the server started. */
static int64_t
writes(void)
{
    redisReply *reply = ask("INFO persistence");
    const char *field = strstr(reply->str, "rdb_changes_since_last_save:");
    int64_t number;

    ck_assert_ptr_nonnull(field);
    number = strtoll(strchr(field, ':') + 1, NULL, 10);
    freeReplyObject(reply);
    return number;
}

START_TEST(the_embedded_digest_is_that_of_redis)
{
    redisReply *reply = redisCommand(redis, "SCRIPT LOAD %b", take_script_text, take_script_bytes);

    ck_assert_ptr_nonnull(reply);
    ck_assert_str_eq(reply->str, take_script_sha1);
    freeReplyObject(reply);
}
END_TEST

START_TEST(every_state_expires_when_its_quota_is_full)
{
    static const struct {
        const char *words;
        const char *begins; /* of the answer, before reset_after */
        int64_t longest_ms;
    } rows[] = {
        {"1 k 0 1 1 token_bucket 10 6000000 1 1 4 1 1", "1 1 6 0 ", 24000},
        {"1 k 0 1 1 sliding_window 10 60000000 1 1 4 1 1", "1 1 6 0 ", 60000},
        {"1 k 0 1 1 sliding_window_counter 10 60000000 1 1 4 1 1", "1 1 6 0 ", 120000},
        {"1 k 0 1 1 fixed_window 10 86400000000 1 1 4 1 1", "1 1 6 0 ", 86400000},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char answer[128];
        int64_t reset_after_us, ttl_ms;

        order("FLUSHALL");
        take(answer, sizeof(answer), rows[i].words);
        ck_assert_msg(strncmp(answer, rows[i].begins, strlen(rows[i].begins)) == 0, "%s: %s", rows[i].words,
                      answer);
        reset_after_us = strtoll(answer + strlen(rows[i].begins), NULL, 10);
        ttl_ms = ask_number("PTTL k");
        ck_assert_msg(ttl_ms > 0 && ttl_ms <= rows[i].longest_ms && ttl_ms * 1000 <= reset_after_us + 1000,
                      "%s: TTL %" PRId64, rows[i].words, ttl_ms);
    }
}
END_TEST

START_TEST(large_numbers_are_stored_exactly)
{
    char answer[128];
    redisReply *reply;
    double missing, updated_us;

    take(answer, sizeof(answer), "1 k 0 1 1 token_bucket 9007199254740991 1 1 1 4503599627370497 1 1");
    ck_assert_str_eq(answer, "1 1 4503599627370494 0 4503599627370497");
    reply = ask("GET k");
    ck_assert_uint_eq(reply->len, 1 + sizeof(missing) + sizeof(updated_us));
    ck_assert_int_eq(reply->str[0], 'b');
    memcpy(&missing, reply->str + 1, sizeof(missing)); /* a little-endian machine's */
    memcpy(&updated_us, reply->str + 1 + sizeof(missing), sizeof(updated_us));
    ck_assert_int_eq((int64_t)missing, INT64_C(4503599627370497));
    ck_assert_int_gt((int64_t)updated_us, INT64_C(1700000000000000));
    freeReplyObject(reply);

    take(answer, sizeof(answer), "1 l 0 1 1 sliding_window 5 60000000 1 1 2 1 1");
    reply = ask("LRANGE l 0 -1");
    ck_assert_uint_eq(reply->elements, 2);
    for (size_t i = 0; i < 2; i++) {
        double moment, total;

        ck_assert_uint_eq(reply->element[i]->len, sizeof(moment) + sizeof(total));
        memcpy(&moment, reply->element[i]->str, sizeof(moment));
        memcpy(&total, reply->element[i]->str + sizeof(moment), sizeof(total));
        ck_assert_int_eq((int64_t)total, i == 0 ? 0 : 2);
        ck_assert((int64_t)moment > (i == 0 ? -1 : INT64_C(1700000000000000)));
    }
    freeReplyObject(reply);
}
END_TEST

START_TEST(peeks_and_refusals_write_nothing)
{
    static const char *const limits[] = {"token_bucket 1 3600000000 1", "sliding_window 1 3600000000 1",
                                         "sliding_window_counter 1 31622400000000 1",
                                         "fixed_window 1 31622400000000 1"};

    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        char words[256], answer[256];
        int64_t before;

        order("FLUSHALL");
        before = writes();
        snprintf(words, sizeof(words), "2 k k 1 1 1 %s 1 0 1 1 1 2 3 1", limits[i]);
        take(answer, sizeof(answer), words);
        ck_assert_msg(writes() == before, "%s: wrote about a client never seen", limits[i]);
        snprintf(words, sizeof(words), "1 k 0 1 1 %s 1 1 1 1", limits[i]);
        take(answer, sizeof(answer), words);
        ck_assert_msg(writes() > before, "%s: a spend was not written", limits[i]);
        before = writes();
        snprintf(words, sizeof(words), "3 k k k 1 1 1 %s 1 0 1 1 1 1 5 1 1 2 1 1", limits[i]);
        take(answer, sizeof(answer), words);
        ck_assert_msg(writes() == before, "%s: wrote", limits[i]);
    }
}
END_TEST

START_TEST(a_foreign_key_fails_only_its_own_request)
{
    static const struct {
        const char *make; /* the key */
        const char *limit;
    } rows[] = {
        {"SET foreign hello", "token_bucket 3 1000000 1"},
        {"SET foreign 5", "token_bucket 3 1000000 1"},
        {"SETRANGE foreign 20 x", "token_bucket 3 1000000 1"},
        /* As long as a state, and with its letter. */
        {"SET foreign bcdefghijklmnopqr", "token_bucket 3 1000000 1"},
        {"SET foreign fghijklmnopqrstuv", "fixed_window 3 31622400000000 1"},
        {"SET foreign cdefghijklmnopqrstuvwxyza", "sliding_window_counter 3 60000000 1"},
        {"SET foreign bcdefghijklmnopqr", "sliding_window 3 60000000 1"},
        {"SETEX foreign 100 -5", "token_bucket 3 1000000 1"},
        {"HSET foreign 1 2", "token_bucket 3 1000000 1"},
        {"RPUSH foreign 1 2 3", "token_bucket 3 1000000 1"},
        {"RPUSH foreign 1 2 3", "sliding_window_counter 3 60000000 1"},
        {"SET foreign nan", "sliding_window_counter 3 60000000 1"},
        {"SADD foreign 1", "fixed_window 3 31622400000000 1"},
        {"SET foreign 1e3", "fixed_window 3 31622400000000 1"},
        {"SET foreign hello", "sliding_window 3 60000000 1"},
        {"ZADD foreign 1 2", "sliding_window 3 60000000 1"},
        {"RPUSH foreign 1", "sliding_window 3 60000000 1"},
        {"RPUSH foreign 1 2", "sliding_window 3 60000000 1"},
        {"RPUSH foreign a b c", "sliding_window 3 60000000 1"},
        {"RPUSH foreign 1 -2 1", "sliding_window 3 60000000 1"},
        {"RPUSH foreign nan 1700000000000000 1", "sliding_window 3 60000000 1"},
        {"RPUSH foreign 1 1e99 1", "sliding_window 3 60000000 1"},
        /* What another algorithm would write. */
        {"RPUSH foreign 1 1700000000000000 1", "fixed_window 3 31622400000000 1"},
        {"SETRANGE foreign 16 f", "fixed_window 3 31622400000000 1"},
        {"RPUSH foreign 9 1 1 x 1 3 1 4 1 5 1 6 1 7 1 8 y", "sliding_window 3 60000000 1"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char words[256], answer[256];
        redisReply *before, *after;
        int first = 0, second = 0, third = 0, end = 0;

        order("FLUSHALL");
        order(rows[i].make);
        before = ask("DUMP foreign");
        snprintf(words, sizeof(words), "3 a foreign b 0 1 1 %s 1 1 1 3", rows[i].limit);
        take(answer, sizeof(answer), words);
        sscanf(answer, "1 1 2 0 %*d%n 0%n 1 1 2 0 %*d%n", &first, &second, &third);
        end = (int)strlen(answer);
        ck_assert_msg(first > 0 && second > first && third == end, "%s, %s: %s", rows[i].make, rows[i].limit,
                      answer);
        after = ask("DUMP foreign");
        ck_assert_msg(before->len == after->len && memcmp(before->str, after->str, after->len) == 0,
                      "%s, %s: the key was changed", rows[i].make, rows[i].limit);
        freeReplyObject(before);
        freeReplyObject(after);
    }
}
END_TEST

START_TEST(one_foreign_key_leaves_the_other_limits_unspent)
{
    order("SET b hello");
    check_take("2 a b 0 1 2 token_bucket 3 1000000 1 fixed_window 3 86400000000 1 1 1 4 1", "0");
    ck_assert_int_eq(ask_number("EXISTS a"), 0);
}
END_TEST

#define PENALISED "fixed_window 1 31622400000000 1 penalty 2 60000000 600000000 2 86400000000"

START_TEST(a_penalty_is_kept_as_long_as_it_is_counted_or_remembered)
{
    int64_t before;

    check_take("2 k p 0 1 2 " PENALISED " 1 2 2 1", "2 0 1 -1 0 0");
    ck_assert_int_gt(ask_number("PTTL p"), 59000);
    ck_assert_int_le(ask_number("PTTL p"), 60000);
    check_take("2 k p 0 1 2 " PENALISED " 1 2 2 1", "2 0 1 -1 0 600000000");
    ck_assert_int_gt(ask_number("PTTL p"), 600000 + 86400000 - 1000);
    ck_assert_int_le(ask_number("PTTL p"), 600000 + 86400000);
    before = writes();
    for (int cost = 0; cost <= 2; cost++) {
        char words[256], answer[256];

        snprintf(words, sizeof(words), "2 k p 0 1 2 " PENALISED " 1 %d 3 1", cost);
        take(answer, sizeof(answer), words);
        ck_assert_msg(strncmp(answer, "3 ", 2) == 0, "cost %d: %s", cost, answer);
    }
    ck_assert_int_eq(writes(), before);
}
END_TEST

START_TEST(a_peek_of_a_client_without_refusals_writes_no_penalty)
{
    int64_t before = writes();

    check_take("4 k p l q 0 1 2 " PENALISED " 1 0 5 2", "5 1 1 0 0 0 5 1 1 0 0 0");
    ck_assert_int_eq(writes(), before);
}
END_TEST

START_TEST(a_penalty_that_is_foreign_leaves_the_limits_unspent)
{
    static const char *const makes[] = {"SET p hello", "RPUSH p 1", "HSET p 1 2", "SETRANGE p 32 x",
                                        "SETRANGE p 16 f",
                                        /* As long as a state, and with its letter. */
                                        "SET p pbcdefghijklmnopqrstuvwxyzabcdefg"};

    for (size_t i = 0; i < sizeof(makes) / sizeof(makes[0]); i++) {
        char answer[128];
        int end = 0;

        order("FLUSHALL");
        order(makes[i]);
        take(answer, sizeof(answer), "6 a q k p b r 0 1 2 " PENALISED " 1 1 1 3");
        sscanf(answer, "1 1 0 0 %*d 0 0 1 1 0 0 %*d 0%n", &end);
        ck_assert_msg(end == (int)strlen(answer), "%s: %s", makes[i], answer);
        ck_assert_int_eq(ask_number("EXISTS k"), 0);
        ck_assert_int_eq(ask_number("EXISTS q r"), 0);
    }
}
END_TEST

START_TEST(a_lowered_limit_bounds_what_the_larger_one_wrote)
{
    char answer[128];

    take(answer, sizeof(answer), "1 t 0 1 1 token_bucket 1000 10000000000 1 1 500 1 1");
    take(answer, sizeof(answer), "1 t 0 1 1 token_bucket 10 10000000000 1 1 1 1 1");
    ck_assert_msg(strncmp(answer, "1 0 0 ", 6) == 0, "%s", answer);
    take(answer, sizeof(answer), "1 t 0 1 1 token_bucket 1000 10000000000 1 1 0 1 1");
    ck_assert_msg(strncmp(answer, "1 1 500 0 ", 10) == 0, "it is still what it was: %s", answer);

    take(answer, sizeof(answer), "1 f 0 1 1 fixed_window 1000 31622400000000 1 1 500 1 1");
    take(answer, sizeof(answer), "1 f 0 1 1 fixed_window 10 31622400000000 1 1 1 1 1");
    ck_assert_msg(strncmp(answer, "1 0 0 ", 6) == 0, "%s", answer);

    take(answer, sizeof(answer), "1 c 0 1 1 sliding_window_counter 1000 31622400000000 1000000 1 500 1 1");
    take(answer, sizeof(answer), "1 c 0 1 1 sliding_window_counter 10 31622400000000 1000000 1 1 1 1");
    ck_assert_msg(strncmp(answer, "1 0 0 ", 6) == 0, "%s", answer);

    for (int i = 0; i < 8; i++)
        take(answer, sizeof(answer), "1 s 0 1 1 sliding_window 1000 86400000000 1 1 2 1 1");
    take(answer, sizeof(answer), "1 s 0 1 1 sliding_window 10 86400000000 1 1 1 1 1");
    ck_assert_msg(strncmp(answer, "1 0 0 864", 9) == 0 || strncmp(answer, "1 0 0 863", 9) == 0, "%s", answer);
    take(answer, sizeof(answer), "1 s 0 1 1 sliding_window 10 86400000000 1 1 0 1 1");
    ck_assert_msg(strncmp(answer, "1 1 0 0 ", 8) == 0, "a look: %s", answer);
}
END_TEST

/* One MGET reads the keys if none occurs twice, otherwise a GET for each. */
START_TEST(decisions_do_not_depend_on_how_states_are_read)
{
    static const char *const limits[] = {"token_bucket 9 3600000000 1", "fixed_window 9 31622400000000 1",
                                         "sliding_window_counter 9 31622400000000 1"};

    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        char words[256], answer[256];
        int end;

        order("FLUSHALL");
        snprintf(words, sizeof(words), "2 a b 0 1 1 %s 1 3 1 1 1 4 1 1", limits[i]);
        take(answer, sizeof(answer), words);
        for (int repeats = 0; repeats <= 1; repeats++) {
            snprintf(words, sizeof(words), "3 a new b %d 1 1 %s 1 0 1 3", repeats, limits[i]);
            take(answer, sizeof(answer), words);
            end = 0;
            sscanf(answer, "1 1 6 0 %*d 1 1 9 0 0 1 1 5 0 %*d%n", &end);
            ck_assert_msg(end == (int)strlen(answer), "%s, %d: %s", limits[i], repeats, answer);
        }
        /* What the first one wrote is what the second one reads. */
        snprintf(words, sizeof(words), "2 c c 1 1 1 %s 1 2 1 1 1 3 1 1", limits[i]);
        take(answer, sizeof(answer), words);
        end = 0;
        sscanf(answer, "1 1 7 0 %*d 1 1 4 0 %*d%n", &end);
        ck_assert_msg(end == (int)strlen(answer), "%s: %s", limits[i], answer);
    }
}
END_TEST

START_TEST(a_batch_of_several_rules_answers_in_order)
{
    check_take(
        "4 a b1 b2 a 1 2 1 token_bucket 3 1000000 1 2 fixed_window 5 31622400000000 1 sliding_window 2 "
        "60000000 1 "
        "1 4 1 1 2 3 2 1 1 0 1 1",
        "1 0 3 -1 0 2 1 5 0 0 0 2 -1 0 1 1 3 0 0");
    check_take("0 0 0", "");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("take_script");
    TCase *tests = tcase_create("take_script");

    tcase_add_test(tests, the_embedded_digest_is_that_of_redis);
    tcase_add_test(tests, every_state_expires_when_its_quota_is_full);
    tcase_add_test(tests, large_numbers_are_stored_exactly);
    tcase_add_test(tests, peeks_and_refusals_write_nothing);
    tcase_add_test(tests, a_foreign_key_fails_only_its_own_request);
    tcase_add_test(tests, one_foreign_key_leaves_the_other_limits_unspent);
    tcase_add_test(tests, a_penalty_is_kept_as_long_as_it_is_counted_or_remembered);
    tcase_add_test(tests, a_peek_of_a_client_without_refusals_writes_no_penalty);
    tcase_add_test(tests, a_penalty_that_is_foreign_leaves_the_limits_unspent);
    tcase_add_test(tests, a_lowered_limit_bounds_what_the_larger_one_wrote);
    tcase_add_test(tests, decisions_do_not_depend_on_how_states_are_read);
    tcase_add_test(tests, a_batch_of_several_rules_answers_in_order);
    return run_with_redis(suite, tests);
}
