/*
 * conditions: what `match` asks beside path and methods: the host and headers.
 *
 *     "host": ["example.com", "*.example.com"],
 *     "headers": {"X-Plan": "gold", "User-Agent": {"prefix": "curl/"}}
 *
 * All of them hold, or the rule does not match; of several hosts one. Immutable once read; any thread.
 */
#ifndef CONDITIONS_H
#define CONDITIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "policy.h"

#define MATCH_HOSTS_MAX   16
#define MATCH_HEADERS_MAX 8

enum header_test {
    HEADER_IS,      /* the text, byte for byte */
    HEADER_BEGINS,  /* with the text */
    HEADER_PRESENT, /* not empty */
    HEADER_ABSENT,  /* or empty */
};

struct header_condition {
    uint32_t header; /* its index in policy->headers */
    enum header_test test;
    char *text; /* of HEADER_IS and HEADER_BEGINS, else NULL; owned */
};

struct conditions {
    char *hosts[MATCH_HOSTS_MAX]; /* host_pattern_matches; owned */
    uint32_t host_count;          /* 0: any host, or none */
    struct header_condition headers[MATCH_HEADERS_MAX];
    uint32_t header_count;
};

bool conditions_hold(const struct conditions *conditions, const struct policy_request *request);

/* The parts of it: whether the host is one of the hosts, and the first condition that its header does not
   meet, NULL if there is none. */
bool conditions_host_holds(const struct conditions *conditions, const struct field *host);
const struct header_condition *conditions_unmet_header(const struct conditions *conditions,
                                                       const struct policy_request *request);

/* Whether `wide` holds for every request for which `narrow` does. NULL holds for all. True only where that
   follows from each host and each header by itself. */
bool conditions_cover(const struct conditions *wide, const struct conditions *narrow);

/* NULL is allowed. */
void conditions_free(struct conditions *conditions);

#endif
