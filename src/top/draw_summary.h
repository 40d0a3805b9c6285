/*
 * draw_summary: the lines above the tables. Each has a name and facts, and flows on into the next row where it does not
 * fit. Pure; one thread at a time.
 */
#ifndef DRAW_SUMMARY_H
#define DRAW_SUMMARY_H

#include "draw.h"

/* From the first row on, in at most `rows` rows. Returns the row after the last one. */
unsigned draw_summary(struct screen *screen, unsigned rows, const struct scene *scene);

#endif
