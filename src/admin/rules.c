/*
 * rules: GET /v1/rules, the rules as they are compiled, in the words of the rules file: one a line.
 */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "client_table.h"
#include "clock.h"
#include "conditions.h"
#include "endpoint.h"
#include "json_string.h"
#include "number.h"
#include "path.h"
#include "rule_counts.h"

static void
put_methods(FILE *out, unsigned methods)
{
    const char *separator = "";

    fputs(", \"methods\": [", out);
    for (unsigned i = 0; i < METHOD_WORD_COUNT; i++) {
        if ((methods & (1u << i)) == 0)
            continue;
        fprintf(out, "%s\"%s\"", separator, method_words[i]);
        separator = ", ";
    }
    fputc(']', out);
}

static void
put_hosts(FILE *out, const struct conditions *conditions)
{
    fputs(conditions->host_count > 0 ? ", \"host\": [" : "", out);
    for (uint32_t i = 0; i < conditions->host_count; i++) {
        fputs(i > 0 ? ", " : "", out);
        json_string_put(out, conditions->hosts[i]);
    }
    fputs(conditions->host_count > 0 ? "]" : "", out);
}

static void
put_header(FILE *out, const struct policy *policy, const struct header_condition *condition)
{
    static const char *const before[] = {"", "{\"prefix\": ", "{\"present\": true", "{\"present\": false"};

    json_string_put(out, policy->headers[condition->header]);
    fprintf(out, ": %s", before[condition->test]);
    if (condition->text != NULL)
        json_string_put(out, condition->text);
    fputs(condition->test == HEADER_IS ? "" : "}", out);
}

static void
put_headers(FILE *out, const struct policy *policy, const struct conditions *conditions)
{
    fputs(conditions->header_count > 0 ? ", \"headers\": {" : "", out);
    for (uint32_t i = 0; i < conditions->header_count; i++) {
        fputs(i > 0 ? ", " : "", out);
        put_header(out, policy, &conditions->headers[i]);
    }
    fputs(conditions->header_count > 0 ? "}" : "", out);
}

static void
put_match(FILE *out, const struct policy *policy, const struct rule *rule)
{
    if (rule->path == NULL) {
        fputs(", \"match\": null", out);
        return;
    }
    fputs(", \"match\": {\"path\": ", out);
    json_string_put(out, path_pattern_text(rule->path));
    if (rule->methods != METHOD_ALL)
        put_methods(out, rule->methods);
    if (rule->conditions != NULL) {
        put_hosts(out, rule->conditions);
        put_headers(out, policy, rule->conditions);
    }
    fputc('}', out);
}

static void
put_identifier(FILE *out, const struct identifier *identifier)
{
    fputs(identifier->count > 1 ? "[" : "", out);
    for (uint32_t i = 0; i < identifier->count; i++) {
        fputs(i > 0 ? ", " : "", out);
        json_string_put(out, identifier->sources[i].text);
    }
    fputs(identifier->count > 1 ? "]" : "", out);
}

static void
put_identify_by(FILE *out, const struct rule *rule)
{
    fputs(", \"identify_by\": [", out);
    for (uint32_t i = 0; i < rule->identifier_count; i++) {
        fputs(i > 0 ? ", " : "", out);
        put_identifier(out, &rule->identifiers[i]);
    }
    fputc(']', out);
}

/* `state` is the part of the state's key in Redis that names the algorithm and its period. */
static void
put_limit(FILE *out, const struct limit *limit)
{
    char state[LIMIT_STATE_NAME_BYTES];
    size_t state_bytes = limit_state_name(limit, state);

    fprintf(out, "{\"algorithm\": \"%s\", ", algorithm_name(limit->algorithm));
    if (limit->algorithm == TOKEN_BUCKET) {
        fprintf(out, "\"capacity\": %" PRId64 ", \"refill_rate\": \"%" PRId64 "/%s", limit->limit,
                limit->units_per_us, duration_text(limit->units_per_token).text);
    } else {
        fprintf(out, "\"limit\": %" PRId64 ", \"window\": \"%s", limit->limit,
                duration_text(limit->window_us).text);
    }
    fprintf(out, "\", \"state\": \"%.*s\"}", (int)state_bytes, state);
}

