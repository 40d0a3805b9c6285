#include "policy_diff.h"

#include <inttypes.h>
#include <string.h>

#include "number.h"
#include "text.h"

#define DETAIL_BYTES 256 /* of one rule; more is cut */

/* Limits. */

static bool
keeps_counts(const struct limit *a, const struct limit *b)
{
    char names[2][LIMIT_STATE_NAME_BYTES];
    size_t bytes = limit_state_name(a, names[0]);

    return bytes == limit_state_name(b, names[1]) && memcmp(names[0], names[1], bytes) == 0;
}

static bool
is_same_limit(const struct limit *a, const struct limit *b)
{
    return a->limit == b->limit && keeps_counts(a, b);
}

static bool
are_same_limits(const struct limit_set *a, const struct limit_set *b)
{
    for (uint32_t i = 0; i < a->count && i < b->count; i++)
        if (!is_same_limit(&a->limits[i], &b->limits[i]))
            return false;
    return a->count == b->count;
}

static void
put_period(struct text *line, const struct limit *limit)
{
    if (limit->algorithm == TOKEN_BUCKET)
        text_put_cut(line, "%" PRId64 "/%s", limit->units_per_us, duration_text(limit->units_per_token).text);
    else
        text_put_cut(line, "%s", duration_text(limit->window_us).text);
}

static void
put_numbers(struct text *line, const struct limit *a, const struct limit *b)
{
    bool is_bucket = a->algorithm == TOKEN_BUCKET;

    if (a->limit != b->limit)
        text_put_cut(line, "%s %" PRId64 " -> %" PRId64, is_bucket ? "capacity" : "limit", a->limit,
                     b->limit);
    if (keeps_counts(a, b))
        return;
    text_put_cut(line, "%s%s ", a->limit != b->limit ? " and " : "", is_bucket ? "refill_rate" : "window");
    put_period(line, a);
    text_put_cut(line, " -> ");
    put_period(line, b);
}

static void
put_limit(struct text *line, const struct limit *a, const struct limit *b)
{
    if (a->algorithm != b->algorithm)
        text_put_cut(line, "algorithm");
    else
        put_numbers(line, a, b);
    text_put_cut(line, keeps_counts(a, b) ? ", counted on" : ", counted anew");
}

static const char *
separator(const struct text *line)
{
    return line->used > 0 ? ", " : "";
}

static void
put_limits(struct text *line, const struct limit_set *a, const struct limit_set *b)
{
    bool is_one = a->count == 1 && b->count == 1;

    for (uint32_t i = 0; i < a->count || i < b->count; i++) {
        if (i < a->count && i < b->count && is_same_limit(&a->limits[i], &b->limits[i]))
            continue;
        text_put_cut(line, "%s", separator(line));
        if (!is_one)
            text_put_cut(line, "limits[%" PRIu32 "] ", i);
        if (i >= a->count || i >= b->count)
            text_put_cut(line, i >= a->count ? "added" : "removed");
        else
            put_limit(line, &a->limits[i], &b->limits[i]);
    }
}

/* Rules. */

static void
put_shadow(struct text *line, const struct rule *a, const struct rule *b)
{
    if (a->shadow != b->shadow)
        text_put_cut(line, "%sshadow %s", separator(line), b->shadow ? "on" : "off");
}

static void
put_candidate(struct text *line, const struct limit_set *a, const struct limit_set *b)
{
    char text[DETAIL_BYTES] = "";
    struct text detail = {.start = text, .room = sizeof(text)};

    if (are_same_limits(a, b))
        return;
    if (a->count == 0 || b->count == 0)
        text_put_cut(&detail, a->count == 0 ? "added" : "removed");
    else
        put_limits(&detail, a, b);
    text_put_cut(line, "%scandidate %s", separator(line), text);
}

