/*
 * openapi: GET /openapi.yaml, the description of the HTTP API.
 */
#include "openapi.h"

#include "endpoint.h"

static enum endpoint_status
start(struct endpoint_request *request)
{
    request->response =
        response_static(200, openapi_text, openapi_bytes, "application/yaml", request->closing);
    return ENDPOINT_ANSWERED;
}

const struct endpoint openapi_endpoint = {.start = start};
