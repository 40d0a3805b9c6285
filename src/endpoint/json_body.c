#include "json_body.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "json_text.h"
#include "number.h"
#include "stringify.h"

static const char count_accepted[] = "must be a whole number from 0 to " STRINGIFY(NUMBER_EXACT_MAX);

const struct json_body_place json_body_root = {0};

bool
json_error(struct json_error *error, const struct json_body_place *place, unsigned status, const char *why,
           const char *field_format, ...)
{
    char name[sizeof(error->field)];
    va_list arguments;

    if (error->status != 0)
        return false;
    va_start(arguments, field_format);
    vsnprintf(name, sizeof(name), field_format, arguments);
    va_end(arguments);
    error->status = status;
    error->why = why;
    if (place->list != NULL)
        snprintf(error->field, sizeof(error->field), "%s[%zu]%s%.40s", place->list, place->index,
                 name[0] != '\0' ? "." : "", name);
    else
        snprintf(error->field, sizeof(error->field), "%.40s", name);
    return false;
}

void
json_error_text(const struct json_error *error, char out[JSON_ERROR_BYTES])
{
    if (error->line > 0)
        snprintf(out, JSON_ERROR_BYTES, "The body is not JSON: line %zu, column %zu: %s.", error->line,
                 error->column, error->why);
    else
        snprintf(out, JSON_ERROR_BYTES, "%s %s.", error->field[0] != '\0' ? error->field : "The body",
                 error->why);
}

/* Clauses of json_text.h have quotes and backslashes in them, which a sentence in JSON must not. */
static const char *
plain_clause(const char *clause)
{
    return strpbrk(clause, "\"\\") == NULL ? clause : "something else is expected here";
}

cJSON *
json_body_parse(const char *text, size_t bytes, struct json_error *error)
{
    size_t at, mark = json_text_mark_bytes(text, bytes);
    const char *why = json_text_check(text, bytes, JSON_BODY_VALUES_MAX, &at);

    if (why != NULL) {
        json_error(error, &json_body_root, 400, plain_clause(why), "%s", "");
        json_text_position(text, at, &error->line, &error->column);
        return NULL;
    }
    return cJSON_ParseWithLength(text + mark, bytes - mark);
}

static const struct json_body_key *
find_key(const struct json_body_key *keys, size_t key_count, const char *name)
{
    for (size_t i = 0; i < key_count; i++)
        if (strcmp(keys[i].name, name) == 0)
            return &keys[i];
    return NULL;
}

bool
json_body_fields(const cJSON *object, const struct json_body_place *place, const struct json_body_key *keys,
                 size_t key_count, const char *unknown, const cJSON **values, size_t value_count,
                 struct json_error *error)
{
    const cJSON *value;

    for (size_t i = 0; i < value_count; i++)
        values[i] = NULL;
    if (!cJSON_IsObject(object))
        return json_error(error, place, 400, "must be an object", "%s", "");
    cJSON_ArrayForEach(value, object)
    {
        const struct json_body_key *key = find_key(keys, key_count, value->string);
        if (key == NULL)
            return json_error(error, place, 400, unknown, "%s", "");
        if (values[key->field] != NULL)
            return json_error(error, place, 400, "is given twice", "%s", key->name);
        values[key->field] = value;
    }
    return true;
}

const char *
json_body_string(const cJSON *value, const struct json_body_place *place, const char *field,
                 struct json_error *error)
{
    if (!cJSON_IsString(value) || value->valuestring[0] == '\0') {
        json_error(error, place, 400, "must be a string that is not empty", "%s", field);
        return NULL;
    }
    return value->valuestring;
}

bool
json_body_count(const cJSON *value, const struct json_body_place *place, const char *field, int64_t *out,
                struct json_error *error)
{
    double number = cJSON_IsNumber(value) ? value->valuedouble : -1;

    /* 1e999 is infinite here; beyond NUMBER_EXACT_MAX two numbers that differ may read the same. */
    if (!(number >= 0 && number <= (double)NUMBER_EXACT_MAX) || number != (double)(int64_t)number)
        return json_error(error, place, 400, count_accepted, "%s", field);
    *out = (int64_t)number;
    return true;
}
