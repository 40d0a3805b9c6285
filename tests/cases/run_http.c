/*
 * cases/http: the tables through the service: server, limiter and memory store in this process, on a clock
 * that the table moves, and a client on the loopback that keeps its connection for the length of a case.
 *
 * HTTP takes costs of 1. What other costs a case spends is taken from the store directly, as by another
 * worker. Cases whose limits a rules file cannot express, because they count in microseconds, are left to the
 * other runners.
 *
 * Each case runs twice: with its limits as those of the rule, and of each client that differs under a rule.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "cases.h"
#include "clock.h"
#include "generation.h"
#include "limiter.h"
#include "memory_store.h"
#include "metrics.h"
#include "number.h"
#include "places.h"
#include "public_routes.h"
#include "server.h"

#define ANSWER_BYTES 8192
#define PATIENCE_US  (10 * US_PER_S) /* for something that takes microseconds */
#define RULES_BYTES  16384

struct service {
    struct places places;
    struct http_options options;
    struct http_counts http_counts;
    struct clock clock;
    struct event_base *base;
    struct generations *generations;
    struct store *store;
    struct limiter limiter;
    struct networks trusted;
    struct server *server;
    int client;
};

/* One answer, as text. */
struct answer_text {
    int status;
    char headers[ANSWER_BYTES]; /* zero-terminated, each line ends with \r\n */
    char body[ANSWER_BYTES];
};

/* Opening and closing. */

static size_t __attribute__((format(printf, 3, 4))) put(char *out, size_t used, const char *format, ...)
{
    va_list arguments;
    int bytes;

    va_start(arguments, format);
    bytes = vsnprintf(out + used, RULES_BYTES - used, format, arguments);
    va_end(arguments);
    assert(bytes >= 0 && (size_t)bytes < RULES_BYTES - used);
    return used + (size_t)bytes;
}

/* False: a rules file cannot express it. */
static bool
put_penalty(char rules[RULES_BYTES], size_t *used, const struct penalty *penalty)
{
    *used = put(rules, *used,
                ", \"penalty\": {\"after\": %" PRId64 ", \"within\": \"%" PRId64 "ms\", \"for\": \"%" PRId64
                "ms\", \"growth\": %" PRId64 ", \"up_to\": \"%" PRId64 "ms\"}",
                penalty->after, penalty->within_us / US_PER_MS, penalty->for_us / US_PER_MS, penalty->growth,
                penalty->up_to_us / US_PER_MS);
    return penalty->within_us % US_PER_MS == 0 && penalty->for_us % US_PER_MS == 0 &&
           penalty->up_to_us % US_PER_MS == 0;
}

/* False: a rules file has no words for it. */
static bool
put_limits(char rules[RULES_BYTES], size_t *end, const struct cases_case *c)
{
    size_t used = put(rules, *end, "\"limits\": [");

    for (size_t i = 0; i < c->limit_count; i++) {
        const struct cases_limit *limit = &c->limits[i];
        int64_t period_ms = limit->period_us / US_PER_MS;

        if (limit->period_us % US_PER_MS != 0)
            return false;
        used = put(rules, used, "%s{\"algorithm\": \"%s\", ", i ? ", " : "",
                   algorithm_name(limit->limit.algorithm));
        if (limit->limit.algorithm == TOKEN_BUCKET)
            used =
                put(rules, used, "\"capacity\": %" PRId64 ", \"refill_rate\": \"%" PRId64 "/%" PRId64 "ms\"}",
                    limit->requests, limit->refill, period_ms);
        else
            used = put(rules, used, "\"limit\": %" PRId64 ", \"window\": \"%" PRId64 "ms\"}", limit->requests,
                       period_ms);
    }
    *end = put(rules, used, "]");
    return true;
}

static bool
is_first_of_client(const struct cases_case *c, size_t step)
{
    for (size_t i = 0; i < step; i++)
        if (strcmp(c->steps[i].client, c->steps[step].client) == 0)
            return false;
    return true;
}

