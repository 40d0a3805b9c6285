/*
 * Two kinds of limit share one object: a token bucket has a capacity and a refill_rate, a window a limit and
 * a window. Every value present is read, whatever the kind turns out to be, so that one run finds all
 * errors; then the kind says which keys are required and which are not allowed.
 */
#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "number.h"
#include "rules_reader.h"

/* A fractional refill_rate is exact as a number of millionths: six decimals, and below a billion, because
   a double represents 15 decimal digits exactly. */
#define RATE_SCALE        1000000
#define RATE_FRACTION_MAX 1e9

static const char *const limit_keys[] = {LIMIT_KEYS};
static const char *const bucket_keys[] = {"capacity", "refill_rate"};
static const char *const window_keys[] = {"limit", "window"};

struct values {
    int64_t capacity;
    int64_t refill, refill_period_us;
    int64_t limit;
    int64_t window_us;
};

/* "10/1m": tokens, a slash, and the duration in which they are added. */
static bool
parse_rate(const char *text, struct values *values)
{
    const char *slash = strchr(text, '/');
    char *tokens;
    bool ok;

    if (slash == NULL)
        return false;
    tokens = strndup(text, (size_t)(slash - text));
    ok = tokens != NULL && number_parse(tokens, 1, NUMBER_EXACT_MAX, &values->refill) &&
         duration_parse(slash + 1, &values->refill_period_us);
    free(tokens);
    return ok;
}

/* Tokens per second, as a ratio of integers: 1.25 is 5 every 4 seconds. */
static bool
convert_rate(const cJSON *item, struct values *values)
{
    double rate = item->valuedouble;
    int64_t millionths, common;

    if (is_whole_number(item, NUMBER_EXACT_MAX, &values->refill)) {
        values->refill_period_us = US_PER_S;
        return true;
    }
    if (!cJSON_IsNumber(item) || !(rate > 0 && rate < RATE_FRACTION_MAX))
        return false;
    millionths = (int64_t)llround(rate * RATE_SCALE);
    /* Whether the nearest millionth is the number itself: both operands are exact, so the quotient is the
       double that the decimal was read as, or there were more decimals. */
    if (millionths < 1 || (double)millionths / RATE_SCALE < rate || (double)millionths / RATE_SCALE > rate)
        return false;
    common = number_gcd(millionths, RATE_SCALE);
    values->refill = millionths / common;
    values->refill_period_us = RATE_SCALE / common * US_PER_S;
    return true;
}

static void
read_refill_rate(const struct place *object, struct values *values)
{
    const struct place at = place_key(object, "refill_rate");

    if (at.value == NULL || (cJSON_IsString(at.value) ? parse_rate(at.value->valuestring, values)
                                                      : convert_rate(at.value, values)))
        return;
    diagnostic_add_value(&at, "must be tokens per second, above 0 and with at most 6 decimals, or "
                              "\"N/DURATION\", such as \"10/1m\"");
}

/* What follows from the other keys; -1: nothing, which has been reported. One key of a token bucket does not
   make one of what `base` is: it was meant for another rule. */
static int
implied_algorithm(const struct place *object, const struct limit *base)
{
    bool has_capacity = place_has(object, "capacity"), has_rate = place_has(object, "refill_rate");

    if (has_capacity && has_rate)
        return TOKEN_BUCKET;
    if (base != NULL)
        return (int)base->algorithm;
    if (has_capacity || has_rate)
        return TOKEN_BUCKET;
    if (place_has(object, "limit") || place_has(object, "window"))
        diagnostic_add(object, "\"limit\" and \"window\" need an \"algorithm\": sliding_window, "
                               "sliding_window_counter or fixed_window");
    else
        diagnostic_add(object, "needs a limit: \"capacity\" and \"refill_rate\", or an \"algorithm\" with "
                               "\"limit\" and \"window\"");
    return -1;
}

/* -1: the algorithm is unknown, which has been reported. */
static int
read_algorithm(const struct place *object, const struct limit *base)
{
    const struct place at = place_key(object, "algorithm");
    const char *names[ALGORITHM_COUNT];
    int algorithm;

    if (at.value == NULL)
        return implied_algorithm(object, base);
    algorithm = cJSON_IsString(at.value) ? algorithm_by_name(at.value->valuestring) : -1;
    if (algorithm < 0) {
        for (int i = 0; i < ALGORITHM_COUNT; i++)
            names[i] = algorithm_name((enum algorithm)i);
        diagnostic_add_word(&at, names, ALGORITHM_COUNT);
    }
    return algorithm;
}

