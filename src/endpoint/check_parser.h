/*
 * check_parser: the JSON objects of /v1/check, /v1/check/batch and /v1/reset, parsed into checks.
 *
 *      rule         `rule`, its name; else `path`, `method`, `host` and `headers`, matched as in a request
 *      client       `client`, a name; else `headers`, `host`, `path` and `ip`, by identify_by as in a request
 *      cost         `cost`; if absent, the rule's; 0 peeks. A header says no cost: an application may pass on
 *                   those of its clients
 */
#ifndef CHECK_PARSER_H
#define CHECK_PARSER_H

#include <stdbool.h>

#include "checks.h"
#include "json_body.h"
#include "policy.h"

/* Parses the object into a check: its take's rule, client and cost, or its error, whose list is set. Without
   `with_cost`, a cost is an error. */
void check_parse(const struct policy *policy, const cJSON *object, bool with_cost, struct check *check);

#endif
