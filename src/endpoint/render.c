#include "render.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "decision_json.h"
#include "number.h"
#include "text.h"

#define CACHE_SLOTS         4096 /* a power of two */
#define POLICY_HEADER_SLOTS 64
#define BODY_BYTES          1600 /* the longest: every limit of a rule with the longest name refuses */
#define HEADER_BYTES        1024
#define FIELD_INTEGER_MAX   INT64_C(999999999999999) /* RFC 9651: 15 digits */

#define PROBLEM_URI "https://iana.org/assignments/http-problem-types#"

/* Everything that an answer depends on: equal keys, equal bytes. */
struct key {
    const char *message;
    uint64_t rule;   /* the id of its own limits; 0: no rule */
    uint64_t limits; /* the id of those that decide; 0: not limited */
    uint8_t mode;    /* enum failure_mode, of a degraded answer */
    uint8_t verdict;
    uint8_t flags;    /* FLAG_ bits */
    uint8_t refusing; /* a bit a limit */
    uint8_t tightest; /* of two that refuse for a part of a second, the seconds do not tell which */
    uint8_t withheld;
    uint8_t unused[2];                  /* 0: the bytes are compared */
    int64_t reset_s;                    /* Unix time */
    int64_t penalty_s;                  /* the rest of the penalty; 0: none */
    int64_t numbers[2 * LIMIT_SET_MAX]; /* of each limit: remaining, and `t` of the RateLimit header, in s */
};

#define FLAG_CLOSING  1
#define FLAG_DEGRADED 2
#define FLAG_DENY_403 4 /* a refusal has this status; else 429 */
_Static_assert(LIMIT_SET_MAX <= 8, "a bit of `refusing` each");

struct answer_slot {
    struct key key;
    size_t key_bytes; /* 0: empty */
    struct response response;
};

/* RateLimit-Policy: the same in all answers by the same limits. */
struct policy_header {
    uint64_t limits; /* their id; 0: empty */
    char text[HEADER_BYTES];
};

struct renderer {
    struct answer_slot slots[CACHE_SLOTS];
    struct policy_header policy_headers[POLICY_HEADER_SLOTS];
    struct render_kept kept[RENDER_KEPT];
};

static int64_t
field_integer(int64_t value)
{
    return value < FIELD_INTEGER_MAX ? value : FIELD_INTEGER_MAX;
}

/* A limit's name in headers and bodies: the rule's, with the limit's index where there are several. Rules' names have
   no byte that JSON or a structured field would escape. */
static void
put_limit_name(struct text *text, const struct rule *rule, const struct limit_set *limits, uint32_t index)
{
    text_put(text, limits->count == 1 ? "\"%s\"" : "\"%s:%" PRIu32 "\"", rule->name, index);
}

static const char *
policy_header(struct renderer *renderer, const struct rule *rule, const struct limit_set *limits)
{
    struct policy_header *header = &renderer->policy_headers[limits->id % POLICY_HEADER_SLOTS];
    struct text text = {.start = header->text, .room = sizeof(header->text)};

    if (header->limits == limits->id)
        return header->text;
    header->limits = limits->id;
    for (uint32_t i = 0; i < limits->count; i++) {
        text_put(&text, i ? ", " : "");
        put_limit_name(&text, rule, limits, i);
        text_put(&text, ";q=%" PRId64 ";w=%" PRId64, field_integer(limits->limits[i].limit),
                 us_to_s_up(limits->limits[i].window_us));
    }
    return header->text;
}

/* The making of an answer. */

struct draft {
    struct renderer *renderer;
    const struct limiter_take *take;
    const struct key *key;
};

/* Of a refusal or an unavailable store. RETRY_NEVER: waiting will not help. */
static int64_t
retry_s(const struct draft *draft)
{
    return draft->take->decided ? draft->key->numbers[2 * draft->take->tightest + 1] : 1;
}

static void
add_number(struct response *response, const char *name, int64_t value)
{
    char digits[24];

    digits[number_write(digits, value)] = '\0';
    response_header(response, name, digits);
}

static void
add_ratelimit(struct response *response, const struct draft *draft)
{
    const struct limiter_take *take = draft->take;
    char buffer[HEADER_BYTES] = "";
    struct text text = {.start = buffer, .room = sizeof(buffer)};

    for (uint32_t i = 0; i < take->limits->count; i++) {
        /* Of a refusal only the limits that refuse: what another one will have back later than Retry-After says is not
           to be waited for (the draft: Retry-After should not be earlier than `t`). */
        if (take->verdict == VERDICT_REFUSED && take->request.decisions[i].allowed)
            continue;
        text_put(&text, text.used ? ", " : "");
        put_limit_name(&text, take->rule, take->limits, i);
        text_put(&text, ";r=%" PRId64, field_integer(draft->key->numbers[2 * i]));
        if (draft->key->numbers[2 * i + 1] != RETRY_NEVER)
            text_put(&text, ";t=%" PRId64, draft->key->numbers[2 * i + 1]);
    }
    response_header(response, "RateLimit", buffer);
}

