#include "reference.h"

#include <assert.h>
#include <stdlib.h>

static bool
counts_by_windows(const struct asked_limit *asked)
{
    return asked->limit.algorithm == FIXED_WINDOW || asked->limit.algorithm == SLIDING_WINDOW_COUNTER;
}

static int64_t
later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* What is missing from a full bucket, whatever its capacity, at a moment not before the last thing that was
   spent; in tokens times period_us. */
static __int128
bucket_missing(const struct asked_limit *asked, const struct history *history, int64_t at)
{
    __int128 missing = history->missing;
    int64_t before = history->missing_at;

    for (size_t i = 0; i <= history->count; i++) {
        bool last = i == history->count;
        int64_t moment = last ? at : history->spent[i].at;

        missing -= (__int128)(moment - before) * asked->refill;
        if (missing < 0)
            missing = 0;
        if (!last)
            missing += (__int128)history->spent[i].cost * asked->period_us;
        before = moment;
    }
    return missing;
}

static __int128
spent_in_window(const struct history *history, int64_t window)
{
    __int128 sum = 0;

    for (size_t i = 0; i < history->count; i++)
        sum += history->spent[i].at == window ? history->spent[i].cost : 0;
    return sum;
}

static __int128
spent_and_not_forgotten(const struct asked_limit *asked, const struct history *history, int64_t at)
{
    __int128 sum = 0;

    for (size_t i = 0; i < history->count; i++)
        sum += at < history->spent[i].at + asked->period_us ? history->spent[i].cost : 0;
    return sum;
}

/* What was spent under a larger limit counts as all of this one. */
static __int128
counted_in_window(const struct asked_limit *asked, const struct history *history, int64_t window)
{
    __int128 sum = spent_in_window(history, window);

    return sum < asked->limit.limit ? sum : asked->limit.limit;
}

static bool
fits_counter(const struct asked_limit *asked, const struct history *history, int64_t at_us, int64_t cost)
{
    int64_t window = later(history->at, at_us / asked->period_us);
    int64_t ticks = asked->period_us / asked->limit.tick_us;
    int64_t elapsed = later(0, at_us - window * asked->period_us) / asked->limit.tick_us;

    return (cost + counted_in_window(asked, history, window)) * ticks +
               counted_in_window(asked, history, window - 1) * (ticks - elapsed) <=
           (__int128)asked->limit.limit * ticks;
}

/* Would `cost` pass at `at_us`, if nothing came before it? */
static bool
fits(const struct asked_limit *asked, const struct history *history, int64_t at_us, int64_t cost)
{
    if (cost == 0 || cost > asked->limit.limit)
        return cost == 0;
    switch (asked->limit.algorithm) {
    case TOKEN_BUCKET:
        return (__int128)cost * asked->period_us +
                   bucket_missing(asked, history, later(at_us, history->at)) <=
               (__int128)asked->limit.limit * asked->period_us;
    case SLIDING_WINDOW:
        return spent_and_not_forgotten(asked, history, at_us) + cost <= asked->limit.limit;
    case SLIDING_WINDOW_COUNTER:
        return fits_counter(asked, history, at_us, cost);
    case FIXED_WINDOW:
        return spent_in_window(history, later(history->at, at_us / asked->period_us)) + cost <=
               asked->limit.limit;
    }
    abort();
}

/* The time from empty to full, or the window. */
static int64_t
whole_window_us(const struct asked_limit *asked)
{
    __int128 full = (__int128)asked->limit.limit * asked->period_us;

    if (asked->limit.algorithm != TOKEN_BUCKET)
        return asked->period_us;
    return (int64_t)((full + asked->refill - 1) / asked->refill);
}

/* The first moment from now on at which `cost` passes. What has passed once without other traffic goes on
   passing. */
static int64_t
first_fit_after_us(const struct asked_limit *asked, const struct history *history, int64_t now_us,
                   int64_t cost)
{
    int64_t no = -1, yes = 4 * history->longest_window_us;

    assert(fits(asked, history, now_us + yes, cost));
    while (yes - no > 1) {
        int64_t middle = no + (yes - no) / 2;

        if (fits(asked, history, now_us + middle, cost))
            yes = middle;
        else
            no = middle;
    }
    return yes;
}

static int64_t
largest_fit(const struct asked_limit *asked, const struct history *history, int64_t now_us)
{
    int64_t yes = 0, no = asked->limit.limit + 1;

    while (no - yes > 1) {
        int64_t middle = yes + (no - yes) / 2;

        if (fits(asked, history, now_us, middle))
            yes = middle;
        else
            no = middle;
    }
    return yes;
}

