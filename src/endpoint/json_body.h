/*
 * json_body: the JSON of a request, read strictly: the first error names its field.
 *
 * Beyond json_text.h: unknown and repeated fields are errors, names are case-sensitive, numbers are whole. An
 * error never holds a byte of what was sent. Pure; any thread.
 */
#ifndef JSON_BODY_H
#define JSON_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "json_text.h"

/*
 * A part is what is parsed at once, and so holds up other requests: the body, or an element of its list and
 * the rest of the body without that list. (json_text.h says which array is the list.)
 */
#define JSON_PART_VALUES_MAX 256
#define JSON_PART_BYTES_MAX  32768

struct json_error {
    const char *list;    /* the object is an element of that list, */
    size_t index;        /* the one of this number; NULL: it is the body */
    unsigned status;     /* the HTTP status; 0: no error */
    char field[80];      /* "checks[3].cost"; "": the body itself */
    const char *why;     /* static: a clause about the field, "must be ..." */
    size_t line, column; /* where the text stops being JSON; 0 otherwise */
};

/* Keeps the error, if it is the first one. The field is one of the object; "": the object itself. Always false, so
   that callers can return it. */
bool json_error(struct json_error *error, unsigned status, const char *field, const char *why);

/* The error as a sentence. */
#define JSON_ERROR_BYTES 400
void json_error_text(const struct json_error *error, char out[JSON_ERROR_BYTES]);

/* A body that is being read: first all of its text is checked, then its parts are parsed. */
struct json_body {
    struct json_scan scan;
    size_t element_at;
};

/* The text is borrowed. */
void json_body_init(struct json_body *body, const char *text, size_t bytes);

/* Checks about `bytes` more of the text, until scan.ended. False with an error. */
bool json_body_check(struct json_body *body, size_t bytes, struct json_error *error);

/* After that: the root, whose list is empty here (scan.list.count is how many elements it has). To be freed
   with cJSON_Delete. NULL: out of memory. */
cJSON *json_body_root(const struct json_body *body);

/* The next of the list's elements. Likewise. */
cJSON *json_body_element(struct json_body *body);

/* A field's name and its number. Two names may have one number. */
struct json_body_key {
    const char *name;
    unsigned field;
};

/* Sorts the fields of an object into `values`, by their numbers; NULL: absent. `unknown` is the clause for a
   field that is not among the keys: it lists them. False with an error. */
bool json_body_fields(const cJSON *object, const struct json_body_key *keys, size_t key_count,
                      const char *unknown, const cJSON **values, size_t value_count,
                      struct json_error *error);

/* A string of at least one byte; NULL with an error. */
const char *json_body_string(const cJSON *value, const char *field, struct json_error *error);

/* A whole number from 0 to NUMBER_EXACT_MAX. */
bool json_body_count(const cJSON *value, const char *field, int64_t *out, struct json_error *error);

#endif
