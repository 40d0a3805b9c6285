/*
 * api_request: bodies that cannot be read, and endpoints of the JSON API from body to answer.
 */
#include <stdlib.h>
#include <string.h>

#include "api_session.h"
#include "memory_store.h"
#include "policy_text.h"
#include "render.h"
#include "suite.h"

extern const struct endpoint check_endpoint, check_batch_endpoint, reset_endpoint, envoy_json_endpoint;

static const char rules[] = "{\"one\": {\"capacity\": 1, \"refill_rate\": \"1/1h\"}}";

static struct policy *policy;
static struct clock test_clock;
static struct limiter limiter;
static struct turns turns;
static struct endpoint_context context;

static void
set_up(void)
{
    policy = policy_of_text(rules);
    test_clock = clock_steady();
    limiter.store = memory_store_new(&(struct memory_store_options){.max_keys = 1000, .clock = &test_clock});
    ck_assert_ptr_nonnull(limiter.store);
    turns_init(&turns);
    context = (struct endpoint_context){.limiter = &limiter, .renderer = renderer_new(), .turns = &turns};
    ck_assert_ptr_nonnull(context.renderer);
}

static void
tear_down(void)
{
    renderer_free(context.renderer);
    store_free(limiter.store);
    policy_free(policy);
}

/* The status of the answer to a body. */
static unsigned
status_of(const struct endpoint *endpoint, const char *body)
{
    struct api_session session;
    struct response response;

    api_session_start(&session, &context, policy, endpoint, body);
    response = api_session_finish(&session);
    ck_assert_ptr_nonnull(response.response);
    if (response.owned)
        response_free(&response);
    endpoint->free(&session.request, false);
    ck_assert_ptr_null(session.request.state);
    return response.status;
}

static const struct {
    const struct endpoint *endpoint;
    const char *body;
    unsigned status;
} rows[] = {
    {&check_endpoint, "", 400},
    {&check_endpoint, "   ", 400},
    {&check_endpoint, "{", 400},
    {&check_endpoint, "{}", 400},
    {&check_endpoint, "[]", 400},
    {&check_endpoint, "{\"rule\": \"none\", \"client\": \"c\"}", 404},
    {&check_endpoint, "{\"rule\": \"one\", \"client\": \"c\"}", 200},
    {&check_endpoint, "{\"rule\": \"one\", \"client\": \"c\", \"cost\": 2}", 429},
    {&check_batch_endpoint, "{\"checks\": []}", 400},
    {&check_batch_endpoint, "{\"checks\": [{\"rule\": \"none\", \"client\": \"c\"}]}", 200},
    {&check_batch_endpoint, "{\"checks\": [{\"rule\": \"one\", \"client\": \"c\", \"cost\": 2}]}", 200},
    {&reset_endpoint, "{\"rule\": \"one\", \"client\": \"c\"}", 200},
    {&reset_endpoint, "{\"rule\": \"one\", \"client\": \"c\", \"cost\": 1}", 400},
    {&reset_endpoint, "{\"path\": \"/unmatched\", \"client\": \"c\"}", 404},
    {&envoy_json_endpoint, "{\"domain\": \"one\"}", 400},
    {&envoy_json_endpoint, "{\"domain\": \"one\", \"descriptors\": [{\"entries\": [{\"key\": \"k\"}]}]}",
     200},
};

START_TEST(each_body_gets_its_status)
{
    ck_assert_uint_eq(status_of(rows[_i].endpoint, rows[_i].body), rows[_i].status);
}
END_TEST

START_TEST(reset_client_starts_with_a_full_quota)
{
    static const char body[] = "{\"rule\": \"one\", \"client\": \"c\"}";

    ck_assert_uint_eq(status_of(&check_endpoint, body), 200);
    ck_assert_uint_eq(status_of(&check_endpoint, body), 429);
    ck_assert_uint_eq(status_of(&reset_endpoint, body), 200);
    ck_assert_uint_eq(status_of(&check_endpoint, body), 200);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("api_request");
    TCase *bodies = tcase_create("bodies");

    tcase_add_checked_fixture(bodies, set_up, tear_down);
    tcase_add_loop_test(bodies, each_body_gets_its_status, 0, sizeof(rows) / sizeof(rows[0]));
    tcase_add_test(bodies, reset_client_starts_with_a_full_quota);
    suite_add_tcase(suite, bodies);
    return run_suite(suite);
}
