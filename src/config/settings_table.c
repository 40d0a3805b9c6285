#include "settings_table.h"

#include <inttypes.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "number.h"
#include "policy.h"
#include "refusal_log.h"

static const char *const log_levels[] = {
    [LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARN] = "warn", [LOG_ERROR] = "error"};
static const char *const log_formats[] = {
    [LOG_TEXT] = "text", [LOG_JSON] = "json", [LOG_FORMAT_AUTO] = "auto"};

static const char *const refusal_logs[] = {
    [REFUSALS_OFF] = "off", [REFUSALS_SUMMARY] = "summary", [REFUSALS_ALL] = "all"};
static const char *const client_displays[] = {
    [CLIENTS_ADDRESSES] = "addresses", [CLIENTS_PLAIN] = "plain", [CLIENTS_HASH] = "hash"};

static const char *const no_yes[] = {"no", "yes"};
static const char *const off_on[] = {"off", "on"};

#define WORDS(list)   .words = (list), .word_count = sizeof(list) / sizeof((list)[0])
#define HOST_ACCEPTED "a host name, an IPv4 or an IPv6 address"
#define FIELD(name)   .offset = offsetof(struct settings, name)

/* clang-format off */
const struct setting settings_table[SETTING_COUNT] = {
    [SETTING_STORE] = {
        "REDIS_URL", "--store", "URL", VALUE_STORE, FIELD(store),
        .accepted = "memory, redis://[USER:PASSWORD@]HOST[:PORT][/DB], rediss:// (TLS), unix:///PATH",
        .fallback = "redis://localhost:6379",
        .help = "where the counters live: `memory`, in this process alone; `redis://`, shared by all nodes; "
                "`rediss://`, the same over TLS; `unix://`, a Redis of this machine"},
    [SETTING_REDIS_HOST] = {
        "REDIS_HOST", "--redis-host", "HOST", VALUE_HOST, FIELD(redis_host),
        .accepted = HOST_ACCEPTED, .fallback = "localhost",
        .help = "the store's URL in parts, used if REDIS_URL is not set: the host"},
    [SETTING_REDIS_PORT] = {
        "REDIS_PORT", "--redis-port", "PORT", VALUE_NUMBER, FIELD(redis_port),
        .min = 1, .max = 65535, .fallback = "6379",
        .help = "in parts: the port"},
    [SETTING_REDIS_DB] = {
        "REDIS_DB", "--redis-db", "N", VALUE_NUMBER, FIELD(redis_db),
        .min = 0, .max = 65535, .fallback = "0",
        .help = "in parts: the database number"},
    [SETTING_REDIS_USERNAME] = {
        "REDIS_USERNAME", "--redis-username", "NAME", VALUE_TEXT, FIELD(redis_username),
        .accepted = "a name", .fallback = "",
        .help = "in parts: the user in Redis' ACL"},
    [SETTING_REDIS_PASSWORD] = {
        "REDIS_PASSWORD", "--redis-password", "SECRET", VALUE_SECRET, FIELD(redis_password),
        .accepted = "a password", .fallback = "",
        .help = "in parts: the password; every user of the machine can see a flag, but not a file"},
    [SETTING_REDIS_PASSWORD_FILE] = {
        "REDIS_PASSWORD_FILE", "--redis-password-file", "FILE", VALUE_TEXT, FIELD(redis_password_file),
        .accepted = "a file of 1 to 4096 bytes", .fallback = "",
        .help = "in parts: a file that holds the password, such as a Docker or systemd secret"},
    [SETTING_REDIS_TLS_CA_FILE] = {
        "REDIS_TLS_CA_FILE", "--redis-tls-ca-file", "FILE", VALUE_TEXT, FIELD(redis_tls_ca_file),
        .accepted = "a PEM file", .fallback = "",
        .help = "for rediss://: the certificate authorities trusted to sign the server's certificate; empty: the system's"},
    [SETTING_REDIS_TLS_CERT_FILE] = {
        "REDIS_TLS_CERT_FILE", "--redis-tls-cert-file", "FILE", VALUE_TEXT, FIELD(redis_tls_cert_file),
        .accepted = "a PEM file", .fallback = "",
        .help = "for rediss://: the client certificate, if Redis requires one"},
    [SETTING_REDIS_TLS_KEY_FILE] = {
        "REDIS_TLS_KEY_FILE", "--redis-tls-key-file", "FILE", VALUE_TEXT, FIELD(redis_tls_key_file),
        .accepted = "a PEM file", .fallback = "",
        .help = "for rediss://: the client certificate's key; empty: it is in the same file"},
    [SETTING_REDIS_TLS_SKIP_VERIFY] = {
        "REDIS_TLS_SKIP_VERIFY", "--redis-tls-skip-verify", "YES", VALUE_WORD, FIELD(redis_tls_skip_verify),
        WORDS(no_yes), .fallback = "no",
        .help = "`yes` accepts any server certificate, so a man in the middle can read the password and change the "
                "replies; for tests only"},
    [SETTING_REDIS_TIMEOUT_MS] = {
        "REDIS_TIMEOUT_MS", "--redis-timeout-ms", "MS", VALUE_NUMBER, FIELD(redis_timeout_ms),
        .min = 1, .max = 60000, .unit = "ms", .fallback = "100",
        .help = "how long a request waits for Redis before its rule's failure mode applies"},
    [SETTING_MEMORY_MAX_KEYS] = {
        "MEMORY_MAX_KEYS", "--memory-max-keys", "N", VALUE_NUMBER, FIELD(memory_max_keys),
        .min = 1000, .max = 1000000000, .unit = "keys", .fallback = "1000000",
        .help = "the size of the in-process table: one key for each client of each limit"},

    [SETTING_RULES] = {
        "RATE_LIMIT_RULES_PATH", "--rules", "FILE", VALUE_TEXT, FIELD(rules),
        .accepted = "the path of a file", .fallback = "rate_limits.json",
        .help = "the rules"},
    [SETTING_DEFAULT_LIMIT] = {
        "DEFAULT_LIMIT", "--default-limit", "N", VALUE_NUMBER, FIELD(default_limit),
        .min = 1, .max = 1000000000, .unit = "requests", .fallback = "100",
        .help = "the limit of window rules without one"},
    [SETTING_DEFAULT_WINDOW] = {
        "DEFAULT_WINDOW", "--default-window", "DURATION", VALUE_DURATION, FIELD(default_window_ms),
        .min = 1, .max = DURATION_MAX_US / US_PER_MS, .fallback = "60000",
        .help = "the window of window rules without one"},
    [SETTING_FAILURE_MODE] = {
        "FAILURE_MODE", "--failure-mode", "MODE", VALUE_WORD, FIELD(failure_mode),
        WORDS(failure_mode_words), .fallback = "closed",
        .help = "what happens when Redis is unavailable, for rules without `on_store_failure`: `closed` answers 503, "
                "`open` allows the request, `local` counts in this process"},

    [SETTING_LISTEN] = {
        "LISTEN", "--listen", "ADDRESS", VALUE_ADDRESS, FIELD(listen),
        .accepted = "HOST:PORT, [IPV6]:PORT, PORT (0 to 65535) or unix:/PATH", .fallback = "",
        .help = "where to listen: HOST and PORT in one, or `unix:/PATH`"},
    [SETTING_HOST] = {
        "HOST", "--host", "HOST", VALUE_HOST, FIELD(host),
        .accepted = HOST_ACCEPTED, .fallback = "0.0.0.0",
        .help = "the address to listen on"},
    [SETTING_PORT] = {
        "PORT", "--port", "PORT", VALUE_NUMBER, FIELD(port),
        .min = 0, .max = 65535, .fallback = "8000",
        .help = "the port to listen on; 0: any free port"},
    [SETTING_WORKERS] = {
        "WORKERS", "--workers", "N", VALUE_NUMBER, FIELD(workers),
        .min = 0, .max = 256, .fallback = "0",
        .help = "event loops, one thread each; 0: one per CPU"},
    [SETTING_TRUSTED_PROXIES] = {
        "TRUSTED_PROXIES", "--trusted-proxies", "NETWORKS", VALUE_TEXT, FIELD(trusted_proxies),
        .accepted = "addresses and networks separated by commas, private, or none", .fallback = "127.0.0.0/8,::1",
        .help = "networks whose X-Forwarded-For is trusted; `private`: the private ranges; `none`: no network"},
    [SETTING_MAX_CONNECTIONS] = {
        "MAX_CONNECTIONS", "--max-connections", "N", VALUE_NUMBER, FIELD(max_connections),
        .min = 1, .max = 1000000, .unit = "connections", .fallback = "10000",
        .help = "open connections over all workers; at the limit, the connections idle for longest are closed"},
    [SETTING_MAX_BODY_BYTES] = {
        "MAX_BODY_BYTES", "--max-body-bytes", "BYTES", VALUE_NUMBER, FIELD(max_body_bytes),
        .min = 0, .max = 16777216, .unit = "bytes", .fallback = "65536",
        .help = "the largest request body that is accepted; a larger one is answered 413"},
    [SETTING_HEADER_TIMEOUT_MS] = {
        "HEADER_TIMEOUT_MS", "--header-timeout-ms", "MS", VALUE_NUMBER, FIELD(header_timeout_ms),
        .min = 100, .max = 600000, .unit = "ms", .fallback = "10000",
        .help = "how long a client may take to send the request headers"},
    [SETTING_IDLE_TIMEOUT_MS] = {
        "IDLE_TIMEOUT_MS", "--idle-timeout-ms", "MS", VALUE_NUMBER, FIELD(idle_timeout_ms),
        .min = 1000, .max = 3600000, .unit = "ms", .fallback = "75000",
        .help = "how long a kept-alive connection may be idle"},

    [SETTING_ADMIN_LISTEN] = {
        "ADMIN_LISTEN", "--admin-listen", "ADDRESS", VALUE_ADDRESS, FIELD(admin_listen),
        .accepted = "HOST:PORT, [IPV6]:PORT, PORT (0 to 65535), unix:/PATH or off", .fallback = "127.0.0.1:8001",
        .help = "where the admin listener is; a PORT without a HOST is on 127.0.0.1; `off` disables it"},
    [SETTING_ADMIN_HOSTS] = {
        "ADMIN_HOSTS", "--admin-hosts", "NAMES", VALUE_HOSTS, FIELD(admin_hosts),
        .accepted = "host names separated by commas", .fallback = "",
        .help = "names by which the admin listener may be asked, beside `localhost`, that of ADMIN_LISTEN, and addresses"},

    [SETTING_METRICS_PUBLIC] = {
        "METRICS_PUBLIC", "--metrics-public", "ON", VALUE_WORD, FIELD(metrics_public),
        WORDS(off_on), .fallback = "off",
        .help = "`on`: the public listener answers `GET /metrics`, too, to everyone; the admin listener always does"},
    [SETTING_ANALYTICS] = {
        "ANALYTICS", "--analytics", "ON", VALUE_WORD, FIELD(analytics),
        WORDS(off_on), .fallback = "on",
        .help = "`on`: `GET /v1/analytics` tells which clients ask most, are refused most and cost most; `off` counts no "
                "clients"},

    [SETTING_API_TOKEN] = {
        "API_TOKEN", "--api-token", "SECRET", VALUE_SECRET, FIELD(api_token),
        .accepted = TOKEN_ACCEPTED, .fallback = "",
        .help = "the token that `POST /v1/check`, `/v1/check/batch` and `/json` require as `Authorization: Bearer TOKEN`; "
                "empty: every client may use them; every user of the machine can see a flag, but not a file"},
    [SETTING_API_TOKEN_FILE] = {
        "API_TOKEN_FILE", "--api-token-file", "FILE", VALUE_TEXT, FIELD(api_token_file),
        .accepted = TOKEN_FILE_ACCEPTED, .fallback = "",
        .help = "a file that holds the token, such as a Docker or systemd secret"},
    [SETTING_ADMIN_TOKEN] = {
        "ADMIN_TOKEN", "--admin-token", "SECRET", VALUE_SECRET, FIELD(admin_token),
        .accepted = TOKEN_ACCEPTED, .fallback = "",
        .help = "the token that the admin listener and `POST /v1/reset` require as `Authorization: Bearer TOKEN`; empty: "
                "the admin listener is open for reading, and refuses every change; accepted in place of API_TOKEN too; "
                "every user of the machine can see a flag, but not a file"},
    [SETTING_ADMIN_TOKEN_FILE] = {
        "ADMIN_TOKEN_FILE", "--admin-token-file", "FILE", VALUE_TEXT, FIELD(admin_token_file),
        .accepted = TOKEN_FILE_ACCEPTED, .fallback = "",
        .help = "a file that holds the token, such as a Docker or systemd secret"},

    [SETTING_LOG_LEVEL] = {
        "LOG_LEVEL", "--log-level", "LEVEL", VALUE_WORD, FIELD(log_level),
        WORDS(log_levels), .fallback = "info",
        .help = "the lowest level that is logged; `debug` adds each attempt to connect to Redis"},
    [SETTING_LOG_FORMAT] = {
        "LOG_FORMAT", "--log-format", "FORMAT", VALUE_WORD, FIELD(log_format),
        WORDS(log_formats), .fallback = "auto",
        .help = "`json` writes one object a line; `auto` is `text` on a terminal, else `json`"},
    [SETTING_LOG_REFUSALS] = {
        "LOG_REFUSALS", "--log-refusals", "HOW", VALUE_WORD, FIELD(log_refusals),
        WORDS(refusal_logs), .fallback = "summary",
        .help = "`summary`: a client's first refusal is a line, and further ones a sum a minute; `all`: each is a line, up "
                "to 1000 a second; see docs/logging.md"},
    [SETTING_LOG_CLIENTS] = {
        "LOG_CLIENTS", "--log-clients", "HOW", VALUE_WORD, FIELD(log_clients),
        WORDS(client_displays), .fallback = "addresses",
        .help = "clients in these lines: `addresses`, addresses as they are, and a hash of all else, which may be a "
                "secret; `plain`; `hash`, hashes alone"},
    [SETTING_LOG_CLIENTS_KEY] = {
        "LOG_CLIENTS_KEY", "--log-clients-key", "SECRET", VALUE_SECRET, FIELD(log_clients_key),
        .accepted = TOKEN_ACCEPTED, .fallback = "",
        .help = "the key of these hashes: with the same one, a client has the same hash on all nodes and after a restart; "
                "empty: each start has a random one; every user of the machine can see a flag, but not a file"},
    [SETTING_LOG_CLIENTS_KEY_FILE] = {
        "LOG_CLIENTS_KEY_FILE", "--log-clients-key-file", "FILE", VALUE_TEXT, FIELD(log_clients_key_file),
        .accepted = TOKEN_FILE_ACCEPTED, .fallback = "",
        .help = "a file that holds the key, such as a Docker or systemd secret"},
};

