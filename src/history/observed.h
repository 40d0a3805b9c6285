/*
 * observed: what the service knows of itself besides its counters. The sampler (sampler.h) keeps it and the
 * admin listener shows it, both on the thread of that listener's worker: it needs no lock.
 */
#ifndef OBSERVED_H
#define OBSERVED_H

#include "clock.h"
#include "history.h"
#include "nodes.h"
#include "store_changes.h"

struct decision_stream;
struct refusal_log;
struct refusal_log_options;
struct top_clients;

struct observed {
    char node_id[NODE_ID_BYTES + 1]; /* this process: random */
    struct node_state node;          /* as of the last sample */
    int64_t since_us;                /* its start: Unix time */
    int64_t began_us;                /* the same, monotonic */
    struct nodes nodes;              /* the others that share its Redis */
    struct store_changes store_changes;
    struct history *history;
    struct decision_stream *stream;  /* NULL: decisions are not observed */
    struct top_clients *top_clients; /* NULL: ANALYTICS is off */
    struct refusal_log *refusal_log; /* NULL: LOG_REFUSALS is off */
    bool addresses_hidden;           /* from the log */
    struct clock clock;              /* for the rotation of top_clients */
};

struct observed_options {
    const struct metrics *metrics; /* borrowed */
    const char *version;           /* of the program */
    unsigned workers;              /* whose decisions are read */
    bool analytics;
    const struct refusal_log_options *refusal_log; /* copied; REFUSALS_OFF: none, but `clients` holds still */
};

/* False: out of memory, or no random number. Call observed_fini in either case. */
bool observed_init(struct observed *observed, const struct observed_options *options);
void observed_fini(struct observed *observed);

/* Once a second: the newest generation, and the state of the store. */
void observed_sample(struct observed *observed, const struct generation *generation, enum store_state store,
                     int64_t now_us);

#endif