/* What a limit leaves out: as in `base`, if that is of the same kind. Otherwise windows have defaults; a token bucket
   has none. */
static struct values
defaults_of(const struct policy_defaults *defaults, const struct limit *base)
{
    struct values values = {.limit = defaults->limit, .window_us = defaults->window_us};

    if (base == NULL)
        return values;
    if (base->algorithm == TOKEN_BUCKET) {
        values.capacity = base->limit;
        values.refill = base->units_per_us;
        values.refill_period_us = base->units_per_token;
    } else {
        values.limit = base->limit;
        values.window_us = base->window_us;
    }
    return values;
}

static void
check_keys(const struct place *object, enum algorithm algorithm, const struct limit *base)
{
    bool has_base = base != NULL && base->algorithm == TOKEN_BUCKET;
    bool is_bucket = algorithm == TOKEN_BUCKET;
    const char *const *own = is_bucket ? bucket_keys : window_keys;
    const char *const *foreign = is_bucket ? window_keys : bucket_keys;

    for (int i = 0; i < 2; i++) {
        const struct place at = place_key(object, foreign[i]);

        if (at.value != NULL)
            diagnostic_add(&at, "not a key of %s; it takes \"%s\" and \"%s\"", algorithm_name(algorithm),
                           own[0], own[1]);
        if (is_bucket && !has_base && !place_has(object, own[i]))
            diagnostic_add(object, "token_bucket needs \"%s\"", own[i]);
    }
}

/* The object may have other keys too. */
static void
read_limit(const struct place *object, const struct limit *base, struct limit *limit)
{
    size_t before = object->reader->report->count;
    struct values values = defaults_of(object->reader->defaults, base);
    int algorithm = read_algorithm(object, base);
    enum limit_error error;

    if (algorithm >= 0)
        check_keys(object, (enum algorithm)algorithm, base);
    count_read(object, "capacity", NUMBER_EXACT_MAX, &values.capacity);
    read_refill_rate(object, &values);
    count_read(object, "limit", NUMBER_EXACT_MAX, &values.limit);
    duration_read(object, "window", &values.window_us);
    if (object->reader->report->count > before)
        return;

    if (algorithm == TOKEN_BUCKET)
        error = limit_init_token_bucket(limit, values.capacity, values.refill, values.refill_period_us);
    else
        error = limit_init_window(limit, (enum algorithm)algorithm, values.limit, values.window_us);
    if (error != LIMIT_OK)
        diagnostic_add(object, "%s", limit_error_text(error));
}

static void
refuse_inline(const struct place *object)
{
    for (size_t i = 0; i < COUNT_OF(limit_keys); i++) {
        const struct place at = place_key(object, limit_keys[i]);

        if (at.value != NULL)
            diagnostic_add(&at, "not allowed beside \"limits\"; move it into one of them");
    }
}

static void
read_list(const struct place *list, struct limit_set *limits)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, list->value)
    {
        const struct place element = place_item(list, item);
        struct limit beyond; /* read for its errors only */
        bool fits = limits->count < LIMIT_SET_MAX;

        if (!cJSON_IsObject(item)) {
            diagnostic_add_value(&element,
                                 "must be an object, such as {\"capacity\": 20, \"refill_rate\": 5}");
            continue;
        }
        diagnostic_check_keys(&element, limit_keys, COUNT_OF(limit_keys));
        read_limit(&element, NULL, fits ? &limits->limits[limits->count++] : &beyond);
    }
}

void
limits_read(const struct place *object, const struct limit_set *base, struct limit_set *limits)
{
    const struct place list = place_key(object, "limits");

    if (list.value != NULL) {
        refuse_inline(object);
        if (diagnostic_check_list(&list, LIMIT_SET_MAX, "limits, each an object"))
            read_list(&list, limits);
    } else if (base != NULL && base->count > 1) {
        diagnostic_add(object,
                       "the rule has %u limits: list all that are to take their place, as \"limits\": [...]",
                       base->count);
    } else {
        read_limit(object, base ? &base->limits[0] : NULL, &limits->limits[limits->count++]);
    }
}
