/*
 * redis_nodes: what each node that shares a Redis says of itself, for all others: a field of one hash, `rl:{nodes}`,
 * which no client's key can be.
 *
 *      redis_nodes_say ──► one command, lua/nodes.lua: the own text is kept, the others' are read ──► on_node for each
 *
 * It knows the nodes' ids, not what their texts mean. Redis' own clock says how old a text is. Nothing waits for it:
 * while Redis is away or slow, nothing is said and nothing is heard. The connection is that of a redis_store, on whose
 * thread all runs.
 */
#ifndef REDIS_NODES_H
#define REDIS_NODES_H

#include <stdint.h>

#define REDIS_NODES_ID_BYTES   16  /* lower-case hexadecimal digits */
#define REDIS_NODES_TEXT_BYTES 255 /* of visible characters and blanks; the first is no blank */

struct redis_connection;
struct redis_nodes;
struct redis_url;

struct redis_nodes_options {
    struct redis_connection *connection; /* borrowed; must be freed before this is */
    const struct redis_url *url;         /* for logs; borrowed */
    const char *id;                      /* of this node; borrowed */
    /* Another node said this then (monotonic, perhaps a little later). The id is one by its form; the text is of the
       size above at most, and may have been written by anybody. Both are borrowed. */
    void (*on_node)(void *arg, const char *id, const char *text, int64_t said_us);
    void *arg;
};

/* NULL: out of memory. */
struct redis_nodes *redis_nodes_new(const struct redis_nodes_options *options);
void redis_nodes_free(struct redis_nodes *nodes); /* NULL is allowed */

/* To be called once a second. The text is copied. Does nothing while the last one is not answered. */
void redis_nodes_say(struct redis_nodes *nodes, const char *text);

#endif
