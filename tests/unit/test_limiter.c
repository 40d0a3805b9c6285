/* limiter: every take is answered once, by the store or by the rule's failure mode; and which limit is the
   tightest. */
#include "limiter_fixture.h"
#include "metrics.h"
#include "suite.h"

START_TEST(store_gets_the_client_and_the_limits_of_the_rule)
{
    ck_assert_int_eq(begin("three", STORE_DONE), LIMITER_DONE);
    ck_assert_str_eq(store.subject.client->text, "ip=203.0.113.7");
    ck_assert_str_eq(store.subject.rule, "three");
    ck_assert_ptr_eq(take.limits, &take.rule->limits);
    ck_assert_ptr_eq(store.subject.limits, take.limits);
    ck_assert_uint_eq(store.subject.limits->count, 3);
    ck_assert_ptr_eq(store.subject.penalty, &take.rule->penalty);
    ck_assert_int_eq(store.cost, 2);
    begin("closed", STORE_DONE);
    ck_assert_ptr_null(store.subject.penalty);
}
END_TEST

START_TEST(request_without_rule_is_allowed_without_the_store)
{
    begin("default", STORE_DONE);
    store.takes = 0;
    memset(&take, 0x5a, sizeof(take)); /* what the last take left */
    take.rule = NULL;
    take.cost = 1;
    store.says = STORE_UNAVAILABLE;
    ck_assert_int_eq(limiter_take(&limiter, &take), LIMITER_DONE);
    ck_assert_int_eq(take.verdict, VERDICT_ALLOWED);
    ck_assert(!take.decided && !take.degraded);
    ck_assert_ptr_null(take.limits);
    ck_assert_int_eq(store.takes + local.takes, 0);
}
END_TEST

START_TEST(client_that_differs_has_limits_of_its_own)
{
    uint64_t id;

    ck_assert_int_eq(begin("differs", STORE_DONE), LIMITER_DONE);
    ck_assert_int_eq(take.verdict, VERDICT_ALLOWED);
    ck_assert_ptr_ne(take.limits, &take.rule->limits);
    ck_assert_uint_eq(store.subject.limits->count, 1);
    ck_assert_int_eq(store.subject.limits->limits[0].limit, 1000);
    ck_assert_uint_ne(store.subject.limits->id, take.rule->limits.id);
    ck_assert_str_eq(store.subject.rule, "differs");
    id = store.subject.limits->id;
    prepare("differs", 99, STORE_DONE); /* by its network, the same limits */
    limiter_take(&limiter, &take);
    ck_assert_uint_eq(store.subject.limits->id, id);
    take.address.size = 0; /* a name that is spelt as the address is not the address */
    client_write(&take.client, "client", "203.0.113.7", 11);
    limiter_take(&limiter, &take);
    ck_assert_ptr_eq(take.limits, &take.rule->limits);
}
END_TEST

static const struct {
    uint8_t last_byte;
    enum verdict verdict;
} undecided[] = {{8, VERDICT_ALLOWED}, {9, VERDICT_BLOCKED}};

START_TEST(unlimited_and_blocked_clients_need_no_store)
{
    prepare("differs", undecided[_i].last_byte, STORE_UNAVAILABLE);
    ck_assert_int_eq(limiter_take(&limiter, &take), LIMITER_DONE);
    ck_assert_int_eq(take.verdict, undecided[_i].verdict);
    ck_assert(!take.decided && !take.degraded);
    ck_assert_ptr_null(take.limits);
    ck_assert_int_eq(store.takes + local.takes, 0);
}
END_TEST

/* What is counted for a client that was limited before it was blocked can still be forgotten. */
START_TEST(reset_forgets_by_what_limits_the_client)
{
    prepare("differs", 7, STORE_DONE);
    ck_assert_int_eq(limiter_reset(&limiter, &take), LIMITER_DONE);
    ck_assert_int_eq(store.subject.limits->limits[0].limit, 1000);
    prepare("differs", 9, STORE_DONE);
    ck_assert_int_eq(limiter_reset(&limiter, &take), LIMITER_DONE);
    ck_assert_uint_eq(store.subject.limits->id, take.rule->limits.id);
    ck_assert_int_eq(take.verdict, VERDICT_ALLOWED);
}
END_TEST

START_TEST(immediate_decision_is_the_answer)
{
    ck_assert_int_eq(begin("default", STORE_DONE), LIMITER_DONE);
    ck_assert_int_eq(take.verdict, VERDICT_ALLOWED);
    ck_assert(take.decided && !take.degraded);
    ck_assert_int_eq(take.request.decisions[0].remaining, 9);
    store.decisions[0].allowed = false;
    ck_assert_int_eq(begin("default", STORE_DONE), LIMITER_DONE);
    ck_assert_int_eq(take.verdict, VERDICT_REFUSED);
    ck_assert(take.decided && !take.degraded);
    ck_assert_int_eq(answers, 0);
}
END_TEST

