#include "explain.h"

#include <inttypes.h>

#include "asked.h"
#include "conditions.h"
#include "identity.h"
#include "number.h"
#include "overrides.h"
#include "path.h"
#include "peek.h"
#include "rule_words.h"

/* --check */

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
explain_rules(FILE *out, const struct policy *policy, const struct settings *settings)
{
    uint32_t count = policy->rule_count, by_name = count_reached_by_name(policy);

    fprintf(out, "ratelimitd: the settings and %s are good: %" PRIu32 " rule%s", settings->rules, count,
            count == 1 ? "" : "s");
    if (by_name > 0)
        fprintf(out, ", %" PRIu32 " of them without a match, reached by name only", by_name);
    fprintf(out, "; what no %srule matches is %s\n", policy->fallback ? "other " : "",
            policy->fallback ? "limited by \"default\"" : "not limited");
    for (uint32_t i = 0; i < count; i++) {
        fprintf(out, "  %s: ", policy->rules[i].name);
        rule_words_put(out, policy, &policy->rules[i], (enum failure_mode)settings->failure_mode);
        fputc('\n', out);
    }
}

/* --explain */

struct explanation {
    FILE *out;
    const struct policy *policy;
    const struct settings *settings;
    struct asked asked;
    struct limiter_take take;       /* its rule, client and address */
    const struct limit_set *limits; /* what decides; NULL: nothing counts */
    struct peek *peek;              /* NULL: Redis is not asked */
};

static void
put_rule(const struct explanation *told)
{
    if (told->take.rule == NULL) {
        fputs("rule: none matches, and none is named \"default\": not limited\n", told->out);
        return;
    }
    fprintf(told->out, "rule: %s: ", told->take.rule->name);
    rule_words_put(told->out, told->policy, told->take.rule, (enum failure_mode)told->settings->failure_mode);
    fputc('\n', told->out);
}

/* The client. */

static bool
identifies_by_address(const struct rule *rule)
{
    for (uint32_t i = 0; i < rule->identifier_count; i++)
        for (uint32_t k = 0; k < rule->identifiers[i].count; k++)
            if (rule->identifiers[i].sources[k].kind == SOURCE_IP)
                return true;
    return false;
}

static void
put_absent_client(const struct explanation *told)
{
    char sought[IDENTITY_SOUGHT_BYTES];

    if (!told->asked.has_peer && identifies_by_address(told->take.rule)) {
        fputs("client: unknown without its address; add: from ADDRESS\n", told->out);
        return;
    }
    identity_write_sought(sought, told->take.rule);
    fprintf(told->out, "client: none, so the answer is 400: %s\n", sought);
}

/* False: it has none, and so no limits. */
static bool
put_client(struct explanation *told, const struct networks *trusted)
{
    const struct identity_request request = {.asked = &told->asked.request,
                                             .fields = &told->asked.fields,
                                             .peer = told->asked.has_peer ? &told->asked.peer : NULL,
                                             .trusted = trusted};

    switch (identify(&told->take, &request)) {
    case IDENTITY_FOUND:
        fprintf(told->out, "client: %s\n", told->take.client.text);
        return true;
    case IDENTITY_ABSENT:
        put_absent_client(told);
        break;
    case IDENTITY_BAD:
        fputs("client: none, so the answer is 400: a control character is in what names it\n", told->out);
        break;
    case IDENTITY_UNCLEAR:
        fputs("client: none, so the answer is 400: an encoded slash (%2F) makes it unclear which segment of "
              "the path "
              "names it\n",
              told->out);
    }
    return false;
}

/* What it takes, and from which limits. */

