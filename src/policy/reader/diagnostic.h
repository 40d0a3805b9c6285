/*
 * diagnostic: one line of the report about a rules file: the file, the place in it, the value, what is accepted.
 *
 *     rate_limits.json: $.search.limits[1].window: "1w": must be milliseconds, ...
 *
 * cJSON remembers no positions, so the place is the path of the value from the root, `$`. Each reader keeps its step
 * on its stack and links it to its caller's: a path costs nothing until a diagnostic prints it.
 */
#ifndef DIAGNOSTIC_H
#define DIAGNOSTIC_H

#include <stddef.h>

#include <cjson/cJSON.h>

#include "rules_reader.h"

struct place {
    const struct place *parent; /* NULL: the root */
    const char *key;            /* NULL: an element of an array */
    size_t index;               /* of the element */
};

static inline struct place
place_root(void)
{
    return (struct place){0};
}

static inline struct place
place_key(const struct place *parent, const char *key)
{
    return (struct place){.parent = parent, .key = key};
}

static inline struct place
place_index(const struct place *parent, size_t index)
{
    return (struct place){.parent = parent, .index = index};
}

/* The value is shown, shortened; NULL: not shown. The format is a clause: "must be ...". */
void diagnostic_add(const struct rules_reader *reader, const struct place *place, const cJSON *value,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* A warning: what is valid but probably not meant. */
void diagnostic_warn(const struct rules_reader *reader, const struct place *place, const char *clause);

/* The value is not one of these words; suggests the nearest. */
void diagnostic_add_word(const struct rules_reader *reader, const struct place *place, const cJSON *value,
                         const char *const *words, size_t count);

/* Reports the keys of the object that are not among `keys`, and duplicate keys. */
void diagnostic_add_keys(const struct rules_reader *reader, const struct place *place, const cJSON *object,
                         const char *const *keys, size_t count);

/* Whether the value is an array of 1 to `max` elements, which `what` names in the diagnostic. True also where there are
   more, so that they are read for their errors. */
bool diagnostic_check_list(const struct rules_reader *reader, const struct place *place, const cJSON *list,
                           int max, const char *what);

#endif
