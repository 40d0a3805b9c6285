#include "decide.h"

#include "container_of.h"
#include "render.h"

static enum endpoint_status
refuse_unidentified(struct endpoint_request *request, const struct rule *rule)
{
    char detail[IDENTITY_SOUGHT_BYTES];

    identity_write_sought(detail, rule);
    return endpoint_problem(request, 400, detail);
}

static void
on_taken(struct limiter_take *take)
{
    struct endpoint_request *request = container_of(take, struct endpoint_request, take);

    request->resume(request);
}

static enum endpoint_status
take(struct endpoint_request *request)
{
    request->take.cost = 1;
    request->take.callback = on_taken;
    return limiter_take(request->context->limiter, &request->take) == LIMITER_DONE ? ENDPOINT_DONE
                                                                                   : ENDPOINT_PENDING;
}

enum endpoint_status
decide_start(struct endpoint_request *request, const struct rule *rule)
{
    request->take.rule = rule;
    if (rule == NULL)
        return take(request);
    switch (identify(&request->take.client, &request->take.address, rule, &request->headers->identity,
                     request->peer, request->context->trusted)) {
    case IDENTITY_ABSENT:
        return refuse_unidentified(request, rule);
    case IDENTITY_BAD:
        request->closing = true;
        return endpoint_problem(request, 400,
                                "The header that names the client contains a control character.");
    case IDENTITY_FOUND:
        break;
    }
    return take(request);
}

struct response
decide_finish(struct endpoint_request *request)
{
    return render_take(request->context->renderer, &request->take, request->message, request->deny_403,
                       request->closing);
}

void
decide_free(struct endpoint_request *request, bool pending)
{
    if (pending)
        limiter_cancel(request->context->limiter, &request->take);
}
