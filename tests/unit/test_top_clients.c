/*
 * top_clients: the windows by a clock that the test sets; what rotates keeps the bounds of tally.h; memory stays within
 * the bound under a million clients.
 */
#include "top_clients.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random_numbers.h"
#include "suite.h"

#define MINUTE_US (60 * US_PER_S)
#define HOUR_US   (60 * MINUTE_US)
#define START_US  (INT64_C(500000) * HOUR_US) /* all windows begin a span then */

static struct clock now;
static struct top_clients *top;
static struct top_list list;
static uint64_t dropped;

static void
set_up(void)
{
    now = clock_fixed(START_US);
    dropped = 0;
    top = top_clients_new(&now);
    ck_assert_ptr_nonnull(top);
}

static void
tear_down(void)
{
    top_clients_free(top);
}

static void
pass(int64_t us)
{
    now.offset_us += us;
    top_clients_turn(top, dropped);
}

static void
add_as(const char *rule, const char *client, enum decision_result result, int64_t cost)
{
    const struct decision_record record = {
        .result = result, .cost = cost, .rule = {rule, strlen(rule)}, .client = {client, strlen(client)}};

    top_clients_add(top, &record);
}

static void
add_times(const char *client, int times)
{
    for (int i = 0; i < times; i++)
        add_as("api", client, RESULT_ALLOWED, 1);
}

static bool
is_of(const struct tally_item *item, const char *rule, const char *client)
{
    return item->rule_bytes == strlen(rule) && item->client_bytes == strlen(client) &&
           memcmp(item->text, rule, strlen(rule)) == 0 &&
           memcmp(item->text + strlen(rule), client, strlen(client)) == 0;
}

/* What is counted of the client under the rule; 0: it is not in the list. */
static int64_t
found_of(enum top_window window, enum tally_measure by, const char *rule, const char *client)
{
    top_clients_read(top, window, by, &list);
    for (uint32_t i = 0; i < list.count; i++)
        if (is_of(list.clients[i].item, rule, client))
            return list.clients[i].number;
    return 0;
}

static int64_t
requests(enum top_window window, const char *client)
{
    return found_of(window, TALLY_REQUESTS, "api", client);
}

/* Measures. */

START_TEST(each_measure_counts_what_it_says)
{
    static const enum decision_result refusals[] = {RESULT_REFUSED, RESULT_PENALISED, RESULT_BLOCKED,
                                                    RESULT_UNAVAILABLE};

    add_as("api", "ip=1", RESULT_ALLOWED, 5);
    for (int i = 0; i < ROWS(refusals); i++)
        add_as("api", "ip=1", refusals[i], 1000);
    ck_assert_int_eq(found_of(TOP_MINUTE, TALLY_REQUESTS, "api", "ip=1"), 5);
    ck_assert_int_eq(list.total, 5);
    ck_assert_int_eq(found_of(TOP_MINUTE, TALLY_REFUSALS, "api", "ip=1"), 4);
    ck_assert_int_eq(list.total, 4);
    ck_assert_int_eq(found_of(TOP_MINUTE, TALLY_COST, "api", "ip=1"), 5);
    ck_assert_int_eq(list.total, 5);
}
END_TEST

START_TEST(client_that_was_never_refused_is_not_among_the_refused)
{
    add_times("ip=1", 100);
    add_as("api", "ip=2", RESULT_REFUSED, 1);
    top_clients_read(top, TOP_MINUTE, TALLY_REFUSALS, &list);
    ck_assert_uint_eq(list.count, 1);
    ck_assert(is_of(list.clients[0].item, "api", "ip=2"));
}
END_TEST

START_TEST(client_that_is_refused_shows_what_it_asked_before)
{
    add_times("ip=1", 100);
    add_as("api", "ip=1", RESULT_REFUSED, 1);
    top_clients_read(top, TOP_MINUTE, TALLY_REFUSALS, &list);
    ck_assert_int_eq(list.clients[0].item->counts[TALLY_REQUESTS], 101);
    ck_assert_int_eq(list.clients[0].item->counts[TALLY_COST], 100);
    ck_assert_int_eq(list.clients[0].item->errors[TALLY_REFUSALS], 0);
}
END_TEST

