#include "report.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "or_abort.h"
#include "utf8.h"

#define DISTANCE_MAX    2
#define BEGINNING_BYTES 5  /* shorter ones are prefixes of too much */
#define WORD_BYTES      64 /* longer words are not compared */

void
report_init(struct report *report)
{
    *report = (struct report){0};
}

void
report_fini(struct report *report)
{
    for (size_t i = 0; i < report->count; i++)
        free(report->lines[i]);
    free(report->lines);
    report_drop_warnings(report);
    free(report->warnings);
    report_init(report);
}

void
report_drop_warnings(struct report *report)
{
    while (report->warning_count > 0)
        free(report->warnings[--report->warning_count]);
}

void
report_put_text(FILE *out, const char *text)
{
    for (size_t rest = strlen(text), bytes; rest > 0; rest -= bytes, text += bytes) {
        size_t length = utf8_sequence(text, rest);

        bytes = length > 0 ? length : 1;
        if (length > 0 && !utf8_is_control(text))
            fwrite(text, 1, length, out);
        else
            for (size_t i = 0; i < bytes; i++)
                fprintf(out, "\\x%02x", (unsigned)(unsigned char)text[i]);
    }
}

static __attribute__((format(printf, 1, 0))) char *
formatted(const char *format, va_list arguments)
{
    char *raw = NULL, *line = NULL;
    size_t bytes;
    FILE *out = or_abort(open_memstream(&line, &bytes));

    if (vasprintf(&raw, format, arguments) < 0)
        raw = NULL;
    report_put_text(out, or_abort(raw));
    free(raw);
    return or_abort(fclose(out) == 0 ? line : NULL);
}

static void
append(char ***lines, size_t *count, size_t *capacity, char *line)
{
    if (*count == *capacity) {
        *capacity = *capacity * 2 + 8;
        *lines = or_abort(realloc(*lines, *capacity * sizeof(**lines)));
    }
    (*lines)[(*count)++] = line;
}

void
report_add(struct report *report, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    append(&report->lines, &report->count, &report->capacity, formatted(format, arguments));
    va_end(arguments);
}

void
report_warn(struct report *report, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    append(&report->warnings, &report->warning_count, &report->warning_capacity,
           formatted(format, arguments));
    va_end(arguments);
}

void
report_print(const struct report *report, FILE *out, const char *prefix)
{
    for (size_t i = 0; i < report->warning_count; i++)
        fprintf(out, "%swarning: %s\n", prefix, report->warnings[i]);
    for (size_t i = 0; i < report->count; i++)
        fprintf(out, "%s%s\n", prefix, report->lines[i]);
}

static char
lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
}

static size_t
least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/*
 * How many letters must be left out, put in, replaced, or swapped with their neighbour to come from `a` to
 * `b` (Damerau-Levenshtein, in its form where no piece is edited twice). The case of a letter costs nothing:
 * that is what tells `get` from `GET`. Both at most WORD_BYTES long.
 *
 * Row i of the table holds the distances from the first i letters of `a` to each beginning of `b`; a swap
 * looks two rows back.
 */
static size_t
distance(const char *a, size_t a_bytes, const char *b, size_t b_bytes)
{
    size_t rows[3][WORD_BYTES + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];

    for (size_t j = 0; j <= b_bytes; j++)
        above[j] = before[j] = j;
    for (size_t i = 1; i <= a_bytes; i++) {
        size_t *spare = before;

        row[0] = i;
        for (size_t j = 1; j <= b_bytes; j++) {
            size_t replaced = lower(a[i - 1]) != lower(b[j - 1]);

            row[j] = least(above[j - 1] + replaced, least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]))
                row[j] = least(row[j], before[j - 2] + 1);
        }
        before = above;
        above = row;
        row = spare;
    }
    return above[b_bytes];
}

/* "refill" for "refill_rate". */
static const char *
only_completion(const char *word, size_t bytes, const char *const *words, size_t count)
{
    const char *found = NULL;

    if (bytes < BEGINNING_BYTES)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        if (strncasecmp(word, words[i], bytes) != 0)
            continue;
        if (found != NULL)
            return NULL;
        found = words[i];
    }
    return found;
}

const char *
report_did_you_mean(const char *word, const char *const *words, size_t count)
{
    size_t word_bytes = strlen(word);
    size_t nearest = DISTANCE_MAX + 1;
    const char *found = NULL;

    if (word_bytes > WORD_BYTES)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t bytes = strlen(words[i]);
        size_t away = bytes > WORD_BYTES ? nearest : distance(word, word_bytes, words[i], bytes);

        if (away < nearest && away * 2 < word_bytes) {
            nearest = away;
            found = words[i];
        }
    }
    return found != NULL ? found : only_completion(word, word_bytes, words, count);
}
