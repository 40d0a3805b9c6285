/*
 * settings: tokens, passwords and the store's URL, and that none of them is shown.
 */
#include "settings_fixture.h"

/* The two tokens, which are read alike. */
static const struct token_settings {
    enum setting_id id;
    const char *name;
    size_t offset; /* of the field */
} token_settings[] = {
    {SETTING_API_TOKEN, "API_TOKEN", offsetof(struct settings, api_token)},
    {SETTING_ADMIN_TOKEN, "ADMIN_TOKEN", offsetof(struct settings, admin_token)},
};

/* NAME=value, or NAME_FILE=value. */
static void
give_token(const struct token_settings *token, const char *suffix, const char *value)
{
    char text[8192];

    snprintf(text, sizeof(text), "%s%s=%s", token->name, suffix, value);
    variable(text);
}

START_TEST(a_token_is_read_from_a_file)
{
    const struct token_settings *token = &token_settings[_i];
    char expected[256];

    write_file("secret", "w", "correct-horse-battery\r\n");
    give_token(token, "_FILE", "secret");
    read_well();
    ck_assert_str_eq(*(char **)((char *)&run.settings + token->offset), "correct-horse-battery");
    ck_assert_str_eq(run.settings.given[token->id].text, ""); /* what --print-config prints */
    forget();

    give_token(token, "", "correct-horse-battery");
    give_token(token, "_FILE", "secret");
    read_settings();
    snprintf(expected, sizeof(expected), "%s: given together with %s_FILE; accepted: one of the two\n",
             token->name, token->name);
    ck_assert_report(expected);
    forget();

    write_file("secret", "w", "\n");
    give_token(token, "_FILE", "secret");
    read_settings();
    snprintf(expected, sizeof(expected), "%s_FILE: \"secret\": empty; accepted: %s\n", token->name,
             TOKEN_FILE_ACCEPTED);
    ck_assert_report(expected);
}
END_TEST

#define SHORT_TOKEN "a token of fewer than 16 bytes"
#define ODD_TOKEN   "a token with a blank or a byte that is not visible ASCII"

static const struct {
    const char *token, *why; /* why NULL: taken */
} tokens[] = {
    {"0123456789abcdef", NULL},
    {"!~[]{}<>\"'\\,;:@/", NULL},
    {"0123456789abcde", SHORT_TOKEN},
    {"x", SHORT_TOKEN},
    {"correct horse battery", ODD_TOKEN},
    {" correct-horse-battery", ODD_TOKEN},
    {"correct-horse-battery ", ODD_TOKEN},
    {"correct-horse-battery\t", ODD_TOKEN},
    {"correct\nhorse-battery", ODD_TOKEN},
    {"correct-horse-batt\xc3\xa9ry", ODD_TOKEN},
    {"correct-horse-battery\x7f", ODD_TOKEN},
};

/* Given as a variable and in a file. The message has the reason and nothing of the token. */
START_TEST(short_or_invalid_tokens_are_refused)
{
    const char *why = tokens[_i].why;
    char expected[256];

    for (size_t i = 0; i < sizeof(token_settings) / sizeof(token_settings[0]); i++) {
        const struct token_settings *token = &token_settings[i];

        give_token(token, "", tokens[_i].token);
        read_settings();
        snprintf(expected, sizeof(expected), "%s: %s; accepted: %s\n", token->name, why, TOKEN_ACCEPTED);
        ck_assert_report(why ? expected : "");
        forget();

        write_file("secret", "w", tokens[_i].token);
        give_token(token, "_FILE", "secret");
        read_settings();
        snprintf(expected, sizeof(expected), "%s_FILE: \"secret\": %s; accepted: %s\n", token->name, why,
                 TOKEN_FILE_ACCEPTED);
        ck_assert_report(why ? expected : "");
        forget();
    }
}
END_TEST