/* The clock was set back by more than a window: everything is moved to now. */
static void
bring_back(const struct asked_limit *asked, struct history *history, int64_t to)
{
    int64_t by = history->at - to;

    if (asked->limit.algorithm == TOKEN_BUCKET) {
        history->missing = bucket_missing(asked, history, history->at);
        history->missing_at = to;
        history->count = 0;
    }
    for (size_t i = 0; i < history->count; i++) {
        if (counts_by_windows(asked))
            history->spent[i].at -= by;
        else
            history->spent[i].at = to;
    }
    history->at = to;
}

/* What cannot matter any more, unless the clock is set back. */
static void
forget(const struct asked_limit *asked, struct history *history, int64_t now_us)
{
    size_t kept = 0;

    if (asked->limit.algorithm == TOKEN_BUCKET) {
        if (history->count > 0 && history->count < 40 && !fits(asked, history, now_us, asked->limit.limit))
            return;
        history->missing = bucket_missing(asked, history, later(now_us, history->at));
        history->missing_at = later(now_us, history->at);
        history->count = 0;
        return;
    }
    for (size_t i = 0; i < history->count; i++) {
        int64_t at = history->spent[i].at;
        bool matters = counts_by_windows(asked) ? at >= history->at - (asked->limit.algorithm != FIXED_WINDOW)
                                                : now_us < at + asked->period_us;

        if (matters)
            history->spent[kept++] = history->spent[i];
    }
    history->count = kept;
}

static void
arrive(const struct asked_limit *asked, struct history *history, int64_t now_us)
{
    int64_t now = counts_by_windows(asked) ? now_us / asked->period_us : now_us;
    int64_t window = counts_by_windows(asked) ? 1 : whole_window_us(asked);

    if (history->period_us != 0) /* 1 token in 6 s, or 10 in 60 s: the same bucket */
        history->missing = history->missing * asked->period_us / history->period_us;
    history->period_us = asked->period_us;
    history->longest_window_us = later(history->longest_window_us, whole_window_us(asked));
    if (history->at - now > window)
        bring_back(asked, history, now);
    if (counts_by_windows(asked))
        history->at = later(history->at, now);
    forget(asked, history, now_us);
    if (fits(asked, history, now_us, asked->limit.limit)) {
        history->count = 0;
        history->at = now;
        history->missing = 0;
        history->missing_at = now;
    }
}

static size_t
count_moments(const struct history *history)
{
    size_t count = 0;

    for (size_t i = 0; i < history->count; i++)
        count += i == 0 || history->spent[i].at != history->spent[i - 1].at;
    return count;
}

/* SLIDING_WINDOW: a spend of the same tick, or one for which there is no entry left, takes what was spent
   last along to its own moment. */
static void
take_newest_along(const struct asked_limit *asked, struct history *history, int64_t now)
{
    int64_t newest = history->count > 0 ? history->spent[history->count - 1].at : INT64_MIN;

    if (newest == INT64_MIN || newest >= now)
        return;
    if (newest / asked->limit.tick_us != now / asked->limit.tick_us &&
        count_moments(history) < SLIDING_WINDOW_ENTRIES)
        return;
    for (size_t i = 0; i < history->count; i++)
        if (history->spent[i].at == newest)
            history->spent[i].at = now;
}

static void
spend(const struct asked_limit *asked, struct history *history, int64_t now_us, int64_t cost)
{
    int64_t now = counts_by_windows(asked) ? now_us / asked->period_us : now_us;

    if (cost == 0)
        return;
    if (history->count == history->room) {
        history->room = 2 * history->room + 16;
        history->spent = realloc(history->spent, history->room * sizeof(*history->spent));
        assert(history->spent != NULL);
    }
    history->at = later(history->at, now);
    if (asked->limit.algorithm == SLIDING_WINDOW)
        take_newest_along(asked, history, now);
    history->spent[history->count++] = (struct spent){.at = history->at, .cost = cost};
}

/* The penalty. */

static bool
is_penalised(const struct record *record, int64_t at_us)
{
    return record->penalty_count > 0 && record->refusal_count == 0 && at_us < record->penalty_end;
}

