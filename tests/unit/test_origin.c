/*
 * origin: which requests come from a web page of another site.
 */
#include <string.h>

#include "origin.h"
#include "suite.h"

static struct field
field_of(const char *text)
{
    return (struct field){.text = text, .bytes = text ? strlen(text) : 0};
}

static const struct {
    const char *host, *origin, *fetch_site;
    bool foreign;
} rows[] = {
    /* No browser. */
    {"localhost:8000", NULL, NULL, false},
    {NULL, NULL, NULL, false},

    /* A page that this host served. */
    {"localhost:8000", "http://localhost:8000", NULL, false},
    {"localhost:8000", "http://localhost:8000", "same-origin", false},
    {"LocalHost:8000", "HTTP://localhost:8000", NULL, false},
    {"[::1]:8000", "http://[::1]:8000", NULL, false},
    {"limits.example", "http://limits.example", NULL, false},
    {"limits.example:80", "http://limits.example", NULL, false},
    {"limits.example", "http://limits.example:80", NULL, false},
    {"limits.example", "https://limits.example", NULL, false},
    {"limits.example:443", "https://limits.example", NULL, false},
    {"[::1]", "http://[::1]", NULL, false},
    {"localhost:8000", NULL, "none", false},

    /* Another host, port or scheme. */
    {"localhost:8000", "http://evil.example", NULL, true},
    {"localhost:8000", "http://localhost", NULL, true},
    {"localhost:8000", "http://localhost:3000", NULL, true},
    {"localhost:8000", "http://localhost:80000", NULL, true},
    {"localhost:8000", "http://localhost.evil.example:8000", NULL, true},
    {"localhost:8000", "http://xlocalhost:8000", NULL, true},
    {"localhost:8000", "http://127.0.0.1:8000", NULL, true},
    {"limits.example", "https://limits.example:80", NULL, true},
    {"limits.example:80", "https://limits.example", NULL, true},
    {"[::1]:8000", "http://[::1]", NULL, true},
    {"[::1]", "http://[::2]", NULL, true},
    {"localhost:8000", "ftp://localhost:8000", NULL, true},
    {"localhost:8000", "chrome-extension://localhost:8000", NULL, true},
    {"localhost:8000", "localhost:8000", NULL, true},
    {"localhost:8000", "//localhost:8000", NULL, true},

    /* No origin that could be told. */
    {"localhost:8000", "null", NULL, true},
    {"null", "null", NULL, true},
    {"localhost:8000", "", NULL, true},
    {"", "", NULL, true},
    {"", "http://", NULL, true},
    {":80", "http://:80", NULL, true},
    {"localhost:8000", "http://localhost:8000/", NULL, true},
    {"localhost:8000", "http://localhost:8000 http://localhost:8000", NULL, true},
    {"localhost:8000", "http://user@localhost:8000", NULL, true},
    {NULL, "http://localhost:8000", NULL, true},

    /* What the browser says of it. */
    {"localhost:8000", NULL, "cross-site", true},
    {"localhost:8000", NULL, "same-site", true},
    {"localhost:8000", NULL, "Same-Origin", true},
    {"localhost:8000", NULL, "", true},
    {"localhost:8000", "http://localhost:8000", "cross-site", true},
    {"localhost:8000", "http://localhost:8000", "same-site", true},
    {"localhost:8000", "http://evil.example", "same-origin", true},
    {"localhost:8000", "http://evil.example", "none", true},
};

START_TEST(request_of_another_sites_page_is_foreign)
{
    struct field host = field_of(rows[_i].host), origin = field_of(rows[_i].origin);
    struct field fetch_site = field_of(rows[_i].fetch_site);

    ck_assert_msg(origin_is_foreign(&origin, &fetch_site, &host) == rows[_i].foreign,
                  "Host %s, Origin %s, Sec-Fetch-Site %s", rows[_i].host, rows[_i].origin,
                  rows[_i].fetch_site);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("origin");
    TCase *pages = tcase_create("pages");

    tcase_add_loop_test(pages, request_of_another_sites_page_is_foreign, 0, ROWS(rows));
    suite_add_tcase(suite, pages);
    return run_suite(suite);
}
