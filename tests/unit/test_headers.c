/* headers: through libmicrohttpd itself, as it hands them over: what is found, and what is refused. */
#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "headers.h"
#include "mhd_session.h"
#include "suite.h"
#include "traceparent.h"

static const char rules[] =
    "{ \"default\": { \"capacity\": 1, \"refill_rate\": 1, \"identify_by\": [\"header:user_id\", "
    "\"header:X-API-Key\","
    "                 "
    "\"header:X-A-Name-That-Is-Longer-Than-Sixty-Four-Bytes-Which-Is-One-Word-Of-A-Bit-Set\"] } }";

static struct policy *policy;
static struct header_index index_;

/* What headers_read made of the last request; texts are copied, since the connection is gone. */
static struct {
    bool called;
    enum headers_status status;
    const char *why;
    struct headers headers;
    char texts[16][256];
    int text_count;
} found;

static void
set_up(void)
{
    struct policy_defaults defaults = {.limit = 100, .window_us = 60000000};
    struct report report;

    report_init(&report);
    policy = policy_parse("rules", rules, strlen(rules), &defaults, &report);
    ck_assert_msg(policy != NULL, "%s", report.count ? report.lines[0] : "");
    report_fini(&report);
    header_index_init(&index_, policy);
}

static void
tear_down(void)
{
    policy_free(policy);
}

static void
keep_text(struct field *field)
{
    char *text = found.texts[found.text_count++];

    if (field->text == NULL)
        return;
    ck_assert_uint_lt(field->bytes, sizeof(found.texts[0]));
    memcpy(text, field->text, field->bytes);
    text[field->bytes] = '\0';
    field->text = text;
}

static const char *
end_of_head(const struct mhd_session *session, struct MHD_Connection *connection)
{
    return session->method +
           MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)->header_size;
}

static bool
handle(void *arg, struct MHD_Connection *connection, const char *version, bool answer)
{
    (void)answer;
    memset(&found, 0x5a, sizeof(found)); /* as left by the request before */
    found.called = true;
    found.text_count = 0;
    found.status =
        headers_read(&found.headers, &index_, connection, version, end_of_head(arg, connection), &found.why);
    if (found.status == HEADERS_GOOD) {
        for (uint32_t i = 0; i < policy->header_count; i++)
            keep_text(&found.headers.identity.headers[i]);
        for (uint32_t i = 0; i < found.headers.identity.forwarded_count; i++)
            keep_text(&found.headers.identity.forwarded_for[i]);
    }
    return false;
}

static void
read_bytes(const char *request, size_t bytes)
{
    struct mhd_session session = {.handle = handle, .arg = &session};

    found.called = false;
    free(mhd_session_run(&session, request, bytes));
}

/* The headers of a request, without the first line and the last. */
static void
read_headers(const char *headers)
{
    char request[40000];

    read_bytes(request, (size_t)snprintf(request, sizeof(request), "GET / HTTP/1.1\r\n%s\r\n", headers));
    ck_assert_msg(found.called, "libmicrohttpd refused it: %s", request);
}

static const struct {
    const char *headers;
    const char *user_id, *api_key; /* NULL: absent */
} identities[] = {
    {"Host: a\r\n", NULL, NULL},
    {"Host: a\r\nuser_id: alice\r\n", "alice", NULL},
    {"Host: a\r\nUSER_ID: alice\r\nx-api-key: k\r\n", "alice", "k"},
    {"Host: a\r\nX-Api-Key:k\r\n", NULL, "k"},
    {"Host: a\r\nuser_id: \r\nX-API-Key: k\r\n", NULL, "k"},                   /* empty counts as absent */
    {"Host: a\r\nuser_id: alice\r\nuser_id: bob\r\n", "alice", NULL},          /* the first line counts */
    {"Host: a\r\nuser_id: \r\nuser_id: bob\r\n", "bob", NULL},                 /* that is not empty */
    {"Host: a\r\nuser-id: alice\r\nuser_i: a\r\nuser_idd: a\r\n", NULL, NULL}, /* other names */
    {"Host: a\r\nuser_id: two words\r\n", "two words", NULL},
    {"Host: a\r\nuser_id: \xc3\xbc\r\n", "\xc3\xbc", NULL},
};

