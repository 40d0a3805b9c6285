/*
 * redis_error: what Redis' error replies mean, what the store does about each, and what the operator should.
 *
 * Redis 7 and later put the code first, in a script and outside; Redis 6 and earlier wrap what a script met:
 * "ERR Error running script (call to f_...): @user_script:1: @user_script: 12: -READONLY You can't write ...". So a code
 * counts where it begins the text or stands behind a "-".
 *
 * The sentence after the code is never shown to anybody: Redis echoes there what it was sent, so it may hold a password (of
 * an AUTH that rename-command has taken away) or clients' keys. Pure.
 */
#ifndef REDIS_ERROR_H
#define REDIS_ERROR_H

#include <stddef.h>

enum redis_reaction {
    REACT_SEND_SCRIPT, /* the command did not run: send it with the script's text */
    REACT_DEGRADE,     /* this batch gets the failure mode; the next asks again */
    REACT_RECONNECT,   /* the same, and this connection, or the address behind the name, is the wrong one */
    REACT_REENTER, /* the same, and with a long pause: asking often changes nothing and fills Redis' log */
};

struct redis_error {
    const char *code; /* also its name in logs */
    enum redis_reaction reaction;
    const char *advice; /* to the operator: what is the matter, and what to do */
};

/* The row of the text, which may hold any bytes; for an unknown one the row "ERR". */
const struct redis_error *redis_error_of(const char *text, size_t bytes);

/* Its index, below REDIS_ERROR_COUNT, for a table of one's own. */
#define REDIS_ERROR_COUNT 24
size_t redis_error_index(const struct redis_error *error);

/* What of the text may be shown: the row's code; of an unknown error its first word, where that looks like a code.
   Zero-terminated; returns `out`. */
#define REDIS_ERROR_SHOWN_BYTES 64
const char *redis_error_shown(char out[REDIS_ERROR_SHOWN_BYTES], const char *text, size_t bytes);

#endif
