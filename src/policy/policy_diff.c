#include "policy_diff.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "number.h"

#define DETAIL_BYTES 256 /* of one rule; more is cut */

/* A text that is cut where its room ends. */
struct line {
    char *text;
    size_t room, used;
};

static void __attribute__((format(printf, 2, 3))) put(struct line *line, const char *format, ...)
{
    va_list arguments;
    int bytes;

    va_start(arguments, format);
    bytes = vsnprintf(line->text + line->used, line->room - line->used, format, arguments);
    va_end(arguments);
    line->used =
        bytes >= 0 && (size_t)bytes < line->room - line->used ? line->used + (size_t)bytes : line->room - 1;
}

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
put_period(struct line *line, const struct limit *limit)
{
    if (limit->algorithm == TOKEN_BUCKET)
        put(line, "%" PRId64 "/%s", limit->units_per_us, duration_text(limit->units_per_token).text);
    else
        put(line, "%s", duration_text(limit->window_us).text);
}

static void
put_numbers(struct line *line, const struct limit *a, const struct limit *b)
{
    bool is_bucket = a->algorithm == TOKEN_BUCKET;

    if (a->limit != b->limit)
        put(line, "%s %" PRId64 " -> %" PRId64, is_bucket ? "capacity" : "limit", a->limit, b->limit);
    if (keeps_counts(a, b))
        return;
    put(line, "%s%s ", a->limit != b->limit ? " and " : "", is_bucket ? "refill_rate" : "window");
    put_period(line, a);
    put(line, " -> ");
    put_period(line, b);
}

static void
put_limit(struct line *line, const struct limit *a, const struct limit *b)
{
    if (a->algorithm != b->algorithm)
        put(line, "algorithm");
    else
        put_numbers(line, a, b);
    put(line, keeps_counts(a, b) ? ", counted on" : ", counted anew");
}

static const char *
separator(const struct line *line)
{
    return line->used > 0 ? ", " : "";
}

static void
put_limits(struct line *line, const struct limit_set *a, const struct limit_set *b)
{
    bool is_one = a->count == 1 && b->count == 1;

    for (uint32_t i = 0; i < a->count || i < b->count; i++) {
        if (i < a->count && i < b->count && is_same_limit(&a->limits[i], &b->limits[i]))
            continue;
        put(line, "%s", separator(line));
        if (!is_one)
            put(line, "limits[%" PRIu32 "] ", i);
        if (i >= a->count || i >= b->count)
            put(line, i >= a->count ? "added" : "removed");
        else
            put_limit(line, &a->limits[i], &b->limits[i]);
    }
}

/* Rules. */

static void
put_shadow(struct line *line, const struct rule *a, const struct rule *b)
{
    if (a->shadow != b->shadow)
        put(line, "%sshadow %s", separator(line), b->shadow ? "on" : "off");
}

static void
put_candidate(struct line *line, const struct limit_set *a, const struct limit_set *b)
{
    char text[DETAIL_BYTES] = "";
    struct line detail = {.text = text, .room = sizeof(text)};

    if (are_same_limits(a, b))
        return;
    if (a->count == 0 || b->count == 0)
        put(&detail, a->count == 0 ? "added" : "removed");
    else
        put_limits(&detail, a, b);
    put(line, "%scandidate %s", separator(line), text);
}

static void
put_rule(struct line *line, const struct rule *a, const struct rule *b)
{
    put_limits(line, &a->limits, &b->limits);
    put_shadow(line, a, b);
    put_candidate(line, &a->candidate, &b->candidate);
    for (size_t i = 0; i < RULE_WRITTEN_KEYS; i++) {
        const char *key = rule_written_keys[i];

        if (a->written[i] != b->written[i])
            put(line, "%s%s%s", separator(line), key,
                strcmp(key, "identify_by") == 0 ? ", counts of clients with another name restart" : "");
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
add_changed(struct policy_diff *diff, struct line *changes, uint32_t *untold, const struct rule *a,
            const struct rule *b)
{
    char text[DETAIL_BYTES] = "";
    struct line detail = {.text = text, .room = sizeof(text)};

    diff->changed++;
    put_rule(&detail, a, b);
    if (*untold > 0 || changes->used + strlen(a->name) + detail.used + sizeof("; : ") > changes->room)
        ++*untold;
    else
        put(changes, "%s%s: %s", changes->used > 0 ? "; " : "", a->name, text);
}

static void
put_count(struct line *line, uint32_t count, const char *what)
{
    if (count > 0)
        put(line, "%s%" PRIu32 " %s", separator(line), count, what);
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
    struct line changes = {.text = text, .room = sizeof(text)};
    struct line line = {.text = diff->text, .room = sizeof(diff->text)};
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
    put(&line, "%s", text);
    if (untold > 0)
        put(&line, "; and %" PRIu32 " more", untold);
    put(&line, "%s", diff->changed > 0 ? ")" : "");
    put_count(&line, diff->added, "added");
    put_count(&line, diff->removed, "removed");
    put_count(&line, diff->same, "as before");
    put(&line, "%s", line.used == 0 ? "no rules" : "");
    if (is_reordered(before, after))
        put(&line, "; in another order");
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
