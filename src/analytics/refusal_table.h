/*
 * refusal_table: the clients of which a line has told lately, and how often each was refused since.
 *
 * A queue in the order in which their next line is due, with an index by key. Clients leave at its head alone. All
 * memory is taken at once. One thread.
 */
#ifndef REFUSAL_TABLE_H
#define REFUSAL_TABLE_H

#include "refusal.h"

#define REFUSAL_TABLE_CLIENTS 1024 /* a power of two */

struct told_client {
    struct siphash key; /* of rule, client and result */
    int64_t due_us;     /* when the next line is */
    uint64_t suppressed;
    struct refusal refusal; /* the latest */
    uint32_t next;          /* the table's own */
};

struct refusal_table {
    uint32_t head, count; /* of the queue, which goes round */
    uint32_t buckets[2 * REFUSAL_TABLE_CLIENTS];
    struct told_client clients[REFUSAL_TABLE_CLIENTS];
};

/* NULL when out of memory; to be free()d. */
struct refusal_table *refusal_table_new(void);

/* NULL: it is not there. */
struct told_client *refusal_table_find(struct refusal_table *table, struct siphash key);

/* At the end of the queue, with the key, 0 suppressed and the rest to be set; the key is not there yet. NULL: the
   table is full. */
struct told_client *refusal_table_put(struct refusal_table *table, struct siphash key);

/* The one that is due first; NULL: the table is empty. */
struct told_client *refusal_table_head(struct refusal_table *table);
void refusal_table_remove_head(struct refusal_table *table);

#endif
