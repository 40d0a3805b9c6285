/*
 * tally: counts the most frequent clients of a stream in bounded memory, with a known error.
 *
 * It is the summary of Misra and Gries ("Finding repeated elements", 1982) in the form of Space-Saving
 * (Metwally, Agrawal, El Abbadi, "Efficient computation of frequent and top-k elements in data streams",
 * 2005): an item is a client under a rule, with what was counted since it was added, and the most that can
 * have been missed before, for several measures at once. Items are added until there is no room. Then a cut
 * removes those that are not among the first TALLY_KEPT by any measure, many at once (Anderson and others, "A
 * high-performance algorithm for identifying frequent items in data streams", 2017), so that an addition
 * costs a few steps of a cut.
 *
 * For each measure of each client:
 *
 *      what is counted of an item <= its true number <= that + item.errors
 *      item.errors <= tally.errors <= tally.totals / TALLY_KEPT
 *      the true number of a client without an item <= tally.errors
 *
 * Why: a cut raises the error to the largest number of the removed items. TALLY_KEPT others have at least as
 * much. So TALLY_KEPT + 1 items each counted, above the former error, as much as the error grows by, and none
 * of that counts for another growth. While the stream has at most TALLY_KEPT clients, nothing is cut, and the
 * error is 0.
 *
 * Tallies can be merged, and the bounds hold for the sum (Agarwal and others, "Mergeable summaries", 2012).
 *
 * Numbers stay at NUMBER_EXACT_MAX once they reach it. One thread.
 */
#ifndef TALLY_H
#define TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client.h"
#include "field.h"
#include "rule_name.h"
#include "siphash.h"

enum tally_measure {
    TALLY_REQUESTS,
    TALLY_REFUSALS,
    TALLY_COST, /* of what was allowed */
};
#define TALLY_MEASURES (TALLY_COST + 1)

#define TALLY_KEPT  1024
#define TALLY_ITEMS ((TALLY_MEASURES + 1) * TALLY_KEPT)

struct tally_item {
    struct siphash key; /* of rule and client, under a random key: equal keys are one client under one rule */
    int64_t counts[TALLY_MEASURES];
    int64_t errors[TALLY_MEASURES];
    uint8_t rule_bytes, client_bytes;
    char text[RULE_NAME_BYTES + CLIENT_BYTES]; /* the rule, then the client; not zero-terminated */
};

struct tally {
    int64_t totals[TALLY_MEASURES]; /* over all clients */
    int64_t errors[TALLY_MEASURES];
    uint32_t count;
    struct tally_item *items;
    uint16_t *places; /* by key: of an item, from 1; 0: none */
    uint64_t random;  /* for the pivots of cuts, which no client can foresee */
};

/* What it takes from the start. */
#define TALLY_PLACES (2 * TALLY_ITEMS) /* a power of two */
#define TALLY_BYTES  (TALLY_ITEMS * sizeof(struct tally_item) + TALLY_PLACES * sizeof(uint16_t))

/* The tally of a span that is over, in no more memory than its items need. */
struct tally_packed {
    int64_t totals[TALLY_MEASURES], errors[TALLY_MEASURES];
    uint32_t count;
    size_t bytes;
    char *items; /* owned */
};

/* False: out of memory; tally_fini is allowed. */
bool tally_init(struct tally *tally);
void tally_fini(struct tally *tally);
void tally_clear(struct tally *tally);

/* What to count; at least one measure is above 0. */
struct tally_entry {
    struct siphash key;
    struct field rule, client;
    int64_t counts[TALLY_MEASURES];
};
void tally_add(struct tally *tally, const struct tally_entry *entry);

/* Adds what the other has counted. */
void tally_merge(struct tally *tally, const struct tally *from);
void tally_merge_packed(struct tally *tally, const struct tally_packed *from);

/* Keeps the items among the first TALLY_KEPT by any measure. */
void tally_cut(struct tally *tally);

/* Frees what `packed` had. Out of memory: no items, and errors that cover them. */
void tally_pack(const struct tally *tally, struct tally_packed *packed);
void tally_packed_fini(struct tally_packed *packed);

struct tally_ranked {
    int64_t number; /* what is counted of the measure; above 0 */
    const struct tally_item *item;
};

/* The items above 0 by the measure, the largest first; returns how many. Valid until the tally changes. */
uint32_t tally_rank(const struct tally *tally, enum tally_measure by,
                    struct tally_ranked ranked[TALLY_ITEMS]);

#endif
