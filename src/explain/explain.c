#include "explain.h"

#include <inttypes.h>

#include "rule_words.h"

/* A rule that lost its `match` is easily one of these. */
static uint32_t
count_reached_by_name(const struct policy *policy)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < policy->rule_count; i++)
        if (policy->rules[i].path == NULL && &policy->rules[i] != policy->fallback)
            count++;
    return count;
}

void
explain_rules(FILE *out, const struct policy *policy, const char *name, enum failure_mode usual)
{
    uint32_t count = policy->rule_count, by_name = count_reached_by_name(policy);

    fprintf(out, "ratelimitd: the settings and %s are good: %" PRIu32 " rule%s", name, count,
            count == 1 ? "" : "s");
    if (by_name > 0)
        fprintf(out, ", %" PRIu32 " of them without a match, reached by name only", by_name);
    fprintf(out, "; what no %srule matches is %s\n", policy->fallback ? "other " : "",
            policy->fallback ? "limited by \"default\"" : "not limited");
    for (uint32_t i = 0; i < count; i++) {
        fprintf(out, "  %s: ", policy->rules[i].name);
        rule_words_put(out, policy, &policy->rules[i], usual);
        fputc('\n', out);
    }
}
