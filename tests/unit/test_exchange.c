/*
 * exchange: when an endpoint is started, finished and freed, which bodies it gets, and which requests never
 * reach it.
 */
#include "exchange_session.h"

static void
assert_calls(int starts, int finishes, int frees)
{
    ck_assert_int_eq(endpoint.starts, starts);
    ck_assert_int_eq(endpoint.finishes, finishes);
    ck_assert_int_eq(endpoint.frees, frees);
}

/* The calls of an endpoint. */

START_TEST(endpoint_that_is_done_is_finished_at_once_and_freed_once)
{
    const char *answer = get("/plain");

    ck_assert_int_eq(status_of(answer), 200);
    ck_assert_ptr_nonnull(strstr(answer, "\r\n\r\nanswered by finish"));
    ck_assert_str_eq(endpoint.request->message, "message");
    assert_calls(1, 1, 1);
    ck_assert(!endpoint.freed_pending);
}
END_TEST

START_TEST(endpoint_that_answers_itself_is_not_finished)
{
    endpoint.status = ENDPOINT_ANSWERED;
    ck_assert_ptr_nonnull(strstr(get("/plain"), "\r\n\r\nanswered by start"));
    assert_calls(1, 0, 1);
}
END_TEST

START_TEST(pending_endpoint_is_answered_when_it_resumes)
{
    endpoint.status = ENDPOINT_PENDING;
    ck_assert_str_eq(get("/plain"), "");
    ck_assert(exchange_is_suspended(&session.exchange));
    assert_calls(1, 0, 0);
    ck_assert(!session.context.resumed);
    endpoint.request->resume(endpoint.request);
    ck_assert(session.context.resumed);
    ck_assert_ptr_nonnull(strstr(run_text(""), "\r\n\r\nanswered by finish"));
    assert_calls(1, 1, 1);
    ck_assert(!endpoint.freed_pending);
}
END_TEST

START_TEST(pending_endpoint_learns_of_a_drain_that_began_meanwhile)
{
    endpoint.status = ENDPOINT_PENDING;
    get("/plain");
    session.context.draining = true;
    endpoint.request->resume(endpoint.request);
    ck_assert_ptr_nonnull(strstr(run_text(""), "Connection: close\r\n"));
    ck_assert(endpoint.closing);
}
END_TEST

START_TEST(each_request_of_a_connection_has_calls_of_its_own)
{
    for (int i = 1; i <= 3; i++) {
        ck_assert_int_eq(status_of(get("/plain")), 200);
        assert_calls(i, i, i);
    }
}
END_TEST

START_TEST(response_that_cannot_be_made_is_a_503)
{
    endpoint.out_of_memory = true;
    ck_assert_str_eq(get("/plain"), ""); /* it is sent by the server, without libmicrohttpd's memory */
    ck_assert_uint_eq(session.refused, 503);
    assert_calls(1, 1, 1);
}
END_TEST

START_TEST(pending_response_that_cannot_be_made_is_a_503)
{
    endpoint.status = ENDPOINT_PENDING;
    endpoint.out_of_memory = true;
    get("/plain");
    endpoint.request->resume(endpoint.request);
    ck_assert_str_eq(run_text(""), "");
    ck_assert_uint_eq(session.refused, 503);
    assert_calls(1, 1, 1);
}
END_TEST

/* Lost connections. */

START_TEST(connection_lost_while_suspended_frees_once_and_says_pending)
{
    endpoint.status = ENDPOINT_PENDING;
    get("/plain");
    exchange_complete(&session.exchange);
    session.lost = true;
    assert_calls(1, 0, 1);
    ck_assert(endpoint.freed_pending);
    MHD_resume_connection(
        session.exchange.connection); /* a daemon with suspended connections cannot be stopped */
    hang_up();
    assert_calls(1, 0, 1);
}
END_TEST

START_TEST(connection_lost_before_the_answer_is_read_frees_once)
{
    static const char request[] = "GET /plain HTTP/1.1\r\nHost: a\r\n\r\n";

    ck_assert_int_eq(write(session.client, request, strlen(request)), (ssize_t)strlen(request));
    for (int turn = 0; turn < TURNS && endpoint.starts == 0; turn++)
        MHD_run(session.daemon);
    hang_up();
    assert_calls(1, 1, 1);
}
END_TEST

START_TEST(connection_lost_within_the_body_never_starts_the_endpoint)
{
    run_text("POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf");
    ck_assert_ptr_nonnull(session.exchange.upload);
    hang_up();
    ck_assert_ptr_null(session.exchange.upload);
    ck_assert_int_eq(session.completions, 1);
    assert_calls(0, 0, 0);
}
END_TEST