const struct settings_switch settings_switches[SETTINGS_SWITCH_COUNT] = {
    {"--check", NULL, NULL, SETTINGS_CHECK, "validate the settings and the rules, and tell what each rule does; serve nothing"},
    {"--explain", NULL, "REQUEST", SETTINGS_EXPLAIN,
        "tell which rule decides the request, whose quota it takes by which limits, and why not the rules above; with "
        "--store also what remains. " "REQUEST: " SETTINGS_EXPLAIN_ACCEPTED},
    {"--print-config", NULL, NULL, SETTINGS_PRINT, "print the settings as a .env, each with its source"},
    {"--version", "-V", NULL, SETTINGS_VERSION, "print the version"},
    {"--help", "-h", NULL, SETTINGS_HELP, "print this"},
    {"--help=markdown", NULL, NULL, SETTINGS_HELP_MARKDOWN, "print the table of docs/configuration.md"},
    {"--help=man", NULL, NULL, SETTINGS_HELP_MAN, "print the settings for the manual page"},
    {"--help=completion", NULL, NULL, SETTINGS_HELP_COMPLETION, "print the flags for shell completion"},
};

const struct settings_switch settings_words[SETTINGS_WORD_COUNT] = {
    {"healthcheck", NULL, NULL, SETTINGS_HEALTHCHECK,
        "exit 0 if the service that these settings describe is healthy, else 1"},
    {"top", NULL, "[URL]", SETTINGS_TOP,
        "show rules, clients, Redis and nodes of a running service, anew each second; to a file, once. URL: that of its "
        "admin listener, http://HOST[:PORT][/PREFIX] or unix:/PATH; else the one that these settings describe"},
};
/* clang-format on */

