/*
 * envoy_json: which rule and client a descriptor names, what it costs, what is refused, and the reply.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api_request.h"
#include "api_session.h"
#include "memory_store.h"
#include "mhd_session.h"
#include "policy_text.h"
#include "render.h"
#include "suite.h"

extern const struct endpoint envoy_json_endpoint;

#define BODY_BYTES 65536

static const char rules[] =
    "{\"default\": {\"algorithm\": \"fixed_window\", \"limit\": 1, \"window\": \"1h\"},"
    " \"shop\": {\"algorithm\": \"fixed_window\", \"limit\": 10, \"window\": \"1m\"},"
    " \"shop.path\": {\"algorithm\": \"fixed_window\", \"limit\": 20, \"window\": \"90s\"},"
    " \"vip.user\": {\"algorithm\": \"fixed_window\", \"limit\": 10, \"window\": \"1m\","
    "   \"clients\": {\"user=gold\": \"unlimited\", \"user=bad\": \"blocked\"}},"
    " \"shop.path.user\": {\"algorithm\": \"fixed_window\", \"limit\": 30, \"window\": \"1d\"}}";

static struct policy *policy;
static struct clock test_clock;
static struct limiter limiter;
static struct turns turns;
static struct endpoint_context context;
static struct api_session api;
static struct check checked; /* the first of the request */
static char body[BODY_BYTES];

static void
set_up(void)
{
    policy = policy_of_text(rules);
    test_clock = clock_fixed(INT64_C(1700000000) * 1000000);
    limiter = (struct limiter){
        .store = memory_store_new(&(struct memory_store_options){.max_keys = 1000, .clock = &test_clock})};
    ck_assert_ptr_nonnull(limiter.store);
    turns_init(&turns);
    context = (struct endpoint_context){.limiter = &limiter, .renderer = renderer_new(), .turns = &turns};
    ck_assert_ptr_nonnull(context.renderer);
}

static void
tear_down(void)
{
    envoy_json_endpoint.free(&api.request, false);
    renderer_free(context.renderer);
    store_free(limiter.store);
    policy_free(policy);
}

/* The answer to a body that has ' for ". */
static struct response
response_to(const char *quoted)
{
    snprintf(body, sizeof(body), "%s", quoted);
    for (char *quote = body; (quote = strchr(quote, '\'')) != NULL;)
        *quote = '"';
    envoy_json_endpoint.free(&api.request, false);
    api_session_start(&api, &context, policy, &envoy_json_endpoint, body);
    while (turns_run(&turns))
        continue;
    if (((struct api_request *)api.request.state)->checks != NULL)
        checked = ((struct api_request *)api.request.state)->checks->list[0];
    return api_session_finish(&api);
}

static unsigned
status_of(const char *quoted)
{
    struct response response = response_to(quoted);

    ck_assert_ptr_nonnull(response.response);
    if (response.owned)
        response_free(&response);
    return response.status;
}

/* The same with the entries of one descriptor of the domain shop. */
static const struct limiter_take *
take_of(const char *entries)
{
    char text[2048];

    snprintf(text, sizeof(text), "{'domain': 'shop', 'descriptors': [{'entries': [%s]}]}", entries);
    ck_assert_msg(status_of(text) != 400, "%s", text);
    return &checked.take;
}

/* Rules and clients. */

static const struct {
    const char *entries, *rule, *client;
} descriptors[] = {
    {"{'key':'path','value':'/cart'},{'key':'user','value':'u1'}", "shop.path.user",
     "client=path=/cart,user=u1"},
    {"{'key':'path','value':'/cart'},{'key':'other','value':'u1'}", "shop.path", "client=path=/cart"},
    {"{'key':'path','value':'/cart'}", "shop.path", "client=path=/cart"},
    {"{'key':'user','value':'u1'}", "shop", "global"},
    {"{'key':'user','value':'u1'},{'key':'path','value':'/cart'}", "shop", "global"},
    {"{'key':'path'}", "shop.path", "client=path="},
    {"{'value':'/cart','key':'path'}", "shop.path", "client=path=/cart"},
};

START_TEST(descriptor_is_counted_by_the_rule_of_its_longest_name)
{
    const struct limiter_take *take = take_of(descriptors[_i].entries);

    ck_assert_str_eq(take->rule->name, descriptors[_i].rule);
    ck_assert_str_eq(take->client.text, descriptors[_i].client);
}
END_TEST

START_TEST(domain_without_a_rule_is_not_limited)
{
    ck_assert_uint_eq(
        status_of("{'domain': 'none', 'descriptors': [{'entries': [{'key': 'path', 'value': 'x'}]}]}"), 200);
    ck_assert_ptr_null(checked.take.rule);
}
END_TEST

