/* limiter: what it counts and writes down of its decisions. */
#include "decision_stream.h"
#include "limiter_fixture.h"
#include "metrics.h"
#include "rule_counts.h"
#include "suite.h"

/* Of those that wait for the store, and of those that do so no more. */
static void
ck_assert_waiting(const struct decision_counts *of, uint64_t waited, uint64_t resumed)
{
    ck_assert_uint_eq(of->waited, waited);
    ck_assert_uint_eq(of->resumed, resumed);
}

START_TEST(what_waits_for_the_store_is_counted_until_it_ends)
{
    struct decision_counts of = {0};

    limiter.decisions = &of;
    begin("default", STORE_DONE);
    ck_assert_waiting(&of, 0, 0);
    begin("default", STORE_PENDING);
    ck_assert_waiting(&of, 1, 0);
    fake_answer(&store, STORE_DONE);
    ck_assert_waiting(&of, 1, 1);
    begin("default", STORE_PENDING);
    limiter_cancel(&limiter, &take);
    ck_assert_waiting(&of, 2, 2);
    prepare("default", 7, STORE_PENDING);
    ck_assert_int_eq(limiter_reset(&limiter, &take), LIMITER_PENDING);
    ck_assert_waiting(&of, 3, 2);
    fake_answer(&store, STORE_UNAVAILABLE);
    ck_assert_waiting(&of, 3, 3);
}
END_TEST

/* Of three limits, what remains of each; then whether the request is near one. */
static const struct {
    int64_t limits[3], remaining[3], cost;
    bool allowed, near;
} nears[] = {
    {{10, 10, 10}, {2, 9, 9}, 1, true, false},
    {{10, 10, 10}, {1, 9, 9}, 1, true, true},
    {{10, 10, 10}, {9, 9, 1}, 1, true, true},
    {{10, 1000, 10}, {5, 199, 9}, 1, true, true}, /* though another has less remaining */
    {{1, 10, 10}, {0, 9, 9}, 1, true, true},      /* the only one that there is */
    {{2, 10, 10}, {1, 9, 9}, 1, true, false},
    {{12, 10, 10}, {2, 9, 9}, 1, true, true},
    {{12, 10, 10}, {3, 9, 9}, 1, true, false},
    {{10, 10, INT64_MAX}, {9, 9, INT64_MAX / 5}, 1, true, true},
    {{10, 10, INT64_MAX}, {9, 9, INT64_MAX / 5 + 1}, 1, true, false},
    {{10, 10, 10}, {0, 9, 9}, 1, false, false}, /* refused: no longer near */
    {{10, 10, 10}, {0, 9, 9}, 0, true, false},  /* a peek counts nothing */
};

START_TEST(request_is_near_where_less_than_a_fifth_of_some_limit_remains)
{
    uint64_t sums[RULE_COUNTS];

    ck_assert(rule_counts_attach(policy, NULL, 1));
    for (int i = 0; i < 3; i++)
        store.decisions[i] = (struct decision){.allowed = i > 0 || nears[_i].allowed,
                                               .limit = nears[_i].limits[i],
                                               .remaining = nears[_i].remaining[i]};
    prepare("three", 7, STORE_DONE);
    take.cost = nears[_i].cost;
    ck_assert_int_eq(limiter_take(&limiter, &take), LIMITER_DONE);
    rule_counts_sum(take.rule->counts, sums);
    rule_counts_detach(policy);
    ck_assert_uint_eq(sums[COUNT_NEAR_LIMIT], nears[_i].near);
}
END_TEST

/* What is written down of a decision. */

