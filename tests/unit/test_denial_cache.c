/*
 * denials: who is refused again without Redis, for how long, and what he is told.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "denial_cache.h"
#include "limit_set_of.h"
#include "suite.h"

#define NOW_US (INT64_C(500) * US_PER_S)

static struct denial_cache *denials;
static struct limit limits[LIMIT_SET_MAX]; /* fixed windows of 10, 20, ... a minute */
static struct limit_set set;               /* those of the request */
static struct client client;
static struct store_request request;

static void
set_up(void)
{
    denials = denial_cache_new();
    ck_assert_ptr_nonnull(denials);
    for (int i = 0; i < LIMIT_SET_MAX; i++)
        ck_assert_int_eq(limit_init_window(&limits[i], FIXED_WINDOW, 10 * (i + 1), 60 * US_PER_S), LIMIT_OK);
}

static void
tear_down(void)
{
    denial_cache_free(denials);
}

static void
ask(const char *name, uint32_t limit_count, int64_t cost)
{
    memset(&request, 0x5a, sizeof(request)); /* what was there before */
    client_write(&client, "client", name, strlen(name));
    request.cost = cost;
    set = limit_set_of(1, limits, limit_count);
    request.subject = (struct store_subject){.client = &client, .rule = "r", .limits = &set};
}

/* What Redis said to what was asked last: each limit's wait until its cost passes; 0: it allows it. */
static void
note(const int64_t *retry_after_us, int64_t sent_us)
{
    request.allowed = false;
    for (uint32_t i = 0; i < set.count; i++)
        request.decisions[i] = (struct decision){.allowed = retry_after_us[i] == 0,
                                                 .limit = limits[i].limit,
                                                 .remaining = i,
                                                 .retry_after_us = retry_after_us[i],
                                                 .reset_after_us = 30 * US_PER_S + i};
    denial_cache_note(denials, &request, sent_us);
}

static bool
is_refused(const char *name, uint32_t limit_count, int64_t cost, int64_t now_us)
{
    ask(name, limit_count, cost);
    return denial_cache_answer(denials, &request, now_us);
}

START_TEST(unknown_client_is_not_refused)
{
    ck_assert(!is_refused("a", 1, 1, NOW_US));
    ask("a", 1, 1);
    note((const int64_t[]){US_PER_S / 2}, NOW_US);
    ck_assert(!is_refused("b", 1, 1, NOW_US));
    ck_assert(!is_refused("a", 1, 2, NOW_US)); /* another cost may pass later */
    ask("a", 1, 1);
    request.subject.rule = "s";
    ck_assert(!denial_cache_answer(denials, &request, NOW_US));
}
END_TEST

START_TEST(a_rule_of_the_same_name_is_another)
{
    ask("a", 1, 1);
    note((const int64_t[]){US_PER_S / 2}, NOW_US);
    set.id = 2; /* it may allow more */
    ck_assert(!denial_cache_answer(denials, &request, NOW_US));
    set.id = 1;
    ck_assert(denial_cache_answer(denials, &request, NOW_US));
}
END_TEST

/* Not a microsecond longer than Redis would refuse; and a second at most. */
static const struct {
    int64_t retry_after_us, refused_for_us;
} waits[] = {
    {1, 1},
    {US_PER_S / 2, US_PER_S / 2},
    {US_PER_S, US_PER_S},
    {US_PER_S + 1, US_PER_S},
    {3600 * US_PER_S, US_PER_S},
    {RETRY_NEVER, US_PER_S},
    {0, 0}, /* no answer of the script's */
};

START_TEST(refusal_lasts_its_retry_after_and_at_most_a_second)
{
    ask("a", 1, 1);
    note(&waits[_i].retry_after_us, NOW_US);
    if (waits[_i].refused_for_us > 0)
        ck_assert(is_refused("a", 1, 1, NOW_US + waits[_i].refused_for_us - 1));
    ck_assert(!is_refused("a", 1, 1, NOW_US + waits[_i].refused_for_us));
}
END_TEST

