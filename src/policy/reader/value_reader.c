/* Numbers and durations of a rules file. */
#include <inttypes.h>
#include <math.h>

#include "clock.h"
#include "number.h"
#include "rules_reader.h"

/* cJSON keeps every number as a double, infinity included: whole and in range must be found out here. */
bool
is_whole_number(const cJSON *item, int64_t max, int64_t *out)
{
    double number = item->valuedouble;

    if (!cJSON_IsNumber(item) || !(number >= 1 && number <= (double)max) || trunc(number) < number)
        return false;
    *out = (int64_t)number;
    return true;
}

void
count_read(const struct place *object, const char *key, int64_t max, int64_t *out)
{
    const struct place at = place_key(object, key);

    if (at.value != NULL && !is_whole_number(at.value, max, out))
        diagnostic_add_value(&at, "must be a whole number from 1 to %" PRId64, max);
}

/* nginx and Envoy take a bare number for seconds, others for milliseconds, so it is refused. */
static bool
is_without_unit(const cJSON *item, int64_t *number)
{
    const int64_t max = DURATION_MAX_US / US_PER_S;

    if (cJSON_IsString(item))
        return number_parse(item->valuestring, 1, max, number);
    return is_whole_number(item, max, number);
}

void
duration_read(const struct place *object, const char *key, int64_t *out_us)
{
    const struct place at = place_key(object, key);
    int64_t number;

    if (at.value == NULL || (cJSON_IsString(at.value) && duration_parse(at.value->valuestring, out_us)))
        return;
    if (is_without_unit(at.value, &number))
        diagnostic_add_value(&at,
                             "a duration needs a unit; write \"%" PRId64 "s\" for seconds or \"%" PRId64
                             "ms\" for milliseconds",
                             number, number);
    else
        diagnostic_add_value(&at,
                             "must be a duration: a whole number and a unit, such as \"500ms\", \"10s\", "
                             "\"1m\", \"1h\" or \"7d\", at most \"366d\"");
}
