#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "suite.h"
#include "url.h"

START_TEST(unreserved_characters_are_not_encoded)
{
    char encoded[16] = "";

    ck_assert_ptr_eq(url_encode(encoded, "aZ09-._~"), encoded + 8);
    ck_assert_str_eq(encoded, "aZ09-._~");
}
END_TEST

START_TEST(every_byte_but_zero_survives_encoding_and_decoding)
{
    char text[256], encoded[3 * 256];

    for (int i = 0; i < 255; i++)
        text[i] = (char)(i + 1);
    text[255] = '\0';
    *url_encode(encoded, text) = '\0';
    ck_assert(strpbrk(encoded, " @:/?#[]\x7f\xff") == NULL);
    ck_assert(url_decode(encoded));
    ck_assert_str_eq(encoded, text);
}
END_TEST

START_TEST(an_invalid_encoding_or_a_zero_byte_is_refused)
{
    static const char *const invalid[] = {"%", "a%4", "%zz", "%4g", "a%00b"};

    for (int i = 0; i < ROWS(invalid); i++) {
        char text[8];
        strcpy(text, invalid[i]);
        ck_assert_msg(!url_decode(text), "%s", invalid[i]);
    }
}
END_TEST

static const struct {
    const char *url, *shown;
} redacted[] = {
    {"memory", "memory"},
    {"redis://host:6379/0", "redis://host:6379/0"},
    {"redis://user:hunter2@host", "redis://user:***@host"},
    {"redis://:hunter2@host", "redis://:***@host"},
    {"redis://hunter2@host", "redis://***@host"},
    {"redis://user:hun@ter2@host", "redis://user:***@host"},
    {"redis://user:hunter:2@host", "redis://user:***@host"},
    {"redis://user:hun/ter2@host/0", "redis://user:***@host/0"},
    {"redis:/user:hunter2@host", "redis:***@host"},
    {"unix://user:hunter2@/run/redis.sock?db=1", "unix://user:***@/run/redis.sock?db=1"},
    {"user:hunter2@redis://host", "user:***@redis://host"},
    {"redis://user:hunter2", "redis://user:***"},
    {"redis://:hunter2", "redis://:***"},
    {"redis://user:2hunter", "redis://user:***"},
    {"redis://user:2hunter/0", "redis://user:***"},
    {"redis://user:/hunter2", "redis://user:***"},
    {"user:hunter2", "user:***"},
    {"redis://host:", "redis://host:"},
    {"redis://[::1]:6379/0", "redis://[::1]:6379/0"},
    {"redis://[::1]", "redis://[::1]"},
    {"unix:///run/a:b.sock?db=1", "unix:///run/a:b.sock?db=1"},
};

START_TEST(a_url_is_shown_without_its_password)
{
    char *shown = url_redact(redacted[_i].url);

    ck_assert_str_eq(shown, redacted[_i].shown);
    free(shown);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("url");
    TCase *tests = tcase_create("url");

    tcase_add_test(tests, unreserved_characters_are_not_encoded);
    tcase_add_test(tests, every_byte_but_zero_survives_encoding_and_decoding);
    tcase_add_test(tests, an_invalid_encoding_or_a_zero_byte_is_refused);
    tcase_add_loop_test(tests, a_url_is_shown_without_its_password, 0, ROWS(redacted));
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
