/*
 * candidates: every request of the rule is tried, whatever becomes of it; the answer does not depend on that;
 * and what is asked is released, whenever its answer comes.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "candidates.h"
#include "generation.h"
#include "policy_text.h"
#include "rule_counts.h"
#include "suite.h"

#define PENDING_MAX (CANDIDATES_MAX + 1)

/* A store that answers live requests at once and candidates when it is told to; each as the test says. */
struct fake_store {
    struct store store;
    enum store_status live, candidate; /* what it says at once */
    bool live_allows, candidate_allows;
    struct store_request *pending[PENDING_MAX];
    uint32_t pending_count, candidates, resets;
    struct store_subject asked; /* the last candidate */
    int64_t cost;
};

static bool
is_candidate(const struct store_request *request)
{
    return strchr(request->subject.rule, '+') != NULL;
}

static void
fake_decide(const struct fake_store *fake, struct store_request *request)
{
    request->allowed = is_candidate(request) ? fake->candidate_allows : fake->live_allows;
    request->penalty_us = 0;
    for (uint32_t i = 0; i < request->subject.limits->count; i++)
        request->decisions[i] = (struct decision){.allowed = request->allowed, .limit = 10};
}

static enum store_status
fake_take(struct store *store, struct store_request *request)
{
    struct fake_store *fake = (struct fake_store *)store;
    enum store_status status = is_candidate(request) ? fake->candidate : fake->live;

    if (is_candidate(request)) {
        fake->candidates++;
        fake->asked = request->subject;
        fake->cost = request->cost;
    }
    if (status == STORE_PENDING)
        fake->pending[fake->pending_count++] = request;
    else if (status == STORE_DONE)
        fake_decide(fake, request);
    return status;
}

static enum store_status
fake_reset(struct store *store, struct store_request *request)
{
    struct fake_store *fake = (struct fake_store *)store;

    fake->resets += is_candidate(request);
    return is_candidate(request) ? fake_take(store, request) : STORE_DONE;
}

static void
fake_cancel(struct store *store, struct store_request *request)
{
    struct fake_store *fake = (struct fake_store *)store;

    for (uint32_t i = 0; i < fake->pending_count; i++)
        if (fake->pending[i] == request)
            fake->pending[i] = fake->pending[--fake->pending_count];
}

static const struct store_ops fake_ops = {.take = fake_take, .reset = fake_reset, .cancel = fake_cancel};

/* All that is pending, as a store does that answers, or that ends. */
static void
fake_answer(struct fake_store *fake, enum store_status status)
{
    for (uint32_t i = 0; i < fake->pending_count; i++) {
        if (status == STORE_DONE)
            fake_decide(fake, fake->pending[i]);
        fake->pending[i]->callback(fake->pending[i], status);
    }
    fake->pending_count = 0;
}

#define LIMIT(number) "\"limit\": " #number ", \"window\": \"1m\", \"algorithm\": \"fixed_window\""

static const char rules[] =
    "{ \"tried\": { " LIMIT(10) ", \"candidate\": { \"limit\": 5 }, \"on_store_failure\": \"open\","
                                "    \"clients\": { \"unlimited\": \"unlimited\", \"blocked\": \"blocked\", "
                                "\"own\": { \"limit\": 7 } } },"
                                "  \"plain\": { " LIMIT(10) " } }";

static struct generations *generations;
static struct generation_reader *reader;
static struct generation_share *share;
static struct fake_store store;
static struct limiter limiter;
static struct limiter_take take;
static int answers;

static void
on_taken(struct limiter_take *taken)
{
    (void)taken;
    answers++;
}

static void
set_up(void)
{
    generations = generations_new(policy_of_text(rules), 1);
    reader = generations_reader(generations, 0);
    share = generation_enter(reader);
    store = (struct fake_store){.store.ops = &fake_ops,
                                .live = STORE_DONE,
                                .candidate = STORE_DONE,
                                .live_allows = true,
                                .candidate_allows = true};
    limiter = (struct limiter){.store = &store.store, .candidates = candidates_new()};
    ck_assert_ptr_nonnull(limiter.candidates);
    answers = 0;
}

