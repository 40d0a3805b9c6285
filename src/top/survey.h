/*
 * survey: one round of questions to the service: /v1/status, /v1/rates, /v1/analytics, one after another.
 *
 * Of a round that does not come to its end, the answers before stay. One thread.
 */
#ifndef SURVEY_H
#define SURVEY_H

#include <stdbool.h>

#include <cjson/cJSON.h>

#include "fetch.h"
#include "top_view.h"

enum survey_result {
    SURVEY_DONE,
    SURVEY_AWAY,   /* later it may answer: `problem` says why it does not */
    SURVEY_REFUSED /* it answers, but not so: another token, URL or server is needed; `problem` says it */
};

struct survey {
    /* What came of the last rounds: answers, NULL: none yet, and sentences, "": none. */
    cJSON *status, *rates, *analytics;
    char problem[TOP_URL_BYTES + 256];
    char clients_problem[256];

    /* Private. */
    struct fetch fetch;
    const struct top_view *view;
    unsigned question;
    void (*done)(void *owner, enum survey_result result);
    void *owner;
};

/* What is given is borrowed. `done` is called at the end of each round. */
void survey_init(struct survey *survey, struct event_base *base, const struct server *server,
                 const struct top_view *view, void (*done)(void *owner, enum survey_result result),
                 void *owner);
void survey_fini(struct survey *survey);

/* Begins a round; one that is under way is dropped. `done` is never called from here. False: out of memory. */
bool survey_begin(struct survey *survey);

#endif
