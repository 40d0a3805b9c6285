/*
 * redis_error: the error replies of Redis: what each means, what the store does, and what the operator should
 * do.
 *
 * Redis 7 and later put the code first, in a script and outside; Redis 6 and earlier wrap the error of a
 * command in a script: "ERR Error running script (call to f_...): @user_script:1: @user_script: 12: -READONLY
 * You can't write ...". So a code counts at the start of the text or after a "-".
 *
 * The text after the code is never shown: Redis echoes arguments there, so it may hold a password (where
 * rename-command has removed AUTH) or clients' keys. Pure.
 */
#ifndef REDIS_ERROR_H
#define REDIS_ERROR_H

#include <stddef.h>

enum redis_reaction {
    REACT_SEND_SCRIPT, /* the command did not run: send it with the script's text */
    REACT_DEGRADE,     /* the failure mode decides this batch; the next one is sent as usual */
    REACT_RECONNECT,   /* the same, and connect again: the name may have another address by now */
    REACT_REENTER, /* the same, after a long pause: frequent attempts change nothing and fill Redis' log */
};

struct redis_error {
    const char *code; /* also its name in logs */
    enum redis_reaction reaction;
    const char *advice; /* for the operator: what is wrong, and what to do */
};

/* The row of the text, which may hold any bytes; for an unknown one the row "ERR". */
const struct redis_error *redis_error_of(const char *text, size_t bytes);

/* Its index, below REDIS_ERROR_COUNT, for tables by error. */
#define REDIS_ERROR_COUNT 24
size_t redis_error_index(const struct redis_error *error);

/* One word for it, for metrics; one for all errors that say the same. */
const char *redis_error_word(size_t index);

/* The first index of that word. */
size_t redis_error_first(const char *word);

/* The part of the text that may be shown: the row's code; for an unknown error its first word, if that looks
   like a code. Zero-terminated; returns `out`. */
#define REDIS_ERROR_SHOWN_BYTES 64
const char *redis_error_shown(char out[REDIS_ERROR_SHOWN_BYTES], const char *text, size_t bytes);

/* "CODE (advice)", cut where there is no room. */
void redis_error_refusal(char *out, size_t room, const char *text, size_t bytes);

#endif
