#include "diagnostic.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "or_abort.h"
#include "rules_reader.h"
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
write_index(FILE *out, const struct place *element)
{
    const cJSON *item = element->parent->value->child;
    size_t index = 0;

    for (; item != element->value; item = item->next)
        index++;
    fprintf(out, "[%zu]", index);
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
        write_index(out, place);
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

/* One line: "FILE: PLACE: VALUE: ", and a clause, which the caller writes. */
struct diagnostic_line {
    FILE *out;
    char *text;
    size_t bytes;
};

static void
line_begin(struct diagnostic_line *line, const struct place *place, bool shows_value)
{
    const struct rules_reader *reader = place->reader;

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
    if (!shows_value || place->value == NULL || reader->file == NULL)
        return;
    write_value(line->out, place->value);
    fputs(": ", line->out);
}

static bool
line_end(struct diagnostic_line *line, const struct place *place,
         void (*add)(struct report *report, const char *format, ...))
{
    or_abort(fclose(line->out) == 0 ? line->text : NULL);
    add(place->reader->report, "%s", line->text);
    free(line->text);
    return false;
}

bool
diagnostic_write(const struct place *place, enum diagnostic kind, const char *format, ...)
{
    struct diagnostic_line line;
    va_list arguments;

    line_begin(&line, place, kind == DIAGNOSTIC_VALUE);
    va_start(arguments, format);
    vfprintf(line.out, format, arguments);
    va_end(arguments);
    return line_end(&line, place, kind == DIAGNOSTIC_WARNING ? report_warn : report_add);
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
    const char *meant = word != NULL ? report_did_you_mean(word, words, count) : NULL;

    if (meant != NULL)
        fprintf(out, "; did you mean \"%s\"?", meant);
}

bool
diagnostic_add_word(const struct place *place, const char *const *words, size_t count)
{
    struct diagnostic_line line;

    line_begin(&line, place, true);
    fputs("must be ", line.out);
    write_words(line.out, words, count, " or ");
    write_did_you_mean(line.out, cJSON_GetStringValue(place->value), words, count);
    return line_end(&line, place, report_add);
}

static void
add_unknown_key(const struct place *place, const char *const *keys, size_t count)
{
    struct diagnostic_line line;

    line_begin(&line, place, false);
    fputs("unknown key; accepted: ", line.out);
    write_words(line.out, keys, count, " and ");
    write_did_you_mean(line.out, place->key, keys, count);
    line_end(&line, place, report_add);
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
diagnostic_check_keys(const struct place *object, const char *const *keys, size_t count)
{
    const cJSON *member;

    if (cJSON_GetArraySize(object->value) > KEYS_MAX) {
        diagnostic_add(object, "has more than %d keys", KEYS_MAX);
        return;
    }
    cJSON_ArrayForEach(member, object->value)
    {
        struct place at = place_item(object, member);

        if (place_key(object, member->string).value != member)
            diagnostic_add(&at, "duplicate key");
        else if (count > 0 && !is_among(member->string, keys, count))
            add_unknown_key(&at, keys, count);
    }
}

bool
diagnostic_check_list(const struct place *list, int max, const char *what)
{
    int count = cJSON_IsArray(list->value) ? cJSON_GetArraySize(list->value) : 0;

    if (count >= 1 && count <= max)
        return true;
    diagnostic_add_value(list, "must be a list of 1 to %d %s", max, what);
    return count > 0;
}

void *
diagnostic_check_memory(const struct place *place, void *memory)
{
    if (memory == NULL)
        diagnostic_add(place, "out of memory");
    return memory;
}
