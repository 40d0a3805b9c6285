/*
 * top_json: what is in an answer of the service, read without trust: what is missing, or of another type, is NAN, "" or
 * nothing. Any thread.
 */
#ifndef TOP_JSON_H
#define TOP_JSON_H

#include <math.h>

#include <cjson/cJSON.h>

/* `object` may be NULL. */
static inline const cJSON *
top_json_member(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

static inline double
top_json_number(const cJSON *object, const char *key)
{
    const cJSON *member = top_json_member(object, key);

    return cJSON_IsNumber(member) ? member->valuedouble : (double)NAN;
}

static inline const char *
top_json_text(const cJSON *object, const char *key)
{
    const cJSON *member = top_json_member(object, key);

    return cJSON_IsString(member) ? member->valuestring : "";
}

/* NULL, which cJSON takes for an empty list, where it is none. */
static inline const cJSON *
top_json_list(const cJSON *object, const char *key)
{
    const cJSON *member = top_json_member(object, key);

    return cJSON_IsArray(member) ? member : NULL;
}

#endif
