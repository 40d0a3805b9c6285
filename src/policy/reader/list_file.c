/*
 * A file of clients: in JSON, or of a line each.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file_set.h"
#include "json_text.h"
#include "list_reader.h"
#include "regular_file.h"
#include "siphash.h"
#include "stringify.h"

#define LINE_BYTES      4096
#define LIST_VALUES_MAX 250000 /* of a file in JSON */
#define LINE_VALUES_MAX 100

static void
read_json(struct list_reader *reader, FILE *file)
{
    char *text = diagnostic_check_memory(&reader->place, malloc(LIST_JSON_BYTES + 1));
    size_t bytes = text != NULL ? fread(text, 1, LIST_JSON_BYTES + 1, file) : 0;
    cJSON *root = NULL;

    if (bytes > LIST_JSON_BYTES)
        diagnostic_add(&reader->place,
                       "is larger than %d bytes of JSON; write a line for each client instead",
                       LIST_JSON_BYTES);
    else if (text != NULL && !ferror(file))
        root = rules_json_parse(&reader->rules, text, bytes, LIST_VALUES_MAX);
    reader->place.value = root;
    if (root != NULL)
        list_read_object(reader);
    reader->place.value = NULL;
    cJSON_Delete(root);
    free(text);
}

/* A list of lines. */

static bool
is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

/* The next line, without its end and ended by a zero. One that is too long is read one byte too far, which
   tells. False: there is none. */
static bool
next_line(FILE *file, char line[LINE_BYTES + 2], size_t *bytes)
{
    int byte = getc_unlocked(file);

    *bytes = 0;
    if (byte == EOF)
        return false;
    for (; byte != EOF && byte != '\n' && *bytes <= LINE_BYTES; byte = getc_unlocked(file))
        line[(*bytes)++] = (char)byte;
    line[*bytes] = '\0';
    return true;
}

/* Ends the client at the blank after it; the rest of the line follows. */
static char *
cut_plain(char *client)
{
    char *rest = client + strcspn(client, " \t\r");

    if (*rest != '\0')
        *rest++ = '\0';
    return rest;
}

/* A client in double quotes is a string as JSON has it. NULL: it is not. */
static char *
cut_quoted(char *client)
{
    size_t end = 1, at;
    cJSON *string;

    while (client[end] != '\0' && client[end] != '"')
        end += client[end] == '\\' && client[end + 1] != '\0' ? 2 : 1;
    if (client[end] == '\0' || json_text_check(client, end + 1, 1, &at) != NULL)
        return NULL;
    string = cJSON_ParseWithLength(client, end + 1);
    if (string == NULL)
        return NULL;
    memcpy(client, string->valuestring,
           strlen(string->valuestring) + 1); /* never longer than with its quotes and escapes */
    cJSON_Delete(string);
    return client + end + 1;
}

/* Also the zero at the end. */
static bool
is_structural(char byte)
{
    return strchr("{}[],:\"", byte) != NULL;
}

/* Whether JSON means the same without this blank, which is outside a string: not if it ends a number. */
static bool
is_superfluous(const char *blank, char before)
{
    return is_structural(before) || is_structural(blank[1]) || is_blank(blank[1]);
}

/* Takes blanks and the comment from the end of a word; from JSON, superfluous blanks. */
static void
strip(char *text)
{
    char *out = text, quoted = 0, before = ' ';
    bool is_json = text[0] == '{';

    for (; *text != '\0' && (quoted || *text != '#' || !is_blank(before)); text++) {
        before = *text;
        if (*text == '"')
            quoted = !quoted;
        if (quoted && text[0] == '\\' && text[1] != '\0')
            *out++ = *text++;
        if (quoted || !is_json || !is_blank(*text) || !is_superfluous(text, out[-1]))
            *out++ = *text;
    }
    while (is_blank(out[-1]))
        out--;
    *out = '\0';
}

static void
read_entry(struct list_reader *reader, const char *client, char *treatment)
{
    struct client_name name;
    uint32_t number = list_find_treatment(reader, treatment, &name);
    const char *error = NULL;
    size_t at;

    if (number == 0 && treatment[0] == '{')
        error = json_text_check(treatment, strlen(treatment), LINE_VALUES_MAX, &at);
    if (error != NULL) {
        list_add_mistake(reader, client, error);
        return;
    }
    if (number == 0)
        number =
            list_add_treatment(reader, client, &name,
                               treatment[0] == '{' ? cJSON_Parse(treatment) : cJSON_CreateString(treatment));
    if (number != 0)
        list_add_client(reader, client, number);
}

