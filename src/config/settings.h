/*
 * settings: the operator's choices: from flags, else the environment, else `.env`, else the defaults.
 *
 * One table in settings_table.c declares every setting: its name in the environment, its flag, type, range,
 * unit, default and help. Flags, environment, --help, --print-config and the table of docs/configuration.md
 * all come from it. Read once, before the first thread; then immutable.
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "report.h"

/* The rows of the table, in the order in which they are shown. */
enum setting_id {
    SETTING_STORE,
    SETTING_REDIS_HOST,
    SETTING_REDIS_PORT,
    SETTING_REDIS_DB,
    SETTING_REDIS_USERNAME,
    SETTING_REDIS_PASSWORD,
    SETTING_REDIS_PASSWORD_FILE,
    SETTING_REDIS_TLS_CA_FILE,
    SETTING_REDIS_TLS_CERT_FILE,
    SETTING_REDIS_TLS_KEY_FILE,
    SETTING_REDIS_TLS_SKIP_VERIFY,
    SETTING_REDIS_TIMEOUT_MS,
    SETTING_MEMORY_MAX_KEYS,
    SETTING_RULES,
    SETTING_DEFAULT_LIMIT,
    SETTING_DEFAULT_WINDOW,
    SETTING_FAILURE_MODE,
    SETTING_LISTEN,
    SETTING_HOST,
    SETTING_PORT,
    SETTING_WORKERS,
    SETTING_TRUSTED_PROXIES,
    SETTING_MAX_CONNECTIONS,
    SETTING_MAX_BODY_BYTES,
    SETTING_HEADER_TIMEOUT_MS,
    SETTING_IDLE_TIMEOUT_MS,
    SETTING_ADMIN_LISTEN,
    SETTING_ADMIN_HOSTS,
    SETTING_METRICS_PUBLIC,
    SETTING_ANALYTICS,
    SETTING_API_TOKEN,
    SETTING_API_TOKEN_FILE,
    SETTING_ADMIN_TOKEN,
    SETTING_ADMIN_TOKEN_FILE,
    SETTING_LOG_LEVEL,
    SETTING_LOG_FORMAT,
    SETTING_LOG_REFUSALS,
    SETTING_LOG_CLIENTS,
    SETTING_LOG_CLIENTS_KEY,
    SETTING_LOG_CLIENTS_KEY_FILE,
    SETTING_COUNT
};

/* Weakest first: of several sources the strongest wins. */
enum setting_source { FROM_DEFAULT, FROM_DOTENV, FROM_ENVIRONMENT, FROM_FLAG };

/* A setting as text, before it was converted. */
struct setting_given {
    enum setting_source source;
    enum setting_id name; /* by which it was given: HOST and PORT may come from LISTEN */
    unsigned line;        /* FROM_DOTENV: its line in the file */
    char *text;           /* owned; wiped before it is freed */
};

struct settings {
    /* Where the counters live. `store` is a URL, composed from the parts if REDIS_URL is not set. It may hold
       a password, so only settings_print prints it, redacted. Connections use `store`, not the parts. The
       password in parts is wiped as soon as `store` holds it. */
    char *store;
    char *redis_host;
    int64_t redis_port;
    int64_t redis_db;
    char *redis_username;
    char *redis_password;
    char *redis_password_file;
    char *redis_tls_ca_file;
    char *redis_tls_cert_file;
    char *redis_tls_key_file;
    int64_t redis_tls_skip_verify; /* 0, 1 */
    int64_t redis_timeout_ms;

    char *rules;
    int64_t default_limit; /* requests */
    int64_t default_window_ms;
    int64_t failure_mode; /* enum failure_mode */

    char *host;   /* a name or an address, an IPv6 one without brackets */
    int64_t port; /* 0: any free one */
    char *listen; /* "unix:/path", or "": host and port */
    int64_t workers;
    char *trusted_proxies;
    int64_t max_connections;
    int64_t max_body_bytes;
    int64_t header_timeout_ms;
    int64_t idle_timeout_ms;
    char *admin_listen;     /* "off", "unix:/path", or else: admin_host and admin_port */
    const char *admin_host; /* as host */
    int64_t admin_port;
    char *admin_hosts;      /* names, separated by commas */
    int64_t metrics_public; /* 0, 1 */
    int64_t analytics;      /* 0, 1 */
    char *api_token;        /* "": none; may come from api_token_file; the same for admin_token */
    char *api_token_file;
    char *admin_token;
    char *admin_token_file;

