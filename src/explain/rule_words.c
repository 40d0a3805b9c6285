#include "rule_words.h"

#include <inttypes.h>

#include "client_list.h"
#include "conditions.h"
#include "number.h"
#include "path.h"

static void
put_count(FILE *out, int64_t count, const char *one, const char *many)
{
    fprintf(out, "%" PRId64 " %s", count, count == 1 ? one : many);
}

/* Which requests. */

void
rule_words_put_methods(FILE *out, unsigned methods)
{
    const char *separator = "";

    for (unsigned i = 0; i < METHOD_WORD_COUNT; i++) {
        if ((methods & (1u << i)) == 0)
            continue;
        fprintf(out, "%s%s", separator, method_words[i]);
        separator = ", ";
    }
}

void
rule_words_put_hosts(FILE *out, const struct conditions *conditions)
{
    for (uint32_t i = 0; i < conditions->host_count; i++)
        fprintf(out, "%s%s", i > 0 ? " or " : "", conditions->hosts[i]);
}

static void
put_header(FILE *out, const struct policy *policy, const struct header_condition *condition)
{
    static const char *const tests[] = {"is \"", "begins with \"", "is sent", "is not sent"};

    fprintf(out, ", header %s %s", policy->headers[condition->header], tests[condition->test]);
    if (condition->text == NULL)
        return;
    report_put_text(out, condition->text);
    fputc('"', out);
}

static void
put_conditions(FILE *out, const struct policy *policy, const struct conditions *conditions)
{
    if (conditions->host_count > 0)
        fputs(", host ", out);
    rule_words_put_hosts(out, conditions);
    for (uint32_t i = 0; i < conditions->header_count; i++)
        put_header(out, policy, &conditions->headers[i]);
}

static void
put_match(FILE *out, const struct policy *policy, const struct rule *rule)
{
    if (rule->path == NULL) {
        fputs(rule == policy->fallback ? "what no other rule matches" : "reached by name only", out);
        return;
    }
    if (rule->methods != METHOD_ALL) {
        rule_words_put_methods(out, rule->methods);
        fputc(' ', out);
    }
    report_put_text(out, path_pattern_text(rule->path));
    if (rule->conditions != NULL)
        put_conditions(out, policy, rule->conditions);
}

/* Whose quota. */

static void
put_identify_by(FILE *out, const struct rule *rule)
{
    fputs("; client: ", out);
    for (uint32_t i = 0; i < rule->identifier_count; i++)
        for (uint32_t k = 0; k < rule->identifiers[i].count; k++)
            fprintf(out, "%s%s",
                    k > 0   ? " + "
                    : i > 0 ? ", else "
                            : "",
                    rule->identifiers[i].sources[k].text);
}

/* How much. */

/* In the shortest unit of which a whole number flows in: "5 a second", "10 a minute", "3 every 7s". */
static void
put_refill(FILE *out, const struct limit *limit)
{
    static const struct {
        int64_t us;
        const char *name;
    } units[] = {{US_PER_S, "a second"},
                 {60 * US_PER_S, "a minute"},
                 {3600 * US_PER_S, "an hour"},
                 {86400 * US_PER_S, "a day"}};
    int64_t tokens;

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (units[i].us % limit->units_per_token == 0 &&
            number_product(limit->units_per_us, units[i].us / limit->units_per_token, &tokens)) {
            fprintf(out, "%" PRId64 " %s", tokens, units[i].name);
            return;
        }
    fprintf(out, "%" PRId64 " every %s", limit->units_per_us, duration_text(limit->units_per_token).text);
}

