/* redis_url: what is a URL of a Redis, what is not, and that no password is ever shown. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "redis_url.h"
#include "suite.h"

static const struct {
    const char *text;
    bool tls;
    const char *host;
    int port;
    const char *path;
    int db;
    const char *user, *password, *display;
} good[] = {
    {"redis://localhost", false, "localhost", 6379, NULL, 0, NULL, NULL, "redis://localhost:6379/0"},
    {"redis://localhost/", false, "localhost", 6379, NULL, 0, NULL, NULL, "redis://localhost:6379/0"},
    {"redis://h:1/65535", false, "h", 1, NULL, 65535, NULL, NULL, "redis://h:1/65535"},
    {"redis://h:65535/3", false, "h", 65535, NULL, 3, NULL, NULL, "redis://h:65535/3"},
    {"rediss://cache.example.org:6380/1", true, "cache.example.org", 6380, NULL, 1, NULL, NULL,
     "rediss://cache.example.org:6380/1"},
    {"REDIS://h", false, "h", 6379, NULL, 0, NULL, NULL, "redis://h:6379/0"},
    {"redis://10.0.0.1:7000", false, "10.0.0.1", 7000, NULL, 0, NULL, NULL, "redis://10.0.0.1:7000/0"},
    {"redis://[::1]", false, "::1", 6379, NULL, 0, NULL, NULL, "redis://[::1]:6379/0"},
    {"redis://[2001:db8::7]:7000/2", false, "2001:db8::7", 7000, NULL, 2, NULL, NULL,
     "redis://[2001:db8::7]:7000/2"},
    {"redis://[fe80::1%eth0]:1", false, "fe80::1%eth0", 1, NULL, 0, NULL, NULL, "redis://[fe80::1%eth0]:1/0"},
    {"redis://:secret@h", false, "h", 6379, NULL, 0, NULL, "secret", "redis://h:6379/0"},
    {"redis://user:secret@h", false, "h", 6379, NULL, 0, "user", "secret", "redis://h:6379/0"},
    {"redis://user@h", false, "h", 6379, NULL, 0, "user", NULL, "redis://h:6379/0"},
    {"redis://user:@h", false, "h", 6379, NULL, 0, "user", "", "redis://h:6379/0"},
    {"redis://u:a:b@h", false, "h", 6379, NULL, 0, "u", "a:b", "redis://h:6379/0"},
    {"redis://u:a@b@h", false, "h", 6379, NULL, 0, "u", "a@b", "redis://h:6379/0"},
    {"redis://u%3au:p%40%2f%3F%25@h:1", false, "h", 1, NULL, 0, "u:u", "p@/?%", "redis://h:1/0"},
    {"redis://:%c3%bc%0d%0a@[::1]:1/1", false, "::1", 1, NULL, 1, NULL, "\xc3\xbc\r\n", "redis://[::1]:1/1"},
    {"unix:///run/redis.sock", false, NULL, 0, "/run/redis.sock", 0, NULL, NULL,
     "unix:///run/redis.sock?db=0"},
    {"unix:///run/redis.sock?db=7", false, NULL, 0, "/run/redis.sock", 7, NULL, NULL,
     "unix:///run/redis.sock?db=7"},
    {"unix://user:secret@/run/redis.sock", false, NULL, 0, "/run/redis.sock", 0, "user", "secret",
     "unix:///run/redis.sock?db=0"},
    {"unix:///run/a%20b@c.sock", false, NULL, 0, "/run/a b@c.sock", 0, NULL, NULL,
     "unix:///run/a b@c.sock?db=0"},
};

static bool
same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

START_TEST(reads_every_part_of_a_url)
{
    struct report report;
    struct redis_url url;

    report_init(&report);
    ck_assert_msg(redis_url_parse(&url, "--store", good[_i].text, &report), "%s", good[_i].text);
    ck_assert(report_is_empty(&report));
    ck_assert_msg(url.tls == good[_i].tls && same(url.host, good[_i].host) && url.port == good[_i].port &&
                      same(url.path, good[_i].path) && url.db == good[_i].db,
                  "%s", good[_i].text);
    ck_assert_msg(same(url.user, good[_i].user) && same(url.password, good[_i].password), "%s",
                  good[_i].text);
    ck_assert_str_eq(url.display, good[_i].display);
    redis_url_fini(&url);
    ck_assert_ptr_null(url.password);
    report_fini(&report);
}
END_TEST

/* Where there is a password in it, it is "geheim", whole or in part: the report must not have it. */
static const struct {
    const char *text, *mistake;
} bad[] = {
    {"", "scheme"},
    {"localhost", "scheme"},
    {"localhost:6379", "scheme"},
    {"memcached://localhost", "scheme"},
    {"redis:/localhost", "scheme"},
    {" redis://localhost", "scheme"},
    {"http://user:geheim@localhost", "scheme"},
    {"user:geheim@localhost", "scheme"},
    {"redis://", "host"},
    {"redis:///1", "host"},
    {"redis://:6379", "host"},
    {"redis://:geheim@", "host"},
    {"redis://u:geheim@:6379", "host"},
    {"redis://::1", "host"},
    {"redis://::1:6379", "host"},
    {"redis://[]", "host"},
    {"redis://ho st", "host"},
    {"redis://host\n", "host"},
    {"redis://h\xc3\xb6st", "host"},
    {"redis://h#geheim", "host"},
    {"redis://[::1", "brackets"},
    {"redis://[::1]6379", "brackets"},
    {"redis://u:geheim@[::1]x", "brackets"},
    {"redis://h:", "port"},
    {"redis://h:0", "port"},
    {"redis://h:65536", "port"},
    {"redis://h:-1", "port"},
    {"redis://h:+1", "port"},
    {"redis://h: 1", "port"},
    {"redis://h:6379x", "port"},
    {"redis://h:99999999999999999999", "port"},
    {"redis://u:geheim@h:port", "port"},
    /* A password whose slash or question mark was not encoded. */
    {"redis://u:geheim/geheim@h", "database"},
    {"redis://u:geheim?geheim@h", "query"},
    {"redis://h/x", "database"},
    {"redis://h/-1", "database"},
    {"redis://h/65536", "database"},
    {"redis://h/0/", "database"},
    {"redis://h//", "database"},
    {"redis://h/1#geheim", "database"},
    {"redis://h?db=1", "query"},
    {"redis://h/1?geheim=1", "query"},
    {"redis://u:geheim%@h", "percent-encoding"},
    {"redis://u:geheim%4@h", "percent-encoding"},
    {"redis://u:geheim%zz@h", "percent-encoding"},
    {"redis://u:geheim%00@h", "percent-encoding"},
    {"redis://u%g0:geheim@h", "percent-encoding"},
    {"unix://", "absolute"},
    {"unix://run/redis.sock", "absolute"},
    {"unix://u:geheim@run/redis.sock", "absolute"},
    {"unix:///run/a%00b", "absolute"},
    {"unix:///run/a%", "absolute"},
    {"unix:///run/redis.sock?", "db"},
    {"unix:///run/redis.sock?db=", "database"},
    {"unix:///run/redis.sock?db=1&db=2", "database"},
    {"unix:///run/redis.sock?geheim=1", "db"},
    {"unix:///"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaa",
     "107"},
};

