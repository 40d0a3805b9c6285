/*
 * explain: what rules do, told to an operator on a terminal: `ratelimitd --check`. Any thread.
 */
#ifndef EXPLAIN_H
#define EXPLAIN_H

#include <stdio.h>

#include "policy.h"

/* How many rules there are and what happens to requests that none matches; then a line for each rule, in the
   order of the file. `name` is the file's; `usual` as in rule_words.h. */
void explain_rules(FILE *out, const struct policy *policy, const char *name, enum failure_mode usual);

#endif