/* The limits as those of each client, under a rule that has others. */
static bool
put_clients(char rules[RULES_BYTES], size_t *used, const struct cases_case *c)
{
    *used = put(rules, *used, "\"algorithm\": \"fixed_window\", \"limit\": 1, \"clients\": {");
    for (size_t i = 0; i < c->step_count; i++) {
        if (!is_first_of_client(c, i))
            continue;
        *used = put(rules, *used, "%s\"%s\": {", i > 0 ? ", " : "", c->steps[i].client);
        if (!put_limits(rules, used, c))
            return false;
        *used = put(rules, *used, "}");
    }
    *used = put(rules, *used, "}");
    return true;
}

static bool
compose_rules(char rules[RULES_BYTES], const struct cases_case *c, bool of_clients)
{
    size_t used = put(rules, 0, "{\"default\": {\"identify_by\": [\"header:client\"], ");

    if (!(of_clients ? put_clients : put_limits)(rules, &used, c))
        return false;
    if (c->penalty.after > 0 && !put_penalty(rules, &used, &c->penalty))
        return false;
    put(rules, used, "}}");
    return true;
}

static struct policy *
parse_rules(const char *rules)
{
    static const struct policy_defaults defaults = {.limit = 1, .window_us = US_PER_S};
    struct report report;
    struct policy *policy;

    report_init(&report);
    policy = policy_parse("rules", rules, strlen(rules), &defaults, &report);
    report_print(&report, stderr, "cases/http: ");
    report_fini(&report);
    return policy;
}

/* A listening socket on any free port, and a client that is connected to it. */
static int
open_sockets(struct service *service)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof(address);
    int listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int status;

    service->client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    status = bind(listening, (struct sockaddr *)&address, bytes);
    assert(status == 0);
    status = listen(listening, 1);
    assert(status == 0);
    status = getsockname(listening, (struct sockaddr *)&address, &bytes);
    assert(status == 0);
    status = connect(service->client, (struct sockaddr *)&address, bytes);
    assert(status == 0 || errno == EINPROGRESS);
    return listening;
}

static bool
open_service(struct service *service, const char *rules)
{
    struct policy *policy = parse_rules(rules);

    *service = (struct service){.clock = clock_fixed(CASES_START_US), .client = -1};
    if (policy == NULL)
        return false;
    service->generations = generations_new(policy, 1);
    service->base = event_base_new();
    service->store =
        memory_store_new(&(struct memory_store_options){.max_keys = 1000, .clock = &service->clock});
    service->limiter = (struct limiter){.store = service->store};
    assert(service->generations != NULL && service->base != NULL && service->store != NULL);
    places_init(&service->places, 4);
    service->options = (struct http_options){.routes = &public_routes,
                                             .generations = service->generations,
                                             .trusted = &service->trusted,
                                             .places = &service->places,
                                             .max_body_bytes = 1024,
                                             .header_timeout_us = PATIENCE_US,
                                             .idle_timeout_us = PATIENCE_US};
    service->server =
        server_new(service->base, open_sockets(service), &service->limiter,
                   generations_reader(service->generations, 0), &service->options, &service->http_counts);
    assert(service->server != NULL);
    return true;
}

static void
close_service(struct service *service)
{
    if (service->client >= 0)
        close(service->client);
    server_free(service->server);
    store_free(service->store);
    if (service->base)
        event_base_free(service->base);
    if (service->generations)
        generation_reader_close(generations_reader(service->generations, 0));
    generations_free(service->generations);
}

/* Asking over HTTP. */