START_TEST(finds_the_headers_that_rules_identify_by)
{
    const struct field *user_id, *api_key;

    read_headers(identities[_i].headers);
    ck_assert_int_eq(found.status, HEADERS_GOOD);
    user_id = &found.headers.identity.headers[0];
    api_key = &found.headers.identity.headers[1];
    if (identities[_i].user_id)
        ck_assert_str_eq(user_id->text, identities[_i].user_id);
    else
        ck_assert_ptr_null(user_id->text);
    if (identities[_i].api_key)
        ck_assert_str_eq(api_key->text, identities[_i].api_key);
    else
        ck_assert_ptr_null(api_key->text);
    ck_assert_ptr_null(found.headers.identity.headers[2].text);
}
END_TEST

START_TEST(finds_a_name_longer_than_sixty_four_bytes)
{
    char headers[256];

    snprintf(headers, sizeof(headers), "Host: a\r\n%s: yes\r\n", policy->headers[2]);
    read_headers(headers);
    ck_assert_str_eq(found.headers.identity.headers[2].text, "yes");
}
END_TEST

START_TEST(last_eight_forwarded_lines_are_kept_in_order)
{
    char headers[512] = "Host: a\r\n";

    read_headers(
        "Host: a\r\nX-Forwarded-For: 1.1.1.1\r\nuser_id: u\r\nx-forwarded-for: 2.2.2.2, 3.3.3.3\r\n");
    ck_assert_uint_eq(found.headers.identity.forwarded_count, 2);
    ck_assert_str_eq(found.headers.identity.forwarded_for[0].text, "1.1.1.1");
    ck_assert_str_eq(found.headers.identity.forwarded_for[1].text, "2.2.2.2, 3.3.3.3");

    for (int i = 0; i < FORWARDED_LINES + 3; i++)
        sprintf(headers + strlen(headers), "X-Forwarded-For: 10.0.0.%d\r\n", i);
    read_headers(headers);
    ck_assert_uint_eq(found.headers.identity.forwarded_count, FORWARDED_LINES);
    ck_assert_str_eq(found.headers.identity.forwarded_for[0].text, "10.0.0.3");
    ck_assert_str_eq(found.headers.identity.forwarded_for[FORWARDED_LINES - 1].text, "10.0.0.10");
}
END_TEST

static bool
is_text(const struct field *field, const char *text)
{
    if (text == NULL)
        return field->text == NULL;
    return field->text != NULL && field->bytes == strlen(text) &&
           memcmp(field->text, text, field->bytes) == 0;
}

/* What the handler saw of these: their texts end with the connection. */
static struct {
    bool method, original_method, uri, original_uri, original_url, host, authorization, repeated;
} forwarded;

static bool
handle_forwarded(void *arg, struct MHD_Connection *connection, const char *version, bool answer)
{
    const struct forwarded *fields = &found.headers.forwarded;

    handle(arg, connection, version, answer);
    forwarded.method = is_text(&fields->method, "PUT");
    forwarded.original_method = is_text(&fields->original_method, "PATCH");
    forwarded.uri = is_text(&fields->uri, "/a?b");
    forwarded.original_uri = is_text(&fields->original_uri, "/c");
    forwarded.original_url = is_text(&fields->original_url, "http://h/d");
    forwarded.host = is_text(&fields->host, "example.org");
    forwarded.authorization = is_text(&found.headers.authorization, "Bearer token");
    forwarded.repeated = fields->repeated;
    return false;
}

START_TEST(headers_of_a_proxy_are_found)
{
    static const char request[] =
        "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-Method: PUT\r\nx-original-method: PATCH\r\n"
        "X-Forwarded-Uri: /a?b\r\nX-Original-URI: /c\r\nX-Original-URL: http://h/d\r\n"
        "X-Forwarded-Host: example.org\r\nAuthorization: Bearer token\r\n"
        "X-Forwarded-Proto: https\r\nX-Forwarded-Uri:\r\n\r\n";
    struct mhd_session session = {.handle = handle_forwarded, .arg = &session};

    free(mhd_session_run(&session, request, strlen(request)));
    ck_assert(forwarded.method && forwarded.original_method);
    ck_assert(forwarded.uri && forwarded.original_uri && forwarded.original_url);
    ck_assert(forwarded.host && forwarded.authorization);
    ck_assert(!forwarded.repeated); /* the second X-Forwarded-Uri is empty, and so absent */
}
END_TEST

