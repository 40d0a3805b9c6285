/*
 * rule_counts: each worker's are its own, the sum is of all, and a rule keeps them as long as its name is there.
 *
 * The thread sanitizer finds what is shared; the address sanitizer what is freed too early or never.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "generation.h"
#include "policy_text.h"
#include "rule_counts.h"
#include "suite.h"

#define WORKERS 3
#define ROUNDS  20000

static struct generations *generations;

/* Of rules with these names, a letter each. */
static struct policy *
rules_named(const char *names)
{
    char text[512] = "{";

    for (size_t i = 0, used = 1; names[i] != '\0'; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used,
                                 "%s\"%c\": {\"capacity\": 1, \"refill_rate\": 1}%s", i > 0 ? "," : "",
                                 names[i], names[i + 1] == '\0' ? "}" : "");
    return policy_of_text(text);
}

static struct rule_counts *
counts_of(const char *name)
{
    return policy_rule(generations_policy(generations), name)->counts;
}

static uint64_t
sum_of(const char *name, enum rule_count what)
{
    uint64_t sums[RULE_COUNTS];

    rule_counts_sum(counts_of(name), sums);
    return sums[what];
}

static void
set_up(void)
{
    generations = generations_new(rules_named("ab"), WORKERS);
    ck_assert_ptr_nonnull(generations);
}

static void
tear_down(void)
{
    generations_free(generations);
}

START_TEST(sum_is_of_all_workers_and_of_one_rule)
{
    for (unsigned worker = 0; worker < WORKERS; worker++)
        for (unsigned i = 0; i <= worker; i++)
            rule_counts_add(counts_of("a"), worker, COUNT_REFUSED);
    ck_assert_uint_eq(sum_of("a", COUNT_REFUSED), 6);
    ck_assert_uint_eq(sum_of("a", COUNT_ALLOWED), 0);
    ck_assert_uint_eq(sum_of("b", COUNT_REFUSED), 0);
}
END_TEST

START_TEST(each_count_has_a_name_of_its_own)
{
    for (enum rule_count i = 0; i < RULE_COUNTS_NAMED; i++) {
        ck_assert_ptr_nonnull(rule_count_name(i));
        for (enum rule_count j = 0; j < i; j++)
            ck_assert_str_ne(rule_count_name(i), rule_count_name(j));
    }
}
END_TEST

START_TEST(a_rule_of_the_same_name_counts_on)
{
    int64_t since_us = rule_counts_since_us(counts_of("b"));

    rule_counts_add(counts_of("a"), 0, COUNT_ALLOWED);
    rule_counts_add(counts_of("b"), 0, COUNT_ALLOWED);
    ck_assert(generations_publish(generations, rules_named("cb"))); /* in another place, too */
    ck_assert_uint_eq(sum_of("b", COUNT_ALLOWED), 1);
    ck_assert_int_eq(rule_counts_since_us(counts_of("b")), since_us);
    ck_assert_uint_eq(sum_of("c", COUNT_ALLOWED), 0);
    ck_assert(generations_publish(generations, rules_named("ab")));
    ck_assert_uint_eq(sum_of("b", COUNT_ALLOWED), 1);
    ck_assert_uint_eq(sum_of("a", COUNT_ALLOWED), 0); /* it was gone */
    ck_assert_int_ge(rule_counts_since_us(counts_of("a")), since_us);
}
END_TEST

START_TEST(a_request_under_old_rules_counts_for_the_new_ones)
{
    struct generation_reader *reader = generations_reader(generations, 0);
    struct generation_share *share = generation_enter(reader);
    const struct rule *rule = policy_rule(share->generation->policy, "a");

    ck_assert(generations_publish(generations, rules_named("b"))); /* then only the request has "a" */
    rule_counts_add(rule->counts, 0, COUNT_ALLOWED);
    rule_counts_add(policy_rule(share->generation->policy, "b")->counts, 0, COUNT_ALLOWED);
    generation_leave(share);
    ck_assert_uint_eq(sum_of("b", COUNT_ALLOWED), 1);
    generation_reader_close(reader);
}
END_TEST

/* A worker: requests under whatever rules are in force, each of which has "a". */
static void *
work(void *arg)
{
    unsigned worker = (unsigned)(uintptr_t)arg;
    struct generation_reader *reader = generations_reader(generations, worker);

    for (int i = 0; i < ROUNDS; i++) {
        struct generation_share *share = generation_enter(reader);

        rule_counts_add(policy_rule(share->generation->policy, "a")->counts, worker, COUNT_ALLOWED);
        generation_leave(share);
    }
    generation_reader_close(reader);
    return NULL;
}

START_TEST(nothing_is_lost_while_others_read_and_reload)
{
    pthread_t threads[WORKERS];
    uint64_t last = 0, sum;

    for (uintptr_t i = 0; i < WORKERS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, work, (void *)i), 0);
    for (int i = 0; i < 200; i++) {
        ck_assert(generations_publish(generations, rules_named(i % 2 == 0 ? "ca" : "ab")));
        sum = sum_of("a", COUNT_ALLOWED);
        ck_assert_uint_ge(sum, last);
        last = sum;
    }
    for (int i = 0; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_eq(sum_of("a", COUNT_ALLOWED), WORKERS * ROUNDS);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("rule_counts");
    TCase *tests = tcase_create("rule_counts");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, sum_is_of_all_workers_and_of_one_rule);
    tcase_add_test(tests, each_count_has_a_name_of_its_own);
    tcase_add_test(tests, a_rule_of_the_same_name_counts_on);
    tcase_add_test(tests, a_request_under_old_rules_counts_for_the_new_ones);
    tcase_add_test(tests, nothing_is_lost_while_others_read_and_reload);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
