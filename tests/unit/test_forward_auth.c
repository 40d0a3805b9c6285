/*
 * forward_auth: the rule of a forwarded request, which headers are believed, and how it is refused.
 */
#include <stdlib.h>
#include <string.h>

#include "endpoint.h"
#include "memory_store.h"
#include "policy_text.h"
#include "suite.h"

static const char rules_text[] =
    "{\"default\": {\"capacity\": 1, \"refill_rate\": 1},"
    " \"a\": {\"match\": {\"path\": \"/a\"}, \"identify_by\": [\"header:host\"], \"capacity\": 1, "
    "\"refill_rate\": 1},"
    " \"posted\": {\"match\": {\"path\": \"/p\", \"methods\": [\"POST\"]}, \"capacity\": 1, \"refill_rate\": "
    "1},"
    " \"below\": {\"match\": {\"path\": \"/b/**\"}, \"capacity\": 1, \"refill_rate\": 1}}";

extern const struct endpoint forward_auth_endpoint;

static struct policy *policy;
static struct headers headers;
static struct clock test_clock;
static struct store *store;

static struct field
field(const char *text)
{
    return (struct field){.text = text, .bytes = text ? strlen(text) : 0};
}

static void
set_up(void)
{
    policy = policy_of_text(rules_text);
    headers = (struct headers){.identity.headers[0] = field("own")}; /* Host, by which rule a identifies */
    test_clock = clock_steady();
    store = memory_store_new(&(struct memory_store_options){.max_keys = 1000, .clock = &test_clock});
    ck_assert_ptr_nonnull(store);
}

static void
tear_down(void)
{
    store_free(store);
    policy_free(policy);
}

/* "rule 429", "rule 403", or how the request itself is refused. */
static const char *
match(const char *rest, bool trusted)
{
    static char result[128];
    const struct networks none = {0};
    struct limiter limiter = {.store = store};
    const struct endpoint_context context = {.trusted = &none, .limiter = &limiter};
    struct peer peer;
    struct endpoint_request request = {.context = &context,
                                       .policy = policy,
                                       .method = METHOD_GET,
                                       .rest = rest,
                                       .headers = &headers,
                                       .peer = &peer};

    peer_of_address(&peer, &(struct address){.bytes = {192, 0, 2, 1}, .size = 4}, trusted);
    if (forward_auth_endpoint.start(&request) == ENDPOINT_DONE) {
        snprintf(result, sizeof(result), "%s %d", request.take.rule->name, request.deny_403 ? 403 : 429);
        return result;
    }
    ck_assert_ptr_nonnull(request.response.response);
    response_free(&request.response);
    return request.response.status == 404 ? "unknown" : "bad";
}

static const struct {
    const char *rest, *result;
} rests[] = {
    {"", "default 429"},
    {"/", "default 429"},
    {"/a", "a 429"},
    {"//a", "a 429"},
    {"/x/../a", "a 429"},
    {"/../../a", "a 429"},
    {"/%61", "a 429"},
    {"/b/c/d", "below 429"},
    {"/deny=403/a", "default 429"},
    {":deny=403", "default 403"},
    {":deny=403/", "default 403"},
    {":deny=403/a", "a 403"},
    {":deny=429/a", "a 429"},
    {":deny=403/:deny=429/a", "default 403"},
    {":deny=403:deny=429/a", "unknown"},
    {":deny=4030/a", "unknown"},
    {":deny=40", "unknown"},
    {":deny=", "unknown"},
    {":deny=200/a", "unknown"},
    {":deny=503/a", "unknown"},
    {":", "unknown"},
    {":allow/a", "unknown"},
    {"/%00", "bad"},
    {"/%", "bad"},
    {"/a%0a", "bad"},
};

START_TEST(rest_of_the_path_is_matched)
{
    const char *result = match(rests[_i].rest, _i % 2 == 0);

    ck_assert_msg(strcmp(result, rests[_i].result) == 0, "\"%s\": %s", rests[_i].rest, result);
}
END_TEST

static const struct {
    const char *uri, *original_uri, *original_url, *method, *original_method;
    const char *trusted, *untrusted; /* with /b after /check */
} rows[] = {
    {"/a", NULL, NULL, NULL, NULL, "a 429", "below 429"},
    {"/a", "/x", "http://h/x", NULL, NULL, "a 429", "below 429"},
    {NULL, "/a", "http://h/x", NULL, NULL, "a 429", "below 429"},
    {NULL, NULL, "http://h/a?b", NULL, NULL, "a 429", "below 429"},
    {"/p", NULL, NULL, "POST", "GET", "posted 429", "below 429"},
    {"/p", NULL, NULL, NULL, "POST", "posted 429", "below 429"},
    {"/p", NULL, NULL, "GET", "POST", "default 429", "below 429"},
    {"/p", NULL, NULL, NULL, NULL, "default 429", "below 429"},
    {"/p", NULL, NULL, "PROPPATCHPROPPATCHPROPPATCH", NULL, "default 429", "below 429"},
    {NULL, NULL, NULL, NULL, NULL, "below 429", "below 429"},
    {"x", NULL, NULL, NULL, NULL, "bad", "below 429"},
    {"/%00", "/a", NULL, NULL, NULL, "bad", "below 429"},
    {"http://h", "/a", NULL, NULL, NULL, "default 429", "below 429"},
};

START_TEST(headers_count_in_order_and_only_from_a_trusted_peer)
{
    headers.forwarded = (struct forwarded){.uri = field(rows[_i].uri),
                                           .original_uri = field(rows[_i].original_uri),
                                           .original_url = field(rows[_i].original_url),
                                           .method = field(rows[_i].method),
                                           .original_method = field(rows[_i].original_method)};
    ck_assert_str_eq(match("/b", true), rows[_i].trusted);
    ck_assert_str_eq(match("/b", false), rows[_i].untrusted);
}
END_TEST

START_TEST(repeated_header_is_refused)
{
    headers.forwarded = (struct forwarded){.uri = field("/a"), .repeated = true};
    ck_assert_str_eq(match("/b", true), "bad");
    ck_assert_str_eq(match("/b", false), "below 429");
}
END_TEST

START_TEST(forwarded_host_identifies_the_client)
{
    headers.identity.headers[0] = field("limiter:8000");
    headers.forwarded.host = field("shop.example");
    match("/a", false);
    ck_assert_str_eq(headers.identity.headers[0].text, "limiter:8000");
    match("/a", true);
    ck_assert_str_eq(headers.identity.headers[0].text, "shop.example");
}
END_TEST

START_TEST(path_above_the_bound_is_refused)
{
    size_t bytes = 8193;
    char *long_path = malloc(bytes);

    memset(long_path, 'x', bytes);
    memcpy(long_path, "/b/", 3);
    headers.forwarded.uri = (struct field){.text = long_path, .bytes = bytes};
    ck_assert_str_eq(match("", true), "bad");
    headers.forwarded.uri.bytes = bytes - 1;
    ck_assert_str_eq(match("", true), "below 429");
    free(long_path);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("forward");
    TCase *matching = tcase_create("matching");

    tcase_add_checked_fixture(matching, set_up, tear_down);
    tcase_add_loop_test(matching, rest_of_the_path_is_matched, 0, ROWS(rests));
    tcase_add_loop_test(matching, headers_count_in_order_and_only_from_a_trusted_peer, 0, ROWS(rows));
    tcase_add_test(matching, repeated_header_is_refused);
    tcase_add_test(matching, forwarded_host_identifies_the_client);
    tcase_add_test(matching, path_above_the_bound_is_refused);
    suite_add_tcase(suite, matching);
    return run_suite(suite);
}
