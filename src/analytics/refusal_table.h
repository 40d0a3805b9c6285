/*
 * refusal_table: the clients that lately got a line, and how often each was refused since.
 *
 * A queue in the order in which their next lines are due, with an index by key. Clients leave only at its
 * head. All memory is taken at once. One thread.
 */
#ifndef REFUSAL_TABLE_H
#define REFUSAL_TABLE_H

#include "refusal.h"

#define REFUSAL_TABLE_CLIENTS 1024 /* a power of two */

struct told_client {
    struct siphash key; /* of rule, client and result */
    int64_t due_us;     /* the next line */
    uint64_t suppressed;
    struct refusal refusal; /* the latest */
    uint32_t next;          /* the table's own */
};

struct refusal_table {
    uint32_t head, count; /* of the queue, a ring */
    uint32_t buckets[2 * REFUSAL_TABLE_CLIENTS];
    struct told_client clients[REFUSAL_TABLE_CLIENTS];
};

/* NULL: out of memory. The caller frees it. */
struct refusal_table *refusal_table_new(void);

/* NULL: not there. */
struct told_client *refusal_table_find(struct refusal_table *table, struct siphash key);

/* Adds a key that is not there yet, at the end of the queue; 0 suppressed, the caller sets the rest. NULL:
   the table is full. */
struct told_client *refusal_table_put(struct refusal_table *table, struct siphash key);

/* The first one due; NULL: the table is empty. */
struct told_client *refusal_table_head(struct refusal_table *table);
void refusal_table_remove_head(struct refusal_table *table);

#endif
