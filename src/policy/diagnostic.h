/*
 * mistake: one line of the report about a rules file: which file, where in it, what is there, what is accepted.
 *
 *     rate_limits.json: $.search.limits[1].window: "1w": must be milliseconds, ...
 *
 * cJSON remembers no positions, so the place is the path of the value from the root, `$`. Each reader puts
 * its step on its own stack and links it to its caller's: a path costs nothing until a mistake prints it.
 */
#ifndef DIAGNOSTIC_H
#define DIAGNOSTIC_H

#include <stddef.h>

#include <cjson/cJSON.h>

#include "reader.h"

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

/* The value is shown, shortened; NULL where it says nothing. The format is a clause: "must be ...". */
void diagnostic_add(const struct reader *reader, const struct place *place, const cJSON *value,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The value should have been one of these words, and may be nearly one. */
void diagnostic_add_word(const struct reader *reader, const struct place *place, const cJSON *value,
                         const char *const *words, size_t count);

/* Reports the keys of the object that are not among `keys`, and those that stand in it twice. */
void diagnostic_add_keys(const struct reader *reader, const struct place *place, const cJSON *object,
                         const char *const *keys, size_t count);

#endif
