/*
 * top_clients: which clients ask most, are refused most and cost most, over the last minute, hour and day.
 *
 *      record ──► now ──────► 6 x 10 s ──┐
 *                  └► now ──► 12 x 5 min ┼──► tallies that are over, added up: a window
 *                      └► now 12 x 2 h ──┘
 *
 * A record is counted in the tally of the current ten seconds. When they are over, that tally is kept, and
 * added to the one of five minutes, and so on. A window is the sum of its kept tallies and those in progress,
 * so it is a little longer than its name says. The error bound of tally.h holds for each window.
 *
 * The constants of tally.h bound its memory, whatever the clients do. One thread, except top_clients_bytes.
 */
#ifndef TOP_CLIENTS_H
#define TOP_CLIENTS_H

#include "clock.h"
#include "decision_record.h"
#include "tally.h"

enum top_window { TOP_MINUTE, TOP_HOUR, TOP_DAY };
#define TOP_WINDOWS (TOP_DAY + 1)

/* What it takes at most, whatever the clients do: 30 spans are kept. */
#define TOP_BYTES_MAX \
    ((TOP_WINDOWS + 1) * TALLY_BYTES + 30 * TALLY_MEASURES * TALLY_KEPT * sizeof(struct tally_item) + 16384)

struct top_clients;

/* NULL: out of memory. The clock is borrowed. */
struct top_clients *top_clients_new(const struct clock *clock);
void top_clients_free(struct top_clients *top); /* NULL is allowed */

/* Call it before records are added, and before a read: it keeps the tallies that are over. `dropped`: records
   lost since the start. */
void top_clients_turn(struct top_clients *top, uint64_t dropped);

void top_clients_add(struct top_clients *top, const struct decision_record *record);

struct top_list {
    int64_t from_us, until_us; /* Unix time */
    int64_t total;             /* of the measure, over all clients */
    int64_t error;             /* the most that any client, in the list or not, can have missed */
    double sampled;            /* the part of all decisions that was counted */
    uint32_t count;
    struct tally_ranked clients[TALLY_ITEMS]; /* the largest first; valid until the next call */
};

void top_clients_read(struct top_clients *top, enum top_window window, enum tally_measure by,
                      struct top_list *list);

/* The memory that it takes; NULL: none. Any thread. */
uint64_t top_clients_bytes(const struct top_clients *top);

#endif
