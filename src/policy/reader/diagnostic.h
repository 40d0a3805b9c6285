/*
 * diagnostic: one line of the report about a rules file: the file, the place in it, the value, what is accepted.
 *
 *     rate_limits.json: $.search.limits[1].window: "1w": must be milliseconds, ...
 *
 * cJSON remembers no positions, so a place is a value with the way to it from the root, `$`. Each reader keeps its step
 * on its stack and links it to its caller's: the way costs nothing until a diagnostic prints it.
 */
#ifndef DIAGNOSTIC_H
#define DIAGNOSTIC_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

struct rules_reader;

struct place {
    const struct rules_reader *reader;
    const struct place *parent; /* NULL: the root */
    const char *key;            /* NULL: an element of an array */
    const cJSON *value;         /* NULL: it is absent */
};

/* The place of a key of an object. */
static inline struct place
place_key(const struct place *object, const char *key)
{
    return (struct place){.reader = object->reader,
                          .parent = object,
                          .key = key,
                          .value = cJSON_GetObjectItemCaseSensitive(object->value, key)};
}

/* The place of an item of an object or an array. */
static inline struct place
place_item(const struct place *parent, const cJSON *item)
{
    return (struct place){.reader = parent->reader, .parent = parent, .key = item->string, .value = item};
}

static inline bool
place_has(const struct place *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object->value, key) != NULL;
}

/* What is wrong; the same with the value, shortened; what is valid but probably not meant. The format is a clause:
   "must be ...". Always false, so that callers can return it. */
enum diagnostic { DIAGNOSTIC_PLACE, DIAGNOSTIC_VALUE, DIAGNOSTIC_WARNING };
#define diagnostic_add(place, ...)       diagnostic_write(place, DIAGNOSTIC_PLACE, __VA_ARGS__)
#define diagnostic_add_value(place, ...) diagnostic_write(place, DIAGNOSTIC_VALUE, __VA_ARGS__)
#define diagnostic_warn(place, ...)      diagnostic_write(place, DIAGNOSTIC_WARNING, __VA_ARGS__)
bool diagnostic_write(const struct place *place, enum diagnostic kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The value is not one of these words; suggests the nearest. Always false, too. */
bool diagnostic_add_word(const struct place *place, const char *const *words, size_t count);

/* Reports the keys of the object that are not among `keys`, of which there are none where any will do, and
   duplicate keys. */
void diagnostic_check_keys(const struct place *object, const char *const *keys, size_t count);

/* Whether the value is an array of 1 to `max` elements, which `what` names in the diagnostic. True also where there are
   more, so that they are read for their errors. */
bool diagnostic_check_list(const struct place *list, int max, const char *what);

/* `memory`, after a line that there is none where it is NULL. */
void *diagnostic_check_memory(const struct place *place, void *memory);

#endif