static void
tear_down(void)
{
    fake_answer(&store, STORE_UNAVAILABLE);
    candidates_free(limiter.candidates);
    if (share != NULL)
        generation_leave(share);
    generation_reader_close(reader);
    ck_assert_uint_eq(generations_alive(generations), 1);
    generations_free(generations);
}

static enum limiter_status
ask(const char *rule, const char *client, int64_t cost)
{
    memset(&take, 0x5a, sizeof(take)); /* what the last take left */
    take.rule = policy_rule(share->generation->policy, rule);
    take.share = share;
    take.address.size = 0;
    client_write(&take.client, "client", client, strlen(client));
    take.cost = cost;
    take.callback = on_taken;
    return limiter_take(&limiter, &take);
}

/* Of the rule that has a candidate. */
static uint64_t
counted(enum rule_count what)
{
    uint64_t sums[RULE_COUNTS];

    rule_counts_sum(policy_rule(generations_policy(generations), "tried")->counts, sums);
    return sums[what];
}

START_TEST(candidate_counts_under_a_name_of_its_own)
{
    ck_assert_int_eq(ask("tried", "a", 3), LIMITER_DONE);
    ck_assert_str_eq(store.asked.rule, "tried+candidate");
    ck_assert_str_eq(store.asked.client->text, "client=a");
    ck_assert_int_eq(store.asked.limits->limits[0].limit, 5);
    ck_assert_uint_ne(store.asked.limits->id, take.rule->limits.id);
    ck_assert_ptr_null(store.asked.penalty);
    ck_assert_int_eq(store.cost, 3);
}
END_TEST

START_TEST(its_decision_is_counted_and_is_not_the_answer)
{
    store.candidate_allows = false;
    ck_assert_int_eq(ask("tried", "a", 1), LIMITER_DONE);
    ck_assert_int_eq(take.verdict, VERDICT_ALLOWED);
    store.live_allows = false;
    store.candidate_allows = true;
    ck_assert_int_eq(ask("tried", "a", 1), LIMITER_DONE);
    ck_assert_int_eq(take.verdict, VERDICT_REFUSED);
    ck_assert_uint_eq(counted(COUNT_CANDIDATE_REFUSED), 1);
    ck_assert_uint_eq(counted(COUNT_CANDIDATE_ALLOWED), 1);
    ck_assert_uint_eq(counted(COUNT_ALLOWED), 1);
    ck_assert_uint_eq(counted(COUNT_REFUSED), 1);
}
END_TEST

static const struct {
    const char *rule, *client;
    int64_t cost;
    uint32_t candidates;
} askings[] = {
    {"tried", "a", 1, 1},       {"tried", "a", 0, 0},   {"tried", "unlimited", 1, 0},
    {"tried", "blocked", 1, 0}, {"tried", "own", 1, 0}, {"plain", "a", 1, 0},
};

START_TEST(it_is_asked_for_those_that_the_limits_of_the_rule_decide)
{
    ask(askings[_i].rule, askings[_i].client, askings[_i].cost);
    ck_assert_uint_eq(store.candidates, askings[_i].candidates);
}
END_TEST

START_TEST(answer_does_not_wait_for_it)
{
    store.candidate = STORE_PENDING;
    ck_assert_int_eq(ask("tried", "a", 1), LIMITER_DONE);
    ck_assert_int_eq(take.verdict, VERDICT_ALLOWED);
    ck_assert_uint_eq(store.pending_count, 1);
    memset(&take, 0x5a, sizeof(take)); /* the request is over */
    store.candidate_allows = false;
    fake_answer(&store, STORE_DONE);
    ck_assert_int_eq(answers, 0);
    ck_assert_uint_eq(counted(COUNT_CANDIDATE_REFUSED), 1);
}
END_TEST