START_TEST(client_is_counted_apart_under_each_rule)
{
    add_as("a", "bc", RESULT_ALLOWED, 1);
    add_as("ab", "c", RESULT_ALLOWED, 2);
    add_as("b", "bc", RESULT_ALLOWED, 4);
    ck_assert_int_eq(found_of(TOP_MINUTE, TALLY_COST, "a", "bc"), 1);
    ck_assert_int_eq(found_of(TOP_MINUTE, TALLY_COST, "ab", "c"), 2);
    ck_assert_int_eq(found_of(TOP_MINUTE, TALLY_COST, "b", "bc"), 4);
}
END_TEST

/* Windows. */

START_TEST(each_window_has_what_came_within_it)
{
    static const struct {
        int64_t after_us;
        bool is_in[TOP_WINDOWS];
    } moments[] = {
        {0, {true, true, true}},
        {59 * US_PER_S, {true, true, true}},
        {70 * US_PER_S, {false, true, true}},
        {59 * MINUTE_US, {false, true, true}},
        {65 * MINUTE_US, {false, false, true}},
        {24 * HOUR_US, {false, false, true}},
        {26 * HOUR_US, {false, false, false}},
    };
    int64_t passed_us = 0;

    add_times("ip=1", 3);
    for (int i = 0; i < ROWS(moments); i++) {
        for (; passed_us < moments[i].after_us; passed_us += US_PER_S)
            pass(US_PER_S);
        for (enum top_window window = 0; window < TOP_WINDOWS; window++)
            ck_assert_msg(requests(window, "ip=1") == (moments[i].is_in[window] ? 3 : 0),
                          "window %d after %" PRId64, window, passed_us);
    }
}
END_TEST

START_TEST(spans_that_no_turn_saw_are_empty)
{
    add_times("ip=1", 3);
    pass(30 * MINUTE_US); /* the process was stopped */
    ck_assert_int_eq(requests(TOP_MINUTE, "ip=1"), 0);
    ck_assert_int_eq(requests(TOP_HOUR, "ip=1"), 3);
    add_times("ip=1", 1);
    pass(15 * MINUTE_US);
    ck_assert_int_eq(requests(TOP_HOUR, "ip=1"), 4);
    pass(25 * MINUTE_US);
    ck_assert_int_eq(requests(TOP_HOUR, "ip=1"), 1);
    ck_assert_int_eq(requests(TOP_DAY, "ip=1"), 4);
}
END_TEST

START_TEST(window_is_at_least_as_long_as_its_name_says_once_there_was_so_much_time)
{
    static const int64_t lengths[TOP_WINDOWS][2] = {{MINUTE_US, MINUTE_US + 10 * US_PER_S},
                                                    {HOUR_US, HOUR_US + 5 * MINUTE_US},
                                                    {24 * HOUR_US, 26 * HOUR_US}};

    pass(3 * US_PER_S);
    for (enum top_window window = 0; window < TOP_WINDOWS; window++) {
        top_clients_read(top, window, TALLY_REQUESTS, &list);
        ck_assert_int_eq(list.from_us, START_US);
        ck_assert_int_eq(list.until_us, START_US + 3 * US_PER_S);
    }
    for (int i = 0; i < 100; i++) {
        pass(HOUR_US + 1234567);
        for (enum top_window window = 0; window < TOP_WINDOWS; window++) {
            top_clients_read(top, window, TALLY_REQUESTS, &list);
            ck_assert_int_eq(list.until_us, clock_now_us(&now));
            if (list.from_us > START_US)
                ck_assert_int_ge(list.until_us - list.from_us, lengths[window][0]);
            ck_assert_int_lt(list.until_us - list.from_us, lengths[window][1]);
        }
    }
}
END_TEST

START_TEST(part_that_was_counted_is_told)
{
    add_times("ip=1", 75);
    top_clients_read(top, TOP_MINUTE, TALLY_REQUESTS, &list);
    ck_assert_double_eq(list.sampled, 1.0);
    dropped = 25;
    pass(US_PER_S);
    top_clients_read(top, TOP_MINUTE, TALLY_REQUESTS, &list);
    ck_assert_double_eq(list.sampled, 0.75);
    pass(2 * MINUTE_US);
    top_clients_read(top, TOP_MINUTE, TALLY_REQUESTS, &list);
    ck_assert_double_eq(list.sampled, 1.0);
    top_clients_read(top, TOP_HOUR, TALLY_REQUESTS, &list);
    ck_assert_double_eq(list.sampled, 0.75);
}
END_TEST

/* Bounds, of what a window has, against a naive count of all records with their times. */

#define CLIENTS 6000
#define RECORDS 100000

static struct {
    uint16_t client;
    bool refused;
    int64_t at_us;
} records[RECORDS];

