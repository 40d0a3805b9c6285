/*
 * reload_history: what came of the last reloads. Any thread.
 */
#ifndef RELOAD_HISTORY_H
#define RELOAD_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "report.h"

#define RELOADS_KEPT         10
#define RELOAD_MISTAKES_KEPT 10  /* of each; the text says how many there were */
#define RELOAD_MISTAKE_BYTES 255 /* a longer one is cut, perhaps within a character */
#define RELOAD_TEXT_BYTES    511 /* likewise */

struct reload_record {
    int64_t at_us; /* Unix time */
    bool is_done;
    char text[RELOAD_TEXT_BYTES + 1]; /* what the log says */
    unsigned mistake_count;
    char mistakes[RELOAD_MISTAKES_KEPT][RELOAD_MISTAKE_BYTES + 1];
};

struct reload_history;

/* NULL: out of memory. */
struct reload_history *reload_history_new(void);
void reload_history_free(struct reload_history *history); /* NULL is allowed */

/* The texts are copied. `report`: the mistakes, if it was not done. */
void reload_history_add(struct reload_history *history, bool is_done, const char *text,
                        const struct report *report);

/* Calls it for each, the last one first; the record is borrowed. Nobody can add one meanwhile. */
void reload_history_each(struct reload_history *history,
                         void (*each)(void *arg, const struct reload_record *record), void *arg);

#endif