START_TEST(error_names_the_fault_and_shows_no_password)
{
    struct report report;
    struct redis_url url;

    report_init(&report);
    ck_assert_msg(!redis_url_parse(&url, "--store", bad[_i].text, &report), "%s", bad[_i].text);
    ck_assert_uint_eq(report.count, 1);
    ck_assert_msg(strstr(report.lines[0], bad[_i].mistake) != NULL, "%s: %s", bad[_i].text, report.lines[0]);
    ck_assert_msg(strstr(report.lines[0], "geheim") == NULL, "%s: %s", bad[_i].text, report.lines[0]);
    ck_assert_msg(strstr(report.lines[0], "accepted: ") != NULL, "%s", report.lines[0]);
    ck_assert_msg(strncmp(report.lines[0], "--store: ", 9) == 0, "%s", report.lines[0]);
    ck_assert(url.host == NULL && url.path == NULL && url.password == NULL && url.display == NULL);
    redis_url_fini(&url); /* once more does no harm */
    report_fini(&report);
}
END_TEST

START_TEST(the_longest_path_of_a_socket_is_107_bytes)
{
    struct report report;
    struct redis_url url;
    char text[128] = "unix:///";

    report_init(&report);
    memset(text + strlen(text), 'a', 106);
    ck_assert(redis_url_parse(&url, "--store", text, &report));
    ck_assert_uint_eq(strlen(url.path), 107);
    redis_url_fini(&url);
    report_fini(&report);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("redis_url");
    TCase *tests = tcase_create("redis_url");

    tcase_add_loop_test(tests, reads_every_part_of_a_url, 0, ROWS(good));
    tcase_add_loop_test(tests, error_names_the_fault_and_shows_no_password, 0, ROWS(bad));
    tcase_add_test(tests, the_longest_path_of_a_socket_is_107_bytes);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
