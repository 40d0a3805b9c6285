/*
 * observed: what the service knows of itself beside its counters: kept by the sampler (sampler.h), shown by the
 * admin listener. Both run on the thread of that listener's worker; so it needs no lock.
 */
#ifndef OBSERVED_H
#define OBSERVED_H

#include "clock.h"
#include "history.h"

#define NODE_ID_BYTES   16 /* lower-case hexadecimal digits */
#define NODE_HOST_BYTES 64

/* This process, among those that share a Redis. */
struct node {
    char id[NODE_ID_BYTES + 1]; /* random */
    char host[NODE_HOST_BYTES + 1];
    int64_t since_us; /* Unix time */
};

struct decision_stream;
struct top_clients;

struct observed {
    struct node node;
    struct history *history;
    struct decision_stream *stream;  /* NULL: nobody reads what the workers decide */
    struct top_clients *top_clients; /* NULL: ANALYTICS is off */
    struct clock clock;              /* by which they rotate */
};

struct observed_options {
    const struct metrics *metrics; /* borrowed */
    unsigned workers;              /* whose decisions are read */
    bool analytics;
};

/* False: out of memory, or no random number. To be given to observed_fini in any case. */
bool observed_init(struct observed *observed, const struct observed_options *options);
void observed_fini(struct observed *observed);

#endif
