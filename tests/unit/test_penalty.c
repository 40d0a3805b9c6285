#include "penalty.h"

#include <check.h>

#include "clock.h"
#include "number.h"
#include "suite.h"

#define START  INT64_C(1700000000000000)
#define MINUTE (60 * US_PER_S)
#define DAY    (24 * 60 * MINUTE)

/* What it counts is in tests/cases/tables/penalty.txt; here are the bounds, and rules that change. */

static const struct penalty usual = {
    .after = 2, .within_us = MINUTE, .for_us = 10 * MINUTE, .growth = 2, .up_to_us = DAY};

/* A refusal as a store counts it; returns the rest of the penalty. */
static int64_t
refuse(const struct penalty *penalty, struct penalty_state *state, int64_t now_us)
{
    penalty_advance(penalty, state, now_us);
    if (penalty_rest_us(state, now_us) == 0)
        penalty_refuse(penalty, state, now_us);
    return penalty_rest_us(state, now_us);
}

START_TEST(a_state_of_zeros_means_the_same_as_none)
{
    struct penalty_state state = {0};

    penalty_advance(&usual, &state, START);
    ck_assert_int_eq(penalty_rest_us(&state, START), 0);
    ck_assert_int_eq(penalty_reset_after_us(&usual, &state, START), 0);
    refuse(&usual, &state, START);
    ck_assert_int_eq(penalty_reset_after_us(&usual, &state, START), MINUTE);
    penalty_advance(&usual, &state, START + MINUTE);
    ck_assert_int_eq(penalty_reset_after_us(&usual, &state, START + MINUTE), 0);
}
END_TEST

START_TEST(no_penalty_is_longer_than_the_longest)
{
    static const struct penalty rows[] = {
        {.after = 1, .within_us = 1, .for_us = 1, .growth = 1, .up_to_us = 1},
        {.after = 1, .within_us = 1, .for_us = 1, .growth = 1, .up_to_us = DURATION_MAX_US},
        {.after = 1, .within_us = 1, .for_us = 1, .growth = 2, .up_to_us = DURATION_MAX_US},
        {.after = 1, .within_us = 1, .for_us = 7, .growth = 10, .up_to_us = DURATION_MAX_US},
        {.after = 1, .within_us = 1, .for_us = DURATION_MAX_US, .growth = 10, .up_to_us = DURATION_MAX_US},
        {.after = 1,
         .within_us = 1,
         .for_us = DURATION_MAX_US - 1,
         .growth = 10,
         .up_to_us = DURATION_MAX_US},
    };

    for (int row = 0; row < ROWS(rows); row++) {
        const struct penalty *penalty = &rows[row];
        struct penalty_state state = {0};
        int64_t now_us = START, expected_us = penalty->for_us;

        for (int i = 0; i < 100; i++) {
            ck_assert_int_eq(refuse(penalty, &state, now_us), 0);
            ck_assert_msg(refuse(penalty, &state, now_us) == expected_us, "row %d, penalty %d", row, i);
            now_us += expected_us;
            expected_us = expected_us * penalty->growth < penalty->up_to_us ? expected_us * penalty->growth
                                                                            : penalty->up_to_us;
        }
        if (penalty->growth > 1)
            ck_assert_int_eq(expected_us, penalty->up_to_us);
    }
}
END_TEST

START_TEST(the_largest_numbers_stay_exact)
{
    const struct penalty largest = {.after = PENALTY_AFTER_MAX,
                                    .within_us = DURATION_MAX_US,
                                    .for_us = DURATION_MAX_US,
                                    .growth = PENALTY_GROWTH_MAX,
                                    .up_to_us = DURATION_MAX_US};
    struct penalty_state state = {.count = PENALTY_AFTER_MAX, .began_us = START};

    ck_assert_int_lt(largest.up_to_us * largest.growth, NUMBER_EXACT_MAX);
    ck_assert_int_eq(refuse(&largest, &state, START + DURATION_MAX_US - 1), DURATION_MAX_US);
    ck_assert_int_eq(penalty_reset_after_us(&largest, &state, START + DURATION_MAX_US - 1),
                     2 * DURATION_MAX_US);
}
END_TEST

