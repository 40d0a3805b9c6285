/*
 * history: rates are of what came between samples; rules are followed by their names through reloads, without a spike.
 */
#include <string.h>

#include "clock.h"
#include "history.h"
#include "policy_text.h"
#include "suite.h"

#define WORKERS 2
#define S       US_PER_S
#define START   (1000 * S)
#define WALL    (7200 * S + 1) /* a moment after a point of each span has begun */
#define LIMIT   "{\"capacity\": 1, \"refill_rate\": 1}"

static struct metrics metrics;
static struct policy *policy;
static uint64_t generation_number;
static struct history *history;
static int64_t now_us;

/* Blocks of memory, where they are counted. */

static bool live_blocks_are_counted;
static int live_blocks;

void *__real_calloc(size_t count, size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void __real_free(void *block);
void __wrap_free(void *block);

void *
__wrap_calloc(size_t count, size_t bytes)
{
    live_blocks += live_blocks_are_counted;
    return __real_calloc(count, bytes);
}

void
__wrap_free(void *block)
{
    live_blocks -= live_blocks_are_counted && block != NULL;
    __real_free(block);
}

/* Rules of these names. Those that were in force before keep their counts. */
static void
reload(const char *first, const char *second)
{
    struct policy *before = policy;
    char text[256];

    snprintf(text, sizeof(text), "{\"%s\": " LIMIT ", \"%s\": " LIMIT "}", first, second);
    policy = policy_of_text(text);
    ck_assert(rule_counts_attach(policy, before, WORKERS));
    generation_number++;
    if (before != NULL)
        rule_counts_detach(before);
    policy_free(before);
}

static void
set_up(void)
{
    ck_assert(metrics_init(&metrics, WORKERS));
    policy = NULL;
    reload("a", "b");
    now_us = START;
    history = history_new(&metrics, now_us, WALL);
    ck_assert_ptr_nonnull(history);
}

static void
tear_down(void)
{
    history_free(history);
    rule_counts_detach(policy);
    policy_free(policy);
    metrics_fini(&metrics);
}

/* Half by each worker. */
static void
count(const char *rule, enum rule_count what, unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        rule_counts_add(policy_rule(policy, rule)->counts, i % WORKERS, what);
}

static void
sample_after(int64_t us)
{
    now_us += us;
    history_sample(history, &(struct generation){.number = generation_number, .policy = policy}, now_us);
}

static struct history_sum
recent(void)
{
    struct history_sum sum;

    history_recent(history, &sum);
    return sum;
}

static struct history_rule
recent_of(const char *name)
{
    struct history_rule rule;

    for (uint32_t i = 0; history_recent_of(history, i, &rule); i++)
        if (strcmp(rule.name, name) == 0)
            return rule;
    ck_abort_msg("%s is not there", name);
}

START_TEST(nothing_was_done_in_no_time)
{
    struct history_rule rule;

    ck_assert_int_eq(recent().over_us, 0);
    ck_assert_int_eq(history_sampled_us(history), START);
    ck_assert(!history_recent_of(history, 0, &rule));
    sample_after(0);
    ck_assert_int_eq(recent().over_us, 0);
    ck_assert(history_recent_of(history, 1, &rule));
    ck_assert_str_eq(rule.name, "b");
}
END_TEST

START_TEST(sample_has_what_came_since_the_one_before)
{
    count("a", COUNT_ALLOWED, 3);
    sample_after(S);
    count("a", COUNT_ALLOWED, 4);
    count("b", COUNT_REFUSED, 5);
    sample_after(S);
    ck_assert_int_eq(recent().over_us, 2 * S);
    ck_assert_uint_eq(recent().counts[HISTORY_ALLOWED], 7);
    ck_assert_uint_eq(recent().counts[HISTORY_REFUSED], 5);
    ck_assert_uint_eq(recent_of("a").counts[HISTORY_ALLOWED], 7);
    ck_assert_uint_eq(recent_of("a").counts[HISTORY_REFUSED], 0);
    ck_assert_uint_eq(recent_of("b").counts[HISTORY_REFUSED], 5);
    ck_assert_int_eq(history_sampled_us(history), START + 2 * S);
}
END_TEST

START_TEST(late_sample_covers_more_time)
{
    count("a", COUNT_ALLOWED, 30);
    sample_after(3 * S + 7);
    ck_assert_int_eq(recent().over_us, 3 * S + 7);
    ck_assert_uint_eq(recent().counts[HISTORY_ALLOWED], 30);
}
END_TEST

START_TEST(what_came_before_the_last_samples_is_over)
{
    count("a", COUNT_ALLOWED, 100);
    sample_after(S);
    for (int i = 1; i < HISTORY_RECENT; i++) {
        ck_assert_uint_eq(recent_of("a").counts[HISTORY_ALLOWED], 100);
        sample_after(S);
    }
    ck_assert_uint_eq(recent().counts[HISTORY_ALLOWED], 100);
    sample_after(S);
    ck_assert_uint_eq(recent().counts[HISTORY_ALLOWED], 0);
    ck_assert_uint_eq(recent_of("a").counts[HISTORY_ALLOWED], 0);
    ck_assert_int_eq(recent().over_us, HISTORY_RECENT * S);
}
END_TEST

START_TEST(each_count_of_a_rule_has_its_place)
{
    static const struct {
        enum rule_count counted;
        bool is_in[HISTORY_COUNTS];
    } table[] = {
        {COUNT_ALLOWED, {[HISTORY_ALLOWED] = true}},
        {COUNT_REFUSED, {[HISTORY_REFUSED] = true}},
        {COUNT_PENALISED, {[HISTORY_REFUSED] = true}},
        {COUNT_BLOCKED, {[HISTORY_REFUSED] = true}},
        {COUNT_UNAVAILABLE, {[HISTORY_REFUSED] = true}},
        {COUNT_DEGRADED + FAILURE_CLOSED, {[HISTORY_DEGRADED] = true}},
        {COUNT_DEGRADED + FAILURE_OPEN, {[HISTORY_DEGRADED] = true}},
        {COUNT_DEGRADED + FAILURE_LOCAL, {[HISTORY_DEGRADED] = true}},
        {COUNT_SHADOW, {[HISTORY_ALLOWED] = true, [HISTORY_SHADOW_REFUSED] = true}},
        {COUNT_SHADOW_PENALISED, {[HISTORY_ALLOWED] = true, [HISTORY_SHADOW_REFUSED] = true}},
        {COUNT_SHADOW_BLOCKED, {[HISTORY_ALLOWED] = true, [HISTORY_SHADOW_REFUSED] = true}},
        {COUNT_SHADOW_UNAVAILABLE, {[HISTORY_ALLOWED] = true, [HISTORY_SHADOW_REFUSED] = true}},
        {COUNT_CANDIDATE_ALLOWED, {false}},
        {COUNT_CANDIDATE_REFUSED, {[HISTORY_CANDIDATE_REFUSED] = true}},
        {COUNT_CANDIDATE_MISSED, {false}},
        {COUNT_NEAR_LIMIT, {[HISTORY_NEAR_LIMIT] = true}},
    };

    ck_assert_int_eq(ROWS(table), RULE_COUNTS_NAMED);
    for (int i = 0; i < ROWS(table); i++) {
        struct history_rule before, after;
        sample_after(S);
        before = recent_of("a");
        count("a", table[i].counted, 1);
        sample_after(1);
        after = recent_of("a");
        for (size_t k = 0; k < HISTORY_COUNTS; k++)
            ck_assert_msg((after.counts[k] > before.counts[k]) == table[i].is_in[k], "%s: %zu",
                          rule_count_name(table[i].counted), k);
        for (int k = 0; k < HISTORY_RECENT; k++)
            sample_after(S);
    }
}
END_TEST

START_TEST(what_no_rule_limits_and_how_long_it_took_is_of_all)
{
    counter_add(&metrics.workers[0].decisions.unmatched, 2);
    counter_add(&metrics.workers[1].decisions.unmatched, 3);
    counter_add(&metrics.workers[WORKERS].decisions.unmatched, 9); /* the admin listener's */
    histogram_observe(&metrics.workers[1].decisions.duration, 60);
    histogram_observe(&metrics.workers[0].redis.command_duration, 400);
    sample_after(S);
    ck_assert_uint_eq(recent().unmatched, 5);
    ck_assert_int_eq(histogram_percentile_us(recent().decision_us, 990), 100);
    ck_assert_int_eq(histogram_percentile_us(recent().redis_us, 990), 498);
}
END_TEST

START_TEST(what_was_counted_before_it_began_is_no_news)
{
    counter_add(&metrics.workers[0].decisions.unmatched, 1000);
    history_free(history);
    history = history_new(&metrics, now_us, WALL);
    sample_after(S);
    ck_assert_uint_eq(recent().unmatched, 0);
}
END_TEST

START_TEST(reload_keeps_what_a_rule_did_wherever_it_is_now)
{
    struct history_rule rule;

    count("a", COUNT_ALLOWED, 10);
    sample_after(S);
    reload("new", "a");
    count("a", COUNT_ALLOWED, 1);
    count("new", COUNT_ALLOWED, 2);
    sample_after(S);
    ck_assert_uint_eq(recent_of("a").counts[HISTORY_ALLOWED], 11);
    ck_assert_uint_eq(recent_of("new").counts[HISTORY_ALLOWED], 2);
    ck_assert_uint_eq(recent().counts[HISTORY_ALLOWED], 13);
    ck_assert(history_recent_of(history, 0, &rule) && strcmp(rule.name, "new") == 0);
    ck_assert(history_recent_of(history, 1, &rule) && strcmp(rule.name, "a") == 0);
    ck_assert(!history_recent_of(history, 2, &rule));
}
END_TEST

/* Between two samples it went and came: its counts began again, at less or at more than was known. */
START_TEST(rule_that_was_gone_for_a_moment_makes_no_spike)
{
    static const unsigned after[] = {3, 50};
    int64_t since_us;

    for (int i = 0; i < ROWS(after); i++) {
        uint64_t before;
        count("a", COUNT_ALLOWED, 20);
        sample_after(S);
        before = recent().counts[HISTORY_ALLOWED];
        since_us = rule_counts_since_us(policy_rule(policy, "a")->counts);
        while (clock_wall_us() == since_us)
            continue;
        reload("b", "c");
        reload("a", "b");
        count("a", COUNT_ALLOWED, after[i]);
        sample_after(S);
        ck_assert_uint_eq(recent().counts[HISTORY_ALLOWED] - before, after[i]);
    }
}
END_TEST

/* Series. */

static struct history_series
series_of(const char *rule)
{
    struct history_series series;

    ck_assert_msg(history_series(history, rule, &series), "%s", rule);
    return series;
}

/* In the last 15 minutes. */
static uint64_t
sum_of(const char *rule, enum history_count what)
{
    struct history_series series = series_of(rule);
    uint64_t sum = 0;

    for (unsigned i = 0; series.counts != NULL && i < series_shapes[SERIES_15M].points; i++)
        sum += series.counts->counts[series_place(series.clock, SERIES_15M, i)][what];
    return sum;
}

START_TEST(series_have_what_the_samples_had_of_each_rule_and_in_all)
{
    struct history_series none;

    sample_after(S);
    ck_assert_ptr_null(series_of("a").counts);
    for (int i = 0; i < 100; i++) {
        count("a", COUNT_ALLOWED, 3);
        count("b", COUNT_SHADOW, 2);
        count("b", COUNT_NEAR_LIMIT, 1);
        sample_after(S);
    }
    ck_assert_uint_eq(sum_of("a", HISTORY_ALLOWED), 300);
    ck_assert_uint_eq(sum_of("b", HISTORY_ALLOWED), 200);
    ck_assert_uint_eq(sum_of("b", HISTORY_NEAR_LIMIT), 100);
    ck_assert_uint_eq(sum_of(NULL, HISTORY_ALLOWED), 500);
    ck_assert_uint_eq(sum_of(NULL, HISTORY_NEAR_LIMIT), 100);
    ck_assert(!history_series(history, "c", &none));
}
END_TEST

START_TEST(series_of_a_rule_goes_on_through_reloads_and_ends_with_the_rule)
{
    count("a", COUNT_ALLOWED, 5);
    sample_after(S);
    reload("new", "a");
    count("a", COUNT_ALLOWED, 1);
    sample_after(S);
    ck_assert_uint_eq(sum_of("a", HISTORY_ALLOWED), 6);
    ck_assert_uint_eq(sum_of("new", HISTORY_ALLOWED), 0);
    reload("new", "b");
    sample_after(S);
    reload("a", "b");
    sample_after(S);
    ck_assert_uint_eq(sum_of("a", HISTORY_ALLOWED), 0);
    ck_assert_uint_eq(sum_of(NULL, HISTORY_ALLOWED), 6); /* what was done was done */
}
END_TEST

START_TEST(memory_does_not_grow_with_the_names_that_rules_had)
{
    char name[32];
    int before = 0;

    for (int i = 0; i < 500; i++) {
        snprintf(name, sizeof(name), "rule-%d", i);
        reload(name, "b");
        count(name, COUNT_ALLOWED, 1);
        count("b", COUNT_ALLOWED, 1);
        live_blocks_are_counted = true;
        sample_after(S);
        live_blocks_are_counted = false;
        if (i == 1)
            before = live_blocks;
    }
    ck_assert_int_eq(live_blocks, before);
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("history");
    TCase *recent_case = tcase_create("recent");
    TCase *series_case = tcase_create("series");

    tcase_add_checked_fixture(recent_case, set_up, tear_down);
    tcase_add_test(recent_case, nothing_was_done_in_no_time);
    tcase_add_test(recent_case, sample_has_what_came_since_the_one_before);
    tcase_add_test(recent_case, late_sample_covers_more_time);
    tcase_add_test(recent_case, what_came_before_the_last_samples_is_over);
    tcase_add_test(recent_case, each_count_of_a_rule_has_its_place);
    tcase_add_test(recent_case, what_no_rule_limits_and_how_long_it_took_is_of_all);
    tcase_add_test(recent_case, what_was_counted_before_it_began_is_no_news);
    tcase_add_test(recent_case, reload_keeps_what_a_rule_did_wherever_it_is_now);
    tcase_add_test(recent_case, rule_that_was_gone_for_a_moment_makes_no_spike);
    suite_add_tcase(suite, recent_case);
    tcase_add_checked_fixture(series_case, set_up, tear_down);
    tcase_add_test(series_case, series_have_what_the_samples_had_of_each_rule_and_in_all);
    tcase_add_test(series_case, series_of_a_rule_goes_on_through_reloads_and_ends_with_the_rule);
    tcase_add_test(series_case, memory_does_not_grow_with_the_names_that_rules_had);
    suite_add_tcase(suite, series_case);
    return suite;
}

int
main(void)
{
    return run_suite(make_suite());
}