/* Where a rule or a header says one. False: it cannot be understood. */
static bool
put_cost(struct explanation *told)
{
    const struct rule *rule = told->take.rule;
    const struct field *headers = told->asked.fields.headers;
    bool says_header = rule->cost_header != NO_HEADER && headers[rule->cost_header].text != NULL;
    bool is_trusted = told->asked.has_peer && told->asked.peer.trusted;
    int64_t cost = rule->cost;

    if (!says_header && cost == 1)
        return true;
    if (is_trusted && !rule_cost(rule, headers, &cost)) {
        fprintf(told->out,
                "cost: none, so the answer is 400: header %s is no whole number from 0 to %" PRId64 "\n",
                told->policy->headers[rule->cost_header], (int64_t)NUMBER_EXACT_MAX);
        return false;
    }
    fprintf(told->out, "cost: %" PRId64 "%s\n", cost,
            says_header && !is_trusted ? ": only peers in TRUSTED_PROXIES may say another" : "");
    return true;
}

/* Rounded up, to two or three digits. */
static void
put_wait(FILE *out, int64_t us)
{
    static const int64_t units_us[] = {3600 * US_PER_S, 60 * US_PER_S, US_PER_S, US_PER_MS};
    size_t i = 0;

    while (units_us[i] > US_PER_MS && us < 10 * units_us[i])
        i++;
    fputs(duration_text(divide_up(us, units_us[i]) * units_us[i]).text, out);
}

/* Where it is not the rule that says it. */
static void
put_end(const struct explanation *told)
{
    const struct limiter_take *take = &told->take;
    const struct overridden *found = overrides_find(take->rule, &take->client, &take->address);
    int64_t rest_us;

    if (found == NULL)
        return;
    fputs("; set at run time, for another ", told->out);
    rest_us = found->end_us - clock_mono_us();
    put_wait(told->out, rest_us > 0 ? rest_us : 1);
}

static void
put_limits(struct explanation *told)
{
    const struct rule *rule = told->take.rule;
    const struct treatment *treatment = policy_treatment(rule, &told->take.client, &told->take.address);

    fputs("limits: ", told->out);
    if (treatment == NULL || treatment->kind == TREATMENT_LIMITS) {
        told->limits = treatment != NULL ? &treatment->limits : &rule->limits;
        rule_words_put_limits(told->out, told->limits);
        fputs(treatment != NULL ? ", of this client" : "", told->out);
        fputs(rule->shadow ? "; the rule is a shadow: it refuses nothing" : "", told->out);
    } else if (treatment->kind == TREATMENT_UNLIMITED) {
        fputs("none: the client is unlimited", told->out);
    } else {
        fputs(rule->shadow ? "none: the client is blocked, but the rule is a shadow: it refuses nothing"
                           : "none: the client is blocked, so the answer is 403",
              told->out);
    }
    put_end(told);
    fputc('\n', told->out);
}

/* What remains of them. */

static void
put_decisions(const struct explanation *told, const struct store_request *request)
{
    for (uint32_t i = 0; i < told->limits->count; i++) {
        const struct decision *decision = &request->decisions[i];
        fprintf(told->out, "%s%" PRId64 " of %" PRId64, i > 0 ? " and " : "remaining: ", decision->remaining,
                decision->limit);
        if (decision->reset_after_us == 0)
            continue;
        fputs(", all of it in ", told->out);
        put_wait(told->out, decision->reset_after_us);
    }
    if (request->penalty_us > 0) {
        fputs("; penalised for another ", told->out);
        put_wait(told->out, request->penalty_us);
    }
    fputc('\n', told->out);
}

static void
put_remaining(const struct explanation *told)
{
    const struct store_subject subject = {.client = &told->take.client,
                                          .rule = told->take.rule->name,
                                          .limits = told->limits,
                                          .penalty = rule_penalty(told->take.rule)};
    struct store_request request;

    if (told->limits != NULL && peek_ask(told->peek, &subject, &request))
        put_decisions(told, &request);
}

/* What applies to the client, also by what Redis knows. False: Redis is away. */
static bool
put_known(struct explanation *told, const struct explain_store *store)
{
    const struct policy *policy;

    told->peek = peek_open(store->redis, store->tls, told->settings->redis_timeout_ms * US_PER_MS);
    policy = told->peek != NULL ? peek_policy(told->peek, told->policy) : NULL;
    if (policy != NULL) {
        told->take.rule = &policy->rules[told->take.rule->index];
        told->policy = policy;
    }
    put_limits(told);
    if (policy != NULL)
        put_remaining(told);
    if (told->peek != NULL && peek_why(told->peek)[0] == '\0')
        return true;
    fprintf(told->out, "remaining: unknown, as is what was set for the client at run time: %s: %s\n",
            store->redis->display, told->peek != NULL ? peek_why(told->peek) : "out of memory");
    return false;
}

