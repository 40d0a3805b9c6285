#include "json_body.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"
#include "stringify.h"

static const char count_accepted[] = "must be a whole number from 0 to " STRINGIFY(NUMBER_EXACT_MAX);

bool
json_error(struct json_error *error, unsigned status, const char *field, const char *why)
{
    int used = 0;

    if (error->status != 0)
        return false;
    error->status = status;
    error->why = why;
    if (error->list != NULL)
        used = snprintf(error->field, sizeof(error->field), "%s[%zu]%s", error->list, error->index,
                        field[0] != '\0' ? "." : "");
    snprintf(error->field + used, sizeof(error->field) - (size_t)used, "%.40s", field);
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

void
json_body_init(struct json_body *body, const char *text, size_t bytes)
{
    json_scan_init(&body->scan, text, bytes);
    body->scan.part_values_max = JSON_PART_VALUES_MAX;
    body->scan.part_bytes_max = JSON_PART_BYTES_MAX;
    body->element_at = 0;
}

bool
json_body_check(struct json_body *body, size_t bytes, struct json_error *error)
{
    if (json_scan_slice(&body->scan, bytes))
        return true;
    json_error(error, 400, "", plain_clause(body->scan.error));
    json_text_position(body->scan.text, body->scan.at, &error->line, &error->column);
    return false;
}

/* What is between `from` and `to` is left out. */
static cJSON *
parse_without(const char *text, size_t bytes, size_t from, size_t to)
{
    char *rest = malloc(bytes - (to - from));
    cJSON *root;

    if (rest == NULL)
        return NULL;
    memcpy(rest, text, from);
    memcpy(rest + from, text + to, bytes - to);
    root = cJSON_ParseWithLength(rest, bytes - (to - from));
    free(rest);
    return root;
}

cJSON *
json_body_root(const struct json_body *body)
{
    const struct json_scan *scan = &body->scan;
    size_t mark = json_text_mark_bytes(scan->text, scan->bytes);

    if (scan->list.start == 0)
        return cJSON_ParseWithLength(scan->text + mark,
                                     (scan->root_end > 0 ? scan->root_end : scan->bytes) - mark);
    return parse_without(scan->text + mark, scan->root_end - mark, scan->list.start - mark,
                         scan->list.end - mark);
}

cJSON *
json_body_element(struct json_body *body)
{
    const struct json_scan *scan = &body->scan;
    const char *end, *start = scan->text + (body->element_at > 0 ? body->element_at : scan->list.start);
    cJSON *element =
        cJSON_ParseWithLengthOpts(start, scan->list.end - (size_t)(start - scan->text), &end, false);

    /* On to the comma, and over it. */
    body->element_at = (size_t)(end - scan->text);
    while (body->element_at < scan->list.end && scan->text[body->element_at++] != ',')
        continue;
    return element;
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
json_body_fields(const cJSON *object, const struct json_body_key *keys, size_t key_count, const char *unknown,
                 const cJSON **values, size_t value_count, struct json_error *error)
{
    const cJSON *value;

    for (size_t i = 0; i < value_count; i++)
        values[i] = NULL;
    if (!cJSON_IsObject(object))
        return json_error(error, 400, "", "must be an object");
    cJSON_ArrayForEach(value, object)
    {
        const struct json_body_key *key = find_key(keys, key_count, value->string);
        if (key == NULL)
            return json_error(error, 400, "", unknown);
        if (values[key->field] != NULL)
            return json_error(error, 400, key->name, "is given twice");
        values[key->field] = value;
    }
    return true;
}

const char *
json_body_string(const cJSON *value, const char *field, struct json_error *error)
{
    if (!cJSON_IsString(value) || value->valuestring[0] == '\0') {
        json_error(error, 400, field, "must be a string that is not empty");
        return NULL;
    }
    return value->valuestring;
}

bool
json_body_count(const cJSON *value, const char *field, int64_t *out, struct json_error *error)
{
    double number = cJSON_IsNumber(value) ? value->valuedouble : -1;

    /* 1e999 is infinite here; beyond NUMBER_EXACT_MAX two numbers that differ may read the same. */
    if (!(number >= 0 && number <= (double)NUMBER_EXACT_MAX) || number != (double)(int64_t)number)
        return json_error(error, 400, field, count_accepted);
    *out = (int64_t)number;
    return true;
}
