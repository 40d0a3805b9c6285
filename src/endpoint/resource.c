/*
 * resource: the protected resources, limited by the rule that matches the request.
 */
#include "decide.h"

static enum endpoint_status
start(struct endpoint_request *request)
{
    struct policy_request asked = {.method = request->method,
                                   .path = {.text = request->path, .bytes = request->path_bytes}};

    request->deny_403 = false;
    return decide_start(request, &asked, request->host);
}

const struct endpoint resource_endpoint = {.start = start, .finish = decide_finish, .free = decide_free};
