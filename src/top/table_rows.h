/*
 * table_rows: the elements of a list in an answer that a table shows, in the order in which it shows them. Pure; one
 * thread at a time.
 */
#ifndef TABLE_ROWS_H
#define TABLE_ROWS_H

#include <stddef.h>

#include <cjson/cJSON.h>

struct table_row {
    const cJSON *values; /* borrowed from the answer */
    const char *name;
    double rank;
    size_t place; /* in the answer */
};

struct table_rows {
    struct table_row *list; /* owned */
    size_t count;
};

/* The elements whose text `name_key` holds `filter`. No memory: none of them. */
struct table_rows table_rows_of(const cJSON *list, const char *name_key, const char *filter);
void table_rows_fini(struct table_rows *rows);

/* By that number, the largest first; what is equal stays in its order. */
void table_rows_sort(struct table_rows *rows, const char *key);
void table_rows_sort_by_name(struct table_rows *rows);

#endif
