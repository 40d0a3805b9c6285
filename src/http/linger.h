/*
 * linger: the lingering close. It lets an answer arrive that ends its connection while the client still
 * sends.
 *
 * When a TCP socket is closed with bytes unread, or bytes arrive after that, the kernel resets the
 * connection, and the reset discards what the client has received but not read: the answer. So such a
 * connection is closed in two steps. Its sending side is shut down at once, and what the client still sends
 * is read and dropped until it closes its side, or one of the bounds is reached:
 *
 *      LINGER_US      since the connection was added
 *      LINGER_BYTES   read from it
 *      LINGER_MAX     connections at a time; the one that was added first makes room
 *
 * The worker's thread only.
 */
#ifndef LINGER_H
#define LINGER_H

#include <stdint.h>

#include "clock.h"

#define LINGER_US    (5 * US_PER_S)
#define LINGER_BYTES (16 * 1024 * 1024)
#define LINGER_MAX   64

struct event_base;
struct linger_list;

/* NULL when out of memory. */
struct linger_list *linger_new(struct event_base *base);

/* Closes what is left. NULL is allowed. */
void linger_free(struct linger_list *linger);

/* The stream socket `fd`, to which the last byte for the client has been written. The caller keeps it, reads
   nothing more and closes it soon: what lingers is a duplicate. Does nothing for a client that has closed its
   side, since a close then loses nothing. Without a descriptor or memory for the duplicate, the connection is
   closed as without this module. */
void linger_add(struct linger_list *linger, int fd);

/* Connections that linger. */
unsigned linger_count(const struct linger_list *linger);

#endif
