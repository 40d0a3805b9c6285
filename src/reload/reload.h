/*
 * reload: reads the rules once more and puts them in force, all of them or none.
 *
 *      read and compile ─┬─► no mistake: published to every worker (generation.h); one line says what changed
 *                        └─► mistakes: each is logged, the rules that are in force stay, and /health says so
 *
 * Three ask for it: the signal and the watch, on the main thread (supervise.h), and the admin listener on its
 * own. Any thread may; one runs at a time, and the others wait for it.
 */
#ifndef RELOAD_H
#define RELOAD_H

#include <stdbool.h>

#include "field.h"
#include "file_set.h"
#include "generation.h"
#include "policy_diff.h"
#include "reload_history.h"
#include "report.h"
#include "settings.h"

enum reload_cause {
    RELOAD_SIGNAL,
    RELOAD_FILE, /* one of the files is another: nothing happens if they say what they said */
    RELOAD_CALL, /* POST /v1/rules/reload */
};

enum reload_status {
    RELOAD_DONE,      /* what the files say is in force */
    RELOAD_UNCHANGED, /* RELOAD_FILE only: they say what they said at the last attempt, whatever came of it */
    RELOAD_REFUSED,   /* mistakes: nothing has changed */
};

/* What came of a reload. */
struct reload_result {
    enum reload_status status;
    struct policy_diff changes; /* RELOAD_DONE */
    struct report report;       /* RELOAD_REFUSED: the mistakes */
};
void reload_result_fini(struct reload_result *result);

struct reload;

/* `files`: what the rules in force were read from; taken over, and left empty. The rest is borrowed and must
   outlive it. NULL when out of memory. */
struct reload *reload_new(const struct settings *settings, struct generations *generations,
                          struct file_set *files);
void reload_free(struct reload *reload);

/* `result` is set, and to be given to reload_result_fini. The trace_id, of 0 bytes where there is none, is in the lines
   of the log. */
void reload_run(struct reload *reload, enum reload_cause cause, const struct field *trace_id,
                struct reload_result *result);

/* How many reloads there have been, of all causes. Any thread. */
struct reload_counts {
    uint64_t done, refused;
    int64_t loaded_us; /* when the rules in force were read: Unix time */
};
struct reload_counts reload_counts(const struct reload *reload);

/* What came of the last ones. Any thread, also while one runs. */
struct reload_history *reload_history(struct reload *reload);

/* Readable when a file may have changed; -1: never (watch.h). */
int reload_watch_fd(const struct reload *reload);

/* Whether a file may have changed since the last call or reload. */
bool reload_look(struct reload *reload);

#endif
