/*
 * fetch: one GET, on a connection of its own, on an event loop. One thread.
 *
 * Addresses are looked up once, at the start, because that holds the loop up.
 */
#ifndef FETCH_H
#define FETCH_H

#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/un.h>

#include <event2/event.h>

#include "http_reply.h"
#include "top_url.h"

#define FETCH_TIMEOUT_S 5  /* of each step */
#define FETCH_ANSWER_S  10 /* from the request to the end of its answer, however steadily it comes */

struct server {
    struct top_url url;
    const char *token;            /* borrowed; "": none */
    struct addrinfo *found;       /* of a host */
    struct addrinfo unix_address; /* else this one */
    struct sockaddr_un unix_socket;
};

/* NULL, or why the host has no address. After top_url_parse. */
const char *server_find(struct server *server);
void server_fini(struct server *server);

struct fetch {
    /* Set by the caller. */
    struct event_base *base;
    const struct server *server;
    /* `reply` is valid until this returns; NULL: `why` is a clause, "Connection refused". It may begin the next one. */
    void (*done)(void *owner, struct http_reply *reply, const char *why);
    void *owner;

    /* Private. */
    char request[8192];
    size_t request_bytes, sent_bytes;
    const struct addrinfo *address;
    int64_t sent_us; /* when all of the request was; monotonic */
    struct event *event;
    int fd;
    char *text;
    size_t bytes, room;
};

/* `path` is without the URL's prefix. `done` is called from the loop, never from here. False: out of memory. */
bool fetch_begin(struct fetch *fetch, const char *path);

/* Without `done`. Also where none is under way. */
void fetch_cancel(struct fetch *fetch);

#endif
