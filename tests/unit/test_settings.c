/*
 * Every test runs in a directory of its own, which is its working directory, so that `.env` is `.env` in messages too.
 */
#include <check.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "policy.h"
#include "settings.h"
#include "settings_table.h"

#define GIVEN_MAX 32

/* What is given to settings_read, and what comes of it. */
struct run {
    char *arguments[GIVEN_MAX];
    int argument_count; /* with the program's name */
    char *environment[GIVEN_MAX];
    int variable_count;

    struct settings settings;
    enum settings_command command;
    struct report report;
};

static struct run run;
static char directory[] = "/tmp/test_settings.XXXXXX";

static char *
copy_of(const char *text)
{
    char *copy = strdup(text);

    ck_assert_ptr_nonnull(copy);
    return copy;
}

static void
write_file(const char *path, const char *mode, const char *text)
{
    FILE *file = fopen(path, mode);

    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static void
argument(const char *text)
{
    ck_assert_int_lt(run.argument_count, GIVEN_MAX - 1);
    run.arguments[run.argument_count++] = copy_of(text);
}

static void
variable(const char *text)
{
    ck_assert_int_lt(run.variable_count, GIVEN_MAX - 1);
    run.environment[run.variable_count++] = copy_of(text);
}

static void
dotenv_line(const char *text)
{
    write_file(".env", "a", text);
    write_file(".env", "a", "\n");
}

static void
forget(void)
{
    settings_fini(&run.settings);
    report_fini(&run.report);
    for (int i = 0; i < GIVEN_MAX; i++) {
        free(run.arguments[i]);
        free(run.environment[i]);
    }
    unlink(".env");
    run = (struct run){0};
    argument("ratelimitd");
}

static void
set_up(void)
{
    ck_assert_ptr_nonnull(mkdtemp(directory));
    ck_assert_int_eq(chdir(directory), 0);
    argument("ratelimitd");
}

static void
tear_down(void)
{
    static const char *const files[] = {"one", "two", "three", "secret", ".env"};

    forget();
    free(run.arguments[0]);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        unlink(files[i]);
    rmdir(".env");
    rmdir(directory);
}

/* The report as one text; the caller frees it. */
static char *
report_text(void)
{
    char *text;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);

    report_print(&run.report, out, "");
    fclose(out);
    return text;
}

static void
read_settings(void)
{
    report_init(&run.report);
    settings_read(&run.settings, &run.command, run.argument_count, run.arguments, run.environment, ".env",
                  &run.report);
}

static void
read_well(void)
{
    read_settings();
    char *text = report_text();
    ck_assert_msg(report_is_empty(&run.report), "unexpected: %s", text);
    free(text);
}

static void
ck_assert_report(const char *expected)
{
    char *text = report_text();

    ck_assert_str_eq(text, expected);
    free(text);
}

static char *
printed(void)
{
    char *text;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);

    settings_print(&run.settings, out);
    fclose(out);
    return text;
}

/* ---- the sources ---- */

/* Three values that the setting accepts. */
static const char *
sample(enum setting_id id, int which)
{
    static const char *const numbers[] = {"1001", "1002", "1003"};
    static const char *const small_numbers[] = {"1", "2", "3"};
    static const char *const texts[] = {"one", "two", "three"};
    static const char *const secrets[] = {"the-first-secret", "the-second-secret", "the-third-secret"};
    static const char *const sockets[] = {"unix:/one", "unix:/two", "unix:/three"};
    static const char *const stores[] = {"redis://one", "memory", "unix:///three"};

    switch (settings_table[id].type) {
    case VALUE_NUMBER:
    case VALUE_DURATION:
        return settings_table[id].max < 1000 ? small_numbers[which] : numbers[which];
    case VALUE_WORD:
        return settings_table[id].words[(size_t)which % settings_table[id].word_count];
    case VALUE_ADDRESS:
        return sockets[which];
    case VALUE_SECRET:
        return secrets[which];
    case VALUE_STORE:
        return stores[which];
    default:
        return texts[which];
    }
}