static const char *const repeated[] = {
    "X-Forwarded-Method: GET\r\nX-Forwarded-Method: GET\r\n",
    "X-Original-Method: GET\r\nx-original-method: PUT\r\n",
    "X-Forwarded-Uri: /\r\nX-Forwarded-Uri: /evil\r\n",
    "X-Original-URI: /\r\nX-Original-URI: /\r\n",
    "X-Original-URL: /\r\nX-Original-URL: /\r\n",
    "X-Forwarded-Host: a\r\nX-Forwarded-Host: b\r\n",
};

START_TEST(repeated_header_of_a_proxy_is_marked)
{
    char headers[256];

    snprintf(headers, sizeof(headers), "Host: a\r\n%s", repeated[_i]);
    read_headers(headers);
    ck_assert_int_eq(found.status, HEADERS_GOOD);
    ck_assert_msg(found.headers.forwarded.repeated, "%s", repeated[_i]);
}
END_TEST

START_TEST(content_length_is_read)
{
    read_headers("Host: a\r\n");
    ck_assert_int_eq(found.headers.content_length, -1);
    ck_assert(!found.headers.chunked);
    read_headers("Host: a\r\nContent-Length: 42\r\n");
    ck_assert_int_eq(found.headers.content_length, 42);
    read_headers("Host: a\r\nTransfer-Encoding: Chunked\r\n");
    ck_assert(found.headers.chunked);
    ck_assert_int_eq(found.headers.content_length, -1);
}
END_TEST

