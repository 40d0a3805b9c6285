#include "render.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <microhttpd.h>

#include "clock.h"
#include "number.h"

#define CACHE_SLOTS       4096 /* a power of two */
#define BODY_BYTES        1536 /* the longest: every limit of a rule with the longest name refuses */
#define HEADER_BYTES      1024
#define FIELD_INTEGER_MAX INT64_C(999999999999999) /* RFC 9651: 15 digits */

#define JSON_TYPE    "application/json"
#define PROBLEM_TYPE "application/problem+json"
#define PROBLEM_URI  "https://iana.org/assignments/http-problem-types#"

/* Everything that an answer depends on: equal keys, equal bytes. */
struct key {
    uint32_t rule;
    uint8_t route, verdict;
    uint8_t flags;    /* FLAG_ bits */
    uint8_t refusing; /* a bit a limit */
    int64_t reset_s;  /* Unix time */
    int64_t
        numbers[2 *
                STORE_LIMITS_MAX]; /* for each limit: remaining, and seconds: `t` of the RateLimit header */
};

#define FLAG_CLOSING  1
#define FLAG_DEGRADED 2
_Static_assert(STORE_LIMITS_MAX <= 8, "a bit of `refusing` each");

struct slot {
    struct key key;
    size_t key_bytes; /* 0: empty */
    struct answer answer;
};

struct renderer {
    const struct policy *policy;
    char **policy_headers; /* RateLimit-Policy, by rule */
    struct slot slots[CACHE_SLOTS];
};

/* Text. */

struct text {
    char *start;
    size_t used, room;
};

static void __attribute__((format(printf, 2, 3))) put(struct text *text, const char *format, ...)
{
    va_list arguments;
    int bytes;

    va_start(arguments, format);
    bytes = vsnprintf(text->start + text->used, text->room - text->used, format, arguments);
    va_end(arguments);
    assert(bytes >= 0 &&
           (size_t)bytes < text->room - text->used); /* the rooms above are the longest texts' */
    text->used += (size_t)bytes;
}

static int64_t
field_integer(int64_t value)
{
    return value < FIELD_INTEGER_MAX ? value : FIELD_INTEGER_MAX;
}

/* A limit's name in headers and bodies: the rule's, with the limit's index where there are several. Rules' names have
   no byte that JSON or a structured field would escape. */
static void
put_limit_name(struct text *text, const struct rule *rule, uint32_t index)
{
    put(text, rule->limit_count == 1 ? "\"%s\"" : "\"%s:%" PRIu32 "\"", rule->name, index);
}

static char *
policy_header(const struct rule *rule)
{
    char buffer[HEADER_BYTES] = "";
    struct text text = {.start = buffer, .room = sizeof(buffer)};

    for (uint32_t i = 0; i < rule->limit_count; i++) {
        put(&text, i ? ", " : "");
        put_limit_name(&text, rule, i);
        put(&text, ";q=%" PRId64 ";w=%" PRId64, field_integer(rule->limits[i].limit),
            us_to_s_up(rule->limits[i].window_us));
    }
    return strdup(buffer);
}

/* The making of an answer. */

struct draft {
    const struct renderer *renderer;
    const struct limiter_take *take;
    const struct route *route;
    const struct key *key;
    const struct decision *tightest; /* NULL: no numbers were had */
    int64_t retry_s; /* of a refusal or an unavailable store; RETRY_NEVER: waiting will not help */
};

static bool
add_header(struct MHD_Response *response, const char *name, const char *value)
{
    return MHD_add_response_header(response, name, value) == MHD_YES;
}

static bool
add_number(struct MHD_Response *response, const char *name, int64_t value)
{
    char digits[24];

    digits[number_write(digits, value)] = '\0';
    return add_header(response, name, digits);
}