/* The field's value as text. */
static const char *
field(enum setting_id id)
{
    static char text[32];
    const char *at = (const char *)&run.settings + settings_table[id].offset;
    int64_t number;
    const char *value;

    if (settings_table[id].type <= VALUE_WORD) {
        memcpy(&number, at, sizeof(number));
        snprintf(text, sizeof(text), "%" PRId64, number);
        return settings_table[id].type == VALUE_WORD ? settings_table[id].words[number] : text;
    }
    memcpy(&value, at, sizeof(value));
    return value;
}

/* Gives the setting by the sources in `mask` (1 the flag, 2 the environment, 4 .env), each with a value of its own. */
static void
give(enum setting_id id, int mask)
{
    char text[128];

    if (mask & 1) {
        argument(settings_table[id].flag);
        argument(sample(id, 0));
    }
    if (mask & 2) {
        snprintf(text, sizeof(text), "%s=%s", settings_table[id].name, sample(id, 1));
        variable(text);
    }
    if (mask & 4) {
        snprintf(text, sizeof(text), "%s=%s", settings_table[id].name, sample(id, 2));
        dotenv_line(text);
    }
}

START_TEST(the_strongest_source_wins)
{
    enum setting_id id = (enum setting_id)_i;
    const char *name = settings_table[id].name;

    write_file("one", "w", "a-token-of-a-file");
    write_file("two", "w", "a-token-of-a-file");
    write_file("three", "w", "a-token-of-a-file");
    for (int mask = 0; mask < 8; mask++) {
        const char *expected = mask & 1   ? sample(id, 0)
                               : mask & 2 ? sample(id, 1)
                               : mask & 4 ? sample(id, 2)
                                          : settings_table[id].fallback;
        /* LOG_FORMAT's third word and default is auto: settled to json, as standard error is no terminal here. */
        const char *settled = strcmp(expected, "auto") == 0 ? "json" : expected;

        give(id, mask);
        read_well();
        ck_assert_msg(strcmp(run.settings.given[id].text, expected) == 0 || id == SETTING_REDIS_PASSWORD,
                      "%s from sources %d: %s", name, mask, run.settings.given[id].text);
        if (id == SETTING_REDIS_PASSWORD) /* it is in the URL now */
            ck_assert_msg(mask == 0 || strstr(run.settings.store, expected), "%s from sources %d", name,
                          mask);
        else
            ck_assert_msg(strcmp(field(id), settled) == 0, "%s from sources %d: %s", name, mask, field(id));
        forget();
    }
}
END_TEST

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

START_TEST(a_token_may_stand_in_a_file)
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
START_TEST(a_token_is_long_and_fits_into_a_header)
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

START_TEST(a_token_is_no_longer_than_its_header_may_be)
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

START_TEST(a_flag_may_hold_its_value_behind_an_equals_sign)
{
    argument("--port=1234");
    argument("--redis-password=--a=b");
    read_well();
    ck_assert_int_eq(run.settings.port, 1234);
    ck_assert_str_eq(run.settings.store, "redis://:--a%3Db@localhost:6379/0");
}
END_TEST

START_TEST(a_letter_behind_a_flag_is_its_value)
{
    argument("--redis-password");
    argument("-h");
    read_well();
    ck_assert_int_eq(run.command, SETTINGS_SERVE);
    ck_assert_str_eq(run.settings.store, "redis://:-h@localhost:6379/0");
    forget();

    argument("--redis-password=x");
    argument("-h");
    read_well();
    ck_assert_int_eq(run.command, SETTINGS_HELP);
}
END_TEST

START_TEST(an_empty_variable_is_not_set)
{
    variable("PORT=");
    variable("REDIS_URL=");
    dotenv_line("PORT=9000");
    dotenv_line("WORKERS=");
    read_well();
    ck_assert_int_eq(run.settings.port, 9000);
    ck_assert_int_eq(run.settings.workers, 0);
    ck_assert_str_eq(run.settings.store, "redis://localhost:6379");
}
END_TEST

