/*
 * exchange: the life of one request, and the only place that suspends and resumes a connection.
 *
 *      first call      the headers are read; a request that could be framed in two ways is refused, and the connection
 *                      ends
 *      body            dropped up to a bound, or collected for an endpoint that reads it
 *      last call       route ──► endpoint start ─┬───────────────────────────► endpoint finish ──► the answer is queued
 *                                                │                                     ▲
 *                                                └─► suspended ··· endpoint resumes ───┘
 *
 * (libmicrohttpd calls once with the headers, then with the pieces of the body, then once more. An answer
 * that is queued at the first call closes the connection, so only protocol errors are.)
 *
 * The way back is one function, on_resume: the store calls its callback, which leads to the endpoint, which
 * calls `resume`; on_resume asks the endpoint for the answer, queues it and resumes the connection.
 *
 * A request is decided by the rules that are in force when its last call comes, and holds their generation
 * until its answer is queued. The rules say which headers matter: those of a request whose body was still
 * arriving when the rules changed are read once more.
 *
 * One exchange lives in each connection, and serves its requests one after the other. It knows no endpoint by
 * name. The worker's thread only.
 */
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "access.h"
#include "endpoint.h"
#include "first_line.h"
#include "generation.h"
#include "headers.h"
#include "http_options.h"
#include "raw_answer.h"
#include "routes.h"
#include "upload.h"

struct MHD_Connection;
struct http_counts;

/* What all exchanges of a worker share. The server fills it; of its fields an exchange sets `resumed`, and
   `index` with `index_of`. */
struct exchange_context {
    const struct http_options *options;
    struct endpoint_context endpoint;
    struct generation_reader *generations; /* the worker's */
    struct header_index index;             /* of the generation `index_of` */
    uint64_t index_of;                     /* its number; 0: of none yet */
    struct access_tokens tokens;
    struct http_counts *counts; /* the worker's */
    struct uploads uploads;     /* the bodies that are being collected */
    bool draining;              /* every answer closes its connection */
    bool resumed;               /* a connection was resumed: libmicrohttpd must be run, and does not say so */
};

enum exchange_step {
    EXCHANGE_IDLE,      /* between two requests */
    EXCHANGE_BODY,      /* the headers are read */
    EXCHANGE_SUSPENDED, /* the endpoint will resume; libmicrohttpd does nothing for the connection until then */
    EXCHANGE_DONE,      /* the answer is queued */
};

#define EXCHANGE_PATH_BYTES 256 /* longer than every route */

struct exchange {
    struct exchange_context *context;
    struct MHD_Connection *connection;
    enum exchange_step step;
    bool started; /* the endpoint has the request: its free is to be called */
    bool ends;    /* the connection ends with the last answer, and not because the client asked for that */
    struct raw_answer
        refusal; /* what to send where nothing is queued; status 0: nothing is wrong with the request */
    struct first_line line;
    const struct route *route; /* NULL: 404 */
    enum access_status access; /* to the route */
    int64_t body_bytes, body_bytes_max;
    struct upload *upload; /* NULL: the body is dropped */
    char path[EXCHANGE_PATH_BYTES];
    struct headers headers;
    uint64_t headers_of; /* the number of the generation that they were read for */
    struct endpoint_request request;
};

void exchange_init(struct exchange *exchange, struct exchange_context *context, const struct peer *peer);

/* The first line is read: from libmicrohttpd's URI log callback. */
void exchange_begin(struct exchange *exchange, struct MHD_Connection *connection, const char *target);

/* libmicrohttpd's access handler, for the connection that the exchange lives in. False: end the connection;
   then exchange->refusal is to be sent first. */
bool exchange_handle(struct exchange *exchange, struct MHD_Connection *connection, const char *url,
                     const char *method, const char *version, const char *upload, size_t *upload_bytes);

/* Writes exchange->refusal to the connection's socket, if its status is not 0. */
void exchange_send_refusal(const struct exchange *exchange, int fd);

/* The rest of the body is not waited for: writes the answer, a problem, to the connection's socket.
   libmicrohttpd knows nothing of it; it ends the connection when more of the body comes, else in a second or
   two. To be called between two runs of it. */
void exchange_end_body(struct exchange *exchange, int fd, unsigned status, const char *why);

/* The request is over, answered or not. */
void exchange_complete(struct exchange *exchange);

/* An answer is queued. */
static inline bool
exchange_is_answered(const struct exchange *exchange)
{
    return exchange->step == EXCHANGE_DONE;
}

static inline bool
exchange_is_suspended(const struct exchange *exchange)
{
    return exchange->step == EXCHANGE_SUSPENDED;
}

#endif
