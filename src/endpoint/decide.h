/*
 * decide: what the resources and forward auth share once the rule is known: identify the client, take, render.
 */
#ifndef DECIDE_H
#define DECIDE_H

#include "endpoint.h"

/* `rule` NULL: no rule matches, and the request is not limited. */
enum endpoint_status decide_start(struct endpoint_request *request, const struct rule *rule);

/* The rest of such an endpoint: its finish and free. */
struct response decide_finish(struct endpoint_request *request);
void decide_free(struct endpoint_request *request, bool pending);

#endif
