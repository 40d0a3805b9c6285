/*
 * arrivals: whether a connection that has come gets in:
 *
 *      a place is free, or can be made     ADMITTED
 *      none, for less than half a second   WAITING: another worker may make room meanwhile
 *      longer                              REFUSED: it is answered 503 and closed
 *
 * Embedded in the server, on its thread.
 */
#ifndef ARRIVALS_H
#define ARRIVALS_H

#include <stdbool.h>
#include <stdint.h>

struct connections;
struct http_counts;
struct linger_list;
struct places;
struct sockaddr;

struct arrivals {
    struct connections *connections; /* borrowed, as are the others */
    struct places *places;
    struct linger_list *linger;
    struct http_counts *counts;
    int64_t full_since_us; /* monotonic; 0: the last one found a place */
};

enum arrival { ARRIVAL_ADMITTED, ARRIVAL_WAITING, ARRIVAL_REFUSED };

/* `is_last`: it cannot wait. Where it is admitted it has a place; where it is refused, `fd` is closed. */
enum arrival arrivals_judge(struct arrivals *arrivals, int fd, const struct sockaddr *address, int64_t now_us,
                            bool is_last);

/* Answers 503 without waiting for the request, which would need a place; closes `fd`. */
void arrivals_refuse(struct arrivals *arrivals, int fd);

#endif
