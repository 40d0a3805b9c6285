/*
 * policy_diff: what other rules change, rule by rule, and what becomes of the counts.
 *
 * Rules are the same rule by their name. A rule has changed where one of its keys says something else,
 * whatever the key is; of its limits what counts is how they are compiled, since {"refill_rate": 1} and
 * {"refill_rate": "60/1m"} are the same. A limit keeps its counts where its state has the same name,
 * limit_state_name: the same algorithm and period, at the same index.
 *
 *     2 changed (api: limit 100 -> 200, counted on; search: algorithm, counted anew), 1 added, 7 as before
 *
 * Pure; any thread.
 */
#ifndef POLICY_DIFF_H
#define POLICY_DIFF_H

#include <stdbool.h>
#include <stdint.h>

#include "policy.h"

#define POLICY_DIFF_BYTES 1024

struct policy_diff {
    uint32_t changed, added, removed, same;
    char text[POLICY_DIFF_BYTES]; /* as above; has no byte that JSON would escape */
};
void policy_compare(struct policy_diff *diff, const struct policy *before, const struct policy *after);

/* Gives the rules of `after` that are unchanged the ids that their limits had, so that what others keep by
   these ids (refusals that are repeated without Redis, rendered answers) is still good. `after` is not
   published yet. */
void policy_keep_ids(struct policy *after, const struct policy *before);

#endif
