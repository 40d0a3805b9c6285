#include "diagnostic.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "or_abort.h"
#include "utf8.h"

#define SHOWN_BYTES 40 /* of a value or a key */

/* Each key is compared with all others, so their number is limited. */
#define KEYS_MAX 1024

static void
write_short(FILE *out, const char *text)
{
    size_t bytes = strlen(text), shown = 0;

    while (shown < bytes && shown < SHOWN_BYTES) {
        size_t length = utf8_sequence(text + shown, bytes - shown);
        shown += length > 0 ? length : 1;
    }
    fwrite(text, 1, shown, out);
    if (shown < bytes)
        fputs("...", out);
}

/* cJSON escapes what a string must not hold raw. */
static void
write_json(FILE *out, const cJSON *value)
{
    char *text = cJSON_PrintUnformatted(value);

    if (text != NULL)
        write_short(out, text);
    cJSON_free(text);
}

/* `.key`, or `["key"]` where it is not made of letters, digits, `_` and `-` alone. */
static void
write_key(FILE *out, const char *key)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    size_t bytes = strlen(key);

    if (bytes > 0 && bytes == strspn(key, plain)) {
        fputc('.', out);
        write_short(out, key);
    } else {
        cJSON *string = cJSON_CreateStringReference(key);

        fputc('[', out);
        write_json(out, string);
        fputc(']', out);
        cJSON_Delete(string);
    }
}

static void
write_place(FILE *out, const struct place *place)
{
    if (place->parent == NULL) {
        fputc('$', out);
        return;
    }
    write_place(out, place->parent);
    if (place->key != NULL)
        write_key(out, place->key);
    else
        fprintf(out, "[%zu]", place->index);
}

/* Not by cJSON, which writes infinity as null and large integers as 9.00719925474099e+15. */
static void
write_number(FILE *out, double number)
{
    if (isinf(number))
        fputs(number > 0 ? "a number above 1e308" : "a number below -1e308", out);
    else
        fprintf(out, "%.16g", number);
}

static void
write_value(FILE *out, const cJSON *value)
{
    if (cJSON_IsNumber(value))
        write_number(out, value->valuedouble);
    else
        write_json(out, value);
}

/* The common beginning of a line: "FILE: PLACE: VALUE: ". The caller writes the clause and ends the line.
   */
struct line {
    FILE *out;
    char *text;
    size_t bytes;
    bool is_warning;
};

static FILE *
line_begin(struct line *line, const struct rules_reader *reader, const struct place *place,
           const cJSON *value)
{
    line->text = NULL;
    line->out = or_abort(open_memstream(&line->text, &line->bytes));
    if (reader->file != NULL)
        fprintf(line->out, "%s: ", reader->file);
    if (reader->line > 0)
        fprintf(line->out, "line %zu: ", reader->line);
    if (reader->rule != NULL)
        fprintf(line->out, "rule %s: ", reader->rule);
    write_place(line->out, place);
    fputs(": ", line->out);
    if (value != NULL && reader->file != NULL) {
        write_value(line->out, value);
        fputs(": ", line->out);
    }
    return line->out;
}

static void
line_end(struct line *line, const struct rules_reader *reader)
{
    or_abort(fclose(line->out) == 0 ? line->text : NULL);
    if (line->is_warning)
        report_warn(reader->report, "%s", line->text);
    else
        report_add(reader->report, "%s", line->text);
    free(line->text);
}

static void
write_words(FILE *out, const char *const *words, size_t count, const char *conjunction)
{
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s%s", i == 0 ? "" : i + 1 < count ? ", " : conjunction, words[i]);
}

static void
write_did_you_mean(FILE *out, const char *word, const char *const *words, size_t count)
{
    const char *meant = report_did_you_mean(word, words, count);

    if (meant != NULL)
        fprintf(out, "; did you mean \"%s\"?", meant);
}

void
diagnostic_add(const struct rules_reader *reader, const struct place *place, const cJSON *value,
               const char *format, ...)
{
    struct line line = {0};
    va_list arguments;
    FILE *out = line_begin(&line, reader, place, value);

    va_start(arguments, format);
    vfprintf(out, format, arguments);
    va_end(arguments);
    line_end(&line, reader);
}

void
diagnostic_warn(const struct rules_reader *reader, const struct place *place, const char *clause)
{
    struct line line = {.is_warning = true};

    fputs(clause, line_begin(&line, reader, place, NULL));
    line_end(&line, reader);
}

void
diagnostic_add_word(const struct rules_reader *reader, const struct place *place, const cJSON *value,
                    const char *const *words, size_t count)
{
    struct line line = {0};
    FILE *out = line_begin(&line, reader, place, value);

    fputs("must be ", out);
    write_words(out, words, count, " or ");
    if (cJSON_IsString(value))
        write_did_you_mean(out, value->valuestring, words, count);
    line_end(&line, reader);
}

static void
add_unknown_key(const struct rules_reader *reader, const struct place *place, const char *const *keys,
                size_t count)
{
    struct line line = {0};
    FILE *out = line_begin(&line, reader, place, NULL);

    fputs("unknown key; accepted: ", out);
    write_words(out, keys, count, " and ");
    write_did_you_mean(out, place->key, keys, count);
    line_end(&line, reader);
}

static bool
is_among(const char *key, const char *const *keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(key, keys[i]) == 0)
            return true;
    return false;
}

void
diagnostic_add_keys(const struct rules_reader *reader, const struct place *place, const cJSON *object,
                    const char *const *keys, size_t count)
{
    const cJSON *member;

    if (cJSON_GetArraySize(object) > KEYS_MAX) {
        diagnostic_add(reader, place, NULL, "has more than %d keys", KEYS_MAX);
        return;
    }
    cJSON_ArrayForEach(member, object)
    {
        struct place at = place_key(place, member->string);

        if (cJSON_GetObjectItemCaseSensitive(object, member->string) != member)
            diagnostic_add(reader, &at, NULL, "duplicate key");
        else if (count > 0 && !is_among(member->string, keys, count))
            add_unknown_key(reader, &at, keys, count);
    }
}

bool
diagnostic_check_list(const struct rules_reader *reader, const struct place *place, const cJSON *list,
                      int max, const char *what)
{
    int count = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 0;

    if (count >= 1 && count <= max)
        return true;
    diagnostic_add(reader, place, list, "must be a list of 1 to %d %s", max, what);
    return count > 0;
}