static int64_t
penalty_over_after_us(const struct penalty *penalty, const struct record *record, int64_t now_us)
{
    int64_t no = -1, yes = penalty->up_to_us;

    assert(!is_penalised(record, now_us + yes));
    while (yes - no > 1) {
        int64_t middle = no + (yes - no) / 2;

        if (is_penalised(record, now_us + middle))
            no = middle;
        else
            yes = middle;
    }
    return yes;
}

/* Applies the time that has passed, or a clock that was set back, to the record. */
static void
recall(const struct penalty *penalty, struct record *record, int64_t now_us)
{
    bool ahead = record->refusal_count > 0 && record->refusals[0] > now_us + penalty->within_us;

    for (size_t i = 0; ahead && i < record->refusal_count; i++)
        record->refusals[i] = now_us;
    if (ahead && record->penalty_end > now_us)
        record->penalty_end = now_us; /* as it was over when these came */
    if (record->refusal_count > 0 && record->refusals[0] + penalty->within_us <= now_us)
        record->refusal_count = 0;
    if (record->penalty_end > now_us + penalty->up_to_us)
        record->penalty_end = now_us + penalty->up_to_us;
    if (record->penalty_end + penalty->up_to_us <= now_us)
        record->penalty_count = 0;
}

static void
refuse(const struct penalty *penalty, struct record *record, int64_t now_us)
{
    __int128 length = penalty->for_us;

    assert(penalty->after < REFERENCE_REFUSALS_MAX);
    record->refusals[record->refusal_count++] = now_us;
    if ((int64_t)record->refusal_count <= penalty->after)
        return;
    for (size_t i = 0; i < record->penalty_count && length <= penalty->up_to_us; i++)
        length *= penalty->growth;
    record->penalty_end = now_us + (int64_t)(length < penalty->up_to_us ? length : penalty->up_to_us);
    record->penalty_count++;
    record->refusal_count = 0;
}

/* The rest of the penalty. */
static int64_t
penalise(const struct penalty *penalty, struct record *record, int64_t now_us, bool refused)
{
    if (penalty == NULL)
        return 0;
    recall(penalty, record, now_us);
    if (refused && !is_penalised(record, now_us))
        refuse(penalty, record, now_us);
    return penalty_over_after_us(penalty, record, now_us);
}

/* Penalised: nothing passes, and nothing is full again, before the end. */
static void
put_off(struct decision *decision, int64_t by_us)
{
    decision->allowed = false;
    decision->remaining = 0;
    decision->reset_after_us = later(decision->reset_after_us, by_us);
    if (decision->retry_after_us != RETRY_NEVER)
        decision->retry_after_us = later(decision->retry_after_us, by_us);
}

void
reference_init(struct reference *reference, const struct asked_limit *limits, size_t limit_count,
               const struct penalty *penalty)
{
    assert(limit_count <= REFERENCE_LIMITS_MAX);
    *reference = (struct reference){.limits = limits, .limit_count = limit_count, .penalty = penalty};
}

void
reference_fini(struct reference *reference)
{
    for (size_t client = 0; client < REFERENCE_CLIENTS_MAX; client++) {
        for (size_t i = 0; i < reference->limit_count; i++)
            free(reference->histories[client][i].spent);
    }
}

void
reference_take(struct reference *reference, size_t client, int64_t now_us, int64_t cost,
               struct decision *decisions, int64_t *penalty_us)
{
    struct history *histories = reference->histories[client];
    bool all = true;

    for (size_t i = 0; i < reference->limit_count; i++) {
        arrive(&reference->limits[i], &histories[i], now_us);
        decisions[i].allowed = fits(&reference->limits[i], &histories[i], now_us, cost);
        all = all && decisions[i].allowed;
    }
    *penalty_us = penalise(reference->penalty, &reference->records[client], now_us, !all);
    all = all && *penalty_us == 0;
    for (size_t i = 0; i < reference->limit_count; i++) {
        const struct asked_limit *asked = &reference->limits[i];

        if (all)
            spend(asked, &histories[i], now_us, cost);
        decisions[i].limit = asked->limit.limit;
        decisions[i].remaining = largest_fit(asked, &histories[i], now_us);
        decisions[i].reset_after_us = first_fit_after_us(asked, &histories[i], now_us, asked->limit.limit);
        if (decisions[i].allowed)
            decisions[i].retry_after_us = 0;
        else if (cost > asked->limit.limit)
            decisions[i].retry_after_us = RETRY_NEVER;
        else
            decisions[i].retry_after_us = first_fit_after_us(asked, &histories[i], now_us, cost);
        if (*penalty_us > 0)
            put_off(&decisions[i], *penalty_us);
    }
}
