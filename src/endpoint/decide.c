#include "decide.h"

#include "container_of.h"
#include "host.h"
#include "number.h"
#include "render.h"
#include "stringify.h"

static const char bad_cost[] =
    "The header that says the cost must be a whole number from 0 to " STRINGIFY(NUMBER_EXACT_MAX) ".";

static void
on_taken(struct limiter_take *take)
{
    struct endpoint_request *request = container_of(take, struct endpoint_request, take);

    request->resume(request);
}

static enum endpoint_status
take(struct endpoint_request *request)
{
    request->take.share = request->share;
    request->take.trace_id = request->headers->trace_id;
    request->take.callback = on_taken;
    return limiter_take(request->context->limiter, &request->take) == LIMITER_DONE ? ENDPOINT_DONE
                                                                                   : ENDPOINT_PENDING;
}

static enum endpoint_status
refuse_unidentified(struct endpoint_request *request, enum identity_status status)
{
    char detail[IDENTITY_SOUGHT_BYTES];

    switch (status) {
    case IDENTITY_BAD:
        request->closing = true;
        return endpoint_problem(request, 400,
                                "The header that names the client contains a control character.");
    case IDENTITY_UNCLEAR:
        return endpoint_problem(request, 400,
                                "An encoded slash (%2F) makes it unclear which segment names the client.");
    default:
        identity_write_sought(detail, request->take.rule);
        return endpoint_problem(request, 400, detail);
    }
}

static enum endpoint_status
identify_and_take(struct endpoint_request *request, const struct policy_request *asked)
{
    const struct identity_request who = {.asked = asked,
                                         .fields = &request->headers->identity,
                                         .peer = request->peer,
                                         .trusted = request->context->trusted};
    enum identity_status status = identify(&request->take, &who);

    if (status != IDENTITY_FOUND)
        return refuse_unidentified(request, status);
    request->take.cost = request->take.rule->cost;
    if (request->peer->trusted && !rule_cost(request->take.rule, asked->headers, &request->take.cost))
        return endpoint_problem(request, 400, bad_cost);
    return take(request);
}

enum endpoint_status
decide_start(struct endpoint_request *request, struct policy_request *asked, struct field host)
{
    const struct policy *policy = request->policy;
    char normal[HOST_BYTES_MAX];

    asked->headers = request->headers->identity.headers;
    asked->cookies = request->headers->identity.cookies;
    asked->host = (struct field){.text = NULL};
    if (policy->reads_host && host.text != NULL) {
        asked->host = host_normalise(&host, normal);
        if (asked->host.text == NULL)
            return endpoint_problem(request, 400, "The host of the request is not a name or an address.");
    }
    request->take.rule = policy_match(policy, asked);
    return request->take.rule != NULL ? identify_and_take(request, asked) : take(request);
}

struct response
decide_finish(struct endpoint_request *request)
{
    if (!request->peer->trusted)
        request->take.withheld = VERDICT_ALLOWED; /* a client need not know what is tried */
    return render_take(request->context->renderer, &request->take, request->message, request->deny_403,
                       request->closing);
}

void
decide_free(struct endpoint_request *request, bool pending)
{
    if (pending)
        limiter_cancel(request->context->limiter, &request->take);
}
