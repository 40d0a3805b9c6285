/*
 * limiter_fixture: a limiter between rules and two stores that say what the test tells them to, fresh for each test.
 */
#ifndef LIMITER_FIXTURE_H
#define LIMITER_FIXTURE_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "limiter.h"

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
static inline void
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
static const char trace_id[] = "4bf92f3577b34da6a3ce929d0e0e4736"; /* of each take */

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

static inline enum limiter_status
begin(const char *rule, enum store_status says)
{
    prepare(rule, 7, says);
    return limiter_take(&limiter, &take);
}

#endif