static void
add_limit_headers(struct response *response, const struct draft *draft)
{
    const struct limiter_take *take = draft->take;

    add_number(response, "X-RateLimit-Limit", take->limits->limits[take->tightest].limit);
    response_header(response, "RateLimit-Policy", policy_header(draft->renderer, take->rule, take->limits));
    if (take->decided) {
        add_number(response, "X-RateLimit-Remaining", draft->key->numbers[2 * take->tightest]);
        add_number(response, "X-RateLimit-Reset", draft->key->reset_s);
        add_ratelimit(response, draft);
    }
    if (take->degraded && take->verdict != VERDICT_UNAVAILABLE)
        response_header(response, "X-RateLimit-Degraded", failure_mode_name(take->rule->on_store_failure));
    if (take->verdict != VERDICT_ALLOWED && retry_s(draft) != RETRY_NEVER)
        add_number(response, "Retry-After", retry_s(draft));
}

/* What is not limited has no limit to show, but is not to be cached either: the rules may change. */
static void
add_headers(struct response *response, const struct draft *draft)
{
    if (draft->take->limits != NULL)
        add_limit_headers(response, draft);
    response_header(response, "Cache-Control", "no-store");
}

static void
put_allowed(struct text *text, const struct draft *draft)
{
    const struct decision *tightest = &draft->take->request.decisions[draft->take->tightest];

    text_put(text, "{\"message\": \"%s\", \"rule\": ", draft->key->message);
    decision_json_put_rule(text, draft->take->rule);
    if (draft->take->decided)
        text_put(text, ", \"limit\": %" PRId64 ", \"remaining\": %" PRId64 ", \"reset_after\": %" PRId64,
                 tightest->limit, tightest->remaining, us_to_s_up(tightest->reset_after_us));
    text_put(text, "}\n");
}

static unsigned
status_of(const struct draft *draft)
{
    bool is_refused = draft->take->verdict == VERDICT_REFUSED;

    return is_refused && draft->key->flags & FLAG_DENY_403 ? 403 : decision_json_status(draft->take);
}

static void
put_refused(struct text *text, const struct draft *draft)
{
    const struct limiter_take *take = draft->take;
    const char *separator = "";

    text_put(text,
             "{\"detail\": \"Too many requests. Please retry later.\", \"type\": \"" PROBLEM_URI
             "quota-exceeded\", \"title\": \"Too Many Requests\", \"status\": %u, \"violated-policies\": [",
             status_of(draft));
    for (uint32_t i = 0; i < take->limits->count; i++) {
        if (take->request.decisions[i].allowed)
            continue;
        text_put(text, "%s", separator);
        put_limit_name(text, take->rule, take->limits, i);
        separator = ", ";
    }
    text_put(text, "]");
    if (retry_s(draft) != RETRY_NEVER)
        text_put(text, ", \"retry_after\": %" PRId64, retry_s(draft));
    if (draft->key->penalty_s > 0)
        text_put(text, ", \"penalty\": %" PRId64, draft->key->penalty_s);
    response_put_trace_id(text, &take->trace_id);
    text_put(text, "}\n");
}

static void
put_unavailable(struct text *text, const struct field *trace_id)
{
    text_put(text, "{\"detail\": \"" RENDER_UNAVAILABLE "\", \"type\": \"" PROBLEM_URI
                   "temporary-reduced-capacity\", \"title\": \"Service Unavailable\", \"status\": 503, "
                   "\"retry_after\": 1");
    response_put_trace_id(text, trace_id);
    text_put(text, "}\n");
}

static void
put_body(struct text *text, const struct draft *draft)
{
    enum verdict verdict = draft->take->verdict;
    const struct field *trace_id = &draft->take->trace_id;

    if (verdict == VERDICT_ALLOWED)
        put_allowed(text, draft);
    else if (verdict == VERDICT_REFUSED)
        put_refused(text, draft);
    else if (verdict == VERDICT_BLOCKED)
        response_put_problem(text, &(struct problem){403, NULL, "This client is blocked.", *trace_id});
    else
        put_unavailable(text, trace_id);
}

static struct response
make_answer(const struct draft *draft)
{
    const struct limiter_take *take = draft->take;
    char buffer[BODY_BYTES];
    struct text body = {.start = buffer, .room = sizeof(buffer)};
    struct response response;

    put_body(&body, draft);
    response = response_new(status_of(draft), &body,
                            take->verdict == VERDICT_ALLOWED ? RESPONSE_JSON : RESPONSE_PROBLEM,
                            (draft->key->flags & FLAG_CLOSING) != 0);
    if (take->withheld != VERDICT_ALLOWED)
        response_header(&response, "X-RateLimit-Shadow", verdict_name(take->withheld));
    add_headers(&response, draft);
    return response;
}

/* The cache. */

/* Seconds until this limit is of more use: until the cost passes, if refused; otherwise until the quota is full. */
static int64_t
seconds_until_more(const struct decision *decision)
{
    if (decision->allowed)
        return us_to_s_up(decision->reset_after_us);
    if (decision->retry_after_us == RETRY_NEVER)
        return RETRY_NEVER;
    return decision->retry_after_us > 0 ? us_to_s_up(decision->retry_after_us) : 1;
}

