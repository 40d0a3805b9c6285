/*
 * tally: counts the clients of a stream that ask most, in bounded memory, with an error that is known.
 *
 * It is the summary of Misra and Gries ("Finding repeated elements", 1982) in the form of Space-Saving (Metwally,
 * Agrawal, El Abbadi, "Efficient computation of frequent and top-k elements in data streams", 2005): an item is a
 * client under a rule, with what was counted since it came in, and the most that can have been before that. New
 * items come in until there are 2 * TALLY_KEPT; then half of them go at once (Anderson and others, "A
 * high-performance algorithm for identifying frequent items in data streams", 2017), so that one that comes in costs
 * two steps of such a cut on average, also where each costs another number.
 *
 *      what is counted of an item <= its true number <= that + item.error
 *      item.error <= tally.error <= tally.total / TALLY_KEPT
 *      the true number of what is no item <= tally.error
 *
 * Why: the cut leaves the TALLY_KEPT largest and raises `error` to the largest of the others, E: each of
 * TALLY_KEPT + 1 items had so much, counted beyond the former error, and none of that is used again. As long as the
 * stream has no more than 2 * TALLY_KEPT clients, nothing is cut, and the error is 0.
 *
 * Tallies can be merged, and the bounds hold for the sum (Agarwal and others, "Mergeable summaries", 2012).
 *
 * A tally ranks by one measure, and counts the other two of its items, too: what is counted of those is never too
 * large. Numbers stay at NUMBER_EXACT_MAX once they reach it. One thread.
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

#define TALLY_KEPT  1024
#define TALLY_ITEMS (2 * TALLY_KEPT)

enum tally_measure {
    TALLY_REQUESTS,
    TALLY_REFUSALS,
    TALLY_COST, /* of what was allowed */
};
#define TALLY_MEASURES (TALLY_COST + 1)

struct tally_item {
    struct siphash key; /* of rule and client, under a random key: equal keys are one client under one rule */
    int64_t counts[TALLY_MEASURES];
    int64_t error; /* the number by which the tally ranks is at most so much larger than what is counted */
    uint8_t rule_bytes, client_bytes;
    char text[RULE_NAME_BYTES + CLIENT_BYTES]; /* the rule, then the client; not zero-terminated */
};

struct tally {
    enum tally_measure by;
    int64_t total; /* of the measure, over all clients */
    int64_t error;
    uint32_t count;
    struct tally_item *items;
    uint16_t *places; /* by key: of an item, from 1; 0: none */
    uint64_t random;  /* from which cuts choose, so that no client can */
};

/* A tally of a time that is over, in as little memory as its items need. */
struct tally_packed {
    int64_t total, error;
    uint32_t count;
    size_t bytes;
    char *items; /* owned */
};

/* What it takes from its begin. */
#define TALLY_PLACES (2 * TALLY_ITEMS) /* a power of two */
#define TALLY_BYTES  (TALLY_ITEMS * sizeof(struct tally_item) + TALLY_PLACES * sizeof(uint16_t))

/* False: out of memory. tally_fini is allowed then, too. */
bool tally_init(struct tally *tally, enum tally_measure by);
void tally_fini(struct tally *tally);
void tally_clear(struct tally *tally, enum tally_measure by);

/* What is to be counted. */
struct tally_entry {
    struct siphash key;
    struct field rule, client;
    int64_t counts[TALLY_MEASURES];
    const struct tally_item
        *known; /* of the same key in a tally by another measure, where this is counted already:
                                       from which a new item takes the other two; NULL: there is none */
};

/* Returns the item, which is valid until the tally changes. NULL: there is none, and nothing to rank it by. */
const struct tally_item *tally_add(struct tally *tally, const struct tally_entry *entry);

/* Adds what the other has counted. Both rank by the same measure. */
void tally_merge(struct tally *tally, const struct tally *from);
void tally_merge_packed(struct tally *tally, const struct tally_packed *from);

/* Leaves the items that rank first, at most TALLY_KEPT. */
void tally_cut(struct tally *tally);

/* After a cut. Frees what `packed` had. Out of memory: no items, and an error that tells so. */
void tally_pack(const struct tally *tally, struct tally_packed *packed);
void tally_packed_fini(struct tally_packed *packed);

struct tally_ranked {
    int64_t number; /* what is counted of the measure */
    const struct tally_item *item;
};

/* The items, the largest first; how many. They are valid until the tally changes. */
uint32_t tally_rank(const struct tally *tally, struct tally_ranked ranked[TALLY_ITEMS]);

#endif