/* What applies to the client. False: the store is away. */
static bool
put_applied(struct explanation *told, const struct explain_store *store)
{
    if (settings_is_flag(told->settings, SETTING_STORE) && store->redis != NULL)
        return put_known(told, store);
    put_limits(told);
    if (settings_is_flag(told->settings, SETTING_STORE))
        fputs("remaining: only the service knows, as its store is memory; ask its admin listener for "
              "/v1/clients/CLIENT\n",
              told->out);
    return true;
}

/* Why not the others. */

static void
put_unmet_header(const struct explanation *told, const struct rule *rule)
{
    static const char *const tests[] = {"is not \"", "does not begin with \"", "is not sent", "is sent"};
    const struct policy_request *asked = &told->asked.request;
    const struct header_condition *condition = conditions_unmet_header(rule->conditions, asked);
    bool is_sent = asked->headers[condition->header].text != NULL;

    fprintf(told->out, "header %s ", told->policy->headers[condition->header]);
    if (condition->text == NULL || !is_sent) {
        fputs(is_sent ? "is sent" : "is not sent", told->out);
        return;
    }
    fputs(tests[condition->test], told->out);
    report_put_text(told->out, condition->text);
    fputc('"', told->out);
}

static void
put_mismatch(const struct explanation *told, const struct rule *rule, enum mismatch mismatch)
{
    switch (mismatch) {
    case MATCHES:
        fprintf(told->out, "matches too, but comes after %s", told->take.rule->name);
        break;
    case MISMATCH_NO_MATCH:
        fputs("reached by name only", told->out);
        break;
    case MISMATCH_PATH:
        fputs("path ", told->out);
        report_put_text(told->out, path_pattern_text(rule->path));
        fputs(" does not match", told->out);
        break;
    case MISMATCH_METHOD:
        fputs("method ", told->out);
        rule_words_put_methods(told->out, rule->methods);
        fputs(" only", told->out);
        break;
    case MISMATCH_HOST:
        fputs("host ", told->out);
        rule_words_put_hosts(told->out, rule->conditions);
        fputs(told->asked.request.host.text != NULL ? " only" : " only, and no host is asked for", told->out);
        break;
    case MISMATCH_HEADER:
        put_unmet_header(told, rule);
    }
}

/* The rules above, and those below that match. */
static void
put_others(const struct explanation *told)
{
    const struct policy *policy = told->policy;
    const struct rule *decides = told->take.rule != policy->fallback ? told->take.rule : NULL;

    for (uint32_t i = 0; i < policy->rule_count; i++) {
        const struct rule *rule = &policy->rules[i];
        enum mismatch mismatch = rule_mismatch(rule, &told->asked.request);

        if (rule == told->take.rule || rule == policy->fallback ||
            (decides != NULL && rule > decides && mismatch != MATCHES))
            continue;
        fprintf(told->out, "not %s: ", rule->name);
        put_mismatch(told, rule, mismatch);
        fputc('\n', told->out);
    }
}

enum explain_status
explain_request(FILE *out, const struct policy *policy, const struct settings *settings,
                const struct networks *trusted, const struct explain_store *store, struct report *report)
{
    struct explanation told = {.out = out, .policy = policy, .settings = settings};
    bool is_away = false;

    if (!asked_read(&told.asked, settings->explain, policy, trusted, report))
        return EXPLAIN_MISTAKEN;
    told.take.rule = policy_match(policy, &told.asked.request);
    put_rule(&told);
    if (told.take.rule != NULL && put_client(&told, trusted) && put_cost(&told))
        is_away = !put_applied(&told, store);
    put_others(&told);
    peek_close(told.peek);
    return is_away ? EXPLAIN_STORE_AWAY : EXPLAIN_TOLD;
}