static void
assert_window(enum top_window window, enum tally_measure by)
{
    static int64_t truth[CLIENTS];
    int64_t total = 0, missing = 0;
    char *end;

    memset(truth, 0, sizeof(truth));
    top_clients_read(top, window, by, &list);
    for (int i = 0; i < RECORDS; i++)
        if (records[i].at_us >= list.from_us && records[i].at_us < list.until_us &&
            (by == TALLY_REQUESTS || records[i].refused == (by == TALLY_REFUSALS))) {
            truth[records[i].client]++;
            total++;
        }
    ck_assert_int_eq(list.total, total);
    ck_assert_int_le(list.error, total / TALLY_KEPT);
    for (uint32_t i = 0; i < list.count; i++) {
        const struct tally_item *item = list.clients[i].item;
        char text[sizeof(item->text) + 1] = "";
        memcpy(text, item->text, (size_t)item->rule_bytes + item->client_bytes);
        int64_t *true_number = &truth[strtoul(text + strlen("api"
                                                            "ip="),
                                              &end, 10)];
        ck_assert_int_le(list.clients[i].number, *true_number);
        ck_assert_int_ge(list.clients[i].number + item->errors[by], *true_number);
        ck_assert_int_le(item->errors[by], list.error);
        *true_number = 0;
    }
    for (int i = 0; i < CLIENTS; i++)
        missing = truth[i] > missing ? truth[i] : missing;
    ck_assert_int_le(missing, list.error);
}

START_TEST(every_window_keeps_the_bounds_while_it_rotates)
{
    uint64_t state = 7;
    char client[16];

    for (int i = 0; i < RECORDS; i++) {
        /* A few often, most seldom; their number changes with time. */
        uint64_t bound = 1 + random_below(&state, random_below(&state, 4) == 0 ? 20 : CLIENTS);
        records[i].client = (uint16_t)((random_below(&state, bound) + (uint64_t)i / 15000 * 10) % CLIENTS);
        records[i].refused = random_below(&state, 3) == 0;
        records[i].at_us = clock_now_us(&now);
        snprintf(client, sizeof(client), "ip=%u", records[i].client);
        add_as("api", client, records[i].refused ? RESULT_REFUSED : RESULT_ALLOWED, 1);
        pass(US_PER_S); /* 28 h in all */
        if (i % 9973 == 0)
            for (enum top_window window = 0; window < TOP_WINDOWS; window++)
                assert_window(window, (enum tally_measure)(i / 9973 % TALLY_MEASURES));
    }
    for (enum top_window window = 0; window < TOP_WINDOWS; window++)
        for (enum tally_measure by = 0; by < TALLY_MEASURES; by++)
            assert_window(window, by);
}
END_TEST

/* Memory. */

START_TEST(a_million_clients_take_no_more_than_the_bound)
{
    char client[CLIENT_BYTES + 1];
    uint64_t most = 0;

    for (int i = 0; i < 1000000; i++) {
        snprintf(client, sizeof(client), "header:user_id=%0113d", i);
        add_as("rule_with_the_longest_name_that_a_rule_may_have_which_is_64_byt", client,
               i % 2 ? RESULT_REFUSED : RESULT_ALLOWED, 1);
        if (i % 100 == 0)
            pass(10 * US_PER_S); /* 28 h in all: every place for a span is used */
        most = top_clients_bytes(top) > most ? top_clients_bytes(top) : most;
    }
    ck_assert_uint_le(most, TOP_BYTES_MAX);
    ck_assert_uint_gt(most, TOP_BYTES_MAX / 2);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("top_clients");
    TCase *tests = tcase_create("top_clients");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, each_measure_counts_what_it_says);
    tcase_add_test(tests, client_that_was_never_refused_is_not_among_the_refused);
    tcase_add_test(tests, client_that_is_refused_shows_what_it_asked_before);
    tcase_add_test(tests, client_is_counted_apart_under_each_rule);
    tcase_add_test(tests, each_window_has_what_came_within_it);
    tcase_add_test(tests, spans_that_no_turn_saw_are_empty);
    tcase_add_test(tests, window_is_at_least_as_long_as_its_name_says_once_there_was_so_much_time);
    tcase_add_test(tests, part_that_was_counted_is_told);
    tcase_add_test(tests, every_window_keeps_the_bounds_while_it_rotates);
    tcase_add_test(tests, a_million_clients_take_no_more_than_the_bound);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
