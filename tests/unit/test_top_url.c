/* top_url: which URLs `ratelimitd top` takes, and what it asks and sends then. */
#include <check.h>
#include <string.h>

#include "suite.h"
#include "top_url.h"

static const struct {
    const char *text, *host, *port, *authority, *prefix, *path;
} good[] = {
    {"http://127.0.0.1:8001", "127.0.0.1", "8001", "127.0.0.1:8001", "", ""},
    {"http://limits.internal", "limits.internal", "80", "limits.internal", "", ""},
    {"http://[::1]:8001/", "::1", "8001", "[::1]:8001", "", ""},
    {"http://[::1]", "::1", "80", "[::1]", "", ""},
    {"http://gateway/limits/admin/", "gateway", "80", "gateway", "/limits/admin", ""},
    {"unix:/run/ratelimitd/admin.sock", "", "", "localhost", "", "/run/ratelimitd/admin.sock"},
};

START_TEST(a_url_is_taken_apart)
{
    struct top_url url;

    ck_assert_ptr_null(top_url_parse(&url, good[_i].text));
    ck_assert_str_eq(url.text, good[_i].text);
    ck_assert_str_eq(url.host, good[_i].host);
    ck_assert_str_eq(url.port, good[_i].port);
    ck_assert_str_eq(url.authority, good[_i].authority);
    ck_assert_str_eq(url.prefix, good[_i].prefix);
    ck_assert_str_eq(url.path, good[_i].path);
}
END_TEST

/* The last of them would put a line into the request. */
static const char *const bad[] = {
    "",
    "localhost",
    "localhost:8001",
    "https://localhost:8001",
    "http://",
    "http://:8001",
    "http://[::1",
    "http://[]:1",
    "http://[::1]8001",
    "http://a:",
    "http://a:0",
    "http://a:65536",
    "http://a:80x",
    "http://a:123456789",
    "http://user:secret@a",
    "http://a/?x=1",
    "http://a/#x",
    "http://a?x",
    "unix:",
    "unix:run/admin.sock",
    "http://a b",
    "http://\xc3\xa4",
    "http://a/\033[2J",
    "http://a\r\nX: y",
};

START_TEST(anything_else_is_refused_and_not_repeated)
{
    struct top_url url;
    const char *why = top_url_parse(&url, bad[_i]);

    ck_assert_msg(why != NULL, "%s", bad[_i]);
    ck_assert(strstr(why, "secret") == NULL);
}
END_TEST

START_TEST(what_is_too_long_is_refused)
{
    struct top_url url;
    char text[TOP_URL_BYTES + 1];

    memset(text, 'a', sizeof(text));
    memcpy(text, "http://", 7);
    text[TOP_URL_BYTES] = '\0';
    ck_assert_ptr_nonnull(top_url_parse(&url, text));
    text[TOP_URL_BYTES - 1] = '\0';
    ck_assert_ptr_null(top_url_parse(&url, text));
    memcpy(text, "unix:/", 6);
    text[5 + TOP_PATH_BYTES] = '\0';
    ck_assert_ptr_nonnull(top_url_parse(&url, text));
    text[5 + TOP_PATH_BYTES - 1] = '\0';
    ck_assert_ptr_null(top_url_parse(&url, text));
}
END_TEST

static const struct {
    const char *listen, *host;
    int port;
    const char *url; /* NULL: none */
} listeners[] = {
    {"127.0.0.1:8001", "127.0.0.1", 8001, "http://127.0.0.1:8001"},
    {"0.0.0.0:9001", "0.0.0.0", 9001, "http://127.0.0.1:9001"},
    {"[::]:9001", "::", 9001, "http://[::1]:9001"},
    {"[2001:db8::1]:9001", "2001:db8::1", 9001, "http://[2001:db8::1]:9001"},
    {"unix:/run/a.sock", NULL, 0, "unix:/run/a.sock"},
    {"off", NULL, 0, NULL},
    {"127.0.0.1:0", "127.0.0.1", 0, NULL},
};

START_TEST(the_admin_listener_of_this_machine_has_a_url)
{
    char url[TOP_URL_BYTES];
    struct top_url parsed;

    ck_assert_int_eq(top_url_of_listener(url, listeners[_i].listen, listeners[_i].host, listeners[_i].port),
                     listeners[_i].url != NULL);
    if (listeners[_i].url == NULL)
        return;
    ck_assert_str_eq(url, listeners[_i].url);
    ck_assert_ptr_null(top_url_parse(&parsed, url));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("top_url");
    TCase *tests = tcase_create("top_url");

    tcase_add_loop_test(tests, a_url_is_taken_apart, 0, ROWS(good));
    tcase_add_loop_test(tests, anything_else_is_refused_and_not_repeated, 0, ROWS(bad));
    tcase_add_test(tests, what_is_too_long_is_refused);
    tcase_add_loop_test(tests, the_admin_listener_of_this_machine_has_a_url, 0, ROWS(listeners));
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
