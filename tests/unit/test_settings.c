/*
 * settings: the sources and which of them wins; where the service listens; the command.
 */
#include <sys/stat.h>

#include "log.h"
#include "policy.h"
#include "settings_fixture.h"

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

/* Gives the setting by the sources in `mask` (1 the flag, 2 the environment, 4 .env), each with a value of
   its own. */
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
        /* LOG_FORMAT's third word and default is auto: settled to json, as standard error is no terminal
           here. */
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

START_TEST(a_flag_takes_its_value_after_an_equals_sign)
{
    argument("--port=1234");
    argument("--redis-password=--a=b");
    read_well();
    ck_assert_int_eq(run.settings.port, 1234);
    ck_assert_str_eq(run.settings.store, "redis://:--a%3Db@localhost:6379/0");
}
END_TEST

START_TEST(a_short_flag_after_a_flag_is_its_value)
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

START_TEST(other_programs_variables_are_ignored)
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

START_TEST(a_name_similar_to_a_setting_gets_a_warning)
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
     "REDIS_PASSWORD: has no effect with REDIS_URL; put the user and password into that URL"},
    {"REDIS_URL=redis://h", "REDIS_PASSWORD_FILE=/run/secrets/redis",
     "REDIS_PASSWORD_FILE: has no effect with REDIS_URL; put the user and password into that URL"},
    {"REDIS_URL=redis://:hunter2@h", "REDIS_PASSWORD=hunter2", NULL},
    {"REDIS_URL=memory", "REDIS_PASSWORD=hunter2", NULL},
    {"REDIS_HOST=h", "REDIS_PASSWORD=hunter2", NULL},
};

START_TEST(a_setting_without_effect_on_this_store_gets_a_warning)
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

START_TEST(a_kubernetes_service_link_is_not_a_port)
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

START_TEST(an_unreadable_dotenv_is_an_error)
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

static const struct {
    const char *text; /* NULL: not given */
    const char *host; /* NULL: no TCP */
    int64_t port;
} admin_addresses[] = {
    {NULL, "127.0.0.1", 8001},
    {"9001", "127.0.0.1", 9001},
    {"0", "127.0.0.1", 0},
    {"0.0.0.0:9001", "0.0.0.0", 9001},
    {"[::1]:9001", "::1", 9001},
    {"admin.internal:9001", "admin.internal", 9001},
    {"unix:/run/admin.sock", NULL, 0},
    {"off", NULL, 0},
};

START_TEST(admin_listener_is_a_listener_of_its_own)
{
    const char *text = admin_addresses[_i].text;

    argument("--listen=localhost:9000");
    if (text) {
        argument("--admin-listen");
        argument(text);
    }
    read_well();
    ck_assert_str_eq(run.settings.admin_listen, text ? text : "127.0.0.1:8001");
    ck_assert_pstr_eq(run.settings.admin_host, admin_addresses[_i].host);
    ck_assert_int_eq(run.settings.admin_port, admin_addresses[_i].port);
    ck_assert_str_eq(run.settings.host, "localhost");
    ck_assert_int_eq(run.settings.port, 9000);
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
    {{"--explain", "GET /"}, SETTINGS_EXPLAIN},
    {{"--explain=GET /?a=b", "--port=1"}, SETTINGS_EXPLAIN},
    {{"--explain", "--help"}, SETTINGS_HELP},
    {{"--port=1", "--print-config"}, SETTINGS_PRINT},
    {{"healthcheck"}, SETTINGS_HEALTHCHECK},
    {{"healthcheck", "--port=1"}, SETTINGS_HEALTHCHECK},
    {{"top"}, SETTINGS_TOP},
    {{"top", "--port=1"}, SETTINGS_TOP},
    {{"top", "http://localhost", "--port=1"}, SETTINGS_TOP},
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

int
main(void)
{
    Suite *suite = suite_create("settings");
    TCase *tests = tcase_create("settings");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, the_strongest_source_wins, 0, SETTING_COUNT);
    tcase_add_test(tests, a_flag_takes_its_value_after_an_equals_sign);
    tcase_add_test(tests, a_short_flag_after_a_flag_is_its_value);
    tcase_add_test(tests, an_empty_variable_is_not_set);
    tcase_add_test(tests, other_programs_variables_are_ignored);
    tcase_add_loop_test(tests, a_name_similar_to_a_setting_gets_a_warning, 0, ROWS(unknowns));
    tcase_add_loop_test(tests, a_setting_without_effect_on_this_store_gets_a_warning, 0, ROWS(unused));
    tcase_add_test(tests, of_two_lines_of_dotenv_the_later_counts);
    tcase_add_test(tests, a_kubernetes_service_link_is_not_a_port);
    tcase_add_loop_test(tests, the_default_window_is_milliseconds_or_has_a_unit, 0, ROWS(windows));
    tcase_add_test(tests, words_may_be_in_upper_case);
    tcase_add_test(tests, a_dotenv_of_64_kb_is_read);
    tcase_add_test(tests, an_unreadable_dotenv_is_an_error);
    tcase_add_loop_test(tests, listen_is_host_and_port_from_one_source, 0, ROWS(addresses));
    tcase_add_loop_test(tests, admin_listener_is_a_listener_of_its_own, 0, ROWS(admin_addresses));
    tcase_add_loop_test(tests, the_command_is_found_on_the_command_line, 0, ROWS(commands));
    tcase_add_test(tests, help_reads_nothing_else);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
