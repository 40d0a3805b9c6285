/*
 * report: what is wrong with an operator's settings or rules, all of it, gathered in one run.
 *
 * Each entry is one line that names the place, the value and what is accepted. The report owns its text.
 * One thread at a time.
 */
#ifndef REPORT_H
#define REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct report {
    char **lines;
    size_t count;
    size_t capacity;
};

void report_init(struct report *report);
void report_fini(struct report *report);

/* Adds one line, without its newline. Control bytes in the arguments come out as \xNN. */
void report_add(struct report *report, const char *format, ...) __attribute__((format(printf, 2, 3)));

static inline bool
report_is_empty(const struct report *report)
{
    return report->count == 0;
}

/* Prints every line, each behind `prefix`. */
void report_print(const struct report *report, FILE *out, const char *prefix);

/* The word of `words` that `word` was probably meant to be (edit distance at most 2, and less than half its
   length), or NULL. For "did you mean". */
const char *report_did_you_mean(const char *word, const char *const *words, size_t count);

#endif
