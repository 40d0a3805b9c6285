/*
 * exchange: the life of one request, and the only place that suspends and resumes.
 *
 *      first call      the headers are read; what could be framed in two ways is refused, and the connection ends
 *      body            drained, up to a cap; kept for the JSON API (call.h)
 *      last call       ROUTE ─┬─► MATCH ─► IDENTIFY ─► DECIDE ─► RESPOND      (no rule matches: no IDENTIFY)
 *                             └─► ASK ──────────────────────┬──► TELL
 *                                                           │  ▲
 *                                         the store answers │  │ later: suspended in between, its callback resumes
 *                                                           └──┘
 *
 * (libmicrohttpd calls once with the headers, then with the body's pieces, then once more; an answer that is
 * queued at the first call closes the connection, so only protocol errors are.)
 *
 * One exchange lives in each connection, and serves its requests one after the other. The worker's thread
 * only.
 */
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "access.h"
#include "api_request.h"
#include "headers.h"
#include "identity.h"
#include "limiter.h"
#include "raw_answer.h"
#include "render.h"
#include "routes.h"
#include "upload.h"

struct MHD_Connection;

/* What all exchanges of a worker share. */
struct exchange_context {
    const struct policy *policy;
    const struct networks *trusted;
    struct header_index index;
    struct limiter *limiter;
    struct renderer *renderer;
    struct access_tokens tokens;
    int64_t max_body_bytes;
    struct uploads uploads; /* the bodies of calls */
    bool draining;          /* every answer closes its connection */
    bool resumed;           /* set when a connection was resumed: libmicrohttpd has to be run */
};

enum exchange_step {
    STEP_IDLE, /* between two requests */
    STEP_BODY, /* the headers are read */
    STEP_ROUTE,
    STEP_MATCH,
    STEP_IDENTIFY,
    STEP_DECIDE,
    STEP_RESPOND,
    STEP_ASK, /* of the JSON API: in the place of MATCH, IDENTIFY and DECIDE */
    STEP_TELL,
    STEP_DONE, /* the answer is queued */
};

#define EXCHANGE_PATH_BYTES 256 /* longer than every route */

struct exchange {
    struct exchange_context *context;
    const struct peer *peer;
    struct MHD_Connection *connection;
    enum exchange_step step;
    bool suspended; /* libmicrohttpd does nothing for the connection until it is resumed */
    bool ends;      /* the connection ends with the last answer, and not because the client asked for that */
    struct raw_answer
        refusal; /* what to say where nothing is queued; status 0: nothing is wrong with the request */
    size_t target_bytes;  /* with its query, as the first line had it */
    bool target_is_clean; /* likewise */
    enum method method;
    const struct route *route; /* NULL: 404 */
    enum access_status access; /* to the route */
    char path[EXCHANGE_PATH_BYTES];
    size_t path_bytes;     /* 0: no path that a route could have */
    const char *forwarded; /* at /check: what follows that in the path; valid as long as the headers */
    bool deny_403;         /* at /check: refusals are 403 */
    int64_t body_bytes, body_max;
    struct api_request *call; /* of the JSON API; NULL: the body is not kept */
    struct headers headers;
    struct limiter_take take;
};

void exchange_init(struct exchange *exchange, struct exchange_context *context, const struct peer *peer);

/* The first line is read: from libmicrohttpd's URI log callback. */
void exchange_begin(struct exchange *exchange, struct MHD_Connection *connection, const char *target);

/* libmicrohttpd's access handler, for the connection that the exchange lives in. False: end the connection; then
   exchange->refusal is to be sent first. */
bool exchange_handle(struct exchange *exchange, struct MHD_Connection *connection, const char *url,
                     const char *method, const char *version, const char *upload, size_t *upload_bytes);

/* The body does not come: writes a 408 to the connection's socket. libmicrohttpd knows nothing of it; it ends the
   connection when more of the body comes, else in a second or two. To be called between two runs of it. */
void exchange_time_out(struct exchange *exchange, int fd);

/* An answer is queued. */
bool exchange_is_answered(const struct exchange *exchange);

/* The request is over, answered or not. */
void exchange_complete(struct exchange *exchange);

#endif
