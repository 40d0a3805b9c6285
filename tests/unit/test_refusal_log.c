/* refusal_log: what is told, when, and how many lines that makes, by a clock of the test's own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "refusal_log.h"
#include "refusal_table.h"
#include "suite.h"

#define TICK_US (US_PER_S / 10)

static struct refusal_log *refusals;
static int64_t now_us;
static uint64_t told;   /* refusals that lines have told of */
static int lines;       /* since the last look */
static char last[4096]; /* line */
static int found;       /* lines that told of `sought` */
static const char *sought;

/* A line without `suppressed` tells of one refusal, another of so many. */
static void
note_line(void *arg, enum log_level level, const char *module, const char *message)
{
    const char *suppressed = strstr(message, " suppressed=");

    (void)arg;
    (void)level;
    ck_assert_str_eq(module, "refusals");
    told += suppressed != NULL ? strtoull(suppressed + strlen(" suppressed="), NULL, 10) : 1;
    found += sought != NULL && strstr(message, sought) != NULL;
    snprintf(last, sizeof(last), "%s", message);
    lines++;
}

static void
begin(enum refusal_log_mode mode)
{
    const struct refusal_log_options options = {.mode = mode, .clients = CLIENTS_PLAIN, .key = ""};

    log_init_sink(LOG_DEBUG, note_line, NULL);
    now_us = 1000 * US_PER_S;
    refusals = refusal_log_new(&options, now_us);
    ck_assert_ptr_nonnull(refusals);
}

static void
set_up(void)
{
    begin(REFUSALS_SUMMARY);
}

static void
tear_down(void)
{
    refusal_log_free(refusals);
}

static int
new_lines(void)
{
    int news = lines;

    lines = 0;
    return news;
}

static void
add(enum decision_result result, bool shadow, const char *rule, const char *client)
{
    const struct decision_record record = {.result = result,
                                           .shadow = shadow,
                                           .rule = {rule, strlen(rule)},
                                           .client = {client, strlen(client)},
                                           .trace_id = {"", 0}};

    refusal_log_add(refusals, &record, now_us);
}

static void
refuse(const char *client)
{
    add(RESULT_REFUSED, false, "api", client);
}

static void
refuse_number(uint64_t client)
{
    char text[32];

    snprintf(text, sizeof(text), "ip=%" PRIu64, client);
    refuse(text);
}

/* The time passes, and the log is called as it is to be. */
static void
pass(int64_t us)
{
    for (int64_t end_us = now_us + us; now_us < end_us;) {
        now_us += TICK_US;
        refusal_log_tick(refusals, now_us);
    }
}

START_TEST(first_refusal_of_a_client_is_told_at_once)
{
    refuse("ip=1.1.1.1");
    ck_assert_int_eq(new_lines(), 1);
    ck_assert_str_eq(last, "client refused rule=api client=\"ip=1.1.1.1\" result=refused");
    refuse("ip=2.2.2.2");
    ck_assert_int_eq(new_lines(), 1);
}
END_TEST

START_TEST(further_refusals_are_told_as_a_sum_a_minute_later)
{
    for (int i = 0; i < 813; i++)
        refuse("ip=1.1.1.1");
    ck_assert_int_eq(new_lines(), 1);
    pass(REFUSAL_LOG_SUM_US - TICK_US);
    ck_assert_int_eq(new_lines(), 0);
    pass(TICK_US);
    ck_assert_int_eq(new_lines(), 1);
    ck_assert_str_eq(last, "client refused rule=api client=\"ip=1.1.1.1\" result=refused suppressed=812");
    refuse("ip=1.1.1.1"); /* it goes on, and so do the sums */
    ck_assert_int_eq(new_lines(), 0);
    pass(REFUSAL_LOG_SUM_US);
    ck_assert_int_eq(new_lines(), 1);
    ck_assert_ptr_nonnull(strstr(last, " suppressed=1"));
}
END_TEST

START_TEST(client_that_was_not_refused_for_a_minute_is_new_again)
{
    refuse("ip=1.1.1.1");
    pass(REFUSAL_LOG_SUM_US);
    ck_assert_int_eq(new_lines(), 1);
    refuse("ip=1.1.1.1");
    ck_assert_int_eq(new_lines(), 1);
}
END_TEST