    int64_t memory_max_keys;

    int64_t log_level;     /* enum log_level */
    int64_t log_format;    /* enum log_format; "auto" is settled by settings_read: text on a terminal */
    int64_t log_refusals;  /* enum refusal_log_mode */
    int64_t log_clients;   /* enum client_display */
    char *log_clients_key; /* as api_token */
    char *log_clients_key_file;

    const char *explain; /* SETTINGS_EXPLAIN: the request, as an argument of the command line */
    const char *top_url; /* SETTINGS_TOP: of the service, likewise; NULL: that of these settings */

    /* Private to src/config: what the fields above were made from. The text fields point into `given`. */
    struct setting_given given[SETTING_COUNT];
    const char *redis_port_link; /* a REDIS_PORT that Kubernetes set, in the environment; NULL: none */
    bool store_composed;         /* `store` was made from the parts */
    char *file_tokens[3]; /* what the files of tokens and of the key held; wiped before they are freed */
    char *admin_address;  /* what admin_host points into */
    char *dotenv;         /* the path of the .env file */
};

/* What --explain accepts. */
#define SETTINGS_EXPLAIN_ACCEPTED \
    "[METHOD] PATH [NAME=VALUE]... [from ADDRESS], such as \"GET /api/data X-API-Key=k from 203.0.113.9\""

/* The command on the command line. From SETTINGS_VERSION on, commands print a text that needs no settings. */
enum settings_command {
    SETTINGS_SERVE,
    SETTINGS_CHECK,
    SETTINGS_PRINT,
    SETTINGS_HEALTHCHECK,
    SETTINGS_TOP,
    SETTINGS_EXPLAIN,
    SETTINGS_VERSION,
    SETTINGS_HELP,
    SETTINGS_HELP_MARKDOWN,   /* --help=markdown: the table of docs/configuration.md */
    SETTINGS_HELP_MAN,        /* --help=man: the settings of ratelimitd(8) */
    SETTINGS_HELP_COMPLETION, /* --help=completion: what a shell's completion reads */
};

/* Reads everything. Each error adds a line to `report` that names the setting as it was given (flag,
   variable, or .env and its line), the value and what is accepted; a secret's value is never shown. If the
   report is empty, the settings are complete. A name that was probably meant to be a setting is a warning.
   `environment` is like environ; `dotenv` is the path of the .env file, which need not exist. For --version
   and --help it reads only the command line and reports nothing. */
void settings_read(struct settings *settings, enum settings_command *command, int argc, char **argv,
                   char **environment, const char *dotenv, struct report *report);

/* Wipes and frees. Call it also when settings_read reported errors. */
void settings_fini(struct settings *settings);

/* Where the setting was given, as diagnostics name it: "--port", "PORT", ".env:12: PORT"; for a default, both
   of its names: "--port or PORT". */
struct setting_place {
    char text[256];
};
struct setting_place settings_place(const struct settings *settings, enum setting_id id);

/* Whether a flag gave it. */
bool settings_is_flag(const struct settings *settings, enum setting_id id);

/* Reports an error that only a later layer can see, such as an invalid network in TRUSTED_PROXIES:
       PLACE: "VALUE": WHY; accepted: ...                                                                       */
void settings_diagnostic(const struct settings *settings, enum setting_id id, struct report *report,
                         const char *why);

/* NAME=value lines, each with its source in a comment; secrets as "***". Read back as a .env it gives the
   same settings, except for secrets. */
void settings_print(const struct settings *settings, FILE *out);

void settings_help(FILE *out);

/* The table in other formats: */
void settings_help_markdown(FILE *out);   /* docs/configuration.md */
void settings_help_man(FILE *out);        /* the manual page, in mdoc(7) */
void settings_help_completion(FILE *out); /* shells; one flag a line: FLAG [VALUE [WORD...]] */

#endif