static size_t
make_key(struct key *key, const struct limiter_take *take, const char *message, bool deny_403, bool closing)
{
    size_t bytes = offsetof(struct key, numbers);

    *key =
        (struct key){.message = message,
                     .rule = take->rule != NULL ? take->rule->limits.id : 0,
                     .limits = take->limits != NULL ? take->limits->id : 0,
                     .mode = take->rule != NULL && take->degraded ? (uint8_t)take->rule->on_store_failure : 0,
                     .verdict = (uint8_t)take->verdict,
                     .withheld = (uint8_t)take->withheld,
                     .tightest = (uint8_t)take->tightest,
                     .flags = (uint8_t)((closing ? FLAG_CLOSING : 0) | (take->degraded ? FLAG_DEGRADED : 0) |
                                        (deny_403 ? FLAG_DENY_403 : 0))};
    if (!take->decided)
        return bytes;
    assert(take->limits != NULL);
    key->penalty_s = us_to_s_up(take->request.penalty_us);
    key->reset_s = us_to_s_up(clock_wall_us() + take->request.decisions[take->tightest].reset_after_us);
    for (uint32_t i = 0; i < take->limits->count; i++) {
        key->refusing = (uint8_t)(key->refusing | !take->request.decisions[i].allowed << i);
        key->numbers[2 * i] = take->request.decisions[i].remaining;
        key->numbers[2 * i + 1] = seconds_until_more(&take->request.decisions[i]);
    }
    return bytes + take->limits->count * 2 * sizeof(key->numbers[0]);
}

static struct answer_slot *
find_slot(struct renderer *renderer, const struct key *key, size_t bytes)
{
    uint64_t hash = bytes, word;

    /* Words multiplied in by an odd number with well mixed bits; a bad spread would cost time, never a wrong answer. */
    for (size_t i = 0; i + sizeof(word) <= bytes; i += sizeof(word)) {
        memcpy(&word, (const char *)key + i, sizeof(word));
        hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 32;
    }
    return &renderer->slots[hash % CACHE_SLOTS];
}

static void
fill_slot(struct answer_slot *slot, size_t bytes, const struct draft *draft)
{
    response_free(&slot->response); /* answers that are still being sent keep it */
    slot->response = make_answer(draft);
    slot->response.owned = false; /* the cache's */
    slot->key = *draft->key;
    slot->key_bytes = slot->response.response ? bytes : 0;
}

struct response
render_take(struct renderer *renderer, const struct limiter_take *take, const char *message, bool deny_403,
            bool closing)
{
    struct key key;
    size_t bytes = make_key(&key, take, message, deny_403, closing);
    struct answer_slot *slot = find_slot(renderer, &key, bytes);
    struct draft draft = {.renderer = renderer, .take = take, .key = &key};

    if (take->verdict != VERDICT_ALLOWED && take->trace_id.bytes > 0) /* no other request has its trace_id */
        return make_answer(&draft);
    if (slot->key_bytes != bytes || memcmp(&slot->key, &key, bytes) != 0)
        fill_slot(slot, bytes, &draft);
    return slot->response;
}

/* What is not kept: its body counts milliseconds, so that hardly two are the same. */

struct response
render_check(struct renderer *renderer, const struct limiter_take *take, bool closing)
{
    struct key key;
    struct draft draft = {.renderer = renderer, .take = take, .key = &key};
    char buffer[DECISION_JSON_BYTES(LIMIT_SET_MAX)];
    struct text body = {.start = buffer, .room = sizeof(buffer)};
    struct response response;

    make_key(&key, take, NULL, false, closing);
    if (take->verdict == VERDICT_UNAVAILABLE)
        return make_answer(&draft);
    text_put(&body, "{");
    decision_json_put(&body, take);
    text_put(&body, "}\n");
    response = response_new(decision_json_status(take), &body, RESPONSE_JSON, closing);
    add_headers(&response, &draft);
    return response;
}

struct response
render_unavailable(const struct field *trace_id, bool closing)
{
    char buffer[BODY_BYTES];
    struct text body = {.start = buffer, .room = sizeof(buffer)};
    struct response response;

    put_unavailable(&body, trace_id);
    response = response_new(503, &body, RESPONSE_PROBLEM, closing);
    response_header(&response, "Retry-After", "1");
    return response;
}

struct render_kept *
render_kept(struct renderer *renderer, unsigned index)
{
    assert(index < RENDER_KEPT);
    return &renderer->kept[index];
}

struct renderer *
renderer_new(void)
{
    return calloc(1, sizeof(struct renderer));
}

void
renderer_free(struct renderer *renderer)
{
    if (renderer == NULL)
        return;
    for (size_t i = 0; i < CACHE_SLOTS; i++)
        response_free(&renderer->slots[i].response);
    for (size_t i = 0; i < RENDER_KEPT; i++)
        response_free(&renderer->kept[i].response);
    free(renderer);
}