START_TEST(names_of_others_are_none_of_ours)
{
    variable("PORTS=x");
    variable("POR=x");
    variable("port=x");
    variable("POSTGRES_PASSWORD=x");
    variable("without an equals sign");
    dotenv_line("POSTGRES_PORT=x");
    read_well();
    ck_assert_int_eq(run.settings.port, 8000);
}
END_TEST

/* What is probably meant for us, and what is said of it; NULL: nothing. */
static const struct {
    const char *variable, *dotenv, *warning;
} unknowns[] = {
    {"REDIS_URI=redis://:hunter2@h", NULL,
     "REDIS_URI: no setting has this name, so it is ignored; did you mean REDIS_URL?"},
    {"redis_url=memory", NULL,
     "redis_url: no setting has this name, so it is ignored; did you mean REDIS_URL?"},
    {"REDIS_PASSWD=hunter2", NULL,
     "REDIS_PASSWD: no setting has this name, so it is ignored; did you mean REDIS_PASSWORD?"},
    {"REDIS_TIMEOUT=100", NULL,
     "REDIS_TIMEOUT: no setting has this name, so it is ignored; did you mean REDIS_TIMEOUT_MS?"},
    {"REDIS_CLUSTER=yes", NULL,
     "REDIS_CLUSTER: no setting has this name, so it is ignored; --help shows all settings"},
    {"REDIS_PASS=hunter2", NULL,
     "REDIS_PASS: no setting has this name, so it is ignored; did you mean REDIS_PASSWORD?"},
    {"REDIS_TLS=yes", NULL,
     "REDIS_TLS: no setting has this name, so it is ignored; did you mean REDIS_URL=rediss://HOST?"},
    {"TRUSTED_PROXY=private", NULL,
     "TRUSTED_PROXY: no setting has this name, so it is ignored; did you mean TRUSTED_PROXIES?"},
    {"TRUSTED_PROXIE=private", NULL,
     "TRUSTED_PROXIE: no setting has this name, so it is ignored; did you mean TRUSTED_PROXIES?"},
    {"LOGLEVEL=debug", NULL, NULL}, /* one word: Python programs have it */
    {NULL, "LOGLEVEL=debug",
     ".env:1: LOGLEVEL: no setting has this name, so it is ignored; did you mean LOG_LEVEL?"},
    {NULL, "PROT=80", ".env:1: PROT: no setting has this name, so it is ignored; did you mean PORT?"},
    {NULL, "REDIS_URI=memory",
     ".env:1: REDIS_URI: no setting has this name, so it is ignored; did you mean REDIS_URL?"},
    {NULL, "REDIS_MAXMEMORY=256mb", NULL}, /* docker-compose.yml's */
    {NULL, "RATE_LIMIT_RULES=rules.json", NULL},
    {NULL, "REDIS_URI=", NULL}, /* not set */
    {NULL, "POSTGRES_PORT=5432", NULL},
    {"PROT=80", NULL, NULL},
    {"HOSTNAME=h", NULL, NULL},
    {"CI_TOKEN=x", NULL, NULL},
    {"MEMORY=1", NULL, NULL},
    {"REDIS_VERSION=7.0.15", NULL, NULL},
    /* Kubernetes and Docker, for a service named redis and one named redis-db */
    {"REDIS_SERVICE_HOST=10.0.0.11", NULL, NULL},
    {"REDIS_SERVICE_PORT=6379", NULL, NULL},
    {"REDIS_SERVICE_PORT_REDIS=6379", NULL, NULL},
    {"REDIS_PORT_6379_TCP=tcp://10.0.0.11:6379", NULL, NULL},
    {"REDIS_PORT_6379_TCP_PROTO=tcp", NULL, NULL},
    {"REDIS_PORT_6379_TCP_PORT=6379", NULL, NULL},
    {"REDIS_PORT_6379_TCP_ADDR=10.0.0.11", NULL, NULL},
    {"REDIS_DB_PORT=tcp://10.0.0.12:6379", NULL, NULL},
    {"REDIS_DB_SERVICE_HOST=10.0.0.12", NULL, NULL},
    {"REDIS_NAME=/app/redis", NULL, NULL},
    {"REDIS_ENV_REDIS_VERSION=7.0.15", NULL, NULL},
};