START_TEST(each_rule_and_result_is_told)
{
    static const enum decision_result results[] = {RESULT_REFUSED, RESULT_PENALISED, RESULT_BLOCKED,
                                                   RESULT_UNAVAILABLE};

    for (int twice = 0; twice < 2; twice++)
        for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++)
            for (int shadow = 0; shadow < 2; shadow++) {
                add(results[i], shadow, "api", "ip=1.1.1.1");
                add(results[i], shadow, "other", "ip=1.1.1.1");
                ck_assert_int_eq(new_lines(), twice ? 0 : 2);
            }
}
END_TEST

START_TEST(what_is_allowed_is_not_told)
{
    add(RESULT_ALLOWED, false, "api", "ip=1.1.1.1");
    add(RESULT_ALLOWED, true, "api", "ip=1.1.1.1");
    refusal_log_end(refusals);
    ck_assert_int_eq(new_lines(), 0);
}
END_TEST

START_TEST(unavailable_store_is_told_once_for_all_clients_of_a_rule)
{
    add(RESULT_UNAVAILABLE, false, "api", "ip=1.1.1.1");
    add(RESULT_UNAVAILABLE, false, "api", "ip=2.2.2.2");
    ck_assert_int_eq(new_lines(), 1);
    ck_assert_ptr_null(strstr(last, "client="));
    refusal_log_end(refusals);
    ck_assert_uint_eq(told, 2);
}
END_TEST

START_TEST(end_tells_what_was_suppressed)
{
    for (int i = 0; i < 5; i++)
        refuse("ip=1.1.1.1");
    refuse("ip=2.2.2.2");
    ck_assert_int_eq(new_lines(), 2);
    refusal_log_end(refusals);
    ck_assert_int_eq(new_lines(), 1);
    ck_assert_ptr_nonnull(strstr(last, " suppressed=4"));
}
END_TEST

/* A crowd: in each second that many clients, each new or one of `clients`, that often. */
static const struct crowd {
    int64_t seconds, a_second;
    uint64_t clients; /* 0: all are new */
    int times;
} crowds[] = {
    {200, 1000, 0, 1},                      /* millions of clients, each refused once */
    {200, 200, 0, 5},   {300, 500, 500, 3}, /* the same ones, on and on */
    {300, 20, 2000, 2}, {400, 5, 0, 1},     {700, 4, 2000, 1},
};

/* In no ten seconds more lines than this, once the bursts are over. */
#define LINES_IN_TEN_S (10 * (REFUSAL_LOG_NEWCOMERS + REFUSAL_LOG_SUMS) + 2)

START_TEST(lines_are_bounded_and_account_for_every_refusal)
{
    const struct crowd *crowd = &crowds[_i];
    uint64_t refused = 0, next = 0;
    int in_ten_s = 0, all = 0;

    for (int64_t second = 1; second <= crowd->seconds; second++) {
        for (int64_t i = 0; i < crowd->a_second; i++, next++)
            for (int k = 0; k < crowd->times; k++, refused++)
                refuse_number(crowd->clients > 0 ? next % crowd->clients : next);
        pass(US_PER_S);
        in_ten_s += new_lines();
        if (second % 10 == 0) {
            ck_assert_int_le(in_ten_s, LINES_IN_TEN_S + 2 * REFUSAL_LOG_BURST);
            all += in_ten_s;
            in_ten_s = 0;
        }
    }
    ck_assert_int_le(all, crowd->seconds / 10 * LINES_IN_TEN_S + 2 * REFUSAL_LOG_BURST);
    refusal_log_end(refusals);
    ck_assert_int_le(new_lines(), REFUSAL_TABLE_CLIENTS + REFUSAL_LOG_NEWCOMERS + 1);
    ck_assert_uint_eq(told, refused);
}
END_TEST

/* The crowd comes first in every second, with clients that are new and refused more often. Each second the other has
   five chances in 201: to be missed in all of them has a chance below 1e-10. */
START_TEST(client_is_not_hidden_by_a_crowd)
{
    sought = "ip=hidden";
    for (uint64_t second = 0; second < 1000 && found == 0; second++) {
        for (uint64_t i = 0; i < 400; i++)
            refuse_number(second * 200 + i % 200);
        refuse("ip=hidden");
        pass(US_PER_S);
    }
    ck_assert_int_gt(found, 0);
}
END_TEST

