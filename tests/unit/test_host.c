/* host: each host has one spelling, and which ones a pattern matches. */
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "suite.h"

#define LABEL "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" /* 62 */
#define LONG                                \
    LABEL "." LABEL "." LABEL "." LABEL "." \
          "b" /* 253 */

static const struct {
    const char *host, *normal; /* NULL: not a host */
} hosts[] = {
    {"example.com", "example.com"},
    {"API.Example.COM", "api.example.com"},
    {"example.com.", "example.com"},
    {"example.com:80", "example.com"},
    {"example.com.:8080", "example.com"},
    {"example.com:", "example.com"},
    {"localhost", "localhost"},
    {"my_app-1", "my_app-1"},
    {"192.0.2.1:8000", "192.0.2.1"},
    {"[::1]", "[::1]"},
    {"[2001:DB8:0:0::1]:443", "[2001:db8::1]"},
    {"[2001:db8::1]:", "[2001:db8::1]"},
    {LONG, LONG},
    {LONG ".:1", LONG},
    {LONG "c", NULL},
    {"", NULL},
    {".", NULL},
    {":80", NULL},
    {".example.com", NULL},
    {"example..com", NULL},
    {"example.com..", NULL},
    {"example.com:http", NULL},
    {"example.com:80:80", NULL},
    {"example.com:-1", NULL},
    {"user@example.com", NULL},
    {"a, b", NULL},
    {"a b", NULL},
    {"ex%61mple.com", NULL},
    {"b\xc3\xbc"
     "cher.example",
     NULL},
    {"*.example.com", NULL},
    {"2001:db8::1", NULL},
    {"[::1", NULL},
    {"[]", NULL},
    {"[::1]x", NULL},
    {"[::1]x:80", NULL},
    {"[::1%eth0]", NULL},
    {"[192.0.2.1]", NULL},
    {"[1111:2222:3333:4444:5555:6666:7777:8888:9999]", NULL},
    {"[11111111111111111111111111111111111111111111111111111111]", NULL},
    {"::1]", NULL},
};

START_TEST(every_host_has_one_spelling)
{
    const char *text = hosts[_i].host, *normal = hosts[_i].normal;
    char *copy = malloc(strlen(text) + (*text == '\0')),
         out[HOST_BYTES_MAX]; /* a sanitizer sees a byte too far */
    struct field found;

    ck_assert_ptr_nonnull(copy);
    memcpy(copy, text, strlen(text));
    found = host_normalise(&(struct field){.text = copy, .bytes = strlen(text)}, out);
    ck_assert_msg((found.text != NULL) == (normal != NULL), "%s", text);
    if (normal != NULL)
        ck_assert_msg(found.bytes == strlen(normal) && memcmp(found.text, normal, found.bytes) == 0,
                      "%s became %.*s", text, (int)found.bytes, found.text);
    free(copy);
}
END_TEST

START_TEST(zero_byte_is_in_no_host)
{
    char out[HOST_BYTES_MAX];

    ck_assert_ptr_null(host_normalise(&(struct field){.text = "a\0b", .bytes = 3}, out).text);
    ck_assert_ptr_null(host_normalise(&(struct field){.text = "[::1\0]", .bytes = 6}, out).text);
    ck_assert_ptr_null(host_normalise(&(struct field){.text = NULL}, out).text);
}
END_TEST

static const struct {
    const char *pattern, *host;
    bool matches;
} patterns[] = {
    {"example.com", "example.com", true},
    {"example.com", "api.example.com", false},
    {"example.com", "example.co", false},
    {"*.example.com", "api.example.com", true},
    {"*.example.com", "a.b.example.com", true},
    {"*.example.com", "example.com", false},
    {"*.example.com", "notexample.com", false},
    {"*.example.com", "com", false},
    {"[::1]", "[::1]", true},
};

START_TEST(pattern_is_a_host_or_all_hosts_below_one)
{
    const struct field host = {.text = patterns[_i].host, .bytes = strlen(patterns[_i].host)};

    ck_assert_msg(host_pattern_matches(patterns[_i].pattern, &host) == patterns[_i].matches, "%s and %s",
                  patterns[_i].pattern, patterns[_i].host);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("host");
    TCase *tests = tcase_create("host");

    tcase_add_loop_test(tests, every_host_has_one_spelling, 0, ROWS(hosts));
    tcase_add_test(tests, zero_byte_is_in_no_host);
    tcase_add_loop_test(tests, pattern_is_a_host_or_all_hosts_below_one, 0, ROWS(patterns));
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
