/* limiter: every take is answered once, by the store or by the rule's failure mode; and which limit is the
   tightest. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "decision_stream.h"
#include "limiter.h"
#include "metrics.h"
#include "rule_counts.h"
#include "suite.h"

/* A store that says what the test tells it to. */
struct fake_store {
    struct store store;
    enum store_status says;
    struct store_request *pending;
    int takes, cancels;
    struct decision decisions[LIMIT_SET_MAX]; /* what it decides */
    struct store_subject subject;             /* what it was asked last */
    int64_t cost;
};

static void
fake_decide(struct fake_store *fake, struct store_request *request)
{
    request->allowed = true;
    memcpy(request->decisions, fake->decisions, sizeof(fake->decisions));
    for (uint32_t i = 0; i < request->subject.limits->count; i++)
        request->allowed &= fake->decisions[i].allowed;
}

static enum store_status
fake_take(struct store *store, struct store_request *request)
{
    struct fake_store *fake = (struct fake_store *)store;

    fake->takes++;
    fake->subject = request->subject;
    fake->cost = request->cost;
    if (fake->says == STORE_PENDING)
        fake->pending = request;
    else if (fake->says == STORE_DONE)
        fake_decide(fake, request);
    return fake->says;
}

static void
fake_cancel(struct store *store, struct store_request *request)
{
    struct fake_store *fake = (struct fake_store *)store;

    ck_assert_ptr_eq(fake->pending, request);
    fake->pending = NULL;
    fake->cancels++;
}

static enum store_status
fake_reset(struct store *store, struct store_request *request)
{
    struct fake_store *fake = (struct fake_store *)store;

    fake->subject = request->subject;
    if (fake->says == STORE_PENDING)
        fake->pending = request;
    return fake->says;
}

static const struct store_ops fake_class = {.take = fake_take, .reset = fake_reset, .cancel = fake_cancel};

/* The answer to what is pending. */
static void
fake_answer(struct fake_store *fake, enum store_status status)
{
    struct store_request *request = fake->pending;

    fake->pending = NULL;
    if (status == STORE_DONE)
        fake_decide(fake, request);
    request->callback(request, status);
}

static struct policy *policy;
static struct fake_store store, local;
static struct limiter_counts counts;
static struct limiter limiter;
static struct limiter_take take;
static int answers;
static const char trace_id[] = "4bf92f3577b34da6a3ce929d0e0e4736";

static const char rules[] =
    "{ \"default\": { \"limit\": 10, \"window\": \"1m\", \"algorithm\": \"fixed_window\" },"
    "  \"closed\": { \"limit\": 10, \"window\": \"1m\", \"algorithm\": \"fixed_window\","
    "                \"on_store_failure\": \"closed\" },"
    "  \"open\": { \"limit\": 10, \"window\": \"1m\", \"algorithm\": \"fixed_window\","
    "              \"on_store_failure\": \"open\" },"
    "  \"local\": { \"limit\": 10, \"window\": \"1m\", \"algorithm\": \"fixed_window\","
    "               \"on_store_failure\": \"local\" },"
    "  \"differs\": { \"limit\": 10, \"window\": \"1m\", \"algorithm\": \"fixed_window\", \"clients\": {"
    "    \"203.0.113.0/24\": { \"limit\": 1000 }, \"203.0.113.8\": \"unlimited\","
    "    \"203.0.113.9\": \"blocked\", \"203.0.113.7\": { \"limit\": 1000 } } },"
    "  \"shadow\": { \"limit\": 10, \"window\": \"1m\", \"algorithm\": \"fixed_window\", \"shadow\": true,"
    "                \"clients\": { \"203.0.113.9\": \"blocked\" } },"
    "  \"shadow_local\": { \"limit\": 10, \"window\": \"1m\", \"algorithm\": \"fixed_window\", \"shadow\": "
    "true,"
    "                     \"on_store_failure\": \"local\" },"
    "  \"three\": { \"penalty\": { \"after\": 1, \"within\": \"1m\", \"for\": \"1m\" }, \"limits\": ["
    "    { \"limit\": 10, \"window\": \"1s\", \"algorithm\": \"fixed_window\" },"
    "    { \"limit\": 20, \"window\": \"1m\", \"algorithm\": \"fixed_window\" },"
    "    { \"limit\": 30, \"window\": \"1h\", \"algorithm\": \"fixed_window\" } ] } }";

static void
on_taken(struct limiter_take *taken)
{
    ck_assert_ptr_eq(taken, &take);
    answers++;
}

static void
set_up(void)
{
    struct policy_defaults defaults = {.limit = 100, .window_us = 60000000, .failure_mode = FAILURE_CLOSED};
    struct report report;

    report_init(&report);
    policy = policy_parse("rules", rules, strlen(rules), &defaults, &report);
    ck_assert_msg(policy != NULL, "%s", report.count ? report.lines[0] : "");
    report_fini(&report);
    store = local = (struct fake_store){.store.ops = &fake_class};
    for (int i = 0; i < LIMIT_SET_MAX; i++) {
        store.decisions[i] = (struct decision){.allowed = true, .limit = 10, .remaining = 9};
        local.decisions[i] = (struct decision){.allowed = true, .limit = 10, .remaining = 5};
    }
    counts = (struct limiter_counts){0};
    limiter = (struct limiter){.store = &store.store, .local = &local.store};
    answers = 0;
}

static void
tear_down(void)
{
    policy_free(policy);
}

static void
prepare(const char *rule, uint8_t last_byte, enum store_status says)
{
    char text[ADDRESS_TEXT_BYTES];

    memset(&take, 0x5a, sizeof(take)); /* what the last take left */
    take.rule = policy_rule(policy, rule);
    ck_assert_ptr_nonnull(take.rule);
    take.address = (struct address){.bytes = {203, 0, 113, last_byte}, .size = 4};
    client_write(&take.client, "ip", text, address_write(&take.address, text));
    take.cost = 2;
    take.trace_id = (struct field){trace_id, strlen(trace_id)};
    take.callback = on_taken;
    store.says = says;
}

static enum limiter_status
begin(const char *rule, enum store_status says)
{
    prepare(rule, 7, says);
    return limiter_take(&limiter, &take);
}

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
    tcase_add_test(tests, what_waits_for_the_store_is_counted_until_it_ends);
    tcase_add_test(tests, store_state_is_that_of_the_worst_worker);
    tcase_add_loop_test(tests, tightest_limit_is_the_one_to_show, 0, ROWS(tightests));
    tcase_add_loop_test(tests, request_is_near_where_less_than_a_fifth_of_some_limit_remains, 0, ROWS(nears));
    tcase_add_loop_test(tests, each_decision_is_written_down_and_no_peek, 0, ROWS(written));
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
