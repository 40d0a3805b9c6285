/* identity: the client of a request, by the first element of `identify_by` that the request has. */
#include <stdlib.h>
#include <string.h>

#include "identity.h"
#include "policy_text.h"
#include "suite.h"

/* What a request has; NULL: it has not. Headers are X-A and X-B, the cookie is sid. */
struct request {
    const char *a, *b, *cookie, *host, *path, *address;
};

static struct field
field(const char *text)
{
    return (struct field){.text = text, .bytes = text != NULL ? strlen(text) : 0};
}

static void
set_header(const struct policy *policy, struct identity_fields *fields, const char *name, const char *value)
{
    for (uint32_t i = 0; i < policy->header_count; i++)
        if (strcmp(policy->headers[i], name) == 0)
            fields->headers[i] = field(value);
}

/* The client by this `identify_by`, with \' for "; or the status. */
static const char *
client_of(const char *identify_by, const struct request *request)
{
    static const struct networks none = {0};
    static struct limiter_take take;
    struct identity_fields fields = {.cookies = {field(request->cookie)}};
    struct policy_request asked = {.path = field(request->path != NULL ? request->path : "/"),
                                   .host = field(request->host),
                                   .headers = fields.headers,
                                   .cookies = fields.cookies};
    struct identity_request who = {.asked = &asked, .fields = &fields, .trusted = &none};
    char text[512];
    struct address address;
    struct peer peer;
    struct policy *policy;
    enum identity_status status;

    snprintf(text, sizeof(text), "{'default': {'identify_by': %s, 'capacity': 1, 'refill_rate': 1}}",
             identify_by);
    for (char *quote = text; (quote = strchr(quote, '\'')) != NULL;)
        *quote = '"';
    policy = policy_of_text(text);
    set_header(policy, &fields, "x-a", request->a);
    set_header(policy, &fields, "x-b", request->b);
    if (request->address != NULL) {
        ck_assert(address_parse(&address, request->address, strlen(request->address)));
        peer_of_address(&peer, &address, false);
        who.peer = &peer;
    }
    take.rule = policy->fallback;
    status = identify(&take, &who);
    policy_free(policy);
    if (status == IDENTITY_FOUND)
        ck_assert_int_eq(take.address.size > 0,
                         strncmp(take.client.text, "ip=", 3) == 0 && strchr(take.client.text, '&') == NULL);
    return status == IDENTITY_FOUND    ? take.client.text
           : status == IDENTITY_ABSENT ? "absent"
           : status == IDENTITY_BAD    ? "bad"
                                       : "unclear";
}

#define V4 "203.0.113.77"
#define V6 "2001:db8:1:2ff:3:4:5:6"

