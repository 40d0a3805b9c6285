/*
 * resource: the protected resources, limited by the rule that matches the request.
 */
#include "decide.h"

static enum endpoint_status
start(struct endpoint_request *request)
{
    request->deny_403 = false;
    return decide_start(request,
                        policy_match(request->policy, request->method, request->path, request->path_bytes));
}

const struct endpoint resource_endpoint = {.start = start, .finish = decide_finish, .free = decide_free};
