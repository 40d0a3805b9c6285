/*
 * check_parser: what an application asks in the JSON of /v1/check, /v1/check/batch and /v1/reset.
 *
 *      which rule   `rule`, its name; else `path` and `method`, matched as a request would be
 *      who          `client`, a name; else `headers` and `ip`, by the rule's identify_by as in a request
 *      how much     `cost`: 1 where it is absent; 0 peeks
 */
#ifndef CHECK_PARSER_H
#define CHECK_PARSER_H

#include <stdbool.h>

#include "checks.h"
#include "json_body.h"
#include "policy.h"

/* Makes a check of the object: its take's rule, client and cost, or its error. Without `with_cost` a
   cost is a error. */
void check_parse(const struct policy *policy, const cJSON *object, const struct json_body_place *place,
                 bool with_cost, struct check *check);

/* The list of a batch, of 1 to CHECKS_MAX objects; NULL with a error about the whole. */
const cJSON *check_parse_list(const cJSON *root, struct json_error *error);

#endif