START_TEST(later_decision_comes_by_one_callback)
{
    ck_assert_int_eq(begin("default", STORE_PENDING), LIMITER_PENDING);
    ck_assert_int_eq(answers, 0);
    store.decisions[0].allowed = false;
    fake_answer(&store, STORE_DONE);
    ck_assert_int_eq(answers, 1);
    ck_assert_int_eq(take.verdict, VERDICT_REFUSED);
    ck_assert(take.decided && !take.degraded);
}
END_TEST

/* A store that is away: found out at once, or only later. */
static const struct {
    const char *rule;
    bool later, local_refuses;
    enum verdict verdict;
    bool decided;
    enum failure_mode mode;
} failures[] = {
    {"closed", false, false, VERDICT_UNAVAILABLE, false, FAILURE_CLOSED},
    {"closed", true, false, VERDICT_UNAVAILABLE, false, FAILURE_CLOSED},
    {"default", true, false, VERDICT_UNAVAILABLE, false, FAILURE_CLOSED},
    {"open", false, false, VERDICT_ALLOWED, false, FAILURE_OPEN},
    {"open", true, false, VERDICT_ALLOWED, false, FAILURE_OPEN},
    {"local", false, false, VERDICT_ALLOWED, true, FAILURE_LOCAL},
    {"local", true, false, VERDICT_ALLOWED, true, FAILURE_LOCAL},
    {"local", false, true, VERDICT_REFUSED, true, FAILURE_LOCAL},
    {"local", true, true, VERDICT_REFUSED, true, FAILURE_LOCAL},
};

START_TEST(failure_mode_decides_without_the_store)
{
    struct decision_counts of = {0};

    limiter.decisions = &of;
    local.says = STORE_DONE;
    local.decisions[0].allowed = !failures[_i].local_refuses;
    if (failures[_i].later) {
        ck_assert_int_eq(begin(failures[_i].rule, STORE_PENDING), LIMITER_PENDING);
        fake_answer(&store, STORE_UNAVAILABLE);
    } else {
        ck_assert_int_eq(begin(failures[_i].rule, STORE_UNAVAILABLE), LIMITER_DONE);
    }
    ck_assert_int_eq(answers, failures[_i].later);
    ck_assert_int_eq(take.verdict, failures[_i].verdict);
    ck_assert_int_eq(take.decided, failures[_i].decided);
    ck_assert(take.degraded);
    ck_assert_uint_eq(take.tightest, 0);
    for (int mode = FAILURE_CLOSED; mode <= FAILURE_LOCAL; mode++)
        ck_assert_uint_eq(of.degraded[mode], mode == (int)failures[_i].mode);
    ck_assert_int_eq(local.takes, failures[_i].mode == FAILURE_LOCAL);
    if (failures[_i].mode == FAILURE_LOCAL) {
        ck_assert_int_eq(take.request.decisions[0].remaining, 5);
        ck_assert_str_eq(local.subject.client->text, "ip=203.0.113.7");
        ck_assert_int_eq(local.cost, 2);
    }
}
END_TEST

/* What a shadow rule would have said, found out at once or later. */
static const struct {
    const char *rule;
    uint8_t client;
    enum store_status status;
    bool refuses;
    enum verdict withheld;
} shadows[] = {
    {"shadow", 7, STORE_DONE, false, VERDICT_ALLOWED},
    {"shadow", 7, STORE_DONE, true, VERDICT_REFUSED},
    {"shadow", 7, STORE_UNAVAILABLE, false, VERDICT_UNAVAILABLE},
    {"shadow_local", 7, STORE_UNAVAILABLE, true, VERDICT_REFUSED},
    {"shadow_local", 7, STORE_UNAVAILABLE, false, VERDICT_ALLOWED},
    {"three", 7, STORE_DONE, false, VERDICT_ALLOWED},
};

START_TEST(shadow_rule_allows_and_says_what_it_withheld)
{
    local.says = STORE_DONE;
    store.decisions[0].allowed = local.decisions[0].allowed = !shadows[_i].refuses;
    for (int later = 0; later < 2; later++) {
        enum limiter_status status = begin(shadows[_i].rule, later ? STORE_PENDING : shadows[_i].status);

        ck_assert_int_eq(status, later ? LIMITER_PENDING : LIMITER_DONE);
        if (later)
            fake_answer(&store, shadows[_i].status);
        ck_assert_int_eq(take.verdict, VERDICT_ALLOWED);
        ck_assert_int_eq(take.withheld, shadows[_i].withheld);
        ck_assert_int_eq(take.degraded, shadows[_i].status == STORE_UNAVAILABLE);
    }
}
END_TEST

