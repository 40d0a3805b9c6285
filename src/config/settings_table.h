/*
 * settings_table: one row for each setting. Private to src/config.
 */
#ifndef SETTINGS_TABLE_H
#define SETTINGS_TABLE_H

#include <stddef.h>

#include "settings.h"

/* How the text becomes a value. The first three are int64_t in struct settings, the others char *. */
enum setting_type {
    VALUE_NUMBER,
    VALUE_DURATION, /* in milliseconds; as text a bare number of them, or a number and its unit */
    VALUE_WORD,     /* one of `words`; the value is its index */
    VALUE_TEXT,     /* anything without control bytes */
    VALUE_SECRET,   /* anything; never shown */
    VALUE_HOST,     /* a host name or an address */
    VALUE_HOSTS,    /* host names and addresses, separated by commas */
    VALUE_ADDRESS,  /* where to listen: split into host and port */
    VALUE_STORE,    /* the store's URL, which may hold a password */
};

struct setting {
    const char *name; /* in the environment and in .env */
    const char *flag;
    const char *placeholder; /* what --help calls the value */
    enum setting_type type;
    size_t offset;            /* of the field in struct settings */
    int64_t min, max;         /* VALUE_NUMBER; VALUE_DURATION: of a bare number */
    const char *unit;         /* VALUE_NUMBER: may be NULL */
    const char *const *words; /* VALUE_WORD */
    size_t word_count;
    const char *accepted; /* the other types */
    const char *fallback; /* the default, as text; "": none */
    const char *help;
};

extern const struct setting settings_table[SETTING_COUNT];

/* A command other than serving: a flag or a word, without a value unless it has a placeholder. */
struct settings_switch {
    const char *flag;
    const char *letter;      /* its short form; NULL: none */
    const char *placeholder; /* what --help calls its value; NULL: it takes none */
    enum settings_command command;
    const char *help;
};

#define SETTINGS_SWITCH_COUNT 8
extern const struct settings_switch settings_switches[SETTINGS_SWITCH_COUNT];

/* The commands that are words, the first argument; a value follows as an argument of its own. */
#define SETTINGS_WORD_COUNT 2
extern const struct settings_switch settings_words[SETTINGS_WORD_COUNT];

/* The title above the rows that begin with `id`, or NULL within a group. */
const char *setting_group(enum setting_id id);

/* The row whose flag or name is the first `bytes` bytes of `text`; SETTING_COUNT: none. */
enum setting_id setting_by_flag(const char *text, size_t bytes);
enum setting_id setting_by_name(const char *text, size_t bytes);

/* What the setting accepts, as diagnostics and --help say it: "0 to 65535", "closed, open, local". */
struct setting_accepted {
    char text[160];
};
struct setting_accepted setting_accepted(enum setting_id id);

/* What API_TOKEN, ADMIN_TOKEN and LOG_CLIENTS_KEY accept, and their files. */
#define TOKEN_ACCEPTED      "16 to 4096 visible ASCII characters, such as openssl rand -hex 32 makes"
#define TOKEN_FILE_ACCEPTED "a file that holds 16 to 4096 visible ASCII characters"

/* The default of LOG_FORMAT, after the values of enum log_format. */
#define LOG_FORMAT_AUTO 2

#endif
