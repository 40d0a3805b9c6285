/*
 * refusals: what Redis refused a moment ago, answered again without asking it.
 *
 * A refusal says from when on the same cost could pass. Until then Redis would refuse the same client, rule and cost again,
 * whoever else asks meanwhile: others can only spend more. So this process answers by itself, counting from before the
 * command was sent, which is never longer than Redis would have refused; and for a second at most, so that a reset
 * elsewhere is seen. A flood on one client then costs Redis one or two commands a second and worker.
 *
 * Of fixed size: a newer refusal takes the place of one that is over, else of the one that ends first. One thread.
 */
#ifndef REFUSALS_H
#define REFUSALS_H

#include <stdbool.h>
#include <stdint.h>

#include "store.h"

struct refusals;

/* NULL when memory is out. */
struct refusals *refusals_new(void);
void refusals_free(struct refusals *refusals);

/* Remembers the refusal that the request holds, of a command that was sent at `sent_us` (monotonic). */
void refusals_note(struct refusals *refusals, const struct store_request *request, int64_t sent_us);

/* True where the request is one that would be refused again: it then holds the decisions as they are at `now_us`. */
bool refusals_answer(const struct refusals *refusals, struct store_request *request, int64_t now_us);

/* Forgets all: what Redis holds now may be another thing. */
void refusals_clear(struct refusals *refusals);

#endif