START_TEST(body_that_comes_too_slowly_is_a_408)
{
    run_text("POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf");
    exchange_end_body(&session.exchange, session.server, 408, "The body was sent too slowly.");
    ck_assert_int_eq(status_of(run_text("")), 408);
    run_text("more");
    assert_calls(0, 0, 0);
}
END_TEST

/* Bodies. */

START_TEST(endpoint_that_reads_the_body_gets_all_of_it)
{
    ck_assert_int_eq(status_of(post("/read", 3000)), 200);
    ck_assert_uint_eq(endpoint.body_bytes, 3000);
    for (size_t i = 0; i < endpoint.body_bytes; i++)
        ck_assert_int_eq(endpoint.body[i], 'x');
    ck_assert_ptr_null(endpoint.request->body.text); /* it is valid during start alone */
}
END_TEST

START_TEST(chunks_are_joined)
{
    ck_assert_int_eq(status_of(run_text("POST /read HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                                        "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")),
                     200);
    ck_assert_uint_eq(endpoint.body_bytes, 5);
    ck_assert_mem_eq(endpoint.body, "abcde", 5);
}
END_TEST

START_TEST(endpoint_that_reads_no_body_gets_none)
{
    ck_assert_int_eq(status_of(post("/drop", 100)), 200);
    ck_assert_uint_eq(endpoint.body_bytes, 0);
    assert_calls(1, 1, 1);
}
END_TEST

START_TEST(body_at_the_bound_is_accepted)
{
    ck_assert_int_eq(status_of(post("/read", BODY_BYTES_MAX)), 200);
    ck_assert_uint_eq(endpoint.body_bytes, BODY_BYTES_MAX);
}
END_TEST

START_TEST(body_above_the_bound_is_refused_before_it_comes)
{
    char request[128];

    snprintf(request, sizeof(request), "POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n",
             BODY_BYTES_MAX + 1);
    ck_assert_str_eq(run_text(request), "");
    ck_assert_uint_eq(session.refused, 413);
    assert_calls(0, 0, 0);
}
END_TEST

START_TEST(endpoint_may_accept_more_than_the_bound)
{
    ck_assert_int_eq(status_of(post("/large", LARGE_BODY_MAX)), 200);
    ck_assert_uint_eq(endpoint.body_bytes, LARGE_BODY_MAX);
    post("/large", LARGE_BODY_MAX + 1);
    ck_assert_uint_eq(session.refused, 413);
    assert_calls(1, 1, 1);
}
END_TEST

START_TEST(chunked_body_above_the_bound_is_a_413)
{
    static char request[LONGEST_REQUEST];
    int used =
        snprintf(request, sizeof(request),
                 "POST /read HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1001\r\n%04097d\r\n"
                 "0\r\n\r\n",
                 0);

    _Static_assert(BODY_BYTES_MAX == 0x1000, "the chunk above is one byte longer");
    ck_assert_str_eq(run(request, (size_t)used), "");
    ck_assert_uint_eq(session.refused, 413);
    assert_calls(0, 0, 0);
}
END_TEST

START_TEST(body_without_room_in_the_budget_is_a_503)
{
    session.context.uploads.bytes = UPLOAD_BUDGET_BYTES;
    const char *answer = post("/read", UPLOAD_SMALL_BYTES + 1);

    session.context.uploads.bytes -= UPLOAD_BUDGET_BYTES;
    ck_assert_int_eq(status_of(answer), 503);
    ck_assert_ptr_nonnull(strstr(answer, "Retry-After: 1\r\n"));
    assert_calls(0, 0, 0);
}
END_TEST

/* Routes. */

/* The rules change. */

static void
change_rules(const char *text)
{
    ck_assert(generations_publish(session.generations, policy_of_text(text)));
}

#define BY_HEADER(rule, header) \
    "{\"" rule "\": {\"capacity\": 1, \"refill_rate\": 1, \"identify_by\": [\"header:" header "\"]}}"

START_TEST(next_request_is_decided_by_the_new_rules)
{
    change_rules(BY_HEADER("one", "X-A"));
    run_text("GET /plain HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nX-B: 2\r\n\r\n");
    ck_assert_str_eq(endpoint.rule, "one");
    ck_assert_str_eq(endpoint.value, "1");
    change_rules(BY_HEADER("two", "X-B"));
    run_text("GET /plain HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nX-B: 2\r\n\r\n");
    ck_assert_str_eq(endpoint.rule, "two");
    ck_assert_str_eq(endpoint.value, "2");
}
END_TEST

START_TEST(pending_request_keeps_its_rules_until_it_is_answered)
{
    change_rules(BY_HEADER("one", "X-A"));
    endpoint.status = ENDPOINT_PENDING;
    get("/plain");
    change_rules(BY_HEADER("two", "X-B"));
    generation_current(session.context.generations);
    ck_assert_str_eq(endpoint.request->policy->rules[0].name, "one");
    ck_assert_uint_eq(generations_alive(session.generations), 2);
    endpoint.request->resume(endpoint.request);
    ck_assert_uint_eq(generations_alive(session.generations), 1);
    ck_assert_int_eq(status_of(run_text("")), 200);
}
END_TEST

START_TEST(pending_request_that_is_lost_lets_its_rules_go)
{
    endpoint.status = ENDPOINT_PENDING;
    get("/plain");
    change_rules(BY_HEADER("two", "X-B"));
    generation_current(session.context.generations);
    exchange_complete(&session.exchange);
    session.lost = true;
    ck_assert_uint_eq(generations_alive(session.generations), 1);
    MHD_resume_connection(session.exchange.connection);
    hang_up();
}
END_TEST

static const struct {
    const char *header, *body;
} slow_bodies[] = {
    {"Content-Length: 3", "abc"},
    {"Transfer-Encoding: chunked", "3\r\nabc\r\n0\r\n\r\n"},
    {"Transfer-Encoding: chunked", "3;x=y\r\nabc\r\n0\r\nX-B: trailer\r\n\r\n"},
};

/* The headers are read by the rules of the first call, but the request is decided when its body is
   complete. */
START_TEST(rules_that_change_while_a_body_arrives_decide_it)
{
    char head[256];

    change_rules(BY_HEADER("one", "X-A"));
    snprintf(head, sizeof(head), "POST /read HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nX-B:  2 \r\n%s\r\n\r\n",
             slow_bodies[_i].header);
    ck_assert_str_eq(run_text(head), "");
    change_rules(BY_HEADER("two", "X-B"));
    generation_current(session.context.generations);
    ck_assert_uint_eq(generations_alive(session.generations), 1); /* a slow client keeps no old rules */
    ck_assert_int_eq(status_of(run_text(slow_bodies[_i].body)), 200);
    ck_assert_str_eq(endpoint.rule, "two");
    ck_assert_str_eq(endpoint.value, "2");
    ck_assert_uint_eq(endpoint.body_bytes, 3);
}
END_TEST

START_TEST(path_is_matched_in_its_one_spelling)
{
    ck_assert_int_eq(status_of(get("//x/../%70lain?a=b")), 200);
    ck_assert_uint_eq(endpoint.request->path_bytes, strlen("/plain"));
    ck_assert_mem_eq(endpoint.request->path, "/plain", strlen("/plain"));
}
END_TEST

START_TEST(subtree_gets_what_follows_as_it_came)
{
    ck_assert_int_eq(status_of(get("/tree/a/../%62")), 200);
    ck_assert_str_eq(endpoint.rest, "/a/../%62");
    ck_assert_str_eq(endpoint.request->path, "");
}
END_TEST

START_TEST(path_of_its_own_wins_over_the_subtree_it_lies_in)
{
    ck_assert_int_eq(status_of(get("/tree/own")), 200);
    ck_assert_str_eq(endpoint.request->path, "/tree/own");
    ck_assert_int_eq(status_of(get("/tree/x/../own")), 200);
    ck_assert_str_eq(endpoint.rest, "/x/../own");
    ck_assert_str_eq(endpoint.request->path, "");
    ck_assert_int_eq(status_of(post("/tree/own", 0)), 405);
}
END_TEST

START_TEST(path_without_route_is_a_404)
{
    static const char *const targets[] = {"/none", "/plain/", "*", "/%00"};

    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
        ck_assert_msg(status_of(get(targets[i])) == 404, "%s", targets[i]);
    assert_calls(0, 0, 0);
}
END_TEST

START_TEST(method_that_the_route_does_not_have_is_a_405)
{
    const char *answer = post("/plain", 3);

    ck_assert_int_eq(status_of(answer), 405);
    ck_assert_ptr_nonnull(strstr(answer, "\r\nAllow: GET, HEAD\r\n"));
    assert_calls(0, 0, 0);
}
END_TEST

START_TEST(request_without_access_is_a_403_and_its_body_is_dropped)
{
    ck_assert_int_eq(status_of(post("/admin", UPLOAD_SMALL_BYTES + 1)), 403);
    ck_assert_uint_eq(session.context.uploads.bytes, 0);
    assert_calls(0, 0, 0);
}
END_TEST

START_TEST(listener_adds_its_headers_to_every_answer)
{
    static const char get_own[] = "GET %s HTTP/1.1\r\nHost: own.example\r\n\r\n";
    static const char *const targets[] = {"/plain", "/none", "/drop", "/plain"};
    char request[128];

    session.context.options = &private_options;
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        const char *answer = run(request, (size_t)snprintf(request, sizeof(request), get_own, targets[i]));
        ck_assert_ptr_nonnull(strstr(answer, "\r\nX-One: 1\r\nX-Two: 2\r\n"));
    }
    assert_calls(2, 2, 2);
}
END_TEST

START_TEST(host_that_is_none_of_the_listeners_is_a_421_and_nothing_is_read)
{
    session.context.options = &private_options;
    ck_assert_str_eq(post("/read", UPLOAD_SMALL_BYTES + 1), ""); /* to "a" */
    ck_assert_uint_eq(session.refused, 421);
    ck_assert_uint_eq(session.context.uploads.bytes, 0);
    assert_calls(0, 0, 0);
}
END_TEST

START_TEST(connection_goes_on_after_an_error_in_a_request)
{
    ck_assert_int_eq(status_of(get("/none")), 404);
    ck_assert_int_eq(status_of(post("/plain", 3)), 405);
    ck_assert_int_eq(status_of(get("/plain")), 200);
}
END_TEST

START_TEST(header_block_that_cannot_be_trusted_is_refused)
{
    ck_assert_str_eq(run_text("GET /plain HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), "");
    ck_assert_uint_eq(session.refused, 400);
    assert_calls(0, 0, 0);
}
END_TEST

static TCase *
add_case(Suite *suite, const char *name)
{
    TCase *tests = tcase_create(name);

    tcase_add_checked_fixture(tests, set_up, tear_down);
    suite_add_tcase(suite, tests);
    return tests;
}

int
main(void)
{
    Suite *suite = suite_create("exchange");
    TCase *calls = add_case(suite, "calls"), *lost = add_case(suite, "lost connections");
    TCase *bodies = add_case(suite, "bodies"), *found = add_case(suite, "routes");
    TCase *rules = add_case(suite, "rules");

    tcase_add_test(calls, endpoint_that_is_done_is_finished_at_once_and_freed_once);
    tcase_add_test(calls, endpoint_that_answers_itself_is_not_finished);
    tcase_add_test(calls, pending_endpoint_is_answered_when_it_resumes);
    tcase_add_test(calls, pending_endpoint_learns_of_a_drain_that_began_meanwhile);
    tcase_add_test(calls, each_request_of_a_connection_has_calls_of_its_own);
    tcase_add_test(calls, response_that_cannot_be_made_is_a_503);
    tcase_add_test(calls, pending_response_that_cannot_be_made_is_a_503);
    tcase_add_test(lost, connection_lost_while_suspended_frees_once_and_says_pending);
    tcase_add_test(lost, connection_lost_before_the_answer_is_read_frees_once);
    tcase_add_test(lost, connection_lost_within_the_body_never_starts_the_endpoint);
    tcase_add_test(lost, body_that_comes_too_slowly_is_a_408);
    tcase_add_test(bodies, endpoint_that_reads_the_body_gets_all_of_it);
    tcase_add_test(bodies, chunks_are_joined);
    tcase_add_test(bodies, endpoint_that_reads_no_body_gets_none);
    tcase_add_test(bodies, body_at_the_bound_is_accepted);
    tcase_add_test(bodies, body_above_the_bound_is_refused_before_it_comes);
    tcase_add_test(bodies, endpoint_may_accept_more_than_the_bound);
    tcase_add_test(bodies, chunked_body_above_the_bound_is_a_413);
    tcase_add_test(bodies, body_without_room_in_the_budget_is_a_503);
    tcase_add_test(rules, next_request_is_decided_by_the_new_rules);
    tcase_add_test(rules, pending_request_keeps_its_rules_until_it_is_answered);
    tcase_add_test(rules, pending_request_that_is_lost_lets_its_rules_go);
    tcase_add_loop_test(rules, rules_that_change_while_a_body_arrives_decide_it, 0, ROWS(slow_bodies));
    tcase_add_test(found, path_is_matched_in_its_one_spelling);
    tcase_add_test(found, subtree_gets_what_follows_as_it_came);
    tcase_add_test(found, path_of_its_own_wins_over_the_subtree_it_lies_in);
    tcase_add_test(found, path_without_route_is_a_404);
    tcase_add_test(found, method_that_the_route_does_not_have_is_a_405);
    tcase_add_test(found, request_without_access_is_a_403_and_its_body_is_dropped);
    tcase_add_test(found, listener_adds_its_headers_to_every_answer);
    tcase_add_test(found, host_that_is_none_of_the_listeners_is_a_421_and_nothing_is_read);
    tcase_add_test(found, connection_goes_on_after_an_error_in_a_request);
    tcase_add_test(found, header_block_that_cannot_be_trusted_is_refused);
    return run_suite(suite);
}