static void
read_line(struct list_reader *reader, char *line, size_t bytes)
{
    char *rest;

    line += strspn(line, " \t\r");
    if (bytes > LINE_BYTES) {
        list_end_with(reader, line, "a line has more than " STRINGIFY(LINE_BYTES) " bytes");
        return;
    }
    if (line[0] == '\0' || line[0] == '#')
        return;
    rest = line[0] == '"' ? cut_quoted(line) : cut_plain(line);
    if (rest == NULL) {
        list_add_mistake(reader, line, "is not a string as JSON has it");
        return;
    }
    rest += strspn(rest, " \t\r");
    if (*rest == '\0' || *rest == '#') {
        list_add_mistake(reader, line,
                         "needs \"unlimited\", \"blocked\" or limits after it, such as {\"limit\": 1000}");
        return;
    }
    strip(rest);
    read_entry(reader, line, rest);
}

static void
read_lines(struct list_reader *reader, FILE *file)
{
    char buffer[LINE_BYTES + 2];
    size_t bytes, total = 0;

    while (!reader->ended && next_line(file, buffer, &bytes)) {
        char *line = buffer + (reader->rules.line == 0 ? json_text_mark_bytes(buffer, bytes) : 0);
        reader->rules.line++;
        total += bytes + 1;
        if (total > LIST_FILE_BYTES)
            list_end_with(reader, line, "the file has more than " STRINGIFY(LIST_FILE_BYTES) " bytes");
        else if (bytes <= LINE_BYTES && strlen(line) + (size_t)(line - buffer) < bytes)
            list_add_mistake(reader, line, "a zero byte follows; the file must be text");
        else
            read_line(reader, line, bytes);
        list_check_mistakes(reader);
    }
    reader->rules.line = 0;
}

/* Files. */

/* Neither a line nor a comment can begin as an object or an array does. */
static bool
begins_as_json(FILE *file)
{
    char first[4];
    size_t bytes = fread(first, 1, sizeof(first), file);
    int byte;

    fseek(file, (long)json_text_mark_bytes(first, bytes), SEEK_SET);
    do
        byte = getc(file);
    while (byte == '\n' || is_blank((char)byte));
    rewind(file);
    return byte == '{' || byte == '[';
}

/* NULL with errno. */
static FILE *
open_file(const char *path)
{
    int descriptor = regular_file_open(path);
    FILE *file = descriptor < 0 ? NULL : fdopen(descriptor, "r");

    if (file == NULL && descriptor >= 0)
        close(descriptor);
    return file;
}

/* The file may be large, so what is noted is its version before it was opened, not what it says. One that
   cannot be opened says nothing: it is another one than the same file when it can be. False when out of
   memory. */
static bool
note_file(struct list_reader *reader, const char *path, const struct file_version *version, bool is_open)
{
    struct file_set *files = reader->rules.files;

    reader->list->version = siphash128((struct siphash_key){0}, version, sizeof(*version)).low;
    return files == NULL || file_set_add(files, path, version, is_open ? NULL : "", 0);
}

/* NULL with errno. */
static FILE *
note_and_open(struct list_reader *reader, const char *path)
{
    const struct file_version version = file_version_at(path);
    FILE *file = open_file(path);
    int error = errno;

    if (!note_file(reader, path, &version, file != NULL)) {
        error = ENOMEM;
        if (file != NULL)
            fclose(file);
        file = NULL;
    }
    errno = error;
    return file;
}

/* False with errno. */
static bool
read_file(struct list_reader *reader, const char *path)
{
    FILE *file = note_and_open(reader, path);
    bool failed;

    if (file == NULL)
        return false;
    if (begins_as_json(file))
        read_json(reader, file);
    else
        read_lines(reader, file);
    failed = ferror(file);
    fclose(file);
    return !failed;
}

struct client_list *
client_list_read_file(const struct place *at, const char *path)
{
    struct list_reader reader;

    list_begin(&reader, &(struct place){.reader = at->reader});
    reader.rules.file = path;
    if (reader.list != NULL) {
        reader.list->file = strdup(path);
        if (!read_file(&reader, path))
            diagnostic_add(at, "%s cannot be read: %s", path, regular_file_why(errno));
    }
    return list_end(&reader);
}