START_TEST(a_token_has_at_most_4096_bytes)
{
    char token[4096 + 2];

    memset(token, 'x', sizeof(token) - 1);
    token[4096] = '\0';
    give_token(&token_settings[0], "", token);
    read_well();
    forget();
    token[4096] = 'x';
    token[4097] = '\0';
    give_token(&token_settings[0], "", token);
    read_settings();
    ck_assert_report("API_TOKEN: a token of more than 4096 bytes; accepted: " TOKEN_ACCEPTED "\n");
}
END_TEST

static const struct {
    const char *variables[5];
    const char *store;
} stores[] = {
    {{0}, "redis://localhost:6379"},
    {{"REDIS_URL=memory"}, "memory"},
    {{"REDIS_URL=rediss://u:p@h/1", "REDIS_HOST=other"}, "rediss://u:p@h/1"},
    {{"REDIS_HOST=redis_1.internal"}, "redis://redis_1.internal:6379/0"},
    {{"REDIS_HOST=10.0.0.1", "REDIS_PORT=1", "REDIS_DB=2"}, "redis://10.0.0.1:1/2"},
    {{"REDIS_HOST=::1"}, "redis://[::1]:6379/0"},
    {{"REDIS_PORT=7000"}, "redis://localhost:7000/0"},
    {{"REDIS_DB=65535"}, "redis://localhost:6379/65535"},
    {{"REDIS_USERNAME=me"}, "redis://me:@localhost:6379/0"},
    {{"REDIS_PASSWORD=p"}, "redis://:p@localhost:6379/0"},
    {{"REDIS_USERNAME=a b", "REDIS_PASSWORD=:/?#[]@%\x01\xc3\xa4-._~"},
     "redis://a%20b:%3A%2F%3F%23%5B%5D%40%25%01%C3%A4-._~@localhost:6379/0"},
};

START_TEST(the_url_is_composed_from_its_parts)
{
    for (int i = 0; i < 5 && stores[_i].variables[i]; i++)
        variable(stores[_i].variables[i]);
    read_well();
    ck_assert_str_eq(run.settings.store, stores[_i].store);
}
END_TEST

START_TEST(the_password_is_wiped_once_the_url_is_composed)
{
    variable("REDIS_PASSWORD=hunter2");
    read_well();
    ck_assert_str_eq(run.settings.store, "redis://:hunter2@localhost:6379/0");
    ck_assert_str_eq(run.settings.redis_password, "");
}
END_TEST

static const struct {
    const char *content; /* of the file */
    size_t bytes;
    const char *store, *report;
} password_files[] = {
    {"hunter2", 7, "redis://:hunter2@localhost:6379/0", ""},
    {"hunter2\n", 8, "redis://:hunter2@localhost:6379/0", ""},
    {"hunter2\r\n", 9, "redis://:hunter2@localhost:6379/0", ""},
    {" hunter2\n\n", 10, "redis://:%20hunter2%0A@localhost:6379/0", ""},
    {"", 0, NULL, "REDIS_PASSWORD_FILE: \"secret\": empty; accepted: a file of 1 to 4096 bytes\n"},
    {"\n", 1, NULL, "REDIS_PASSWORD_FILE: \"secret\": empty; accepted: a file of 1 to 4096 bytes\n"},
    {"hun\0ter2", 8, NULL,
     "REDIS_PASSWORD_FILE: \"secret\": holds a zero byte; accepted: a file of 1 to 4096 bytes\n"},
};

START_TEST(a_password_file_holds_only_the_password)
{
    FILE *file = fopen("secret", "w");

    fwrite(password_files[_i].content, 1, password_files[_i].bytes, file);
    fclose(file);
    variable("REDIS_PASSWORD_FILE=secret");
    read_settings();
    ck_assert_report(password_files[_i].report);
    if (password_files[_i].store)
        ck_assert_str_eq(run.settings.store, password_files[_i].store);
}
END_TEST