static const struct {
    const char *identify_by;
    struct request request;
    const char *client;
} rows[] = {
    {"['header:X-A', 'ip']", {.a = "v", .address = V4}, "header:x-a=v"},
    {"['header:X-A', 'ip']", {.address = V4}, "ip=203.0.113.77"},
    {"['header:X-A']", {.address = V4}, "absent"},
    {"['header:X-A', 'global']", {0}, "global"},
    /* Together. */
    {"[['header:X-A', 'ip'], 'global']", {.a = "v", .address = V4}, "header:x-a=v&ip=203.0.113.77"},
    {"[['header:X-A', 'ip'], 'global']", {.address = V4}, "global"},
    {"[['header:X-A', 'ip'], 'global']", {.a = "v"}, "global"},
    {"[['header:X-A', 'header:X-B'], ['header:X-B', 'ip']]",
     {.b = "w", .address = V4},
     "header:x-b=w&ip=203.0.113.77"},
    {"[['header:X-A', 'header:X-B', 'host', 'path:1']]",
     {.a = "1", .b = "2", .host = "h", .path = "/p"},
     "header:x-a=1&header:x-b=2&host=h&path:1=p"},
    {"[['header:X-A', 'ip'], 'global']", {.a = "v\x01", .address = V4}, "bad"},
    {"[['header:X-A', 'ip'], 'global']",
     {.a = "v&ip=1.2.3.4", .address = V4},
     "header:x-a=v%26ip=1.2.3.4&ip=203.0.113.77"},
    {"[['ip']]", {.address = V4}, "ip=203.0.113.77"},
    /* Host and cookie. */
    {"['host', 'ip']", {.host = "api.example.com", .address = V4}, "host=api.example.com"},
    {"['host', 'ip']", {.address = V4}, "ip=203.0.113.77"},
    {"['cookie:sid', 'ip']", {.cookie = "s%61", .address = V4}, "cookie:sid=sa"},
    {"['cookie:sid', 'ip']", {.address = V4}, "ip=203.0.113.77"},
    {"['cookie:sid', 'ip']", {.cookie = "\x7f", .address = V4}, "bad"},
    /* Segments. */
    {"['path:1', 'global']", {.path = "/a/b"}, "path:1=a"},
    {"['path:2', 'global']", {.path = "/a/b"}, "path:2=b"},
    {"['path:3', 'global']", {.path = "/a/b"}, "global"},
    {"['path:1', 'global']", {.path = "/"}, "global"},
    {"['path:2', 'global']", {.path = "/a/"}, "global"},
    {"['path:1', 'global']", {.path = "/a%25b"}, "path:1=a%2525b"},
    {"['path:1', 'global']", {.path = "/a/b%2Fc"}, "path:1=a"},
    {"['path:2', 'global']", {.path = "/a/b%2Fc"}, "unclear"},
    {"['path:3', 'global']", {.path = "/a/b%2Fc"}, "unclear"},
    {"['path:4', 'global']", {.path = "/a/b%2Fc"}, "global"},
    {"['path:1', 'global']", {.path = "/a/b%2F..%2F..%2Fx"}, "unclear"},
    /* Networks. */
    {"['ip/24']", {.address = V4}, "ip=203.0.113.0/24"},
    {"['ip/24']", {.address = V6}, "ip=2001:db8:1:2ff::/64"},
    {"['ip/56']", {.address = V4}, "ip=203.0.113.77"},
    {"['ip/56']", {.address = V6}, "ip=2001:db8:1:200::/56"},
    {"['ip/20/49']", {.address = V4}, "ip=203.0.112.0/20"},
    {"['ip/20/49']", {.address = V6}, "ip=2001:db8:1::/49"},
    {"['ip/32/32']", {.address = V6}, "ip=2001:db8::/32"},
    {"['ip/128']", {.address = V6}, "ip=2001:db8:1:2ff:3:4:5:6"},
    {"['ip/1/1']", {.address = V4}, "ip=128.0.0.0/1"},
    {"['ip/1/1']", {.address = "ffff::"}, "ip=8000::/1"},
    {"['ip/24']", {.address = "::ffff:203.0.113.77"}, "ip=203.0.113.0/24"},
    {"[['ip/24', 'path:1']]", {.address = V4, .path = "/p"}, "ip=203.0.113.0/24&path:1=p"},
    {"['ip']", {.address = V6}, "ip=2001:db8:1:2ff::/64"},
    {"['ip/24']", {0}, "absent"},
};

START_TEST(client_is_named_by_the_first_element_that_the_request_has)
{
    const char *client = client_of(rows[_i].identify_by, &rows[_i].request);

    ck_assert_msg(strcmp(client, rows[_i].client) == 0, "%s: %s instead of %s", rows[_i].identify_by, client,
                  rows[_i].client);
}
END_TEST

START_TEST(peer_of_a_unix_socket_is_one_client_in_any_network)
{
    struct policy *policy = policy_of_text(
        "{\"default\": {\"identify_by\": [\"ip/24/56\"], \"capacity\": 1, \"refill_rate\": 1}}");
    const struct address unix_peer = {.size = 0};
    struct identity_fields fields = {0};
    struct networks none = {0};
    struct policy_request asked = {0};
    struct peer peer;
    struct identity_request who = {.asked = &asked, .fields = &fields, .peer = &peer, .trusted = &none};
    struct limiter_take take = {.rule = policy->fallback};

    peer_of_address(&peer, &unix_peer, true);
    ck_assert_int_eq(identify(&take, &who), IDENTITY_FOUND);
    ck_assert_str_eq(take.client.text, "ip=unix");
    policy_free(policy);
}
END_TEST

START_TEST(what_was_looked_for_is_said_in_the_rules_own_words)
{
    struct policy *policy = policy_of_text(
        "{\"default\": {\"identify_by\": [[\"header:X-A\", \"path:2\"], \"cookie:SID\", \"host\"],"
        " \"capacity\": 1, \"refill_rate\": 1}}");
    char sought[IDENTITY_SOUGHT_BYTES];

    identity_write_sought(sought, policy->fallback);
    ck_assert_str_eq(sought, "The request names no client: looked for header:x-a + path:2, cookie:SID, host");
    policy_free(policy);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("identity");
    TCase *tests = tcase_create("identity");

    tcase_add_loop_test(tests, client_is_named_by_the_first_element_that_the_request_has, 0, ROWS(rows));
    tcase_add_test(tests, peer_of_a_unix_socket_is_one_client_in_any_network);
    tcase_add_test(tests, what_was_looked_for_is_said_in_the_rules_own_words);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
