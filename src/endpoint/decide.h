/*
 * decide: what the resources and forward auth share once it is known what is asked for: match a rule,
 * identify the client, take, render.
 */
#ifndef DECIDE_H
#define DECIDE_H

#include "endpoint.h"

/* `asked` has the method and the normalised path of what is asked for; the rest is filled in. `host` is as a
   client sent it. */
enum endpoint_status decide_start(struct endpoint_request *request, struct policy_request *asked,
                                  struct field host);

/* The rest of such an endpoint: its finish and free. */
struct response decide_finish(struct endpoint_request *request);
void decide_free(struct endpoint_request *request, bool pending);

#endif
