/*
 * api_request: what the endpoints of the JSON API share: the body is parsed into checks, the checks are decided together, and
 * the endpoint replies.
 */
#ifndef API_REQUEST_H
#define API_REQUEST_H

#include "checks.h"
#include "endpoint.h"
#include "json_body.h"

/* Makes the checks of a parsed body. NULL with an error; without a status: out of memory. */
typedef struct checks *api_request_parse(const struct endpoint_request *request,
                                         const struct checks_caller *caller, const cJSON *root,
                                         struct json_error *error);

/* An endpoint's start, with its own way to parse. */
enum endpoint_status api_request_start(struct endpoint_request *request, api_request_parse *parse);

/* The checks, for the endpoint's finish. */
const struct checks *api_request_checks(const struct endpoint_request *request);

bool api_request_is_any_unavailable(const struct endpoint_request *request);

/* An endpoint's free. */
void api_request_free(struct endpoint_request *request, bool pending);

#endif
