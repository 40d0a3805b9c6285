#include "survey.h"

#include <stdio.h>
#include <string.h>

#include "json_text.h"
#include "table_rows.h"
#include "top_json.h"

#define VALUES_MAX  1000000 /* of an answer: a hundred thousand rules */
#define CLIENTS_MAX 100
#define PATH_BYTES  256

enum { ASKS_STATUS, ASKS_RATES, ASKS_ANALYTICS, QUESTIONS };

/* The one rule that the filter leaves, if it is one: the clients are asked for under it. NULL: there are several, or none. */
static const char *
only_rule(const struct survey *survey)
{
    const char *filter = survey->view->filter, *found = NULL;
    const cJSON *rules = top_json_list(survey->rates, "rules"), *rule;

    cJSON_ArrayForEach(rule, rules)
    {
        const char *name = top_json_text(rule, "rule");
        if (strstr(name, filter) == NULL)
            continue;
        if (strcmp(name, filter) == 0)
            return filter;
        if (found != NULL)
            return NULL;
        found = name;
    }
    return found != NULL && rule_name_is_good(found) ? found : NULL;
}

static void
write_path(const struct survey *survey, char path[PATH_BYTES])
{
    const struct top_view *view = survey->view;
    const char *rule =
        view->filter[0] != '\0' && survey->question == ASKS_ANALYTICS ? only_rule(survey) : NULL;

    if (survey->question == ASKS_ANALYTICS)
        snprintf(path, PATH_BYTES, "/v1/analytics?window=%s&by=%s&limit=%d%s%s", top_windows[view->window],
                 top_measures[view->measure], CLIENTS_MAX, rule != NULL ? "&rule=" : "",
                 rule != NULL ? rule : "");
    else
        snprintf(path, PATH_BYTES, "%s", survey->question == ASKS_STATUS ? "/v1/status" : "/v1/rates");
}

/* Sentences. */

static enum survey_result
refused(struct survey *survey, const char *what, const char *advice)
{
    snprintf(survey->problem, sizeof(survey->problem), "%s %s%s", survey->fetch.server->url.text, what,
             advice);
    return SURVEY_REFUSED;
}

static enum survey_result
judge_status(struct survey *survey, unsigned status)
{
    char what[80];

    switch (status) {
    case 401:
        if (survey->fetch.server->token[0] == '\0')
            return refused(survey, "needs a token: ", "set ADMIN_TOKEN or ADMIN_TOKEN_FILE");
        return refused(survey,
                       "does not know this token: ", "give the service's in ADMIN_TOKEN or ADMIN_TOKEN_FILE");
    case 421:
        return refused(survey, "does not answer to this name: ",
                       "ask by its address, or add the name to ADMIN_HOSTS of the service");
    case 503:
        refused(survey, "answers 503: ", "it is busy, or something in between does not reach it");
        return SURVEY_AWAY;
    default:
        snprintf(what, sizeof(what), "answers %u to %s: ", status,
                 survey->question == ASKS_STATUS ? "/v1/status" : "/v1/rates");
        return refused(survey, what,
                       "is this the admin listener (ADMIN_LISTEN) of a ratelimitd as new as this one?");
    }
}

/* NULL: it is no JSON, or too much. */
static cJSON *
parse(const struct http_reply *reply)
{
    size_t at;

    if (json_text_check(reply->body, reply->bytes, VALUES_MAX, &at) != NULL)
        return NULL;
    return cJSON_ParseWithLength(reply->body, reply->bytes);
}

static void
keep(cJSON **place, cJSON *answer)
{
    cJSON_Delete(*place);
    *place = answer;
}

/* Without the clients all the rest is shown. */
static void
take_clients(struct survey *survey, const struct http_reply *reply)
{
    cJSON *answer = parse(reply);

    survey->clients_problem[0] = '\0';
    if (reply->status == 200 && answer != NULL) {
        keep(&survey->analytics, answer);
        return;
    }
    snprintf(survey->clients_problem, sizeof(survey->clients_problem),
             "no top clients: /v1/analytics answers %u: %s", reply->status, top_json_text(answer, "detail"));
    cJSON_Delete(answer);
    keep(&survey->analytics, NULL);
}

/* SURVEY_DONE: on to the next question. */
static enum survey_result
take(struct survey *survey, const struct http_reply *reply)
{
    bool asks_status = survey->question == ASKS_STATUS;
    cJSON *answer;

    if (survey->question == ASKS_ANALYTICS) {
        take_clients(survey, reply);
        return SURVEY_DONE;
    }
    if (reply->status != 200)
        return judge_status(survey, reply->status);
    answer = parse(reply);
    if (top_json_member(answer, asks_status ? "node" : "rules") == NULL) {
        cJSON_Delete(answer);
        return refused(survey,
                       "is something else than the admin listener of a ratelimitd: ", "give another URL");
    }
    keep(asks_status ? &survey->status : &survey->rates, answer);
    return SURVEY_DONE;
}

static enum survey_result
tell_away(struct survey *survey, const char *why)
{
    snprintf(survey->problem, sizeof(survey->problem), "%s gives no answer: %s",
             survey->fetch.server->url.text, why);
    return SURVEY_AWAY;
}

static bool
ask(struct survey *survey)
{
    char path[PATH_BYTES];

    write_path(survey, path);
    return fetch_begin(&survey->fetch, path);
}

static void
on_answer(void *owner, struct http_reply *reply, const char *why)
{
    struct survey *survey = owner;
    enum survey_result result = reply != NULL ? take(survey, reply) : tell_away(survey, why);

    if (result == SURVEY_DONE && ++survey->question < QUESTIONS && ask(survey))
        return;
    if (result == SURVEY_DONE)
        survey->problem[0] = '\0';
    survey->done(survey->owner, result);
}

void
survey_init(struct survey *survey, struct event_base *base, const struct server *server,
            const struct top_view *view, void (*done)(void *owner, enum survey_result result), void *owner)
{
    *survey = (struct survey){.view = view, .done = done, .owner = owner};
    survey->fetch =
        (struct fetch){.base = base, .server = server, .done = on_answer, .owner = survey, .fd = -1};
}

void
survey_fini(struct survey *survey)
{
    fetch_cancel(&survey->fetch);
    explicit_bzero(survey->fetch.request, sizeof(survey->fetch.request));
    keep(&survey->status, NULL);
    keep(&survey->rates, NULL);
    keep(&survey->analytics, NULL);
}

bool
survey_begin(struct survey *survey)
{
    survey->question = ASKS_STATUS;
    return ask(survey);
}