START_TEST(name_longer_than_any_rule_s_is_cut_to_the_rule_it_begins_with)
{
    char entries[512];

    snprintf(entries, sizeof(entries), "{'key':'path','value':'a'},{'key':'%0200d','value':'b'}", 0);
    ck_assert_str_eq(take_of(entries)->rule->name, "shop.path");
}
END_TEST

/* A comma within a value must not look like the one between two entries. */
START_TEST(different_entries_are_different_clients)
{
    char one[sizeof(((struct client *)0)->text)];

    snprintf(one, sizeof(one), "%s",
             take_of("{'key':'path','value':'a,user=b'},{'key':'user','value':'c'}")->client.text);
    ck_assert_str_ne(one,
                     take_of("{'key':'path','value':'a'},{'key':'user','value':'b,user=c'}")->client.text);
    ck_assert_str_ne(take_of("{'key':'path','value':'a\\\\'},{'key':'user','value':''}")->client.text, one);
}
END_TEST

/* Hits. */

static const struct {
    const char *of_request, *of_descriptor;
    int64_t cost;
} hits[] = {
    {"", "", 1},
    {", 'hitsAddend': 3", "", 3},
    {", 'hits_addend': 3", "", 3},
    {", 'hitsAddend': '3'", "", 3},
    {", 'hitsAddend': 0", "", 1}, /* absent, to Protocol Buffers */
    {", 'hitsAddend': 3", ", 'hitsAddend': 2", 2},
    {", 'hitsAddend': 3", ", 'hits_addend': '0'", 0},
};

START_TEST(hits_of_a_descriptor_come_before_those_of_the_request)
{
    char text[512];

    snprintf(text, sizeof(text), "{'domain': 'shop', 'descriptors': [{'entries': [{'key': 'a'}]%s}]%s}",
             hits[_i].of_descriptor, hits[_i].of_request);
    ck_assert_uint_eq(status_of(text), 200);
    ck_assert_int_eq(checked.take.cost, hits[_i].cost);
}
END_TEST

/* What is refused. */

#define ONE "'domain': 'shop', 'descriptors': [{'entries': [{'key': 'a'}]"

static const char *const refused[] = {
    "",
    "[]",
    "{'descriptors': [{'entries': [{'key': 'a'}]}]}",
    "{'domain': '', 'descriptors': [{'entries': [{'key': 'a'}]}]}",
    "{'domain': 'shop'}",
    "{'domain': 'shop', 'descriptors': []}",
    "{'domain': 'shop', 'descriptors': [7]}",
    "{'domain': 'shop', 'descriptors': [{}]}",
    "{'domain': 'shop', 'descriptors': [{'entries': []}]}",
    "{'domain': 'shop', 'descriptors': [{'entries': [7]}]}",
    "{'domain': 'shop', 'descriptors': [{'entries': [{'value': 'a'}]}]}",
    "{'domain': 'shop', 'descriptors': [{'entries': [{'key': 'a', 'key': 'a'}]}]}",
    "{'domain': 'shop', 'descriptors': [{'entries': [{'key': 'a', 'more': 'a'}]}]}",
    "{'domain': 'shop', 'descriptors': [{'entries': [{'key': 'a', 'value': 7}]}]}",
    "{" ONE ", 'limit': {}}]}",
    "{" ONE ", 'hitsAddend': -1}]}",
    "{" ONE ", 'hitsAddend': 1, 'hits_addend': 1}]}",
    "{" ONE "}], 'hitsAddend': 'x'}",
    "{" ONE "}], 'more': 1}",
};

START_TEST(body_that_is_no_such_request_is_a_400)
{
    ck_assert_uint_eq(status_of(refused[_i]), 400);
    ck_assert_ptr_null(api.request.state);
}
END_TEST

