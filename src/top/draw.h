/*
 * draw: the picture of `ratelimitd top`: what the service answered, on a screen of any size.
 *
 *     ratelimitd 0.1.0 ...                 the summary: flows into as many rows as it needs, half of all at most
 *     requests ...
 *                                          a row for what the operator must know now, or blank
 *     REFUSED/s ALLOWED/s ... RULE         the tables: rules, clients, nodes
 *
 * Pure; one thread at a time.
 */
#ifndef DRAW_H
#define DRAW_H

#include <cjson/cJSON.h>

#include "screen.h"
#include "top_view.h"

struct scene {
    const struct top_view *view;
    const char *url;
    const cJSON *status, *rates, *analytics; /* answers; NULL: not known */
    const char *problem;                     /* a sentence, where the service is away, say; else NULL */
    const char *clients_problem;             /* why there is no `analytics`; else NULL */
    bool is_whole;                           /* each row of each table, however many: for a file */
};

/* How many rows a scene that is whole may take. */
unsigned draw_rows(const struct scene *scene);

/* Onto a blank screen. Returns how many rows are used. Without memory a table is empty. */
unsigned draw(struct screen *screen, const struct scene *scene);

#endif