const char *
setting_group(enum setting_id id)
{
    switch (id) {
    case SETTING_STORE:
        return "Store";
    case SETTING_RULES:
        return "Rules";
    case SETTING_LISTEN:
        return "HTTP";
    case SETTING_LOG_LEVEL:
        return "Log";
    default:
        return NULL;
    }
}

static bool
is_word(const char *word, const char *text, size_t bytes)
{
    return strncmp(word, text, bytes) == 0 && word[bytes] == '\0';
}

enum setting_id
setting_by_flag(const char *text, size_t bytes)
{
    enum setting_id id = 0;

    while (id < SETTING_COUNT && !is_word(settings_table[id].flag, text, bytes))
        id++;
    return id;
}

enum setting_id
setting_by_name(const char *text, size_t bytes)
{
    enum setting_id id = 0;

    while (id < SETTING_COUNT && !is_word(settings_table[id].name, text, bytes))
        id++;
    return id;
}

struct setting_accepted
setting_accepted(enum setting_id id)
{
    const struct setting *setting = &settings_table[id];
    struct setting_accepted accepted;
    size_t used = 0;

    if (setting->type == VALUE_NUMBER) {
        snprintf(accepted.text, sizeof(accepted.text), "%" PRId64 " to %" PRId64 "%s%s", setting->min,
                 setting->max, setting->unit ? " " : "", setting->unit ? setting->unit : "");
    } else if (setting->type == VALUE_DURATION) {
        snprintf(accepted.text, sizeof(accepted.text),
                 "%" PRId64 " to %" PRId64 " (milliseconds), or with a unit: 500ms, 10s, 1m, 1h, 7d",
                 setting->min, setting->max);
    } else if (setting->type == VALUE_WORD) {
        for (size_t i = 0; i < setting->word_count; i++)
            used += (size_t)snprintf(accepted.text + used, sizeof(accepted.text) - used, "%s%s",
                                     i == 0 ? "" : ", ", setting->words[i]);
    } else {
        snprintf(accepted.text, sizeof(accepted.text), "%s", setting->accepted);
    }
    return accepted;
}