/* The status of the answer to `count` descriptors of `entry_count` entries each. */
static unsigned
status_of_many(size_t count, size_t entry_count)
{
    static char text[BODY_BYTES];
    size_t used = (size_t)snprintf(text, sizeof(text), "{'domain': 'shop', 'descriptors': [");

    for (size_t i = 0; i < count; i++) {
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s{'entries': [", i > 0 ? "," : "");
        for (size_t j = 0; j < entry_count; j++)
            used += (size_t)snprintf(text + used, sizeof(text) - used, "%s{'key': 'k'}", j > 0 ? "," : "");
        used += (size_t)snprintf(text + used, sizeof(text) - used, "]}");
    }
    used += (size_t)snprintf(text + used, sizeof(text) - used, "]}");
    ck_assert_uint_lt(used, sizeof(text));
    return status_of(text);
}

static const struct {
    size_t count, entries;
    bool accepted;
} sizes[] = {
    {CHECKS_MAX, 1, true},
    {CHECKS_MAX + 1, 1, false},
    {1, 16, true},
    {1, 17, false},
};

START_TEST(descriptors_and_entries_have_a_bound_each)
{
    ck_assert_int_eq(status_of_many(sizes[_i].count, sizes[_i].entries) != 400, sizes[_i].accepted);
}
END_TEST

/* The reply. */

static bool
queue(void *arg, struct MHD_Connection *connection, const char *version, bool answer)
{
    const struct response *response = arg;

    (void)version;
    return !answer || MHD_queue_response(connection, response->status, response->response) == MHD_YES;
}

/* The reply to a body that is accepted, with ' for ". */
static void
assert_reply(const char *quoted, unsigned status, const char *expected)
{
    static const char get[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    struct mhd_session session = {.handle = queue};
    struct response response = response_to(quoted);
    char *text, *reply;

    ck_assert_uint_eq(response.status, status);
    session.arg = &response;
    text = mhd_session_run(&session, get, strlen(get));
    reply = strstr(text, "\r\n\r\n");
    ck_assert_ptr_nonnull(reply);
    for (char *quote = reply; (quote = strchr(quote, '"')) != NULL;)
        *quote = '\'';
    ck_assert_str_eq(reply + 4, expected);
    free(text);
    response_free(&response);
}

START_TEST(reply_has_a_status_for_each_descriptor)
{
    assert_reply("{'domain': 'shop', 'descriptors': [{'entries': [{'key': 'a'}], 'hitsAddend': 4}, "
                 "{'entries': [{'key': 'path'}]}]}",
                 200,
                 "{'overallCode':'OK','statuses':["
                 "{'code':'OK','currentLimit':{'name':'shop','requestsPerUnit':10,'unit':'MINUTE'},"
                 "'limitRemaining':6,'durationUntilReset':'40s'},"
                 "{'code':'OK','currentLimit':{'name':'shop.path','requestsPerUnit':20},"
                 "'limitRemaining':19,'durationUntilReset':'10s'}]}\n");
}
END_TEST

START_TEST(one_descriptor_over_its_limit_makes_the_reply_a_429)
{
    assert_reply("{'domain': 'shop', 'descriptors': [{'entries': [{'key': 'a'}], 'hitsAddend': 11}, "
                 "{'entries': [{'key': 'a'}], 'hitsAddend': 10}]}",
                 429,
                 "{'overallCode':'OVER_LIMIT','statuses':["
                 "{'code':'OVER_LIMIT','currentLimit':{'name':'shop','requestsPerUnit':10,'unit':'MINUTE'},"
                 "'limitRemaining':10,'durationUntilReset':'0s'},"
                 "{'code':'OK','currentLimit':{'name':'shop','requestsPerUnit':10,'unit':'MINUTE'},"
                 "'durationUntilReset':'40s'}]}\n");
}
END_TEST

START_TEST(descriptor_without_a_rule_has_no_limit_in_the_reply)
{
    assert_reply("{'domain': 'none', 'descriptors': [{'entries': [{'key': 'a'}]}]}", 200,
                 "{'overallCode':'OK','statuses':[{'code':'OK'}]}\n");
}
END_TEST

START_TEST(blocked_client_is_over_its_limit)
{
    assert_reply("{'domain': 'vip', 'descriptors': [{'entries': [{'key': 'user', 'value': 'gold'}]}]}", 200,
                 "{'overallCode':'OK','statuses':[{'code':'OK'}]}\n");
    assert_reply("{'domain': 'vip', 'descriptors': [{'entries': [{'key': 'user', 'value': 'bad'}]}]}", 429,
                 "{'overallCode':'OVER_LIMIT','statuses':[{'code':'OVER_LIMIT'}]}\n");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("envoy_json");
    TCase *tests = tcase_create("envoy_json");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, descriptor_is_counted_by_the_rule_of_its_longest_name, 0, ROWS(descriptors));
    tcase_add_test(tests, domain_without_a_rule_is_not_limited);
    tcase_add_test(tests, name_longer_than_any_rule_s_is_cut_to_the_rule_it_begins_with);
    tcase_add_test(tests, different_entries_are_different_clients);
    tcase_add_loop_test(tests, hits_of_a_descriptor_come_before_those_of_the_request, 0, ROWS(hits));
    tcase_add_loop_test(tests, body_that_is_no_such_request_is_a_400, 0, ROWS(refused));
    tcase_add_loop_test(tests, descriptors_and_entries_have_a_bound_each, 0, ROWS(sizes));
    tcase_add_test(tests, reply_has_a_status_for_each_descriptor);
    tcase_add_test(tests, one_descriptor_over_its_limit_makes_the_reply_a_429);
    tcase_add_test(tests, descriptor_without_a_rule_has_no_limit_in_the_reply);
    tcase_add_test(tests, blocked_client_is_over_its_limit);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
