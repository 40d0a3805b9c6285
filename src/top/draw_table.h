/*
 * draw_table: rows of numbers with a text at the end, as many columns of them as fit. Pure; one thread at a time.
 */
#ifndef DRAW_TABLE_H
#define DRAW_TABLE_H

#include "screen.h"
#include "table_rows.h"

#define TABLE_COLUMNS_MAX 8

/* The first columns are shown where there is no room for all. */
struct table {
    struct column {
        const char *title, *key; /* of a number in the row; NULL: it ends the columns */
    } columns[TABLE_COLUMNS_MAX];
    const char *title;        /* of the text */
    const char *text_keys[5]; /* the texts in a row that it is made of, up to a NULL */
    struct table_rows rows;   /* owned by the caller */
};

/* In at most `rows` rows, the title's included. Returns the row after the last one. */
unsigned draw_table(struct screen *screen, unsigned row, unsigned rows, const struct table *table);

#endif
