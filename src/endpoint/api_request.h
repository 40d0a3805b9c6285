/*
 * call: one request to the JSON API: its body, what it asks, what it is told.
 *
 *      api_request_keep     the body's pieces, as they come
 *      api_request_ask      the whole of it is read, and the store asked
 *      api_request_answer   all have their answers
 *
 * A call is allocated for the endpoints that have a body and freed with the request; plain requests have
 * none. The body is freed as soon as it is read, the JSON's tree with it. The worker's thread only.
 */
#ifndef API_REQUEST_H
#define API_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "response.h"
#include "routes.h"

/* The largest batch; other bodies are bounded by MAX_BODY_BYTES, and so is this one where that is larger. */
#define API_REQUEST_BATCH_BYTES (1024 * 1024)

struct address;
struct exchange_context;
struct api_request;

/* Whether it is an endpoint of the JSON API. */
bool api_request_is_for(enum endpoint endpoint);

/* `callback` comes once after API_REQUEST_PENDING. `closing`: the answer says Connection: close. NULL when memory is out. */
struct api_request *api_request_new(struct exchange_context *context, const struct address *peer,
                                    enum endpoint endpoint, bool closing, void (*callback)(void *arg),
                                    void *arg);

/* A body for which there is no room (upload.h) is a mistake of api_request_ask, 503. */
void api_request_keep(struct api_request *call, const char *bytes, size_t count);

enum api_request_status {
    API_REQUEST_DONE,    /* api_request_answer tells */
    API_REQUEST_PENDING, /* the callback comes later, never before the return; then api_request_answer tells */
    API_REQUEST_MISTAKE, /* `*answer` tells, and nothing was asked */
};
enum api_request_status api_request_ask(struct api_request *call, struct response *answer);

struct response api_request_answer(const struct api_request *call);

/* Cancels what is pending. NULL is allowed. */
void api_request_free(struct api_request *call);

#endif
