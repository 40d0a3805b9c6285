/*
 * top_view: what the operator chose to see, and the keys by which that is changed. Pure; one thread at a time.
 */
#ifndef TOP_VIEW_H
#define TOP_VIEW_H

#include <stdbool.h>
#include <stddef.h>

#include "rule_name.h"

/* What the rules are sorted by: its column is the first one. ORDER_NAME: as in the alphabet. */
enum rule_order {
    ORDER_REFUSED,
    ORDER_ALLOWED,
    ORDER_NEAR_LIMIT,
    ORDER_SHADOW,
    ORDER_CANDIDATE,
    ORDER_DEGRADED,
    ORDER_NAME,
    ORDER_COUNT
};

/* Of GET /v1/analytics, in their order. */
enum { TOP_WINDOWS = 3, TOP_MEASURES = 3 };
extern const char *const top_windows[TOP_WINDOWS];
extern const char *const top_measures[TOP_MEASURES];

enum escape { ESCAPE_NONE, ESCAPE_BEGUN, ESCAPE_INSIDE };

struct top_view {
    enum rule_order order;
    unsigned window;  /* of top_windows */
    unsigned measure; /* of top_measures: what the clients are sorted by */
    bool is_paused;
    bool shows_help;
    char filter[RULE_NAME_BYTES + 1]; /* only rules whose names hold it; "": all */
    bool is_typing;                   /* keys go to the filter */
    enum escape escape;               /* private: within the sequence of a key such as an arrow */
};

/* What is to be done after keys. */
enum top_action { TOP_NOTHING, TOP_DRAW, TOP_ASK /* the service anew, and draw */, TOP_QUIT };

/* By refusals, of the last minute, all rules. */
struct top_view top_view_of_start(void);

/* Takes the bytes that a terminal sent. A key that means nothing is ignored. */
enum top_action top_view_take_keys(struct top_view *view, const char *bytes, size_t count);

/* One row of the help for each key, up to the one without a key. */
struct top_key {
    const char *key, *meaning;
};
extern const struct top_key top_keys[];

#endif