static const struct {
    const char *rule;
    uint8_t client;
    enum store_status status;
    bool refused, penalised;
    struct decision_record record;
} written[] = {
    {"three",
     7,
     STORE_DONE,
     false,
     false,
     {.result = RESULT_ALLOWED, .limit = 20, .window_us = 60000000, .remaining = 3}},
    {"three",
     7,
     STORE_DONE,
     true,
     false,
     {.result = RESULT_REFUSED, .limit = 20, .window_us = 60000000, .retry_after_us = 4}},
    {"three",
     7,
     STORE_DONE,
     true,
     true,
     {.result = RESULT_PENALISED, .limit = 20, .window_us = 60000000, .retry_after_us = 4}},
    {"differs",
     7,
     STORE_DONE,
     false,
     false,
     {.result = RESULT_ALLOWED, .limit = 1000, .window_us = 60000000, .remaining = 9}},
    {"differs", 8, STORE_DONE, false, false, {.result = RESULT_ALLOWED}},
    {"differs", 9, STORE_DONE, false, false, {.result = RESULT_BLOCKED}},
    {"shadow", 9, STORE_DONE, false, false, {.result = RESULT_BLOCKED, .shadow = true}},
    {"closed",
     7,
     STORE_UNAVAILABLE,
     false,
     false,
     {.result = RESULT_UNAVAILABLE, .degraded = true, .limit = 10, .window_us = 60000000}},
    {"open",
     7,
     STORE_UNAVAILABLE,
     false,
     false,
     {.result = RESULT_ALLOWED, .degraded = true, .limit = 10, .window_us = 60000000}},
    {"shadow_local",
     7,
     STORE_UNAVAILABLE,
     false,
     false,
     {.result = RESULT_ALLOWED,
      .shadow = true,
      .degraded = true,
      .limit = 10,
      .window_us = 60000000,
      .remaining = 5}},
};

static void
assert_written(void *arg, const struct decision_record *record)
{
    const struct decision_record *expected = &written[*(int *)arg].record;

    ck_assert_int_eq(record->result, expected->result);
    ck_assert_int_eq(record->shadow, expected->shadow);
    ck_assert_int_eq(record->degraded, expected->degraded);
    ck_assert_int_eq(record->cost, 2);
    ck_assert_int_eq(record->algorithm, expected->limit > 0 ? FIXED_WINDOW : 0);
    ck_assert_int_eq(record->limit, expected->limit);
    ck_assert_int_eq(record->window_us, expected->window_us);
    ck_assert_int_eq(record->remaining, expected->remaining);
    ck_assert_int_eq(record->retry_after_us, expected->retry_after_us);
    ck_assert_str_eq(record->rule.text, written[*(int *)arg].rule);
    ck_assert_str_eq(record->client.text, take.client.text);
    ck_assert_str_eq(record->trace_id.text, trace_id);
}

static void
write_down(struct decision_stream *stream, int row)
{
    bool refused = written[row].refused;

    limiter.records = decision_stream_ring(stream, 0);
    local.says = STORE_DONE;
    if (strcmp(written[row].rule, "three") == 0) /* by the second limit */
        store.decisions[1] = (struct decision){.allowed = !refused,
                                               .limit = 20,
                                               .remaining = refused ? 0 : 3,
                                               .retry_after_us = refused ? 4 : 0};
    prepare(written[row].rule, written[row].client, written[row].status);
    take.request.penalty_us = written[row].penalised;
    limiter_take(&limiter, &take);
    take.cost = 0;
    limiter_take(&limiter, &take); /* a peek is nobody's business */
}

START_TEST(each_decision_is_written_down_and_no_peek)
{
    struct decision_stream *stream = decision_stream_new(1);

    ck_assert_ptr_nonnull(stream);
    write_down(stream, _i);
    decision_stream_drain(stream, 10, assert_written, &_i);
    ck_assert_uint_eq(decision_stream_counts(stream).seen, 1);
    decision_stream_free(stream);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("limiter_counts");
    TCase *tests = tcase_create("limiter_counts");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, what_waits_for_the_store_is_counted_until_it_ends);
    tcase_add_loop_test(tests, request_is_near_where_less_than_a_fifth_of_some_limit_remains, 0, ROWS(nears));
    tcase_add_loop_test(tests, each_decision_is_written_down_and_no_peek, 0, ROWS(written));
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
