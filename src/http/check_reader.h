/*
 * check_reader: what an application asks in the JSON of /v1/check, /v1/check/batch and /v1/reset.
 *
 *      which rule   `rule`, its name; else `path` and `method`, matched as a request would be
 *      who          `client`, a name; else `headers` and `ip`, by the rule's identify_by as in a request
 *      how much     `cost`: 1 where it is absent; 0 peeks
 */
#ifndef CHECK_READER_H
#define CHECK_READER_H

#include <stdbool.h>

#include "body.h"
#include "policy.h"
#include "questions.h"

#define CHECK_BATCH_MAX 1000

/* Makes a question of the object: its take's rule, client and cost, or its mistake. Without `with_cost` a
   cost is a mistake. */
void check_read(const struct policy *policy, const cJSON *object, const struct body_place *place,
                bool with_cost, struct question *question);

/* The list of a batch, of 1 to CHECK_BATCH_MAX objects; NULL with a mistake about the whole. */
const cJSON *check_read_list(const cJSON *root, struct body_mistake *mistake);

#endif
