/*
 * access: which token grants which endpoint.
 */
#include <stdlib.h>
#include <string.h>

#include <microhttpd.h>

#include "access.h"
#include "suite.h"

#define API   "api-token-of-the-shop"
#define ADMIN "admin-token-of-the-operator"

static struct field
field_of(const char *text)
{
    return (struct field){.text = text, .bytes = text ? strlen(text) : 0};
}

static enum access_status
check(const char *api, const char *admin, enum access needed, const char *authorization)
{
    struct headers headers = {.authorization = field_of(authorization), .host = field_of("localhost:8000")};
    struct access_tokens tokens;

    ck_assert(access_init(&tokens, api, admin));
    return access_check(&tokens, needed, &headers);
}

static const struct {
    const char *authorization;
    enum access_status status;
} spellings[] = {
    {"Bearer " API, ACCESS_GRANTED},
    {"bearer " API, ACCESS_GRANTED},
    {"BEARER   " API, ACCESS_GRANTED},
    {NULL, ACCESS_UNKNOWN},
    {"", ACCESS_UNKNOWN},
    {"Bearer", ACCESS_UNKNOWN},
    {"Bearer ", ACCESS_UNKNOWN},
    {"Bearer Api-token-of-the-shop", ACCESS_UNKNOWN},
    {"Bearer api-token-of-the-sho", ACCESS_UNKNOWN},
    {"Bearer " API "s", ACCESS_UNKNOWN},
    {"Bearer " API " ", ACCESS_UNKNOWN},
    {"Bearer" API, ACCESS_UNKNOWN},
    {"Basic " API, ACCESS_UNKNOWN},
    {API, ACCESS_UNKNOWN},
};

START_TEST(token_must_match_exactly)
{
    ck_assert_msg(check(API, NULL, ACCESS_API, spellings[_i].authorization) == spellings[_i].status, "%s",
                  spellings[_i].authorization ? spellings[_i].authorization : "(none)");
}
END_TEST

static const struct {
    const char *api, *admin; /* as they are set */
    const char *authorization;
    enum access_status anyone, for_api, for_reading, for_admin;
} rights[] = {
    {NULL, NULL, NULL, ACCESS_GRANTED, ACCESS_GRANTED, ACCESS_GRANTED, ACCESS_OFF},
    {"", "", "Bearer ", ACCESS_GRANTED, ACCESS_GRANTED, ACCESS_GRANTED, ACCESS_OFF},
    {NULL, ADMIN, NULL, ACCESS_GRANTED, ACCESS_GRANTED, ACCESS_UNKNOWN, ACCESS_UNKNOWN},
    {NULL, ADMIN, "Bearer " ADMIN, ACCESS_GRANTED, ACCESS_GRANTED, ACCESS_GRANTED, ACCESS_GRANTED},
    {NULL, ADMIN, "Bearer " API, ACCESS_GRANTED, ACCESS_GRANTED, ACCESS_UNKNOWN, ACCESS_UNKNOWN},
    {API, NULL, NULL, ACCESS_GRANTED, ACCESS_UNKNOWN, ACCESS_GRANTED, ACCESS_OFF},
    {API, NULL, "Bearer " API, ACCESS_GRANTED, ACCESS_GRANTED, ACCESS_GRANTED, ACCESS_OFF},
    {API, ADMIN, NULL, ACCESS_GRANTED, ACCESS_UNKNOWN, ACCESS_UNKNOWN, ACCESS_UNKNOWN},
    {API, ADMIN, "Bearer " API, ACCESS_GRANTED, ACCESS_GRANTED, ACCESS_UNKNOWN, ACCESS_UNKNOWN},
    {API, ADMIN, "Bearer " ADMIN, ACCESS_GRANTED, ACCESS_GRANTED, ACCESS_GRANTED, ACCESS_GRANTED},
    {API, ADMIN, "Bearer neither-of-the-two", ACCESS_GRANTED, ACCESS_UNKNOWN, ACCESS_UNKNOWN, ACCESS_UNKNOWN},
};

START_TEST(each_token_grants_its_endpoints)
{
    const char *sent = rights[_i].authorization;

    ck_assert_int_eq(check(rights[_i].api, rights[_i].admin, ACCESS_ANYONE, sent), rights[_i].anyone);
    ck_assert_int_eq(check(rights[_i].api, rights[_i].admin, ACCESS_API, sent), rights[_i].for_api);
    ck_assert_int_eq(check(rights[_i].api, rights[_i].admin, ACCESS_ADMIN_READ, sent),
                     rights[_i].for_reading);
    ck_assert_int_eq(check(rights[_i].api, rights[_i].admin, ACCESS_ADMIN, sent), rights[_i].for_admin);
}
END_TEST

START_TEST(all_bytes_of_a_long_token_count)
{
    ck_assert_int_eq(check("0123456789012345678901234567890123456789", NULL, ACCESS_API,
                           "Bearer 0123456789012345678901234567890123456789"),
                     ACCESS_GRANTED);
    ck_assert_int_eq(check("0123456789012345678901234567890123456789", NULL, ACCESS_API,
                           "Bearer 0123456789012345678901234567890123456788"),
                     ACCESS_UNKNOWN);
}
END_TEST

START_TEST(page_of_another_site_is_refused_even_with_a_token)
{
    struct headers headers = {.authorization = field_of("Bearer " ADMIN),
                              .host = field_of("localhost:8000"),
                              .origin = field_of("https://evil.example")};
    struct access_tokens tokens;

    ck_assert(access_init(&tokens, API, ADMIN));
    ck_assert_int_eq(access_check(&tokens, ACCESS_API, &headers), ACCESS_FOREIGN);
    ck_assert_int_eq(access_check(&tokens, ACCESS_ADMIN, &headers), ACCESS_FOREIGN);
    ck_assert_int_eq(access_check(&tokens, ACCESS_ANYONE, &headers), ACCESS_GRANTED);
    ck_assert(access_init(&tokens, NULL, NULL));
    ck_assert_int_eq(access_check(&tokens, ACCESS_API, &headers), ACCESS_FOREIGN);
    ck_assert_int_eq(access_check(&tokens, ACCESS_ADMIN_READ, &headers), ACCESS_FOREIGN);
    ck_assert_int_eq(access_check(&tokens, ACCESS_ADMIN, &headers), ACCESS_FOREIGN);
}
END_TEST

START_TEST(denial_names_what_is_missing)
{
    static const struct field no_trace = {0};
    static const unsigned statuses[] = {[ACCESS_FOREIGN] = 403, [ACCESS_OFF] = 403, [ACCESS_UNKNOWN] = 401};

    for (enum access_status status = ACCESS_FOREIGN; status <= ACCESS_UNKNOWN; status++) {
        struct response response = access_denied(status, &no_trace, false);
        const char *challenge = MHD_get_response_header(response.response, "WWW-Authenticate");

        ck_assert_uint_eq(response.status, statuses[status]);
        ck_assert_msg((challenge != NULL) == (response.status == 401), "%u", response.status);
        MHD_destroy_response(response.response);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("access");
    TCase *tokens = tcase_create("tokens");

    tcase_add_loop_test(tokens, token_must_match_exactly, 0, ROWS(spellings));
    tcase_add_loop_test(tokens, each_token_grants_its_endpoints, 0, ROWS(rights));
    tcase_add_test(tokens, all_bytes_of_a_long_token_count);
    tcase_add_test(tokens, page_of_another_site_is_refused_even_with_a_token);
    tcase_add_test(tokens, denial_names_what_is_missing);
    suite_add_tcase(suite, tokens);
    return run_suite(suite);
}
