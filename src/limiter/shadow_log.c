#include "shadow_log.h"

#include <inttypes.h>
#include <stdio.h>

#include "log.h"
#include "rule_counts.h"

static uint64_t
sum(const uint64_t news[RULE_COUNTS], enum rule_count first, enum rule_count last)
{
    uint64_t total = 0;

    for (enum rule_count i = first; i <= last; i++)
        total += news[i];
    return total;
}

static bool
is_news(const uint64_t news[RULE_COUNTS])
{
    return sum(news, COUNT_SHADOW, COUNT_SHADOW_BLOCKED) + news[COUNT_CANDIDATE_REFUSED] +
               news[COUNT_CANDIDATE_MISSED] >
           0;
}

static void
tell_shadow(const struct rule *rule, const uint64_t news[RULE_COUNTS], int64_t seconds)
{
    uint64_t refused = sum(news, COUNT_SHADOW, COUNT_SHADOW_BLOCKED);
    uint64_t all = sum(news, COUNT_ALLOWED, COUNT_UNAVAILABLE) + refused + news[COUNT_SHADOW_UNAVAILABLE];

    if (refused > 0)
        log_info("shadow_log",
                 "rule %s: shadow would have refused %" PRIu64 " of %" PRIu64 " requests in the last %" PRId64
                 " s",
                 rule->name, refused, all, seconds);
}

static void
tell_candidate(const struct rule *rule, const uint64_t news[RULE_COUNTS], int64_t seconds)
{
    uint64_t refused = news[COUNT_CANDIDATE_REFUSED], missed = news[COUNT_CANDIDATE_MISSED];
    char untried[64] = "";

    if (missed > 0)
        snprintf(untried, sizeof(untried), "; %" PRIu64 " were not tried", missed);
    if (refused + missed > 0)
        log_info("shadow_log",
                 "rule %s: candidate would have refused %" PRIu64 " of %" PRIu64
                 " requests in the last %" PRId64 " s%s",
                 rule->name, refused, refused + news[COUNT_CANDIDATE_ALLOWED], seconds, untried);
}

static void
tell_rules(const struct policy *policy, int64_t seconds)
{
    uint64_t news[RULE_COUNTS];
    uint32_t rules = 0;

    for (uint32_t i = 0; i < policy->rule_count; i++) {
        rule_counts_news(policy->rules[i].counts, news);
        if (!is_news(news) || ++rules > SHADOW_LOG_RULES)
            continue;
        tell_shadow(&policy->rules[i], news, seconds);
        tell_candidate(&policy->rules[i], news, seconds);
    }
    if (rules > SHADOW_LOG_RULES)
        log_info("shadow_log", "%" PRIu32 " more rules would have refused requests; GET /v1/rules shows them",
                 rules - SHADOW_LOG_RULES);
}

void
shadow_log_tell(struct shadow_log *log, int64_t now_us)
{
    int64_t seconds = (now_us - log->told_us + US_PER_S - 1) / US_PER_S;
    struct generation *generation = generations_hold(log->generations);

    log->told_us = now_us;
    tell_rules(generation->policy, seconds);
    generations_release(generation);
}