START_TEST(a_name_that_is_nearly_a_setting_is_warned_of)
{
    const char *warning = unknowns[_i].warning;

    if (unknowns[_i].variable)
        variable(unknowns[_i].variable);
    if (unknowns[_i].dotenv)
        dotenv_line(unknowns[_i].dotenv);
    read_well();
    ck_assert_str_eq(run.settings.store, "redis://localhost:6379");
    ck_assert_msg(run.report.warning_count == (warning ? 1 : 0), "%s: %zu warnings",
                  unknowns[_i].variable ? unknowns[_i].variable : unknowns[_i].dotenv,
                  run.report.warning_count);
    if (warning)
        ck_assert_str_eq(run.report.warnings[0], warning);
}
END_TEST

/* What is given beside a store that has no use for it; NULL: it is used, or nobody is misled. */
static const struct {
    const char *store, *variable, *warning;
} unused[] = {
    {"REDIS_URL=redis://h", "REDIS_TLS_CA_FILE=ca.pem",
     "REDIS_TLS_CA_FILE: has no effect, and nothing is encrypted: the store is redis://; for TLS set "
     "REDIS_URL=rediss://..."},
    {"REDIS_HOST=h", "REDIS_TLS_KEY_FILE=key.pem",
     "REDIS_TLS_KEY_FILE: has no effect, and nothing is encrypted: the store is redis://; for TLS set "
     "REDIS_URL=rediss://..."},
    {"REDIS_URL=rediss://h", "REDIS_TLS_CA_FILE=ca.pem", NULL},
    {"REDIS_URL=memory", "REDIS_TLS_CA_FILE=ca.pem", NULL},
    {"REDIS_URL=unix:///redis.sock", "REDIS_TLS_CA_FILE=ca.pem", NULL},
    {"REDIS_URL=redis://h", "REDIS_PASSWORD=hunter2",
     "REDIS_PASSWORD: has no effect beside REDIS_URL; put user and password into that URL"},
    {"REDIS_URL=redis://h", "REDIS_PASSWORD_FILE=/run/secrets/redis",
     "REDIS_PASSWORD_FILE: has no effect beside REDIS_URL; put user and password into that URL"},
    {"REDIS_URL=redis://:hunter2@h", "REDIS_PASSWORD=hunter2", NULL},
    {"REDIS_URL=memory", "REDIS_PASSWORD=hunter2", NULL},
    {"REDIS_HOST=h", "REDIS_PASSWORD=hunter2", NULL},
};

START_TEST(a_setting_that_guards_nothing_beside_this_store_is_warned_of)
{
    const char *warning = unused[_i].warning;

    variable(unused[_i].store);
    variable(unused[_i].variable);
    read_well();
    ck_assert_msg(run.report.warning_count == (warning ? 1 : 0), "%s %s: %zu warnings", unused[_i].store,
                  unused[_i].variable, run.report.warning_count);
    if (warning)
        ck_assert_str_eq(run.report.warnings[0], warning);
}
END_TEST

START_TEST(of_two_lines_of_dotenv_the_later_counts)
{
    dotenv_line("PORT=1");
    dotenv_line("PORT=2");
    read_well();
    ck_assert_int_eq(run.settings.port, 2);
}
END_TEST

START_TEST(a_service_link_of_kubernetes_is_no_port)
{
    variable("REDIS_PORT=tcp://10.0.0.11:6379");
    read_well();
    ck_assert_str_eq(run.settings.store, "redis://localhost:6379");
    ck_assert_uint_eq(run.report.warning_count, 1);
    ck_assert_str_eq(
        run.report.warnings[0],
        "REDIS_PORT: \"tcp://10.0.0.11:6379\" is what Kubernetes sets for a service named redis, and is "
        "ignored; to use that Redis set REDIS_URL=redis://10.0.0.11:6379");
    forget();

    variable("REDIS_PORT=tcp://10.0.0.11:6379");
    variable("REDIS_HOST=redis");
    read_well();
    ck_assert_str_eq(run.settings.store, "redis://redis:6379/0");
    ck_assert_uint_eq(run.report.warning_count, 0);
}
END_TEST