START_TEST(a_password_file_has_at_most_4_kb)
{
    char *text = malloc(4096 + 2);

    memset(text, 'a', 4096 + 1);
    text[4096] = '\0';
    write_file("secret", "w", text);
    variable("REDIS_PASSWORD_FILE=secret");
    read_well();
    ck_assert_uint_eq(strlen(run.settings.store), 4096 + strlen("redis://:@localhost:6379/0"));
    forget();

    text[4096] = 'a';
    text[4096 + 1] = '\0';
    write_file("secret", "w", text);
    variable("REDIS_PASSWORD_FILE=secret");
    read_settings();
    ck_assert_report("REDIS_PASSWORD_FILE: \"secret\": too large; accepted: a file of 1 to 4096 bytes\n");
    free(text);
}
END_TEST

START_TEST(an_unused_password_file_is_not_read)
{
    variable("REDIS_URL=memory");
    variable("REDIS_PASSWORD_FILE=no/such/file");
    read_well();
    ck_assert_str_eq(run.settings.store, "memory");
}
END_TEST

/* Where a secret may stand, well or ill placed. */
static const struct {
    const char *arguments[3], *variables[2], *dotenv;
} secrets[] = {
    {{"--redis-password=hunter2"}, {0}, NULL},
    {{"--redis-password", "hunter2"}, {0}, NULL},
    {{"--redis-password=hunter2", "--redis-password=hunter2"}, {0}, NULL},
    {{"--redis-password=hunter2", "--redis-password-file=secret"}, {0}, NULL},
    {{"--redis-pass=hunter2", "hunter2", "--port=x"}, {0}, NULL},
    {{"--redis-pass", "hunter2", "hunter2"}, {0}, NULL},
    {{"--check=hunter2", "--help=hunter2"}, {0}, NULL},
    {{"hunter2"}, {0}, NULL},
    {{"--store=redis://hunter2@h"}, {0}, NULL},
    {{"--store=ftp://u:hunter2@h"}, {0}, NULL},
    {{0}, {"REDIS_URL=redis://u:hunter2@h", "PORT=x"}, NULL},
    {{0}, {"REDIS_PASSWORD=hunter2"}, "PORT=x"},
    {{0}, {"REDIS_PASSWORD_FILE=secret"}, NULL},
    {{0}, {0}, "REDIS_PASSWORD=hunter2"},
    {{0}, {0}, "REDIS_PASSWORD='hunter2"},
    {{0}, {0}, "REDIS_PASSWORD=\"hunter2\"hunter2"},
    {{0}, {0}, "REDIS_PASSWORD hunter2"},
    {{0}, {0}, "hunter2=hunter2"},
};

START_TEST(no_secret_is_shown)
{
    char *shown;

    write_file("secret", "w", "hunter2");
    for (int i = 0; i < 3 && secrets[_i].arguments[i]; i++)
        argument(secrets[_i].arguments[i]);
    for (int i = 0; i < 2 && secrets[_i].variables[i]; i++)
        variable(secrets[_i].variables[i]);
    if (secrets[_i].dotenv)
        dotenv_line(secrets[_i].dotenv);
    read_settings();
    shown = report_text();
    ck_assert_msg(strstr(shown, "hunter2") == NULL, "%s", shown);
    free(shown);
    shown = printed();
    ck_assert_msg(strstr(shown, "hunter2") == NULL, "%s", shown);
    free(shown);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("settings_secrets");
    TCase *tests = tcase_create("settings_secrets");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, a_token_is_read_from_a_file, 0,
                        sizeof(token_settings) / sizeof(token_settings[0]));
    tcase_add_loop_test(tests, short_or_invalid_tokens_are_refused, 0, sizeof(tokens) / sizeof(tokens[0]));
    tcase_add_test(tests, a_token_has_at_most_4096_bytes);
    tcase_add_loop_test(tests, the_url_is_composed_from_its_parts, 0, ROWS(stores));
    tcase_add_test(tests, the_password_is_wiped_once_the_url_is_composed);
    tcase_add_loop_test(tests, a_password_file_holds_only_the_password, 0, ROWS(password_files));
    tcase_add_test(tests, a_password_file_has_at_most_4_kb);
    tcase_add_test(tests, an_unused_password_file_is_not_read);
    tcase_add_loop_test(tests, no_secret_is_shown, 0, ROWS(secrets));
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