static void
put_rule(struct text *line, const struct rule *a, const struct rule *b)
{
    put_limits(line, &a->limits, &b->limits);
    put_shadow(line, a, b);
    put_candidate(line, &a->candidate, &b->candidate);
    for (size_t i = 0; i < RULE_WRITTEN_KEYS; i++) {
        const char *key = rule_written_keys[i];

        if (a->written[i] != b->written[i])
            text_put_cut(line, "%s%s%s", separator(line), key,
                         strcmp(key, "identify_by") == 0 ? ", counts of clients with another name restart"
                                                         : "");
    }
}

static bool
is_unchanged(const struct rule *a, const struct rule *b)
{
    return memcmp(a->written, b->written, sizeof(a->written)) == 0 && a->shadow == b->shadow &&
           are_same_limits(&a->limits, &b->limits) && are_same_limits(&a->candidate, &b->candidate);
}

/* Adds a rule that has changed; where the line has no room for it, it is only counted. */
static void
add_changed(struct policy_diff *diff, struct text *changes, uint32_t *untold, const struct rule *a,
            const struct rule *b)
{
    char text[DETAIL_BYTES] = "";
    struct text detail = {.start = text, .room = sizeof(text)};

    diff->changed++;
    put_rule(&detail, a, b);
    if (*untold > 0 || changes->used + strlen(a->name) + detail.used + sizeof("; : ") > changes->room)
        ++*untold;
    else
        text_put_cut(changes, "%s%s: %s", changes->used > 0 ? "; " : "", a->name, text);
}

static void
put_count(struct text *line, uint32_t count, const char *what)
{
    if (count > 0)
        text_put_cut(line, "%s%" PRIu32 " %s", separator(line), count, what);
}

/* Whether rules that are in both come in another order: the first that matches decides. */
static bool
is_reordered(const struct policy *before, const struct policy *after)
{
    const struct rule *last = before->rules;

    for (uint32_t i = 0; i < after->rule_count; i++) {
        const struct rule *rule = policy_rule(before, after->rules[i].name);

        if (rule == NULL)
            continue;
        if (rule < last)
            return true;
        last = rule;
    }
    return false;
}

void
policy_compare(struct policy_diff *diff, const struct policy *before, const struct policy *after)
{
    char text[POLICY_DIFF_BYTES - 128] = "";
    struct text changes = {.start = text, .room = sizeof(text)};
    struct text line = {.start = diff->text, .room = sizeof(diff->text)};
    uint32_t untold = 0;

    *diff = (struct policy_diff){.removed = before->rule_count};
    for (uint32_t i = 0; i < after->rule_count; i++) {
        const struct rule *rule = policy_rule(before, after->rules[i].name);

        diff->removed -= rule != NULL;
        if (rule == NULL)
            diff->added++;
        else if (is_unchanged(rule, &after->rules[i]))
            diff->same++;
        else
            add_changed(diff, &changes, &untold, rule, &after->rules[i]);
    }
    put_count(&line, diff->changed, "changed (");
    text_put_cut(&line, "%s", text);
    if (untold > 0)
        text_put_cut(&line, "; and %" PRIu32 " more", untold);
    text_put_cut(&line, "%s", diff->changed > 0 ? ")" : "");
    put_count(&line, diff->added, "added");
    put_count(&line, diff->removed, "removed");
    put_count(&line, diff->same, "as before");
    text_put_cut(&line, "%s", line.used == 0 ? "no rules" : "");
    if (is_reordered(before, after))
        text_put_cut(&line, "; in another order");
}

static void
keep_ids(struct rule *rule, const struct rule *before)
{
    rule->limits.id = before->limits.id;
    rule->candidate.id = before->candidate.id;
}

void
policy_keep_ids(struct policy *after, const struct policy *before)
{
    for (uint32_t i = 0; i < after->rule_count; i++) {
        const struct rule *rule = policy_rule(before, after->rules[i].name);

        if (rule != NULL && is_unchanged(rule, &after->rules[i]))
            keep_ids(&after->rules[i], rule);
    }
}