static bool
add_ratelimit(struct MHD_Response *response, const struct draft *draft)
{
    const struct rule *rule = draft->take->rule;
    char buffer[HEADER_BYTES];
    struct text text = {.start = buffer, .room = sizeof(buffer)};

    for (uint32_t i = 0; i < rule->limit_count; i++) {
        /* Of a refusal only the limits that refuse: what another one will have back later than Retry-After says is not
           to be waited for (the draft: Retry-After should not be earlier than `t`). */
        if (draft->take->verdict == VERDICT_REFUSED && draft->take->request.decisions[i].allowed)
            continue;
        put(&text, text.used ? ", " : "");
        put_limit_name(&text, rule, i);
        put(&text, ";r=%" PRId64, field_integer(draft->key->numbers[2 * i]));
        if (draft->key->numbers[2 * i + 1] != RETRY_NEVER)
            put(&text, ";t=%" PRId64, draft->key->numbers[2 * i + 1]);
    }
    return add_header(response, "RateLimit", buffer);
}

static bool
add_limit_headers(struct MHD_Response *response, const struct draft *draft)
{
    const struct limiter_take *take = draft->take;
    bool ok = add_number(response, "X-RateLimit-Limit", take->rule->limits[take->tightest].limit) &&
              add_header(response, "RateLimit-Policy", draft->renderer->policy_headers[take->rule->index]);

    if (ok && draft->tightest)
        ok = add_number(response, "X-RateLimit-Remaining", draft->tightest->remaining) &&
             add_number(response, "X-RateLimit-Reset", draft->key->reset_s) && add_ratelimit(response, draft);
    if (ok && take->degraded && take->verdict != VERDICT_UNAVAILABLE)
        ok = add_header(response, "X-RateLimit-Degraded", failure_mode_name(take->rule->on_store_failure));
    if (ok && take->verdict != VERDICT_ALLOWED && draft->retry_s != RETRY_NEVER)
        ok = add_number(response, "Retry-After", draft->retry_s);
    return ok && add_header(response, "Cache-Control", "no-store");
}

static void
put_allowed(struct text *text, const struct draft *draft)
{
    put(text, "{\"message\": \"%s\", \"rule\": \"%s\"", draft->route->message, draft->take->rule->name);
    if (draft->tightest)
        put(text, ", \"limit\": %" PRId64 ", \"remaining\": %" PRId64 ", \"reset_after\": %" PRId64,
            draft->tightest->limit, draft->tightest->remaining, us_to_s_up(draft->tightest->reset_after_us));
    put(text, "}\n");
}

static void
put_refused(struct text *text, const struct draft *draft)
{
    const struct limiter_take *take = draft->take;
    const char *separator = "";

    put(text,
        "{\"detail\": \"Too many requests. Please retry later.\", \"type\": \"" PROBLEM_URI
        "quota-exceeded\", \"title\": \"Too Many Requests\", \"status\": 429, \"violated-policies\": [");
    for (uint32_t i = 0; i < take->rule->limit_count; i++) {
        if (take->request.decisions[i].allowed)
            continue;
        put(text, "%s", separator);
        put_limit_name(text, take->rule, i);
        separator = ", ";
    }
    put(text, "]");
    if (draft->retry_s != RETRY_NEVER)
        put(text, ", \"retry_after\": %" PRId64, draft->retry_s);
    put(text, "}\n");
}

static void
put_unavailable(struct text *text)
{
    put(text, "{\"detail\": \"Rate limiter storage is unavailable.\", \"type\": \"" PROBLEM_URI
              "temporary-reduced-capacity\", \"title\": \"Service Unavailable\", \"status\": 503, "
              "\"retry_after\": 1}\n");
}

static struct MHD_Response *
make_response(const struct text *body, const char *type, bool closing)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body->used, body->start, MHD_RESPMEM_MUST_COPY);

    if (response == NULL)
        return NULL;
    if (!add_header(response, "Content-Type", type) ||
        (closing && !add_header(response, "Connection", "close"))) {
        MHD_destroy_response(response);
        return NULL;
    }
    return response;
}