static const struct {
    const char *variable;
    int64_t ms;
} windows[] = {
    {"DEFAULT_WINDOW=60000", 60000}, {"DEFAULT_WINDOW=500ms", 500},
    {"DEFAULT_WINDOW=10s", 10000},   {"DEFAULT_WINDOW=1m", 60000},
    {"DEFAULT_WINDOW=1h", 3600000},  {"DEFAULT_WINDOW=366d", INT64_C(31622400000)},
};

START_TEST(the_default_window_is_milliseconds_or_has_a_unit)
{
    variable(windows[_i].variable);
    read_well();
    ck_assert_int_eq(run.settings.default_window_ms, windows[_i].ms);
}
END_TEST

START_TEST(words_may_be_in_upper_case)
{
    variable("LOG_LEVEL=WARN");
    variable("FAILURE_MODE=Local");
    read_well();
    ck_assert_int_eq(run.settings.log_level, LOG_WARN);
    ck_assert_int_eq(run.settings.failure_mode, FAILURE_LOCAL);
}
END_TEST

START_TEST(a_dotenv_of_64_kb_is_read)
{
    char *text = malloc(65536 + 2);

    memset(text, '#', 65536 + 1);
    text[65536 + 1] = '\0';
    memcpy(text, "PORT=9\n", 7);
    text[65536] = '\0';
    write_file(".env", "w", text);
    read_well();
    ck_assert_int_eq(run.settings.port, 9);
    forget();

    text[65536] = '#';
    write_file(".env", "w", text);
    read_settings();
    ck_assert_report(".env: too large; accepted: up to 65536 bytes\n");
    free(text);
}
END_TEST

START_TEST(a_dotenv_that_cannot_be_read_is_a_mistake)
{
    ck_assert_int_eq(mkdir(".env", 0700), 0);
    read_settings();
    ck_assert_report(".env: cannot be read: Is a directory\n");
}
END_TEST

/* ---- where it listens ---- */

static const struct {
    const char *argument, *variables[2], *dotenv;
    const char *host;
    int64_t port;
    const char *listen;
} addresses[] = {
    {NULL, {0}, NULL, "0.0.0.0", 8000, ""},
    {"--listen=9000", {0}, NULL, "0.0.0.0", 9000, ""},
    {"--listen=0", {0}, NULL, "0.0.0.0", 0, ""},
    {"--listen=localhost:9000", {0}, NULL, "localhost", 9000, ""},
    {"--listen=127.0.0.1:65535", {0}, NULL, "127.0.0.1", 65535, ""},
    {"--listen=[::1]:9000", {0}, NULL, "::1", 9000, ""},
    {"--listen=unix:/run/a b.sock", {0}, NULL, "0.0.0.0", 8000, "unix:/run/a b.sock"},
    /* a port alone leaves the host to whoever gave it */
    {"--listen=9000", {"HOST=::"}, NULL, "::", 9000, ""},
    /* a stronger LISTEN, and one as strong, win over host and port */
    {"--listen=localhost:9000", {"HOST=a", "PORT=1"}, NULL, "localhost", 9000, ""},
    {NULL, {"LISTEN=b:2", "PORT=1"}, "HOST=a", "b", 2, ""},
    {"--listen=unix:/s", {"HOST=a", "PORT=1"}, NULL, "a", 1, "unix:/s"},
    /* a weaker LISTEN still gives the half that nobody else gives */
    {"--port=9000", {"LISTEN=127.0.0.1:1"}, NULL, "127.0.0.1", 9000, ""},
    {"--host=a", {0}, "LISTEN=127.0.0.1:1", "a", 1, ""},
    {"--port=9000", {"LISTEN=unix:/s"}, NULL, "0.0.0.0", 9000, ""},
};

