/*
 * redis_news: what the log has said of one Redis, for all connections to it. Each worker has a connection and
 * sees a loss in its own words ("Connection reset by peer", "Server closed the connection"); the log has one
 * line of each kind:
 *
 *     no connection: kind A, kind B, ... ──► connected ──► a connection of use is lost: as at the start
 *
 * Zeroed at first. Any thread.
 */
#ifndef REDIS_NEWS_H
#define REDIS_NEWS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "redis_error.h"

/* A kind is what an operator acts upon: an error of Redis (redis_news_kind), or one of these. */
enum redis_news_kind { REDIS_NEWS_AWAY = REDIS_ERROR_COUNT, REDIS_NEWS_CERTIFICATE, REDIS_NEWS_CONNECTED };

struct redis_news {
    _Atomic uint32_t said; /* a bit for each kind; CONNECTED only while that was the last line */
};

static inline unsigned
redis_news_kind(const struct redis_error *error)
{
    return (unsigned)redis_error_index(error);
}

/* Whether it is news that a connection is lost, or was not made. `was_of_use`: it had decided something, or
   was the first attempt; then the loss is a new one, not part of what the log said before "connected". */
bool redis_news_lost(struct redis_news *news, unsigned kind, bool was_of_use);

/* Whether it is news that there is a connection. */
bool redis_news_connected(struct redis_news *news);

#endif
