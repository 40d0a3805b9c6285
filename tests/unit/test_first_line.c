/* first_line: libmicrohttpd parses neither the query nor the cookies of a request. */
#include "first_line.h"

#include <stdio.h>

#include "mhd_session.h"
#include "suite.h"

static struct {
    struct first_line line;
    char query[64];
    int arguments, cookies, shields, headers;
    bool called;
} found;

static void *
on_first_line(void *arg, const char *uri, struct MHD_Connection *connection)
{
    (void)arg;
    first_line_read(&found.line, connection, uri);
    return NULL;
}

static enum MHD_Result
on_header(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
    (void)arg;
    (void)kind;
    (void)value;
    found.headers++;
    if (first_line_is_shield(name))
        ck_assert_int_eq(++found.shields, found.headers); /* the first of all */
    return MHD_YES;
}

static bool
handle(void *arg, struct MHD_Connection *connection, const char *version, bool answer)
{
    (void)arg;
    (void)version;
    (void)answer;
    found.called = true;
    snprintf(found.query, sizeof(found.query), "%s", first_line_query(&found.line));
    found.arguments = MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, NULL, NULL);
    found.cookies = MHD_get_connection_values(connection, MHD_COOKIE_KIND, NULL, NULL);
    MHD_get_connection_values(connection, MHD_HEADER_KIND, on_header, NULL);
    return false;
}

static void
read_request(const char *target, const char *headers)
{
    char request[8192];
    struct mhd_session session = {.handle = handle, .on_first_line = on_first_line};

    memset(&found, 0, sizeof(found));
    free(mhd_session_run(
        &session, request,
        (size_t)snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: a\r\n%s\r\n", target, headers)));
    ck_assert_msg(found.called, "libmicrohttpd refused it: %s", request);
}

static const char *const targets[] = {
    "/", "/?", "/a?b", "/a?b=c", "/?a=b&c=d&e", "/?a&&b&=", "/?a?b?c=d", "/?%61=%62&+=+", "http://h/a?b=c",
};

START_TEST(no_argument_is_parsed)
{
    read_request(targets[_i], "");
    ck_assert_int_eq(found.arguments, 0);
    ck_assert_uint_eq(found.line.target_bytes, strlen(targets[_i]));
    ck_assert(found.line.is_clean);
}
END_TEST

START_TEST(query_is_there_for_who_wants_it)
{
    const char *mark = strchr(targets[_i], '?');

    read_request(targets[_i], "Cookie: a=b\r\n");
    ck_assert_str_eq(found.query, mark != NULL ? mark + 1 : "");
}
END_TEST

static const char *const cookies[] = {
    "",
    "Cookie: a=b\r\n",
    "Cookie: a=b; c=d; e=\"f\"; g\r\n",
    "cookie: a=b\r\nCookie: c=d\r\n",
    "X: y\r\nCOOKIE: a;b;c;d;e\r\n",
};

START_TEST(no_cookie_is_parsed_and_the_header_stays)
{
    int lines = 1; /* Host */

    for (const char *at = cookies[_i]; (at = strstr(at, "\r\n")) != NULL; at += 2)
        lines++;
    read_request("/", cookies[_i]);
    ck_assert_int_le(found.cookies, 1); /* 0.9.75: the one without a name that an empty header has */
    ck_assert_int_eq(found.shields, 1);
    ck_assert_int_eq(found.headers, lines + 1);
}
END_TEST

START_TEST(cookie_header_of_a_client_is_not_the_shield)
{
    ck_assert(!first_line_is_shield((char[]){"Cookie"}));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("first_line");
    TCase *tests = tcase_create("first_line");

    tcase_add_loop_test(tests, no_argument_is_parsed, 0, ROWS(targets));
    tcase_add_loop_test(tests, query_is_there_for_who_wants_it, 0, ROWS(targets));
    tcase_add_loop_test(tests, no_cookie_is_parsed_and_the_header_stays, 0, ROWS(cookies));
    tcase_add_test(tests, cookie_header_of_a_client_is_not_the_shield);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
