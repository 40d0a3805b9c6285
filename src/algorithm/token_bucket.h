/*
 * token_bucket: a level that refills evenly; a request takes its cost from it.
 *
 * The functions of algorithm.h, for this algorithm alone; see there.
 */
#ifndef TOKEN_BUCKET_H
#define TOKEN_BUCKET_H

#include "algorithm.h"

void token_bucket_init(const struct limit *limit, struct token_bucket_state *state, int64_t now_us);
void token_bucket_advance(const struct limit *limit, struct token_bucket_state *state, int64_t now_us);
bool token_bucket_fits(const struct limit *limit, const struct token_bucket_state *state, int64_t now_us,
                       int64_t cost);
void token_bucket_spend(const struct limit *limit, struct token_bucket_state *state, int64_t now_us,
                        int64_t cost);
void token_bucket_report(const struct limit *limit, const struct token_bucket_state *state, int64_t now_us,
                         int64_t cost, bool allowed, struct decision *decision);

#endif