START_TEST(listen_is_host_and_port_from_one_source)
{
    if (addresses[_i].argument)
        argument(addresses[_i].argument);
    for (int i = 0; i < 2 && addresses[_i].variables[i]; i++)
        variable(addresses[_i].variables[i]);
    if (addresses[_i].dotenv)
        dotenv_line(addresses[_i].dotenv);
    read_well();
    ck_assert_str_eq(run.settings.host, addresses[_i].host);
    ck_assert_int_eq(run.settings.port, addresses[_i].port);
    ck_assert_str_eq(run.settings.listen, addresses[_i].listen);
}
END_TEST

/* ---- the store's URL ---- */

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

START_TEST(the_url_is_composed_of_its_parts)
{
    for (int i = 0; i < 5 && stores[_i].variables[i]; i++)
        variable(stores[_i].variables[i]);
    read_well();
    ck_assert_str_eq(run.settings.store, stores[_i].store);
}
END_TEST

START_TEST(a_composed_url_leaves_no_password_behind)
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

START_TEST(a_password_file_holds_the_password_alone)
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

START_TEST(a_password_file_that_is_not_needed_is_not_read)
{
    variable("REDIS_URL=memory");
    variable("REDIS_PASSWORD_FILE=no/such/file");
    read_well();
    ck_assert_str_eq(run.settings.store, "memory");
}
END_TEST

/* ---- the command ---- */

static const struct {
    const char *arguments[3];
    enum settings_command command;
} commands[] = {
    {{0}, SETTINGS_SERVE},
    {{"--port", "1"}, SETTINGS_SERVE},
    {{"--check"}, SETTINGS_CHECK},
    {{"--port=1", "--print-config"}, SETTINGS_PRINT},
    {{"healthcheck"}, SETTINGS_HEALTHCHECK},
    {{"healthcheck", "--port=1"}, SETTINGS_HEALTHCHECK},
    {{"--version"}, SETTINGS_VERSION},
    {{"--help"}, SETTINGS_HELP},
    {{"--help=markdown"}, SETTINGS_HELP_MARKDOWN},
    /* an answer for those who ask, whatever else is wrong */
    {{"--port=x", "--frobnicate", "--help"}, SETTINGS_HELP},
    {{"--check", "--version"}, SETTINGS_VERSION},
};

START_TEST(the_command_is_found_on_the_command_line)
{
    for (int i = 0; i < 3 && commands[_i].arguments[i]; i++)
        argument(commands[_i].arguments[i]);
    read_well();
    ck_assert_int_eq((int)run.command, (int)commands[_i].command);
}
END_TEST

START_TEST(help_reads_nothing_else)
{
    argument("--help");
    variable("PORT=x");
    ck_assert_int_eq(mkdir(".env", 0700), 0);
    read_well();
}
END_TEST

/* ---- what is shown ---- */

START_TEST(print_config_names_value_and_source)
{
    argument("--port=9000");
    variable("REDIS_URL=redis://user:hunter2@host");
    dotenv_line("");
    dotenv_line("RATE_LIMIT_RULES_PATH='a b.json'");
    read_well();
    char *text = printed();
    ck_assert_ptr_nonnull(strstr(text, "REDIS_URL=redis://user:***@host                  # environment\n"));
    ck_assert_ptr_nonnull(strstr(text, "RATE_LIMIT_RULES_PATH=\"a b.json\"                 # .env:2\n"));
    ck_assert_ptr_nonnull(strstr(text, "\nPORT=9000                                        # flag\n"));
    ck_assert_ptr_nonnull(strstr(text, "\nWORKERS=0                                        # default\n"));
    ck_assert_ptr_nonnull(strstr(text, "\nREDIS_PASSWORD=                                  # not set\n"));
    free(text);
}
END_TEST

/* Settings from which the printed .env must lead to the same ones. */
static const char *const round_trips[][6] = {
    {NULL},
    {"--store=memory", "--rules=a b#c'd\"e\\f$g.json", "--log-format=JSON", "--trusted-proxies=private"},
    {"--listen=[::1]:9000", "--log-level=debug", "--workers=007"},
    {"--listen=unix:/run/r.sock", "--failure-mode=open"},
    {"--redis-host=::1", "--redis-port=1", "--redis-db=3", "--redis-username=a b"},
    {"--store=redis://host/3", "--redis-host=unused", "--max-body-bytes=0"},
};