START_TEST(client_that_is_blocked_passes_a_shadow_rule)
{
    prepare("shadow", 9, STORE_DONE);
    ck_assert_int_eq(limiter_take(&limiter, &take), LIMITER_DONE);
    ck_assert_int_eq(take.verdict, VERDICT_ALLOWED);
    ck_assert_int_eq(take.withheld, VERDICT_BLOCKED);
    ck_assert_int_eq(store.takes, 0);
}
END_TEST

START_TEST(what_is_refused_is_not_withheld)
{
    store.decisions[0].allowed = false;
    begin("default", STORE_DONE);
    ck_assert_int_eq(take.verdict, VERDICT_REFUSED);
    ck_assert_int_eq(take.withheld, VERDICT_ALLOWED);
}
END_TEST

START_TEST(a_failure_leaves_no_trace_in_the_next_answer)
{
    begin("open", STORE_UNAVAILABLE);
    ck_assert_int_eq(begin("open", STORE_DONE), LIMITER_DONE);
    ck_assert(take.decided && !take.degraded);
}
END_TEST

START_TEST(a_cancelled_take_is_cancelled_at_the_store)
{
    ck_assert_int_eq(begin("default", STORE_PENDING), LIMITER_PENDING);
    limiter_cancel(&limiter, &take);
    ck_assert_int_eq(store.cancels, 1);
    ck_assert_int_eq(answers, 0);
}
END_TEST

#define YES(remaining)                  \
    {                                   \
        true, 10, remaining, 0, 1000000 \
    }
#define NO(retry)                    \
    {                                \
        false, 10, 0, retry, 1000000 \
    }

static const struct {
    const char *what;
    struct decision decisions[3];
    uint32_t tightest;
} tightests[] = {
    {"the least remaining", {YES(5), YES(3), YES(4)}, 1},
    {"of equals the first", {YES(3), YES(3), YES(3)}, 0},
    {"the last", {YES(3), YES(2), YES(1)}, 2},
    {"a refusal before anything that is left", {YES(0), YES(1), NO(1)}, 2},
    {"the longest refusal", {NO(1), NO(3), NO(2)}, 1},
    {"... though others have nothing left either", {YES(0), NO(1), NO(2)}, 2},
    {"of equal refusals the first", {YES(1), NO(2), NO(2)}, 1},
    {"never is longest", {NO(1000000000), NO(RETRY_NEVER), NO(5)}, 1},
    {"... also when it comes first", {NO(RETRY_NEVER), NO(1000000000), NO(5)}, 0},
    {"... and of two the first", {NO(5), NO(RETRY_NEVER), NO(RETRY_NEVER)}, 1},
};

START_TEST(store_state_is_that_of_the_worst_worker)
{
    ck_assert_int_eq(limiter_store_state(&counts), STORE_READY);
    counts.stores[STORE_READY] = 7;
    ck_assert_int_eq(limiter_store_state(&counts), STORE_READY);
    counts.stores[STORE_CONNECTING] = 1;
    ck_assert_int_eq(limiter_store_state(&counts), STORE_CONNECTING);
    counts.stores[STORE_LOST] = 1;
    ck_assert_int_eq(limiter_store_state(&counts), STORE_LOST);
}
END_TEST

START_TEST(tightest_limit_is_the_one_to_show)
{
    memcpy(store.decisions, tightests[_i].decisions, sizeof(tightests[_i].decisions));
    ck_assert_int_eq(begin("three", STORE_DONE), LIMITER_DONE);
    ck_assert_msg(take.tightest == tightests[_i].tightest, "%s: %u", tightests[_i].what, take.tightest);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("limiter");
    TCase *tests = tcase_create("limiter");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, store_gets_the_client_and_the_limits_of_the_rule);
    tcase_add_test(tests, request_without_rule_is_allowed_without_the_store);
    tcase_add_test(tests, client_that_differs_has_limits_of_its_own);
    tcase_add_loop_test(tests, unlimited_and_blocked_clients_need_no_store, 0, ROWS(undecided));
    tcase_add_test(tests, reset_forgets_by_what_limits_the_client);
    tcase_add_test(tests, immediate_decision_is_the_answer);
    tcase_add_test(tests, later_decision_comes_by_one_callback);
    tcase_add_loop_test(tests, failure_mode_decides_without_the_store, 0, ROWS(failures));
    tcase_add_loop_test(tests, shadow_rule_allows_and_says_what_it_withheld, 0, ROWS(shadows));
    tcase_add_test(tests, client_that_is_blocked_passes_a_shadow_rule);
    tcase_add_test(tests, what_is_refused_is_not_withheld);
    tcase_add_test(tests, a_failure_leaves_no_trace_in_the_next_answer);
    tcase_add_test(tests, a_cancelled_take_is_cancelled_at_the_store);
    tcase_add_test(tests, store_state_is_that_of_the_worst_worker);
    tcase_add_loop_test(tests, tightest_limit_is_the_one_to_show, 0, ROWS(tightests));
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
