/*
 * nodes: this process, and the others that share its Redis: what each reports of itself, once a second.
 *
 * Reports come through Redis (redis_nodes.h), where others may write: they are read strictly, and for a
 * bounded number of nodes. Clocks are not compared: a node reports how long it has been up.
 *
 * One thread. Times are monotonic.
 */
#ifndef NODES_H
#define NODES_H

#include <stdbool.h>
#include <stdint.h>

#include "store.h"

#define NODE_ID_BYTES      16  /* lower-case hexadecimal digits */
#define NODE_HOST_BYTES    64  /* letters, digits, `.`, `-`, `_`; at least 1; likewise the version */
#define NODE_VERSION_BYTES 32  /* and `+`, `~` */
#define NODE_TEXT_BYTES    255 /* of a report */
#define NODES_MAX          127 /* others */
#define NODES_FORGET_US    (60 * US_PER_S)

/* What a node reports. */
struct node_state {
    char version[NODE_VERSION_BYTES + 1];
    char host[NODE_HOST_BYTES + 1];
    int64_t up_ms;
    int64_t requests_milli, refused_milli; /* thousandths a second, as in /v1/status */
    enum store_state store;
};

/* Characters that a host may not have become `_`; so does an empty name. */
void node_set_host(struct node_state *state, const char *name);

/* "1 VERSION UP_MS REQUESTS REFUSED STORE HOST". */
void node_write(const struct node_state *state, char out[NODE_TEXT_BYTES + 1]);

/* False: not a report. Further words are ignored: later versions may add them. */
bool node_read(const char *text, struct node_state *out);

/* Another node. */
struct node {
    char id[NODE_ID_BYTES + 1];
    struct node_state state;
    int64_t said_us;
};

/* Zeroed at first. In the order in which they were first seen. */
struct nodes {
    struct node list[NODES_MAX];
    unsigned count;
};

/* Takes the report of another node. What cannot be read, and nodes beyond NODES_MAX, are left out. */
void nodes_hear(struct nodes *nodes, const char *id, const char *text, int64_t said_us);

/* Forgets nodes that were silent for NODES_FORGET_US. */
void nodes_forget(struct nodes *nodes, int64_t now_us);

#endif
