/*
 * api_session: a request to an endpoint of the JSON API, without a connection, step by step.
 */
#ifndef API_SESSION_H
#define API_SESSION_H

#include <string.h>

#include "endpoint.h"
#include "suite.h"
#include "turns.h"

struct api_session {
    struct endpoint_request request;
    struct headers headers; /* its own: none */
    const struct endpoint *endpoint;
    enum endpoint_status status; /* of the start */
    int resumed;
};

static void
api_session_on_resume(struct endpoint_request *request)
{
    ((struct api_session *)request)->resumed++; /* it is the first member */
}

/* The body is borrowed. */
static inline void
api_session_start(struct api_session *session, const struct endpoint_context *context,
                  const struct policy *policy, const struct endpoint *endpoint, const char *body)
{
    *session = (struct api_session){.endpoint = endpoint};
    session->request = (struct endpoint_request){.context = context,
                                                 .endpoint = endpoint,
                                                 .policy = policy,
                                                 .method = METHOD_POST,
                                                 .headers = &session->headers,
                                                 .body = {.text = body, .bytes = strlen(body)},
                                                 .resume = api_session_on_resume};
    session->status = endpoint->start(&session->request);
    ck_assert_int_eq(session->resumed, 0);
}

/* A step of a request that alone has a turn. False: it has none. */
static inline bool
api_session_step(const struct endpoint_context *context)
{
    struct turns *turns = context->turns;
    struct turn *turn = turns->working.next != &turns->working ? turns->working.next : turns->asking.next;

    if (turn == &turns->asking)
        return false;
    turn->step(turn);
    return true;
}

/* To the end of a request that waits for nothing but its turns. */
static inline struct response
api_session_finish(struct api_session *session)
{
    while (turns_run(session->request.context->turns))
        continue;
    ck_assert_int_eq(session->resumed, session->status == ENDPOINT_PENDING);
    return session->endpoint->finish(&session->request);
}

#endif