/* One that is not 1. */
static void
put_cost(FILE *out, const struct policy *policy, const struct rule *rule)
{
    if (rule->cost_header != NO_HEADER)
        fprintf(out, ", \"cost\": \"header:%s\"", policy->headers[rule->cost_header]);
    else if (rule->cost != 1)
        fprintf(out, ", \"cost\": %" PRId64, rule->cost);
}

static void
put_limits(FILE *out, const struct limit_set *limits)
{
    fputs("\"limits\": [", out);
    for (uint32_t i = 0; i < limits->count; i++) {
        fputs(i > 0 ? ", " : "", out);
        put_limit(out, &limits->limits[i]);
    }
    fputc(']', out);
}

static void
put_candidate(FILE *out, const struct limit_set *candidate)
{
    fputs(", \"candidate\": {", out);
    put_limits(out, candidate);
    fputc('}', out);
}

static void
put_penalty(FILE *out, const struct penalty *penalty)
{
    fprintf(out,
            ", \"penalty\": {\"after\": %" PRId64
            ", \"within\": \"%s\", \"for\": \"%s\", \"growth\": %" PRId64 ", \"up_to\": \"%s\"}",
            penalty->after, duration_text(penalty->within_us).text, duration_text(penalty->for_us).text,
            penalty->growth, duration_text(penalty->up_to_us).text);
}

/* How many they are; a file may name a million. */
static void
put_clients(FILE *out, const struct client_table *clients)
{
    fprintf(out, ", \"clients\": {\"addresses\": %" PRIu32 ", \"names\": %" PRIu32 "}",
            client_table_addresses(clients), client_table_names(clients));
}

/* All that the rule has counted, over all workers. */
static void
put_counts(FILE *out, const struct rule_counts *counts)
{
    uint64_t sums[RULE_COUNTS];
    time_t since = (time_t)(rule_counts_since_us(counts) / US_PER_S);
    char moment[32];
    struct tm utc;

    gmtime_r(&since, &utc);
    strftime(moment, sizeof(moment), "%Y-%m-%dT%H:%M:%SZ", &utc);
    rule_counts_sum(counts, sums);
    fprintf(out, ", \"counts\": {\"since\": \"%s\"", moment);
    for (enum rule_count i = 0; i < RULE_COUNTS_NAMED; i++)
        fprintf(out, ", \"%s\": %" PRIu64, rule_count_name(i), sums[i]);
    fputc('}', out);
}

static void
put_rule(FILE *out, const struct policy *policy, const struct rule *rule)
{
    fprintf(out, "{\"name\": \"%s\"", rule->name);
    put_match(out, policy, rule);
    put_identify_by(out, rule);
    put_cost(out, policy, rule);
    if (rule->clients != NULL)
        put_clients(out, rule->clients);
    if (rule_penalty(rule) != NULL)
        put_penalty(out, &rule->penalty);
    if (rule->shadow)
        fputs(", \"shadow\": true", out);
    fprintf(out, ", \"on_store_failure\": \"%s\", ", failure_mode_name(rule->on_store_failure));
    put_limits(out, &rule->limits);
    if (rule_has_candidate(rule))
        put_candidate(out, &rule->candidate);
    if (rule->counts != NULL)
        put_counts(out, rule->counts);
    fputc('}', out);
}

static void
put_rules(FILE *out, const struct policy *policy)
{
    fputs("{\"rules\": [", out);
    for (uint32_t i = 0; i < policy->rule_count; i++) {
        fputs(i > 0 ? ",\n" : "\n", out);
        put_rule(out, policy, &policy->rules[i]);
    }
    fputs("\n]}\n", out);
}

static enum endpoint_status
start(struct endpoint_request *request)
{
    struct response_body body;
    FILE *out = response_body_open(&body);

    if (out != NULL)
        put_rules(out, request->policy);
    request->response = response_body_close(&body, 200, RESPONSE_JSON, request->closing);
    return ENDPOINT_ANSWERED;
}

const struct endpoint rules_endpoint = {.start = start};