START_TEST(a_rule_of_shorter_penalties_shortens_the_rest)
{
    const struct penalty shorter = {
        .after = 1, .within_us = MINUTE, .for_us = MINUTE, .growth = 1, .up_to_us = 2 * MINUTE};
    struct penalty_state state = {.until_us = START + DAY, .repetition = 5};

    penalty_advance(&shorter, &state, START);
    ck_assert_int_eq(penalty_rest_us(&state, START), 2 * MINUTE);
    penalty_advance(&shorter, &state, START + MINUTE);
    ck_assert_int_eq(penalty_rest_us(&state, START + MINUTE), MINUTE);
}
END_TEST

START_TEST(a_rule_that_bears_fewer_refusals_penalises_the_next)
{
    const struct penalty stricter = {
        .after = 1, .within_us = MINUTE, .for_us = MINUTE, .growth = 1, .up_to_us = MINUTE};
    struct penalty_state state = {.began_us = START, .count = 15};

    penalty_advance(&stricter, &state, START);
    ck_assert_int_eq(penalty_rest_us(&state, START), 0);
    ck_assert_int_eq(refuse(&stricter, &state, START), MINUTE);
}
END_TEST

START_TEST(growth_counts_on_under_other_numbers)
{
    const struct penalty steeper = {
        .after = 2, .within_us = MINUTE, .for_us = MINUTE, .growth = 3, .up_to_us = DAY};
    struct penalty_state state = {0};
    int64_t now_us = START;

    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 3; i++)
            refuse(&usual, &state, now_us);
        now_us += penalty_rest_us(&state, now_us);
    }
    for (int i = 0; i < 3; i++)
        refuse(&steeper, &state, now_us);
    ck_assert_int_eq(penalty_rest_us(&state, now_us), 9 * MINUTE);
}
END_TEST

START_TEST(decisions_of_a_penalised_client_show_the_penalty_or_what_is_longer)
{
    struct decision decisions[] = {
        {.allowed = true, .limit = 9, .remaining = 5, .retry_after_us = 0, .reset_after_us = 3},
        {.allowed = false, .limit = 9, .remaining = 1, .retry_after_us = 50, .reset_after_us = 60},
        {.allowed = false, .limit = 9, .remaining = 9, .retry_after_us = RETRY_NEVER, .reset_after_us = 0},
        {.allowed = true, .limit = 9, .remaining = 7, .retry_after_us = 0, .reset_after_us = 60},
    };

    penalty_apply(decisions, 3, 10);
    ck_assert(!decisions[0].allowed && !decisions[1].allowed && !decisions[2].allowed);
    ck_assert_int_eq(decisions[0].remaining, 0);
    ck_assert_int_eq(decisions[0].limit, 9);
    ck_assert_int_eq(decisions[0].retry_after_us, 10);
    ck_assert_int_eq(decisions[0].reset_after_us, 10);
    ck_assert_int_eq(decisions[1].remaining, 0);
    ck_assert_int_eq(decisions[1].retry_after_us, 50);
    ck_assert_int_eq(decisions[1].reset_after_us, 60);
    ck_assert_int_eq(decisions[2].retry_after_us, RETRY_NEVER);
    ck_assert_int_eq(decisions[2].reset_after_us, 10);
    ck_assert(decisions[3].allowed);
    ck_assert_int_eq(decisions[3].remaining, 7);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("penalty");
    TCase *bounds = tcase_create("bounds"), *rules = tcase_create("rules that change");

    tcase_add_test(bounds, a_state_of_zeros_means_the_same_as_none);
    tcase_add_test(bounds, no_penalty_is_longer_than_the_longest);
    tcase_add_test(bounds, the_largest_numbers_stay_exact);
    tcase_add_test(bounds, decisions_of_a_penalised_client_show_the_penalty_or_what_is_longer);
    tcase_add_test(rules, a_rule_of_shorter_penalties_shortens_the_rest);
    tcase_add_test(rules, a_rule_that_bears_fewer_refusals_penalises_the_next);
    tcase_add_test(rules, growth_counts_on_under_other_numbers);
    suite_add_tcase(suite, bounds);
    suite_add_tcase(suite, rules);
    return run_suite(suite);
}