static void
put_limit(FILE *out, const struct limit *limit)
{
    static const struct {
        const char *before, *window, *after;
    } words[ALGORITHM_COUNT] = {
        [SLIDING_WINDOW] = {"", " in any ", ""},
        [SLIDING_WINDOW_COUNTER] = {"about ", " in any ", ""},
        [FIXED_WINDOW] = {"", " in each ", " of the clock"},
    };

    if (limit->algorithm == TOKEN_BUCKET) {
        fprintf(out, "bursts of %" PRId64 ", refilled ", limit->limit);
        put_refill(out, limit);
        return;
    }
    fputs(words[limit->algorithm].before, out);
    put_count(out, limit->limit, "request", "requests");
    fprintf(out, "%s%s%s", words[limit->algorithm].window, duration_text(limit->window_us).text,
            words[limit->algorithm].after);
}

void
rule_words_put_limits(FILE *out, const struct limit_set *limits)
{
    for (uint32_t i = 0; i < limits->count; i++) {
        fputs(i > 0 ? " and " : "", out);
        put_limit(out, &limits->limits[i]);
    }
}

static void
put_cost(FILE *out, const struct policy *policy, const struct rule *rule)
{
    if (rule->cost_header != NO_HEADER)
        fprintf(out, "; a request costs what header %s of a trusted proxy says, else %" PRId64,
                policy->headers[rule->cost_header], rule->cost);
    else if (rule->cost != 1)
        fprintf(out, "; a request costs %" PRId64, rule->cost);
}

static void
put_failure_mode(FILE *out, enum failure_mode mode)
{
    static const char *const words[FAILURE_MODE_COUNT] = {
        [FAILURE_CLOSED] = "answered 503",
        [FAILURE_OPEN] = "allowed",
        [FAILURE_LOCAL] = "counted in this process",
    };

    fprintf(out, "; %s when the store is unavailable", words[mode]);
}

/* Clients that differ. */

static const char *
file_of(const struct policy *policy, const struct client_table *table)
{
    for (uint32_t i = 0; i < policy->list_count; i++)
        if (policy->lists[i]->table == table)
            return policy->lists[i]->file;
    return NULL;
}

static void
put_clients(FILE *out, const struct policy *policy, const struct client_table *table)
{
    const uint32_t names = client_table_names(table), addresses = client_table_addresses(table);
    const char *file = file_of(policy, table);

    fputs("; clients that differ: ", out);
    if (names > 0 || addresses == 0)
        put_count(out, names, "name", "names");
    fputs(names > 0 && addresses > 0 ? ", " : "", out);
    if (addresses > 0)
        put_count(out, addresses, "address or network", "addresses and networks");
    if (file == NULL)
        return;
    fputs(", in ", out);
    report_put_text(out, file);
}

static void
put_penalty(FILE *out, const struct penalty *penalty)
{
    fputs("; penalty after ", out);
    put_count(out, penalty->after, "refusal", "refusals");
    fprintf(out, " in %s: %s", duration_text(penalty->within_us).text, duration_text(penalty->for_us).text);
    if (penalty->growth > 1)
        fprintf(out, ", each further one %" PRId64 " times as long, %s at most", penalty->growth,
                duration_text(penalty->up_to_us).text);
}

static void
put_trial(FILE *out, const struct rule *rule)
{
    if (rule->shadow)
        fputs("; a shadow: it refuses nothing", out);
    if (!rule_has_candidate(rule))
        return;
    fputs("; candidate: ", out);
    rule_words_put_limits(out, &rule->candidate);
}

/* All of a rule that is told, in this order; each after the first begins with "; ". */
void
rule_words_put(FILE *out, const struct policy *policy, const struct rule *rule, enum failure_mode usual)
{
    put_match(out, policy, rule);
    put_identify_by(out, rule);
    fputs("; ", out);
    rule_words_put_limits(out, &rule->limits);
    put_cost(out, policy, rule);
    if (rule->on_store_failure != usual)
        put_failure_mode(out, rule->on_store_failure);
    if (rule->clients != NULL)
        put_clients(out, policy, rule->clients);
    if (rule_penalty(rule) != NULL)
        put_penalty(out, &rule->penalty);
    put_trial(out, rule);
}