START_TEST(it_goes_on_where_the_request_is_cancelled)
{
    store.live = store.candidate = STORE_PENDING;
    ck_assert_int_eq(ask("tried", "a", 1), LIMITER_PENDING);
    limiter_cancel(&limiter, &take);
    ck_assert_uint_eq(store.pending_count, 1);
    fake_answer(&store, STORE_DONE);
    ck_assert_int_eq(answers, 0);
    ck_assert_uint_eq(counted(COUNT_CANDIDATE_ALLOWED), 1);
    ck_assert_uint_eq(counted(COUNT_ALLOWED), 0);
}
END_TEST

START_TEST(it_keeps_its_rules_when_they_are_replaced)
{
    store.candidate = STORE_PENDING;
    ask("tried", "a", 1);
    generation_leave(share);
    share = NULL;
    ck_assert(generations_publish(generations, policy_of_text(rules)));
    generation_current(reader);
    ck_assert_uint_eq(generations_alive(generations), 2);
    ck_assert_str_eq(store.pending[0]->subject.rule, "tried+candidate"); /* not freed */
    fake_answer(&store, STORE_DONE);
    ck_assert_uint_eq(generations_alive(generations), 1);
    ck_assert_uint_eq(counted(COUNT_CANDIDATE_ALLOWED), 1);
}
END_TEST

START_TEST(store_that_is_away_is_counted_and_changes_no_answer)
{
    store.candidate = STORE_UNAVAILABLE;
    ask("tried", "a", 1);
    ck_assert_int_eq(take.verdict, VERDICT_ALLOWED);
    ck_assert(!take.degraded);
    store.candidate = STORE_PENDING;
    ask("tried", "a", 1);
    fake_answer(&store, STORE_UNAVAILABLE); /* also as a store does that is freed */
    ck_assert_uint_eq(counted(COUNT_CANDIDATE_MISSED), 2);
    ck_assert_uint_eq(counted(COUNT_ALLOWED), 2);
}
END_TEST

START_TEST(so_many_are_under_way_and_the_rest_is_missed)
{
    store.candidate = STORE_PENDING;
    for (int round = 1; round <= 2; round++) {
        for (int i = 0; i < CANDIDATES_MAX + 3; i++)
            ck_assert_int_eq(ask("tried", "a", 1), LIMITER_DONE);
        ck_assert_uint_eq(store.pending_count, CANDIDATES_MAX);
        fake_answer(&store, STORE_DONE);
        ck_assert_uint_eq(counted(COUNT_CANDIDATE_MISSED), 3 * (unsigned)round);
        ck_assert_uint_eq(counted(COUNT_CANDIDATE_ALLOWED), CANDIDATES_MAX * (unsigned)round);
    }
}
END_TEST

START_TEST(a_reset_forgets_what_it_counted)
{
    ask("tried", "a", 1);
    ck_assert_int_eq(limiter_reset(&limiter, &take), LIMITER_DONE);
    ck_assert_uint_eq(store.resets, 1);
    store.candidate = STORE_PENDING;
    ck_assert_int_eq(limiter_reset(&limiter, &take), LIMITER_DONE);
    fake_answer(&store, STORE_DONE);
    ck_assert_uint_eq(counted(COUNT_CANDIDATE_ALLOWED), 1); /* the take alone */
    ask("plain", "a", 1);
    limiter_reset(&limiter, &take);
    ck_assert_uint_eq(store.resets, 2);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("candidates");
    TCase *tests = tcase_create("candidates");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, candidate_counts_under_a_name_of_its_own);
    tcase_add_test(tests, its_decision_is_counted_and_is_not_the_answer);
    tcase_add_loop_test(tests, it_is_asked_for_those_that_the_limits_of_the_rule_decide, 0, ROWS(askings));
    tcase_add_test(tests, answer_does_not_wait_for_it);
    tcase_add_test(tests, it_goes_on_where_the_request_is_cancelled);
    tcase_add_test(tests, it_keeps_its_rules_when_they_are_replaced);
    tcase_add_test(tests, store_that_is_away_is_counted_and_changes_no_answer);
    tcase_add_test(tests, so_many_are_under_way_and_the_rest_is_missed);
    tcase_add_test(tests, a_reset_forgets_what_it_counted);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
