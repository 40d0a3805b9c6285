/*
 * analytics: GET /v1/analytics: the clients that asked most, were refused most or cost most.
 */
#include <inttypes.h>
#include <string.h>

#include "count_of.h"
#include "endpoint.h"
#include "json_number.h"
#include "json_string.h"
#include "number.h"
#include "observed.h"
#include "query.h"
#include "rule_name.h"
#include "top_clients.h"

#define LIMIT_DEFAULT 20
#define LIMIT_MAX     1000

static const char *const window_words[] = {[TOP_MINUTE] = "minute", [TOP_HOUR] = "hour", [TOP_DAY] = "day"};
static const char *const measure_words[] = {
    [TALLY_REQUESTS] = "requests", [TALLY_REFUSALS] = "refusals", [TALLY_COST] = "cost"};

struct asked {
    enum top_window window;
    enum tally_measure by;
    const char *rule; /* NULL: every rule */
    int64_t limit;
};

enum { WINDOW, BY, RULE, LIMIT, ARGUMENTS };

/* The index of the word; -1 if it is not in the list. Without a text: `fallback`. */
static int
word_of(const char *text, const char *const *words, int count, int fallback)
{
    int i = 0;

    if (text == NULL)
        return fallback;
    while (i < count && strcmp(words[i], text) != 0)
        i++;
    return i < count ? i : -1;
}

/* NULL, or what is wrong, in a sentence. */
static const char *
read_arguments(struct asked *asked, const struct query_argument arguments[ARGUMENTS])
{
    int window = word_of(arguments[WINDOW].value, window_words, COUNT_OF(window_words), TOP_MINUTE);
    int by = word_of(arguments[BY].value, measure_words, COUNT_OF(measure_words), TALLY_REFUSALS);

    if (window < 0)
        return "The argument window is minute, hour or day.";
    if (by < 0)
        return "The argument by is requests, refusals or cost.";
    *asked =
        (struct asked){(enum top_window)window, (enum tally_measure)by, arguments[RULE].value, LIMIT_DEFAULT};
    if (asked->rule != NULL && !rule_name_is_good(asked->rule))
        return "The argument rule is the name of a rule.";
    if (arguments[LIMIT].value != NULL && !number_parse(arguments[LIMIT].value, 1, LIMIT_MAX, &asked->limit))
        return "The argument limit is a whole number from 1 to 1000.";
    return NULL;
}

static bool
is_of_rule(const struct tally_item *item, const char *rule)
{
    return rule == NULL ||
           (strlen(rule) == item->rule_bytes && memcmp(rule, item->text, item->rule_bytes) == 0);
}

static void
put_client(FILE *out, const struct tally_item *item, enum tally_measure by)
{
    char client[CLIENT_BYTES + 1];

    memcpy(client, item->text + item->rule_bytes, item->client_bytes);
    client[item->client_bytes] = '\0';
    fprintf(out, "{\"rule\": \"%.*s\", \"client\": ", item->rule_bytes, item->text);
    json_string_put(out, client);
    for (unsigned i = 0; i < TALLY_MEASURES; i++)
        fprintf(out, ", \"%s\": %" PRId64, measure_words[i], item->counts[i]);
    fprintf(out, ", \"error\": %" PRId64 "}", item->errors[by]);
}

static void
put_list(FILE *out, const struct asked *asked, const struct top_list *list)
{
    const char *separator = "\n";
    int64_t left = asked->limit;

    fprintf(out, "{\"window\": \"%s\", \"by\": \"%s\", \"from\": ", window_words[asked->window],
            measure_words[asked->by]);
    json_seconds_put(out, list->from_us);
    fputs(", \"until\": ", out);
    json_seconds_put(out, list->until_us);
    fprintf(out, ", \"sampled\": %.6g, \"total\": %" PRId64 ", \"error_bound\": %" PRId64 ", \"clients\": [",
            list->sampled, list->total, list->error);
    for (uint32_t i = 0; i < list->count && left > 0; i++) {
        if (!is_of_rule(list->clients[i].item, asked->rule))
            continue;
        fputs(separator, out);
        put_client(out, list->clients[i].item, asked->by);
        separator = ",\n";
        left--;
    }
    fputs("\n]}\n", out);
}

static enum endpoint_status
start(struct endpoint_request *request)
{
    struct query_argument arguments[ARGUMENTS] = {[WINDOW] = {.name = "window"},
                                                  [BY] = {.name = "by"},
                                                  [RULE] = {.name = "rule"},
                                                  [LIMIT] = {.name = "limit"}};
    struct top_clients *top = request->context->observed->top_clients;
    struct response_body body;
    struct top_list list;
    struct asked asked;
    struct query query;
    const char *why;

    if (top == NULL)
        return endpoint_problem(request, 404, "Nobody counts clients here: ANALYTICS is off.");
    if (!query_read(&query, request->query, arguments, ARGUMENTS))
        return endpoint_problem(request, 400, query.why);
    why = read_arguments(&asked, arguments);
    if (why != NULL)
        return endpoint_problem(request, 400, why);
    top_clients_read(top, asked.window, asked.by, &list);
    if (response_body_open(&body) != NULL)
        put_list(body.out, &asked, &list);
    request->response = response_body_close(&body, 200, RESPONSE_JSON, request->closing);
    return ENDPOINT_ANSWERED;
}

const struct endpoint analytics_endpoint = {.start = start};
