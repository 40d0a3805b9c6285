/*
 * denials: what Redis refused a moment ago, answered again without asking it.
 *
 * A refusal says from when on the same cost could pass. Until then Redis would refuse the same client, rule and cost again,
 * whoever else asks meanwhile: others can only spend more. So this process answers by itself, counting from before the
 * command was sent, which is never longer than Redis would have refused; and for a second at most, so that a reset
 * elsewhere is seen. A flood on one client then costs Redis one or two commands a second and worker.
 *
 * Of fixed size: a newer refusal takes the place of one that is over, else of the one that ends first. One thread.
 */
#ifndef DENIAL_CACHE_H
#define DENIAL_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "store.h"

struct denial_cache;

/* NULL when memory is out. */
struct denial_cache *denial_cache_new(void);
void denial_cache_free(struct denial_cache *denials);

/* Remembers the refusal that the request holds, of a command that was sent at `sent_us` (monotonic). */
void denial_cache_note(struct denial_cache *denials, const struct store_request *request, int64_t sent_us);

/* True where the request is one that would be refused again: it then holds the decisions as they are at `now_us`. */
bool denial_cache_answer(const struct denial_cache *denials, struct store_request *request, int64_t now_us);

/* Forgets all: what Redis holds now may be another thing. */
void denial_cache_clear(struct denial_cache *denials);

#endif