/* A turn of the loop, as worker.c makes it. */
static void
turn(struct service *service)
{
    event_base_loop(service->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
    server_run(service->server);
    store_flush(service->store);
}

/* The value of a header, zero-terminated, or NULL. Static. */
static const char *
header(const struct answer_text *answer, const char *name)
{
    static char value[ANSWER_BYTES];
    char start[64];
    const char *line;

    snprintf(start, sizeof(start), "\r\n%s: ", name);
    line = strcasestr(answer->headers, start);
    if (line == NULL)
        return NULL;
    line += strlen(start);
    snprintf(value, sizeof(value), "%.*s", (int)strcspn(line, "\r"), line);
    return value;
}

static int64_t
number(const char *text)
{
    int64_t value = -1;

    if (text == NULL || !number_parse(text, 0, INT64_MAX, &value))
        return -1;
    return value;
}

/* Splits what was read so far; false until the answer is complete. */
static bool
split_answer(struct answer_text *answer, const char *text)
{
    const char *end = strstr(text, "\r\n\r\n");
    int64_t body_bytes;

    if (end == NULL)
        return false;
    snprintf(answer->headers, sizeof(answer->headers), "%.*s", (int)(end + 2 - text), text);
    answer->status = atoi(text + strlen("HTTP/1.1 "));
    body_bytes = number(header(answer, "Content-Length"));
    if (body_bytes < 0 || (int64_t)strlen(end + 4) < body_bytes)
        return false;
    snprintf(answer->body, sizeof(answer->body), "%s", end + 4);
    return true;
}

static bool
ask(struct service *service, const char *client, struct answer_text *answer)
{
    char request[256], text[ANSWER_BYTES] = "";
    size_t bytes = (size_t)snprintf(request, sizeof(request),
                                    "GET / HTTP/1.1\r\nHost: test\r\nclient: %s\r\n\r\n", client);
    size_t written = 0, used = 0;
    int64_t until_us = clock_mono_us() + PATIENCE_US;

    do {
        ssize_t count = written < bytes ? write(service->client, request + written, bytes - written) : 0;
        written += count > 0 ? (size_t)count : 0;
        turn(service);
        count = read(service->client, text + used, sizeof(text) - 1 - used);
        if (count == 0)
            break; /* 200 and 429 keep the connection */
        used += count > 0 ? (size_t)count : 0;
        if (split_answer(answer, text))
            return true;
    } while (clock_mono_us() < until_us);
    fprintf(stderr, "cases/http: no answer, but: %s\n", text);
    return false;
}

/* Checking. */

static int64_t
seconds_up(int64_t us)
{
    return (us + US_PER_S - 1) / US_PER_S;
}

/* Of those that refuse the one that does so longest, else the one with the least remaining; the first of
   equal ones. */
static size_t
tightest_of(const struct decision *decisions, size_t count, bool refused)
{
    size_t tightest = count;
    int64_t best = 0;

    for (size_t i = 0; i < count; i++) {
        const struct decision *d = &decisions[i];
        int64_t tightness = !refused                           ? -d->remaining
                            : d->retry_after_us == RETRY_NEVER ? INT64_MAX
                                                               : d->retry_after_us;
        if (refused && d->allowed)
            continue;
        if (tightest == count || tightness > best) {
            tightest = i;
            best = tightness;
        }
    }
    return tightest;
}

static bool
differs(const char *what, int64_t expected, int64_t got)
{
    if (expected != got)
        fprintf(stderr, "    %s: expected %" PRId64 ", got %" PRId64 "\n", what, expected, got);
    return expected != got;
}

/* `before_us`: the wall clock before the request. */
static bool
check_http(const struct cases_case *c, const struct cases_answer *expected_answer,
           const struct answer_text *answer, int64_t before_us)
{
    const struct decision *expected = expected_answer->decisions;
    bool refused = false, bad = false;
    int64_t retry_s, reset_s = number(header(answer, "X-RateLimit-Reset"));
    const struct decision *shown;
    char text[64];

    for (size_t i = 0; i < c->limit_count; i++)
        refused |= !expected[i].allowed;
    shown = &expected[tightest_of(expected, c->limit_count, refused)];
    retry_s = seconds_up(shown->retry_after_us) > 1 ? seconds_up(shown->retry_after_us) : 1;
    bad |= differs("status", refused ? 429 : 200, answer->status);
    bad |= differs("X-RateLimit-Limit", shown->limit, number(header(answer, "X-RateLimit-Limit")));
    bad |=
        differs("X-RateLimit-Remaining", shown->remaining, number(header(answer, "X-RateLimit-Remaining")));
    if (reset_s < seconds_up(before_us + shown->reset_after_us) ||
        reset_s > seconds_up(clock_wall_us() + shown->reset_after_us))
        bad |= differs("X-RateLimit-Reset", seconds_up(before_us + shown->reset_after_us), reset_s);
    if (!refused || shown->retry_after_us == RETRY_NEVER)
        bad |= differs("Retry-After (-1: none)", -1, number(header(answer, "Retry-After")));
    else
        bad |= differs("Retry-After", retry_s, number(header(answer, "Retry-After")));
    if (!refused) {
        snprintf(text, sizeof(text), "\"reset_after\": %" PRId64 "}", seconds_up(shown->reset_after_us));
        bad |= differs("reset_after in the body", 1, strstr(answer->body, text) != NULL);
    }
    snprintf(text, sizeof(text), "\"penalty\": %" PRId64 "}", seconds_up(expected_answer->penalty_us));
    bad |=
        differs("penalty in the body", expected_answer->penalty_us > 0, strstr(answer->body, text) != NULL);
    if (bad)
        fprintf(stderr, "%s%s\n", answer->headers, answer->body);
    return !bad;
}

static bool
check_decisions(const struct cases_case *c, const struct decision *expected, const struct decision *got)
{
    bool bad = false;

    for (size_t i = 0; i < c->limit_count; i++) {
        bad |= differs("allowed", expected[i].allowed, got[i].allowed);
        bad |= differs("remaining", expected[i].remaining, got[i].remaining);
        bad |= differs("retry_after", expected[i].retry_after_us, got[i].retry_after_us);
        bad |= differs("reset_after", expected[i].reset_after_us, got[i].reset_after_us);
    }
    return !bad;
}

static bool
take_http(struct service *service, const struct cases_case *c, const struct cases_step *step,
          const struct cases_answer *expected)
{
    int64_t before_us = clock_wall_us();
    struct answer_text answer;

    return ask(service, step->client, &answer) && check_http(c, expected, &answer, before_us);
}

static bool
take_store(struct service *service, const struct cases_case *c, const struct cases_step *step,
           const struct cases_answer *expected)
{
    static const struct address none = {.size = 0};
    const struct rule *rule = generations_policy(service->generations)->fallback;
    const struct treatment *treatment;
    struct client client;
    struct store_request request = {
        .subject = {.client = &client, .rule = rule->name, .penalty = rule_penalty(rule)},
        .cost = step->cost};

    client_write(&client, rule->identifiers[0].sources[0].text, step->client, strlen(step->client));
    treatment = policy_treatment(rule, &client, &none);
    request.subject.limits = treatment != NULL ? &treatment->limits : &rule->limits;
    return store_take(service->store, &request) == STORE_DONE &&
           !differs("penalty", expected->penalty_us, request.penalty_us) &&
           check_decisions(c, expected->decisions, request.decisions);
}

static bool
run_step(struct service *service, const char *path, const struct cases_case *c, const struct cases_step *step)
{
    int64_t request = 0;

    service->clock.offset_us = step->now_us;
    for (size_t i = 0; i < step->answer_count; i++)
        for (int64_t k = 0; k < step->answers[i].count; k++, request++) {
            const struct cases_answer *expected = &step->answers[i];
            if (step->cost == 1 ? take_http(service, c, step, expected)
                                : take_store(service, c, step, expected))
                continue;
            fprintf(stderr, "%s:%d: %s: request %" PRId64 "\n", path, step->line, c->name, request + 1);
            return false;
        }
    return true;
}

static bool
run_case(const char *path, const struct cases_case *c, const char *rules)
{
    struct service service;
    bool good = open_service(&service, rules);

    for (size_t i = 0; good && i < c->step_count; i++)
        good = run_step(&service, path, c, &c->steps[i]);
    close_service(&service);
    return good;
}

int
main(int count, char **arguments)
{
    int run = 0, failed = 0, left = 0;

    for (int i = 1; i < count; i++) {
        struct cases cases = cases_read(arguments[i]);

        for (size_t k = 0; k < 2 * cases.count; k++) {
            char rules[RULES_BYTES];
            if (!compose_rules(rules, &cases.cases[k / 2], k % 2 == 1)) {
                left++;
                continue;
            }
            run++;
            failed += !run_case(arguments[i], &cases.cases[k / 2], rules);
        }
        cases_free(&cases);
    }
    printf("%d%%: Checks: %d, Failures: %d, Errors: 0 (%d have no rules file)\n",
           run > 0 ? 100 * (run - failed) / run : 0, run, failed, left);
    return run > 0 && failed == 0 ? 0 : 1;
}
