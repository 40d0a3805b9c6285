/*
 * candidates: asks what a rule's candidate limits would say, beside its live ones, and counts it. No request
 * waits for the answer.
 *
 *      limiter_take ──► the live limits decide, and are the answer
 *                  └──► candidates_ask: a request of its own to the store ··· COUNT_CANDIDATE_ALLOWED or _REFUSED
 *                       nothing left to ask with, or the store is away ······ COUNT_CANDIDATE_MISSED
 *
 * The request outlives the one that it was made for, and holds its generation meanwhile. There is a bounded
 * number of them. A limiter has one of these; on its thread.
 */
#ifndef CANDIDATES_H
#define CANDIDATES_H

#include "limiter.h"

#define CANDIDATES_MAX 1024 /* asked and not answered yet */

/* NULL when out of memory. */
struct candidates *candidates_new(void);

/* After the store: none is pending. NULL is allowed. */
void candidates_free(struct candidates *candidates);

/* Asks by the rule, client and cost of the take, whatever becomes of that. The rule has a candidate. */
void candidates_ask(const struct limiter_take *take);

/* Forgets what the candidate counted for the client. */
void candidates_reset(const struct limiter_take *take);

#endif