static struct answer
make_answer(const struct draft *draft)
{
    static const unsigned statuses[] = {
        [VERDICT_ALLOWED] = 200, [VERDICT_REFUSED] = 429, [VERDICT_UNAVAILABLE] = 503};
    enum verdict verdict = draft->take->verdict;
    char buffer[BODY_BYTES];
    struct text body = {.start = buffer, .room = sizeof(buffer)};
    struct answer answer = {.status = statuses[verdict]};

    if (verdict == VERDICT_ALLOWED)
        put_allowed(&body, draft);
    else if (verdict == VERDICT_REFUSED)
        put_refused(&body, draft);
    else
        put_unavailable(&body);
    answer.response = make_response(&body, verdict == VERDICT_ALLOWED ? JSON_TYPE : PROBLEM_TYPE,
                                    (draft->key->flags & FLAG_CLOSING) != 0);
    if (answer.response && !add_limit_headers(answer.response, draft)) {
        MHD_destroy_response(answer.response);
        answer.response = NULL;
    }
    return answer;
}

/* The cache. */

static int64_t
at_least_1(int64_t seconds)
{
    return seconds < 1 ? 1 : seconds;
}

/* Seconds until this limit is of more use: of a refusal, until the cost passes; else until the quota is whole. */
static int64_t
seconds_until_more(const struct decision *decision)
{
    if (decision->allowed)
        return us_to_s_up(decision->reset_after_us);
    if (decision->retry_after_us == RETRY_NEVER)
        return RETRY_NEVER;
    return at_least_1(us_to_s_up(decision->retry_after_us));
}

static size_t
make_key(struct key *key, const struct limiter_take *take, const struct route *route, bool closing)
{
    size_t bytes = offsetof(struct key, numbers);

    *key =
        (struct key){.rule = take->rule->index,
                     .route = (uint8_t)(route - routes),
                     .verdict = (uint8_t)take->verdict,
                     .flags = (uint8_t)((closing ? FLAG_CLOSING : 0) | (take->degraded ? FLAG_DEGRADED : 0))};
    if (!take->decided)
        return bytes;
    key->reset_s = us_to_s_up(clock_wall_us() + take->request.decisions[take->tightest].reset_after_us);
    for (uint32_t i = 0; i < take->rule->limit_count; i++) {
        key->refusing = (uint8_t)(key->refusing | !take->request.decisions[i].allowed << i);
        key->numbers[2 * i] = take->request.decisions[i].remaining;
        key->numbers[2 * i + 1] = seconds_until_more(&take->request.decisions[i]);
    }
    return bytes + take->rule->limit_count * 2 * sizeof(key->numbers[0]);
}

static struct slot *
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
fill_slot(struct slot *slot, const struct key *key, size_t bytes, const struct draft *draft)
{
    if (slot->key_bytes > 0)
        MHD_destroy_response(slot->answer.response); /* those that are still being sent keep it */
    slot->answer = make_answer(draft);
    slot->key = *key;
    slot->key_bytes = slot->answer.response ? bytes : 0;
}

struct answer
render_take(struct renderer *renderer, const struct limiter_take *take, const struct route *route,
            bool closing)
{
    struct key key;
    size_t bytes = make_key(&key, take, route, closing);
    struct slot *slot = find_slot(renderer, &key, bytes);
    const struct decision *tightest = take->decided ? &take->request.decisions[take->tightest] : NULL;

    if (slot->key_bytes != bytes || memcmp(&slot->key, &key, bytes) != 0)
        fill_slot(slot, &key, bytes,
                  &(struct draft){.renderer = renderer,
                                  .take = take,
                                  .route = route,
                                  .key = &key,
                                  .tightest = tightest,
                                  .retry_s = tightest ? seconds_until_more(tightest) : 1});
    return slot->answer;
}

/* What is asked seldom enough to be made each time. */

static const char *
status_title(unsigned status)
{
    switch (status) {
    case 400:
        return "Bad Request";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 413:
        return "Content Too Large";
    case 414:
        return "URI Too Long";
    case 431:
        return "Request Header Fields Too Large";
    default:
        return "Internal Server Error";
    }
}

