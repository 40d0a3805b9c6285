/*
 * admin: who has the token.
 */
#include <string.h>

#include "admin.h"
#include "suite.h"

static enum admin_status
check(const char *token, const char *authorization)
{
    struct admin admin;
    struct field field = {.text = authorization, .bytes = authorization ? strlen(authorization) : 0};

    admin_init(&admin, token);
    return admin_check(&admin, &field);
}

static const struct {
    const char *authorization;
    enum admin_status status;
} rows[] = {
    {"Bearer secret", ADMIN_GOOD},
    {"bearer secret", ADMIN_GOOD},
    {"BEARER   secret", ADMIN_GOOD},
    {NULL, ADMIN_UNKNOWN},
    {"", ADMIN_UNKNOWN},
    {"Bearer", ADMIN_UNKNOWN},
    {"Bearer ", ADMIN_UNKNOWN},
    {"Bearer Secret", ADMIN_UNKNOWN},
    {"Bearer secre", ADMIN_UNKNOWN},
    {"Bearer secrets", ADMIN_UNKNOWN},
    {"Bearer secret ", ADMIN_UNKNOWN},
    {"Bearersecret", ADMIN_UNKNOWN},
    {"Basic secret", ADMIN_UNKNOWN},
    {"secret", ADMIN_UNKNOWN},
};

START_TEST(only_the_token_itself_is_the_token)
{
    ck_assert_msg(check("secret", rows[_i].authorization) == rows[_i].status, "%s",
                  rows[_i].authorization ? rows[_i].authorization : "(none)");
}
END_TEST

START_TEST(without_a_token_nobody_has_it)
{
    ck_assert_int_eq(check(NULL, "Bearer secret"), ADMIN_OFF);
    ck_assert_int_eq(check("", "Bearer "), ADMIN_OFF);
    ck_assert_int_eq(check("", NULL), ADMIN_OFF);
}
END_TEST

START_TEST(a_longer_token_than_a_digest_counts_whole)
{
    ck_assert_int_eq(
        check("0123456789012345678901234567890123456789", "Bearer 0123456789012345678901234567890123456789"),
        ADMIN_GOOD);
    ck_assert_int_eq(
        check("0123456789012345678901234567890123456789", "Bearer 0123456789012345678901234567890123456788"),
        ADMIN_UNKNOWN);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("admin");
    TCase *tokens = tcase_create("tokens");

    tcase_add_loop_test(tokens, only_the_token_itself_is_the_token, 0, ROWS(rows));
    tcase_add_test(tokens, without_a_token_nobody_has_it);
    tcase_add_test(tokens, a_longer_token_than_a_digest_counts_whole);
    suite_add_tcase(suite, tokens);
    return run_suite(suite);
}
