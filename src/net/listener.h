/*
 * listener: the sockets that requests come in by, opened before any worker runs, so that a taken port stops
 * the start.
 *
 * One socket a worker, all on the same address with SO_REUSEPORT: the kernel spreads the connections. A Unix
 * socket, or one that systemd hands over (LISTEN_FDS), is one socket that all workers accept from.
 */
#ifndef LISTENER_H
#define LISTENER_H

#include <stdbool.h>

#include "report.h"

struct listener {
    int *sockets; /* one a worker, its owner from worker start on; -1: taken */
    unsigned count;
    char *unix_path;  /* to be removed at the end; NULL */
    bool is_local;    /* no other machine reaches it */
    char display[96]; /* for people: "http://0.0.0.0:8000" */
};

/* Each with the place where it was given, as the report names it: "--port", "PORT", ".env:3: PORT". */
struct listener_options {
    const char *listen, *listen_place; /* unix:/path, or "": host and port */
    const char *host, *host_place;     /* a name or an address of this machine */
    int port;                          /* 0: any free one */
    const char *port_place;
    const char *other_port; /* what to do where the port is taken: a clause */
    unsigned workers;
    bool by_systemd; /* a socket that systemd hands over wins over all of these */
};

/* False with a line in `report`. */
bool listener_open(struct listener *listener, const struct listener_options *options, struct report *report);

/* Closes what no worker took, and removes the Unix socket's file. */
void listener_close(struct listener *listener);

#endif
