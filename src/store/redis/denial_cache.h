/*
 * denial_cache: recent refusals by Redis, repeated without asking it.
 *
 * A refusal says when the same cost could pass. Until then Redis would refuse the same client, rule and cost
 * again, because requests in between can only spend more. So this process answers by itself: counted from
 * before the command was sent, so never for longer than Redis would have refused, and for a second at most,
 * so that a reset by another node is seen. A flood on one client then costs Redis one or two commands per
 * second and worker. Under a rule with a penalty only what the penalty refuses is repeated: Redis counts the
 * other refusals.
 *
 * Fixed size: a new refusal replaces an expired one, or else the one that expires first. One thread.
 */
#ifndef DENIAL_CACHE_H
#define DENIAL_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "store.h"

struct denial_cache;

/* NULL: out of memory. */
struct denial_cache *denial_cache_new(void);
void denial_cache_free(struct denial_cache *denials);

/* Remembers the refusal in the request, by a command that was sent at `sent_us` (monotonic). Not one that a
   penalty has counted. */
void denial_cache_note(struct denial_cache *denials, const struct store_request *request, int64_t sent_us);

/* True: the request would be refused again, and holds its decisions at `now_us`. */
bool denial_cache_answer(const struct denial_cache *denials, struct store_request *request, int64_t now_us);

/* Forgets everything: the counts in Redis may have changed. */
void denial_cache_clear(struct denial_cache *denials);

#endif