START_TEST(sums_leave_newcomers_their_room)
{
    uint64_t known = 0;

    sought = "ip=new";
    for (int second = 0; second < 100; second++) {
        for (uint64_t i = 0; i < known; i++)
            refuse_number(i);
        for (int i = 0; i < REFUSAL_LOG_NEWCOMERS - 1; i++)
            refuse_number(known++);
        pass(US_PER_S);
    }
    ck_assert_int_gt(new_lines(), 0);
    for (int i = 0; i < REFUSAL_LOG_NEWCOMERS - 1; i++) {
        char client[16];
        snprintf(client, sizeof(client), "ip=new%d", i);
        refuse(client);
    }
    ck_assert_int_eq(found, REFUSAL_LOG_NEWCOMERS - 1);
}
END_TEST

START_TEST(after_a_crowd_all_is_as_before)
{
    for (uint64_t i = 0; i < 1000; i++)
        refuse_number(i);
    pass(30 * US_PER_S);
    new_lines();
    refuse("ip=1.1.1.1");
    ck_assert_int_eq(new_lines(), 1);
}
END_TEST

START_TEST(what_has_no_room_is_told_in_one_line_a_minute)
{
    for (uint64_t i = 0; i < 1000; i++)
        refuse_number(i);
    pass(REFUSAL_LOG_SUM_US);
    ck_assert_uint_eq(told, 1000);
    ck_assert_str_eq(last, "more clients were refused than there is room for in the log suppressed=945");
    pass(REFUSAL_LOG_SUM_US);
    ck_assert_uint_eq(told, 1000);
}
END_TEST

START_TEST(all_tells_each_refusal_up_to_a_bound)
{
    refusal_log_free(refusals);
    begin(REFUSALS_ALL);
    for (int i = 0; i < REFUSAL_LOG_ALL; i++)
        refuse("ip=1.1.1.1");
    ck_assert_int_eq(new_lines(), REFUSAL_LOG_ALL);
    for (int i = 0; i < 10; i++)
        refuse("ip=1.1.1.1");
    ck_assert_int_eq(new_lines(), 1);
    refusal_log_end(refusals);
    ck_assert_uint_eq(told, REFUSAL_LOG_ALL + 10);
}
END_TEST

START_TEST(one_key_gives_one_hash_and_no_key_another_each_time)
{
    static const char *const keys[] = {"the key", "the key", "another key", "", ""};
    char hashes[5][sizeof(last)];

    for (int i = 0; i < 5; i++) {
        const struct refusal_log_options options = {
            .mode = REFUSALS_SUMMARY, .clients = CLIENTS_HASH, .key = keys[i]};
        refusal_log_free(refusals);
        refusals = refusal_log_new(&options, now_us);
        refuse("ip=1.1.1.1");
        memcpy(hashes[i], last, sizeof(last));
        ck_assert_ptr_null(strstr(last, "1.1.1.1"));
    }
    ck_assert_str_eq(hashes[0], hashes[1]);
    for (int i = 1; i < 5; i++)
        for (int j = i + 1; j < 5; j++)
            ck_assert_str_ne(hashes[i], hashes[j]);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("refusal_log");
    TCase *tests = tcase_create("refusal_log");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, first_refusal_of_a_client_is_told_at_once);
    tcase_add_test(tests, further_refusals_are_told_as_a_sum_a_minute_later);
    tcase_add_test(tests, client_that_was_not_refused_for_a_minute_is_new_again);
    tcase_add_test(tests, each_rule_and_result_is_told);
    tcase_add_test(tests, what_is_allowed_is_not_told);
    tcase_add_test(tests, unavailable_store_is_told_once_for_all_clients_of_a_rule);
    tcase_add_test(tests, end_tells_what_was_suppressed);
    tcase_add_loop_test(tests, lines_are_bounded_and_account_for_every_refusal, 0, ROWS(crowds));
    tcase_add_test(tests, client_is_not_hidden_by_a_crowd);
    tcase_add_test(tests, sums_leave_newcomers_their_room);
    tcase_add_test(tests, after_a_crowd_all_is_as_before);
    tcase_add_test(tests, what_has_no_room_is_told_in_one_line_a_minute);
    tcase_add_test(tests, all_tells_each_refusal_up_to_a_bound);
    tcase_add_test(tests, one_key_gives_one_hash_and_no_key_another_each_time);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
