/*
 * rule_words: what a rule does, in words and in one line:
 *
 *     GET, HEAD /search, host *.example.com; client: header:user_id, else ip; 100 requests in any 1m
 *
 * It has no newline, and no byte of it controls a terminal. Any thread, one at a time for each file.
 */
#ifndef RULE_WORDS_H
#define RULE_WORDS_H

#include <stdio.h>

#include "policy.h"

/* A rule without a failure mode of its own has the `usual` one, which is not told. */
void rule_words_put(FILE *out, const struct policy *policy, const struct rule *rule, enum failure_mode usual);

/* "bursts of 20, refilled 5 a second"; several are joined by "and". */
void rule_words_put_limits(FILE *out, const struct limit_set *limits);

/* "POST, PUT" */
void rule_words_put_methods(FILE *out, unsigned methods);

/* "api.example.com or *.example.com" */
struct conditions;
void rule_words_put_hosts(FILE *out, const struct conditions *conditions);

#endif
