#include "connections.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "clock.h"

#define BODY_TIMEOUT_US  (30 * US_PER_S)
#define BODY_PATIENCE_US (5 * US_PER_S)
#define BODY_RATE_BYTES  1024 /* a second */
#define SEND_TIMEOUT_US  (30 * US_PER_S)
#define LEAVE_TIMEOUT_US (3 * US_PER_S)
#define DRAIN_IDLE_US    (1 * US_PER_S) /* an idle connection's client may just be sending */

#define STALL_US      (1 * US_PER_S) /* a client waited for this long within a request may lose its connection */
#define LOOKED_AT_MAX 64             /* to find one to close, however many connections there are */

void
connections_init(struct connections *connections, const struct http_options *options)
{
    *connections = (struct connections){
        .places = options->places,
        .limits_us = {[PHASE_OPENED] = options->header_timeout_us,
                      [PHASE_IDLE] = options->idle_timeout_us,
                      [PHASE_HEADERS] = options->header_timeout_us,
                      [PHASE_BODY] = BODY_PATIENCE_US,
                      [PHASE_ANSWERING] = SEND_TIMEOUT_US,
                      [PHASE_LEAVING] = LEAVE_TIMEOUT_US},
    };
    TAILQ_INIT(&connections->list);
}

struct connection *
connection_open(struct connections *connections, struct exchange_context *context, int fd,
                const struct sockaddr *address, int64_t now_us)
{
    struct connection *connection = calloc(1, sizeof(*connection));

    if (connection == NULL)
        return NULL;
    connection->of = connections;
    connection->fd = fd;
    connection->has_place = true;
    peer_init(&connection->peer, address, context->endpoint.trusted);
    exchange_init(&connection->exchange, context, &connection->peer);
    TAILQ_INSERT_TAIL(&connections->list, connection, links);
    connections->count++;
    connection_enter(connection, PHASE_OPENED, now_us);
    return connection;
}

static void
give_place(struct connection *connection)
{
    if (connection->has_place)
        places_give(connection->of->places);
    connection->has_place = false;
}

void
connection_close(struct connection *connection)
{
    struct connections *connections = connection->of;

    page_guard_end(&connection->guard);
    exchange_complete(&connection->exchange);
    give_place(connection);
    TAILQ_REMOVE(&connections->list, connection, links);
    connections->count--;
    free(connection);
}

void
connection_enter(struct connection *connection, enum phase phase, int64_t now_us)
{
    struct connections *connections = connection->of;

    connection->phase = phase;
    connection->unread = false;
    connection->since_us = now_us;
    connection->deadline_us = now_us + connections->limits_us[phase];
    if (phase == PHASE_IDLE) {
        TAILQ_REMOVE(&connections->list, connection, links);
        TAILQ_INSERT_TAIL(&connections->list, connection, links);
    }
}

static int64_t
smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

void
connection_received(struct connection *connection, size_t bytes, int64_t now_us)
{
    int64_t earned_us = (int64_t)bytes * (US_PER_S / BODY_RATE_BYTES);

    connection->unread = false;
    connection->deadline_us = smaller(smaller(connection->deadline_us + earned_us, now_us + BODY_PATIENCE_US),
                                      connection->since_us + BODY_TIMEOUT_US);
}

static void
cut_off(struct connection *connection)
{
    shutdown(connection->fd, SHUT_RDWR);
    give_place(connection);
}

static bool
is_silent(int fd)
{
    char byte;

    return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0;
}

/* What lies unread in the socket of a body is this worker's delay, and not its client's. */
static bool
is_late(const struct connection *connection, int64_t now_us)
{
    return connection->deadline_us <= now_us && !exchange_is_suspended(&connection->exchange) &&
           (connection->phase != PHASE_BODY || is_silent(connection->fd));
}

/* libmicrohttpd has run since the last sweep: it would have read what lay there, had it had room. */
static bool
is_stuck(struct connection *connection)
{
    bool was_unread = connection->unread;

    connection->unread = connection->phase == PHASE_BODY && !is_silent(connection->fd);
    return was_unread && connection->unread;
}

/* While the body comes the headers are known, so there is a request to answer. */
static void
end_body(struct connection *connection, unsigned status, const char *why, int64_t now_us)
{
    exchange_end_body(&connection->exchange, connection->fd, status, why);
    connection_enter(connection, PHASE_LEAVING, now_us);
}

static void
check_progress(struct connection *connection, int64_t now_us)
{
    if (is_stuck(connection))
        end_body(connection, 413, "The line before a chunk is too long.", now_us);
    else if (!is_late(connection, now_us))
        return;
    else if (connection->phase == PHASE_BODY)
        end_body(connection, 408, "The body was sent too slowly.", now_us);
    else
        cut_off(connection);
}

/* Making room. */

static bool
idles(const struct connection *connection, int64_t now_us)
{
    (void)now_us;
    return connection->has_place && connection->phase == PHASE_IDLE && is_silent(connection->fd);
}

/* Whose answer has come from the store is no staller: libmicrohttpd has to be run first. */
static bool
stalls(const struct connection *connection, int64_t now_us)
{
    const struct exchange *exchange = &connection->exchange;

    return connection->has_place && connection->phase != PHASE_IDLE && !exchange_is_suspended(exchange) &&
           !exchange->context->resumed && now_us - connection->since_us >= STALL_US;
}

static bool
cut_off_one(struct connections *connections, bool gives_way(const struct connection *, int64_t),
            int64_t now_us)
{
    struct connection *connection;
    int count = 0;

    for (connection = TAILQ_FIRST(&connections->list); connection;
         connection = TAILQ_NEXT(connection, links)) {
        if (count++ == LOOKED_AT_MAX)
            return false;
        if (gives_way(connection, now_us)) {
            cut_off(connection);
            return true;
        }
    }
    return false;
}

bool
connections_find_place(struct connections *connections, int fd, const struct sockaddr *address,
                       int64_t now_us)
{
    bool local;

    if (places_take(connections->places, false))
        return true;
    local = address_is_local(fd, address);
    while (!places_take(connections->places, local))
        if (!cut_off_one(connections, idles, now_us) && !cut_off_one(connections, stalls, now_us))
            return false;
    return true;
}

/* Time. */

void
connections_sweep(struct connections *connections, int64_t now_us)
{
    struct connection *connection;

    for (connection = TAILQ_FIRST(&connections->list); connection; connection = TAILQ_NEXT(connection, links))
        check_progress(connection, now_us);
    if (places_are_wished(connections->places) && cut_off_one(connections, idles, now_us))
        places_wish(connections->places, false);
    while (places_are_crowded(connections->places) && cut_off_one(connections, idles, now_us))
        continue;
}

void
connections_drain(struct connections *connections, int64_t now_us)
{
    struct connection *connection;

    connections->limits_us[PHASE_IDLE] = DRAIN_IDLE_US;
    for (connection = TAILQ_FIRST(&connections->list); connection;
         connection = TAILQ_NEXT(connection, links)) {
        if (connection->phase == PHASE_IDLE || connection->phase == PHASE_OPENED)
            connection->deadline_us = now_us + DRAIN_IDLE_US;
    }
}
