/* cookie: the first cookie of a name, however the header is written. */
#include <stdlib.h>
#include <string.h>

#include "cookie.h"
#include "suite.h"

static const struct {
    const char *header, *value; /* of "sid"; NULL: none */
} cookies[] = {
    {"sid=a", "a"},
    {"x=1; sid=a", "a"},
    {"x=1;sid=a;y=2", "a"},
    {"sid=a; sid=b", "a"},
    {"sid=; sid=b", "b"},
    {"sid=\"\"; sid=b", "b"},
    {" \t sid = a \t ;x", "a"},
    {"sid=\"a b\"", "a b"},
    {"sid=\"a", "\"a"},
    {"sid=\"", "\""},
    {"sid=a=b==", "a=b=="},
    {"; ;;sid=a", "a"},
    {"sid", NULL},
    {"sid=", NULL},
    {"SID=a", NULL},
    {"xsid=a", NULL},
    {"sidx=a", NULL},
    {"x=sid=a", NULL},
    {"x=\"; sid=a; \"", "a"}, /* a quote does not hide a semicolon: RFC 6265, section 5.2 */
    {"=a", NULL},
    {";", NULL},
    {"", NULL},
};

START_TEST(first_cookie_of_that_name_that_is_not_empty_counts)
{
    const char *text = cookies[_i].header, *value = cookies[_i].value;
    char *copy = malloc(strlen(text) + (*text == '\0')); /* a sanitizer sees a byte too far */
    struct field found;

    ck_assert_ptr_nonnull(copy);
    memcpy(copy, text, strlen(text));
    found = cookie_find(&(struct field){.text = copy, .bytes = strlen(text)}, "sid");
    ck_assert_msg((found.text != NULL) == (value != NULL), "%s", text);
    if (value != NULL)
        ck_assert_msg(found.bytes == strlen(value) && memcmp(found.text, value, found.bytes) == 0, "%s: %.*s",
                      text, (int)found.bytes, found.text);
    free(copy);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("cookie");
    TCase *tests = tcase_create("cookie");

    tcase_add_loop_test(tests, first_cookie_of_that_name_that_is_not_empty_counts, 0, ROWS(cookies));
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
