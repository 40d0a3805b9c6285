/*
 * report: everything wrong with an operator's settings or rules, collected in one run.
 *
 * An error prevents the start: one line that names the place, the value and what is accepted. A warning does
 * not: one line about something that works but is probably not intended. The report owns its text. One thread
 * at a time.
 */
#ifndef REPORT_H
#define REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct report {
    char **lines; /* errors */
    size_t count;
    size_t capacity;
    char **warnings;
    size_t warning_count;
    size_t warning_capacity;
};

void report_init(struct report *report);
void report_fini(struct report *report);

/* Adds one line, without its newline. Control bytes in the arguments are written \xNN. */
void report_add(struct report *report, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same for a warning. */
void report_warn(struct report *report, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* No errors; there may be warnings. */
static inline bool
report_is_empty(const struct report *report)
{
    return report->count == 0;
}

/* Prints the warnings, with the word "warning: ", then the errors, each line after `prefix`. */
void report_print(const struct report *report, FILE *out, const char *prefix);

/* A text in which what could drive a terminal, or is not UTF-8, is written \xNN. */
void report_put_text(FILE *out, const char *text);

/* For warnings that have been logged elsewhere. */
void report_drop_warnings(struct report *report);

/* The word of `words` that `word` was probably meant to be (edit distance at most 2, and less than half its
   length; else the only one that it is a prefix of), or NULL. For "did you mean". */
const char *report_did_you_mean(const char *word, const char *const *words, size_t count);

#endif