START_TEST(print_config_read_back_gives_the_same_settings)
{
    char before[SETTING_COUNT][128];
    char *text;

    for (int i = 0; i < 6 && round_trips[_i][i]; i++)
        argument(round_trips[_i][i]);
    read_well();
    for (enum setting_id id = 0; id < SETTING_COUNT; id++)
        snprintf(before[id], sizeof(before[id]), "%s", field(id));
    text = printed();
    forget();

    write_file(".env", "w", text);
    read_well();
    for (enum setting_id id = 0; id < SETTING_COUNT; id++)
        ck_assert_msg(strcmp(field(id), before[id]) == 0, "%s was %s and came back as %s from\n%s",
                      settings_table[id].name, before[id], field(id), text);
    free(text);
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

START_TEST(help_names_every_setting_within_100_columns)
{
    char *text;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);

    settings_help(out);
    fclose(out);
    for (enum setting_id id = 0; id < SETTING_COUNT; id++) {
        ck_assert_msg(strstr(text, settings_table[id].flag), "%s", settings_table[id].flag);
        ck_assert_msg(strstr(text, settings_table[id].name), "%s", settings_table[id].name);
    }
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        ck_assert_msg(strlen(line) <= 100, "%s", line);
    free(text);
}
END_TEST

START_TEST(the_documented_table_is_the_one_of_the_source)
{
    static const char begin[] = "<!-- settings: made by ratelimitd --help=markdown -->\n",
                      end[] = "<!-- end of settings -->";
    FILE *file = fopen(TEST_DATA "/../../docs/configuration.md", "r");
    char *text, *table;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);

    ck_assert_ptr_nonnull(file);
    for (int byte; (byte = getc(file)) != EOF;)
        fputc(byte, out);
    fclose(file);
    fclose(out);
    char *from = strstr(text, begin);
    ck_assert_ptr_nonnull(from);
    from += strlen(begin);
    char *to = strstr(from, end);
    ck_assert_ptr_nonnull(to);
    *to = '\0';

    out = open_memstream(&table, &bytes);
    settings_help_markdown(out);
    fclose(out);
    ck_assert_str_eq(from, table);
    free(table);
    free(text);
}
END_TEST

/* ---- mistakes: tests/data/settings/mistakes.txt ---- */

#define MISTAKES TEST_DATA "/settings/mistakes.txt"

/* Opens the file at the first line of the case with this number, or at its end; returns how many there are. */
static int
seek_case(FILE *file, int number)
{
    char line[1024];
    long start = -1;
    int count = 0;

    while (fgets(line, sizeof(line), file)) {
        if (strchr("# \n", line[0]))
            continue;
        if (count++ == number)
            start = ftell(file) - (long)strlen(line);
    }
    if (start >= 0)
        fseek(file, start, SEEK_SET);
    return count;
}

START_TEST(mistakes_are_reported_word_for_word)
{
    FILE *file = fopen(MISTAKES, "r");
    char name[1024], line[1024];
    char *expected, *reported;
    size_t bytes;
    FILE *says = open_memstream(&expected, &bytes);

    ck_assert_ptr_nonnull(file);
    seek_case(file, _i);
    ck_assert_ptr_nonnull(fgets(name, sizeof(name), file));
    while (fgets(line, sizeof(line), file) && line[0] == ' ') {
        char *value = line + 12;

        ck_assert_uint_gt(strlen(line), 12);
        line[strlen(line) - 1] = '\0';
        if (strncmp(line, "    arg     ", 12) == 0)
            argument(value);
        else if (strncmp(line, "    env     ", 12) == 0)
            variable(value);
        else if (strncmp(line, "    dotenv  ", 12) == 0)
            dotenv_line(value);
        else if (strncmp(line, "    says    ", 12) == 0)
            fprintf(says, "%s\n", value);
        else
            ck_abort_msg("%s: neither arg nor env, dotenv or says: %s", MISTAKES, line);
    }
    fclose(file);
    fclose(says);
    read_settings();
    reported = report_text();
    ck_assert_msg(bytes > 0 && strcmp(reported, expected) == 0, "%sreported\n%sinstead of\n%s", name,
                  reported, expected);
    free(reported);
    free(expected);
}
END_TEST

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

