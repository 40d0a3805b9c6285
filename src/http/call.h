/*
 * call: one request to the JSON API: its body, what it asks, what it is told.
 *
 *      call_keep     the body's pieces, as they come
 *      call_ask      the whole of it is read, and the store asked
 *      call_answer   all have their answers
 *
 * A call is allocated for the endpoints that have a body and freed with the request; plain requests have
 * none. The body is freed as soon as it is read, the JSON's tree with it. The worker's thread only.
 */
#ifndef CALL_H
#define CALL_H

#include <stdbool.h>
#include <stddef.h>

#include "answer.h"
#include "routes.h"

/* The largest batch; other bodies are bounded by MAX_BODY_BYTES, and so is this one where that is larger. */
#define CALL_BATCH_BYTES (1024 * 1024)

struct address;
struct exchange_context;
struct call;

/* Whether it is an endpoint of the JSON API. */
bool call_is_for(enum endpoint endpoint);

/* `callback` comes once after CALL_PENDING. `closing`: the answer says Connection: close. NULL when memory is out. */
struct call *call_new(struct exchange_context *context, const struct address *peer, enum endpoint endpoint,
                      bool closing, void (*callback)(void *arg), void *arg);

/* A body for which there is no room (upload.h) is a mistake of call_ask, 503. */
void call_keep(struct call *call, const char *bytes, size_t count);

enum call_status {
    CALL_DONE,    /* call_answer tells */
    CALL_PENDING, /* the callback comes later, never before the return; then call_answer tells */
    CALL_MISTAKE, /* `*answer` tells, and nothing was asked */
};
enum call_status call_ask(struct call *call, struct answer *answer);

struct answer call_answer(const struct call *call);

/* Cancels what is pending. NULL is allowed. */
void call_free(struct call *call);

#endif