START_TEST(refusal_shows_the_numbers_of_now)
{
    ask("a", 1, 1);
    note((const int64_t[]){5 * US_PER_S}, NOW_US);
    ck_assert(is_refused("a", 1, 1, NOW_US + US_PER_S / 4));
    ck_assert(!request.allowed && !request.decisions[0].allowed);
    ck_assert_int_eq(request.decisions[0].limit, 10);
    ck_assert_int_eq(request.decisions[0].remaining, 0);
    ck_assert_int_eq(request.decisions[0].retry_after_us, 5 * US_PER_S - US_PER_S / 4);
    ck_assert_int_eq(request.decisions[0].reset_after_us, 30 * US_PER_S - US_PER_S / 4);
}
END_TEST

START_TEST(never_stays_never)
{
    ask("a", 1, 11);
    note((const int64_t[]){RETRY_NEVER}, NOW_US);
    ck_assert(is_refused("a", 1, 11, NOW_US + US_PER_S - 1));
    ck_assert_int_eq(request.decisions[0].retry_after_us, RETRY_NEVER);
    ck_assert(!request.decisions[0].allowed);
}
END_TEST

START_TEST(each_limit_is_shown_and_the_longest_refusal_counts)
{
    ask("a", 3, 1);
    note((const int64_t[]){US_PER_S / 10, 0, US_PER_S / 2}, NOW_US);
    ck_assert(is_refused("a", 3, 1, NOW_US + US_PER_S / 4));
    ck_assert(!request.allowed);
    ck_assert(request.decisions[0].allowed); /* by now */
    ck_assert(request.decisions[1].allowed);
    ck_assert(!request.decisions[2].allowed);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(request.decisions[i].limit, 10 * (i + 1));
        ck_assert_int_eq(request.decisions[i].remaining, i);
    }
    ck_assert_int_eq(request.decisions[2].retry_after_us, US_PER_S / 4);
    ck_assert(!is_refused("a", 3, 1, NOW_US + US_PER_S / 2));
}
END_TEST

START_TEST(newer_refusal_replaces_the_older)
{
    ask("a", LIMIT_SET_MAX, 1);
    note((const int64_t[LIMIT_SET_MAX]){US_PER_S / 2}, NOW_US);
    note((const int64_t[LIMIT_SET_MAX]){US_PER_S}, NOW_US + US_PER_S / 4);
    ck_assert(is_refused("a", LIMIT_SET_MAX, 1, NOW_US + US_PER_S));
    ck_assert_int_eq(request.decisions[0].retry_after_us, US_PER_S / 4);
}
END_TEST

START_TEST(clear_forgets_everything)
{
    ask("a", 2, 1);
    note((const int64_t[]){US_PER_S, US_PER_S}, NOW_US);
    denial_cache_clear(denials);
    ck_assert(!is_refused("a", 2, 1, NOW_US));
    note((const int64_t[]){US_PER_S, US_PER_S}, NOW_US);
    ck_assert(is_refused("a", 2, 1, NOW_US));
}
END_TEST

/* More than there is room for: whoever is still known is told what is his, and most of the latest are
   known. */
START_TEST(evicted_refusal_is_forgotten_and_never_mistaken)
{
    enum { CLIENTS = 400000, LATEST = 50000 };
    int known = 0;

    for (int i = 0; i < CLIENTS; i++) {
        char name[16];
        sprintf(name, "%d", i);
        ask(name, 1, 1);
        note((const int64_t[]){US_PER_S}, NOW_US + i);
    }
    for (int i = 0; i < CLIENTS; i++) {
        char name[16];
        sprintf(name, "%d", i);
        if (!is_refused(name, 1, 1, NOW_US + CLIENTS))
            continue;
        ck_assert_int_eq(request.decisions[0].retry_after_us, US_PER_S - CLIENTS + i);
        known += i >= CLIENTS - LATEST;
    }
    ck_assert_int_gt(known, LATEST * 8 / 10);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("denials");
    TCase *tests = tcase_create("denials");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, unknown_client_is_not_refused);
    tcase_add_test(tests, a_rule_of_the_same_name_is_another);
    tcase_add_loop_test(tests, refusal_lasts_its_retry_after_and_at_most_a_second, 0, ROWS(waits));
    tcase_add_test(tests, refusal_shows_the_numbers_of_now);
    tcase_add_test(tests, never_stays_never);
    tcase_add_test(tests, each_limit_is_shown_and_the_longest_refusal_counts);
    tcase_add_test(tests, newer_refusal_replaces_the_older);
    tcase_add_test(tests, clear_forgets_everything);
    tcase_add_test(tests, evicted_refusal_is_forgotten_and_never_mistaken);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
