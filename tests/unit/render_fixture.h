/*
 * render_fixture: rules, a renderer, and takes as the limiter leaves them.
 */
#ifndef RENDER_FIXTURE_H
#define RENDER_FIXTURE_H

#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "mhd_session.h"
#include "render.h"
#include "suite.h"

#define LONGEST_NAME "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
#define HOURLY       "{ \"algorithm\": \"fixed_window\", \"limit\": 9007199254740991, \"window\": \"366d\" }"

static const char rules[] =
    "{ \"default\": { \"capacity\": 10, \"refill_rate\": \"10/1m\" },"
    "  \"open\": { \"capacity\": 10, \"refill_rate\": 1, \"on_store_failure\": \"open\" },"
    "  \"local\": { \"capacity\": 10, \"refill_rate\": 1, \"on_store_failure\": \"local\" },"
    "  \"pair\": { \"limits\": [ { \"algorithm\": \"fixed_window\", \"limit\": 10, \"window\": \"1500ms\" },"
    "                          { \"algorithm\": \"sliding_window\", \"limit\": 100, \"window\": \"1h\" } ] },"
    "  \"" LONGEST_NAME "\": { \"limits\": [ " HOURLY ", " HOURLY ", " HOURLY ", " HOURLY ", " HOURLY
    ", " HOURLY ", " HOURLY ", " HOURLY " ] } }";

static struct policy *policy;
static struct renderer *renderer;
#define TRACE "0af7651916cd43dd8448eb211c80319c"
static const struct field trace_id = {.text = TRACE, .bytes = TRACE_ID_BYTES};
static const char message[] = "This is a limited resource.";

static void
set_up(void)
{
    struct policy_defaults defaults = {.limit = 1, .window_us = 1000000, .failure_mode = FAILURE_CLOSED};
    struct report report;

    report_init(&report);
    policy = policy_parse("rules", rules, strlen(rules), &defaults, &report);
    ck_assert_msg(policy != NULL, "%s", report.count ? report.lines[0] : "");
    report_fini(&report);
    renderer = renderer_new();
    ck_assert_ptr_nonnull(renderer);
}

static void
tear_down(void)
{
    renderer_free(renderer);
    policy_free(policy);
}

/* A take as the limiter leaves it: decided, and allowed until a refusal is added. */
static struct limiter_take
decided(const char *rule)
{
    struct limiter_take take = {
        .rule = policy_rule(policy, rule), .verdict = VERDICT_ALLOWED, .decided = true};

    ck_assert_ptr_nonnull(take.rule);
    take.limits = &take.rule->limits;
    for (uint32_t i = 0; i < take.limits->count; i++)
        take.request.decisions[i] = (struct decision){
            .allowed = true, .limit = take.limits->limits[i].limit, .remaining = 7, .reset_after_us = 1};
    return take;
}

static void
refuse(struct limiter_take *take, uint32_t limit, int64_t retry_after_us)
{
    struct decision *decision = &take->request.decisions[limit];

    take->verdict = VERDICT_REFUSED;
    decision->allowed = false;
    decision->remaining = 0;
    decision->retry_after_us = retry_after_us;
    decision->reset_after_us = retry_after_us > 0 ? retry_after_us : 60000000;
}

/* A take that a failure mode without a table decided. */
static struct limiter_take
undecided(const char *rule, enum verdict verdict)
{
    struct limiter_take take = {.rule = policy_rule(policy, rule), .verdict = verdict, .degraded = true};

    ck_assert_ptr_nonnull(take.rule);
    take.limits = &take.rule->limits;
    return take;
}

static bool
queue(void *arg, struct MHD_Connection *connection, const char *version, bool answer)
{
    const struct response *queued = arg;

    (void)version;
    return !answer || MHD_queue_response(connection, queued->status, queued->response) == MHD_YES;
}

/* The answer as it is sent, to be free()d. `answer` keeps its owner. */
static char *
sent(const struct response *answer)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    struct response copy = *answer;
    struct mhd_session session = {.handle = queue, .arg = &copy};

    ck_assert_ptr_nonnull(answer->response);
    return mhd_session_run(&session, request, strlen(request));
}

static void
check_body(const struct response *answer, const char *expected)
{
    char *text = sent(answer), *body = strstr(text, "\r\n\r\n");

    ck_assert_ptr_nonnull(body);
    ck_assert_str_eq(body + 4, expected);
    free(text);
}

static void
check_header(const struct response *answer, const char *name, const char *expected)
{
    const char *value = MHD_get_response_header(answer->response, name);

    if (expected == NULL)
        ck_assert_msg(value == NULL, "%s: %s", name, value);
    else
        ck_assert_msg(value != NULL && strcmp(value, expected) == 0, "%s: %s, expected %s", name, value,
                      expected);
}

static struct response
rendered(const struct limiter_take *take)
{
    return render_take(renderer, take, message, false, false);
}

#endif