static Suite *
settings_suite(void)
{
    Suite *suite = suite_create("settings");
    TCase *reading = tcase_create("reading"), *showing = tcase_create("showing"),
          *mistakes = tcase_create("mistakes");
    FILE *file = fopen(MISTAKES, "r");
    int cases;

    if (file == NULL) {
        perror(MISTAKES);
        exit(EXIT_FAILURE);
    }
    cases = seek_case(file, -1);
    fclose(file);
    tcase_add_loop_test(reading, the_strongest_source_wins, 0, SETTING_COUNT);
    tcase_add_loop_test(reading, a_token_may_stand_in_a_file, 0,
                        sizeof(token_settings) / sizeof(token_settings[0]));
    tcase_add_loop_test(reading, a_token_is_long_and_fits_into_a_header, 0,
                        sizeof(tokens) / sizeof(tokens[0]));
    tcase_add_test(reading, a_token_is_no_longer_than_its_header_may_be);
    tcase_add_test(reading, a_flag_may_hold_its_value_behind_an_equals_sign);
    tcase_add_test(reading, a_letter_behind_a_flag_is_its_value);
    tcase_add_test(reading, an_empty_variable_is_not_set);
    tcase_add_test(reading, names_of_others_are_none_of_ours);
    tcase_add_loop_test(reading, a_name_that_is_nearly_a_setting_is_warned_of, 0, ROWS(unknowns));
    tcase_add_loop_test(reading, a_setting_that_guards_nothing_beside_this_store_is_warned_of, 0,
                        ROWS(unused));
    tcase_add_test(reading, of_two_lines_of_dotenv_the_later_counts);
    tcase_add_test(reading, a_service_link_of_kubernetes_is_no_port);
    tcase_add_loop_test(reading, the_default_window_is_milliseconds_or_has_a_unit, 0, ROWS(windows));
    tcase_add_test(reading, words_may_be_in_upper_case);
    tcase_add_test(reading, a_dotenv_of_64_kb_is_read);
    tcase_add_test(reading, a_dotenv_that_cannot_be_read_is_a_mistake);
    tcase_add_loop_test(reading, listen_is_host_and_port_from_one_source, 0, ROWS(addresses));
    tcase_add_loop_test(reading, the_url_is_composed_of_its_parts, 0, ROWS(stores));
    tcase_add_test(reading, a_composed_url_leaves_no_password_behind);
    tcase_add_loop_test(reading, a_password_file_holds_the_password_alone, 0, ROWS(password_files));
    tcase_add_test(reading, a_password_file_has_at_most_4_kb);
    tcase_add_test(reading, a_password_file_that_is_not_needed_is_not_read);
    tcase_add_loop_test(reading, the_command_is_found_on_the_command_line, 0, ROWS(commands));
    tcase_add_test(reading, help_reads_nothing_else);

    tcase_add_test(showing, print_config_names_value_and_source);
    tcase_add_loop_test(showing, print_config_read_back_gives_the_same_settings, 0, ROWS(round_trips));
    tcase_add_loop_test(showing, no_secret_is_shown, 0, ROWS(secrets));
    tcase_add_test(showing, help_names_every_setting_within_100_columns);
    tcase_add_test(showing, the_documented_table_is_the_one_of_the_source);

    tcase_add_loop_test(mistakes, mistakes_are_reported_word_for_word, 0, cases);

    tcase_add_checked_fixture(reading, set_up, tear_down);
    tcase_add_checked_fixture(showing, set_up, tear_down);
    tcase_add_checked_fixture(mistakes, set_up, tear_down);
    suite_add_tcase(suite, reading);
    suite_add_tcase(suite, showing);
    suite_add_tcase(suite, mistakes);
    return suite;
}

int
main(void)
{
    SRunner *runner = srunner_create(settings_suite());
    int failed;

    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