struct answer
render_problem(unsigned status, const char *detail, const char *allow, bool closing)
{
    char buffer[BODY_BYTES];
    struct text body = {.start = buffer, .room = sizeof(buffer)};
    struct answer answer = {.status = status, .owned = true};

    put(&body, "{\"detail\": \"%s\", \"type\": \"about:blank\", \"title\": \"%s\", \"status\": %u}\n", detail,
        status_title(status), status);
    answer.response = make_response(&body, PROBLEM_TYPE, closing);
    if (answer.response && allow && !add_header(answer.response, "Allow", allow)) {
        MHD_destroy_response(answer.response);
        answer.response = NULL;
    }
    return answer;
}

static const char *
state_name(enum store_state state)
{
    static const char *const names[] = {
        [STORE_READY] = "ready", [STORE_CONNECTING] = "connecting", [STORE_LOST] = "lost"};

    return names[state];
}

static uint64_t
count_of(const struct limiter *limiter, enum failure_mode mode)
{
    return atomic_load_explicit(&limiter->counts->degraded[mode], memory_order_relaxed);
}

struct answer
render_health(const struct limiter *limiter, bool closing)
{
    struct store_health health = store_health(limiter->store);
    char buffer[BODY_BYTES];
    struct text body = {.start = buffer, .room = sizeof(buffer)};

    put(&body, "{\"status\": \"%s\", \"store\": {\"kind\": \"%s\", \"state\": \"%s\"}",
        health.state == STORE_READY ? "ok" : "degraded", health.kind, state_name(health.state));
    put(&body, ", \"degraded\": {\"closed\": %" PRIu64 ", \"open\": %" PRIu64 ", \"local\": %" PRIu64 "}}\n",
        count_of(limiter, FAILURE_CLOSED), count_of(limiter, FAILURE_OPEN), count_of(limiter, FAILURE_LOCAL));
    return (struct answer){
        .status = 200, .owned = true, .response = make_response(&body, JSON_TYPE, closing)};
}

struct answer
render_ready(const struct limiter *limiter, enum failure_mode mode, bool draining)
{
    bool away = store_health(limiter->store).state != STORE_READY && mode == FAILURE_CLOSED;
    char buffer[BODY_BYTES];
    struct text body = {.start = buffer, .room = sizeof(buffer)};

    put(&body, "{\"ready\": %s, \"reason\": \"%s\"}\n", draining || away ? "false" : "true",
        draining ? "draining"
        : away   ? "the store is away"
                 : "");
    return (struct answer){.status = draining || away ? 503 : 200,
                           .owned = true,
                           .response = make_response(&body, JSON_TYPE, draining)};
}

struct renderer *
renderer_new(const struct policy *policy)
{
    struct renderer *renderer = calloc(1, sizeof(*renderer));

    if (renderer == NULL)
        return NULL;
    renderer->policy = policy;
    renderer->policy_headers = calloc(policy->rule_count, sizeof(char *));
    for (uint32_t i = 0; renderer->policy_headers && i < policy->rule_count; i++) {
        renderer->policy_headers[i] = policy_header(&policy->rules[i]);
        if (renderer->policy_headers[i] == NULL) {
            renderer_free(renderer);
            return NULL;
        }
    }
    if (renderer->policy_headers == NULL) {
        free(renderer);
        return NULL;
    }
    return renderer;
}

void
renderer_free(struct renderer *renderer)
{
    if (renderer == NULL)
        return;
    for (size_t i = 0; i < CACHE_SLOTS; i++)
        if (renderer->slots[i].key_bytes > 0)
            MHD_destroy_response(renderer->slots[i].answer.response);
    for (uint32_t i = 0; i < renderer->policy->rule_count; i++)
        free(renderer->policy_headers[i]);
    free(renderer->policy_headers);
    free(renderer);
}