static const struct {
    const char *headers, *why;
} refused[] = {
    {"", "no Host"},
    {"user_id: a\r\n", "no Host"},
    {"Host: a\r\nHost: a\r\n", "more than one Host"},
    {"Host: a\r\nhost: b\r\n", "more than one Host"},
    {"Host: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n", "more than one Content-Length"},
    {"Host: a\r\nContent-Length: 1\r\ncontent-length: 2\r\n", "more than one Content-Length"},
    {"Host: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n", "both"},
    {"Host: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n", "both"},
    {"Host: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "once"},
    {"Host: a\r\nTransfer-Encoding: identity\r\n", "only Transfer-Encoding"},
    {"Host: a\r\nTransfer-Encoding: xchunked\r\n", "only Transfer-Encoding"},
    {"Host: a\r\nTransfer-Encoding: gzip, chunked\r\n", "only Transfer-Encoding"},
    {"Host: a\r\nTransfer-Encoding: identity, chunked\r\n", "only Transfer-Encoding"},
    {"Host: a\r\nTransfer-Encoding:\r\n", "only Transfer-Encoding"},
    {"Host: a\r\nContent-Length : 1\r\n", "not a token"},
    {"Host: a\r\nTransfer-Encoding\t: chunked\r\n", "not a token"},
    {"Host: a\r\na b: x\r\n", "not a token"},
    {"Host: a\r\na(b): x\r\n", "not a token"},
    {"Host: a\r\n\"a\": x\r\n", "not a token"},
    {"Host: a\r\na\x01: x\r\n", "not a token"},
    {"Host: a\r\n\xc3\xbc: x\r\n", "not a token"},
    {"Host: a\r\na@b: x\r\n", "not a token"},
};

START_TEST(ambiguous_framing_is_refused)
{
    char request[512];

    read_bytes(request,
               (size_t)snprintf(request, sizeof(request), "GET / HTTP/1.1\r\n%s\r\n", refused[_i].headers));
    if (!found.called && MHD_get_version()[0] != '0')
        return; /* libmicrohttpd 1.0 refuses some of these by itself */
    ck_assert_msg(found.called, "libmicrohttpd refused it: %s", request);
    ck_assert_msg(found.status == HEADERS_BAD, "%s", refused[_i].headers);
    ck_assert_msg(strstr(found.why, refused[_i].why) != NULL, "%s: %s", refused[_i].headers, found.why);
}
END_TEST

/* With their lengths: some hold a NUL. Each request is complete for libmicrohttpd 0.9.75, which shows
   something else than was sent; version 1.0 refuses most of them by itself. */
#define BYTES(text)            \
    {                          \
        text, sizeof(text) - 1 \
    }
static const struct {
    const char *request;
    size_t bytes;
} not_as_sent[] = {
    BYTES(
        "GET / HTTP/1.1\r\nHost: a\r\nX: 6.6.6.6\r\n -Forwarded-For\r\n\r\n"), /* X-Forwarded-For: 6.6.6.6 */
    BYTES("GET / HTTP/1.1\r\nHost: a\r\nuser: evil\r\n\t_id\r\n\r\n"),
    BYTES("GET / HTTP/1.1\r\nX: y\r\n\r\nHost: a\r\n folded\r\n\r\n"),
    BYTES("GET / HTTP/1.1\r\nHost: a\r\nuser_id: evil\r\n \r\n\r\n"),
    BYTES("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n x\r\n\r\nbody"), /* the length is lost */
    BYTES("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n x\r\n\r\n0\r\n\r\n"),
    BYTES("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.2.3.4\0, 9.9.9.9\r\n\r\n"),
    BYTES("GET / HTTP/1.1\r\nHost: a\r\nuser_id: a\0\r\n\r\n"),
    BYTES("GET / HTTP/1.1\r\nHost: a\r\nuser_id: \0a\r\n\r\n"),
    BYTES("GET / HTTP/1.1\r\nHost: a\r\nuser_id:\0 a\r\n\r\n"),
    BYTES("GET / HTTP/1.1\r\nHost: a\r\nuser_id: a\rb\r\n\r\n"),
    BYTES("GET / HTTP/1.1\r\nHost: a\r\n\0: x\r\nX: y\r\n\r\n"), /* the headers seem to end here */
    BYTES("GET / HTTP/1.1\r\nHost: a\r\n\0\r\nX: y\r\n\r\n"),
    BYTES("GET / HTTP/1.1\r\n\0X: y\r\nHost: a\r\n\r\n"),
    BYTES("GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n"),
    BYTES("GET / HTTP/1.1\r\nHost: a\n\r\n"),
    BYTES("GET / HTTP/1.1\r\nHost: a\r\n\n"),
    BYTES("GET / HTTP/1.1\nHost: a\r\n\r\n"),
    BYTES("GET / HTTP/1.0\n\n"),
    BYTES("GET / HTTP/1.0\r\n\n"),
    BYTES("GET / HTTP/1.0\r\n: x\r\nX: y\r\n\r\n"), /* an empty name */
    BYTES("GET / HTTP/1.0\r\nX: y\r\n: x\r\n\r\n"),
    BYTES("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
};

START_TEST(block_not_sent_as_shown_is_refused)
{
    read_bytes(not_as_sent[_i].request, not_as_sent[_i].bytes);
    if (found.called)
        ck_assert_int_eq(found.status, HEADERS_BAD);
}
END_TEST

static const char *const as_sent[] = {
    "Host:a\r\n",
    "Host:\r\n",
    "Host: \t \r\n",
    "Host: a \t\r\nX:\r\nY: z\r\n",
    "Host: \t a\r\nX: \r\nY: z \r\n",
    "Host: a\r\nX: a b  c\td\r\n",
    "Host: a\r\nX: :;,\"\xff\x01\r\n",
};

START_TEST(blanks_around_values_and_empty_values_are_accepted)
{
    read_headers(as_sent[_i]);
    ck_assert_msg(found.status == HEADERS_GOOD, "%s: %s", as_sent[_i], found.why);
}
END_TEST

START_TEST(every_token_byte_is_accepted_in_a_name)
{
    read_headers("Host: a\r\n!#$%&'*+-.^_`|~0123456789abcxyzABCXYZ: x\r\n");
    ck_assert_int_eq(found.status, HEADERS_GOOD);
}
END_TEST

#define TRACE   "0af7651916cd43dd8448eb211c80319c"
#define TRACED  "traceparent: 00-" TRACE "-b7ad6b7169203331-01\r\n"
#define NOT_ONE "traceparent: 00-" TRACE "-0000000000000000-01\r\n"

static const struct {
    const char *headers;
    bool counts;
} traces[] = {
    {"Host: a\r\n", false},
    {"Host: a\r\n" TRACED, true},
    {"Host: a\r\nTraceParent:00-" TRACE "-b7ad6b7169203331-01 \t\r\n", true},
    {"Host: a\r\ntracestate: a=b\r\n" TRACED "a: b\r\n", true},
    {"Host: a\r\n" NOT_ONE, false},
    {"Host: a\r\ntraceparent:\r\n", false},
    {"Host: a\r\ntrace-parent: 00-" TRACE "-b7ad6b7169203331-01\r\n", false},
    {"Host: a\r\n" TRACED TRACED, false}, /* of two lines neither counts */
    {"Host: a\r\n" TRACED NOT_ONE, false},
    {"Host: a\r\n" NOT_ONE TRACED, false},
};

START_TEST(trace_id_is_that_of_the_only_traceparent)
{
    read_headers(traces[_i].headers);
    ck_assert_int_eq(found.status, HEADERS_GOOD);
    ck_assert_uint_eq(found.headers.trace_id.bytes, traces[_i].counts ? TRACE_ID_BYTES : 0);
}
END_TEST

START_TEST(http_1_0_needs_no_host)
{
    read_bytes("GET / HTTP/1.0\r\n\r\n", strlen("GET / HTTP/1.0\r\n\r\n"));
    ck_assert(found.called);
    ck_assert_int_eq(found.status, HEADERS_GOOD);
}
END_TEST

START_TEST(lines_above_the_bound_are_refused)
{
    char headers[HEADERS_MAX * 20] = "Host: a\r\n";

    for (int i = 1; i < HEADERS_MAX; i++)
        sprintf(headers + strlen(headers), "a%d: x\r\n", i);
    read_headers(headers);
    ck_assert_int_eq(found.status, HEADERS_GOOD);
    strcat(headers, "b: x\r\n");
    read_headers(headers);
    ck_assert_int_eq(found.status, HEADERS_TOO_MANY);
}
END_TEST

START_TEST(field_with_a_control_byte_is_not_clean)
{
    for (int byte = 0; byte < 256; byte++) {
        char text[3] = {'a', (char)byte, 'b'};
        ck_assert_int_eq(field_is_clean(&(struct field){.text = text, .bytes = 3}),
                         byte >= 0x20 && byte != 0x7f);
    }
    ck_assert(field_is_clean(&(struct field){.text = "", .bytes = 0}));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("headers");
    TCase *tests = tcase_create("headers");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, finds_the_headers_that_rules_identify_by, 0, ROWS(identities));
    tcase_add_test(tests, finds_a_name_longer_than_sixty_four_bytes);
    tcase_add_test(tests, last_eight_forwarded_lines_are_kept_in_order);
    tcase_add_test(tests, headers_of_a_proxy_are_found);
    tcase_add_loop_test(tests, repeated_header_of_a_proxy_is_marked, 0, ROWS(repeated));
    tcase_add_test(tests, content_length_is_read);
    tcase_add_loop_test(tests, ambiguous_framing_is_refused, 0, ROWS(refused));
    tcase_add_loop_test(tests, block_not_sent_as_shown_is_refused, 0, ROWS(not_as_sent));
    tcase_add_loop_test(tests, blanks_around_values_and_empty_values_are_accepted, 0, ROWS(as_sent));
    tcase_add_test(tests, every_token_byte_is_accepted_in_a_name);
    tcase_add_loop_test(tests, trace_id_is_that_of_the_only_traceparent, 0, ROWS(traces));
    tcase_add_test(tests, http_1_0_needs_no_host);
    tcase_add_test(tests, lines_above_the_bound_are_refused);
    tcase_add_test(tests, field_with_a_control_byte_is_not_clean);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
