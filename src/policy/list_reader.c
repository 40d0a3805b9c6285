/*
 *     object in a rule ──────────────────────────────┐                 ┌─► name ──► client_table
 *     file in JSON ──► text ──► json_text ──► cJSON ─┴─► its entries ──┴─► treatment: seen before? its number
 *     file of lines ─────────────────────────────────►
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client_list.h"
#include "diagnostic.h"
#include "file_set.h"
#include "json_text.h"
#include "rules_reader.h"
#include "siphash.h"

#define COUNT(array)    (sizeof(array) / sizeof((array)[0]))
#define LINE_BYTES      4096
#define LIST_VALUES_MAX 250000 /* of a file in JSON */
#define LINE_VALUES_MAX 100

static const char *const treatment_words[] = {"unlimited", "blocked"};
static const char *const limits_keys[] = {LIMITS_KEYS};

struct list_reader {
    struct rules_reader reader; /* its line is that of a file of lines */
    const struct place *place;  /* of the clients */
    struct client_list *list;
    size_t before; /* lines of the report that were there before */
    bool ended;    /* nothing more is read */
};

static void
begin(struct list_reader *reader, const struct rules_reader *rules, const struct place *place)
{
    struct client_list *list = calloc(1, sizeof(*list));

    *reader =
        (struct list_reader){.reader = *rules, .place = place, .list = list, .before = rules->report->count};
    if (list == NULL)
        return;
    list->table = client_table_new();
    list->numbers = client_table_new();
    if (list->table != NULL && list->numbers != NULL)
        return;
    client_list_free(list);
    reader->list = NULL;
}

static struct client_list *
end(struct list_reader *reader)
{
    if (reader->list == NULL) {
        diagnostic_add(&reader->reader, reader->place, NULL, "out of memory");
        return NULL;
    }
    client_table_free(reader->list->numbers);
    reader->list->numbers = NULL;
    client_table_finish(reader->list->table);
    return reader->list;
}

void
client_list_free(struct client_list *list)
{
    if (list == NULL)
        return;
    for (uint32_t i = 0; i < list->treatment_count; i++) {
        cJSON_Delete(list->treatments[i].json);
        free(list->treatments[i].client);
    }
    free(list->treatments);
    client_table_free(list->table);
    client_table_free(list->numbers);
    free(list->longest);
    free(list->file);
    free(list);
}

/* A mistake in a client, or in its place in the list. */
static void
add_mistake(struct list_reader *reader, const char *client, const char *why)
{
    struct place at = place_key(reader->place, client);

    diagnostic_add(&reader->reader, &at, NULL, "%s", why);
}

static void
end_with(struct list_reader *reader, const char *client, const char *why)
{
    reader->ended = true;
    add_mistake(reader, client, why);
}

/* Treatments. */

static void
refuse_treatment(const struct list_reader *reader, const struct place *place, const cJSON *json)
{
    const char *word = cJSON_IsString(json) ? json->valuestring : "";
    const char *meant = report_did_you_mean(word, treatment_words, COUNT(treatment_words));

    diagnostic_add(&reader->reader, place, json,
                   "must be \"unlimited\", \"blocked\" or limits, such as {\"limit\": 1000}%s%s%s",
                   meant ? "; did you mean \"" : "", meant ? meant : "", meant ? "\"?" : "");
}

static bool
treatment_is_good(const struct list_reader *reader, const struct place *place, const cJSON *json)
{
    size_t before = reader->reader.report->count;

    if (cJSON_IsObject(json) && json->child != NULL)
        diagnostic_add_keys(&reader->reader, place, json, limits_keys, COUNT(limits_keys));
    else if (!cJSON_IsString(json) || (strcmp(json->valuestring, treatment_words[0]) != 0 &&
                                       strcmp(json->valuestring, treatment_words[1]) != 0))
        refuse_treatment(reader, place, json);
    return reader->reader.report->count == before;
}

/* Keeps the treatment; `json` is the list's from now on. False: out of memory. */
static bool
append_treatment(struct list_reader *reader, const char *client, cJSON *json)
{
    struct client_list *list = reader->list;
    uint32_t capacity = list->treatment_capacity == 0 ? 4 : 2 * list->treatment_capacity;
    struct written_treatment *treatments = list->treatments;

    if (list->treatment_count == list->treatment_capacity) {
        treatments = reallocarray(treatments, capacity, sizeof(*treatments));
        if (treatments == NULL)
            return false;
        list->treatments = treatments;
        list->treatment_capacity = capacity;
    }
    treatments[list->treatment_count] =
        (struct written_treatment){.json = json, .client = strdup(client), .line = reader->reader.line};
    return treatments[list->treatment_count].client != NULL && ++list->treatment_count;
}

/* The number of a new treatment; 0: a mistake, which has been reported. */
static uint32_t
add_treatment(struct list_reader *reader, const char *client, const struct client_name *text, cJSON *json)
{
    struct place at = place_key(reader->place, client);

    if (json != NULL && !treatment_is_good(reader, &at, json)) {
        cJSON_Delete(json);
        return 0;
    }
    if (reader->list->treatment_count == LIST_TREATMENTS_MAX) {
        end_with(reader, client, "more than " STRINGIFY(LIST_TREATMENTS_MAX) " different limits");
    } else if (json != NULL && append_treatment(reader, client, json)) {
        if (client_table_add(reader->list->numbers, text, reader->list->treatment_count) ==
            CLIENT_TABLE_ADDED)
            return reader->list->treatment_count;
        end_with(reader, client, "out of memory");
        return 0; /* the list has the treatment */
    } else {
        end_with(reader, client, "out of memory");
    }
    cJSON_Delete(json);
    return 0;
}

/* The text of a treatment as a name in the table of their numbers. */
static uint32_t
find_treatment(const struct list_reader *reader, const char *text, struct client_name *name)
{
    static const struct address none = {.size = 0};

    name->is_network = false;
    client_write(&name->client, "treatment", text, strlen(text));
    return client_table_find(reader->list->numbers, &name->client, &none);
}

/* Clients. */

static void
note_longest(struct list_reader *reader, const char *client, const struct client_name *name)
{
    struct client_list *list = reader->list;

    if (name->is_network || name->client.text[0] != '=' || name->client.bytes <= list->longest_bytes)
        return;
    free(list->longest);
    list->longest = strdup(client);
    list->longest_bytes = name->client.bytes;
}

static void
add_client(struct list_reader *reader, const char *client, uint32_t treatment)
{
    struct client_list *list = reader->list;
    struct client_name name;
    const char *why = client_name_parse(&name, client, strlen(client));

    if (why != NULL) {
        add_mistake(reader, client, why);
        return;
    }
    if (client_table_addresses(list->table) + client_table_names(list->table) == LIST_CLIENTS_MAX) {
        end_with(reader, client, "more than " STRINGIFY(LIST_CLIENTS_MAX) " clients");
        return;
    }
    switch (client_table_add(list->table, &name, treatment)) {
    case CLIENT_TABLE_ADDED:
        note_longest(reader, client, &name);
        break;
    case CLIENT_TABLE_TAKEN:
        add_mistake(reader, client, "is listed twice");
        break;
    case CLIENT_TABLE_NO_MEMORY:
        end_with(reader, client, "out of memory");
        break;
    }
}

static void
check_mistakes(struct list_reader *reader)
{
    if (reader->ended || reader->reader.report->count - reader->before < LIST_MISTAKES_MAX)
        return;
    reader->ended = true;
    diagnostic_add(&reader->reader, reader->place, NULL, "the rest was not read: too many mistakes");
}

/* A list in JSON. */

static void
read_member(struct list_reader *reader, const cJSON *item)
{
    char *text = cJSON_PrintUnformatted(item);
    struct client_name name;
    uint32_t number;

    if (text == NULL) {
        end_with(reader, item->string, "out of memory");
        return;
    }
    number = find_treatment(reader, text, &name);
    if (number == 0)
        number = add_treatment(reader, item->string, &name, cJSON_Duplicate(item, true));
    if (number != 0)
        add_client(reader, item->string, number);
    cJSON_free(text);
}

static void
read_object(struct list_reader *reader, const cJSON *object)
{
    const cJSON *item;

    if (!cJSON_IsObject(object)) {
        diagnostic_add(&reader->reader, reader->place, object,
                       "must be an object that maps clients to \"unlimited\", \"blocked\" or limits");
        return;
    }
    cJSON_ArrayForEach(item, object)
    {
        if (reader->ended)
            break;
        read_member(reader, item);
        check_mistakes(reader);
    }
}

struct client_list *
client_list_read(const struct rules_reader *rules, const struct place *place, const cJSON *object)
{
    struct list_reader reader;

    begin(&reader, rules, place);
    if (reader.list != NULL)
        read_object(&reader, object);
    return end(&reader);
}

static void
read_json(struct list_reader *reader, FILE *file)
{
    char *text = malloc(LIST_JSON_BYTES + 1);
    size_t bytes = text != NULL ? fread(text, 1, LIST_JSON_BYTES + 1, file) : 0;
    cJSON *root = NULL;

    if (text == NULL)
        diagnostic_add(&reader->reader, reader->place, NULL, "out of memory");
    else if (bytes > LIST_JSON_BYTES)
        diagnostic_add(&reader->reader, reader->place, NULL,
                       "is larger than %d bytes of JSON; write a line for each client instead",
                       LIST_JSON_BYTES);
    else if (!ferror(file))
        root = rules_json_parse(&reader->reader, text, bytes, LIST_VALUES_MAX);
    if (root != NULL)
        read_object(reader, root);
    cJSON_Delete(root);
    free(text);
}

/* A list of lines. */

static bool
is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

/* The next line, without its end and ended by a zero; its bytes may be more than are kept. False: there is none. */
static bool
next_line(FILE *file, char line[LINE_BYTES + 1], size_t *bytes)
{
    int byte = getc_unlocked(file);

    *bytes = 0;
    if (byte == EOF)
        return false;
    for (; byte != EOF && byte != '\n'; byte = getc_unlocked(file))
        if ((*bytes)++ < LINE_BYTES)
            line[*bytes - 1] = (char)byte;
    line[*bytes < LINE_BYTES ? *bytes : LINE_BYTES] = '\0';
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
    strcpy(client, string->valuestring); /* never longer than with its quotes and escapes */
    cJSON_Delete(string);
    return client + end + 1;
}

/* Takes blanks and the comment from the end of a word; from JSON, all blanks outside strings. */
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
        if (quoted || !is_json || !is_blank(*text))
            *out++ = *text;
    }
    while (is_blank(out[-1]))
        out--;
    *out = '\0';
}

/* NULL: a mistake, which has been reported. */
static cJSON *
parse_treatment(struct list_reader *reader, const char *client, const char *text)
{
    size_t at;
    const char *error;

    if (text[0] != '{')
        return cJSON_CreateString(text);
    error = json_text_check(text, strlen(text), LINE_VALUES_MAX, &at);
    if (error == NULL)
        return cJSON_ParseWithLength(text, strlen(text));
    add_mistake(reader, client, error);
    return NULL;
}

static void
read_entry(struct list_reader *reader, const char *client, char *treatment)
{
    struct client_name name;
    uint32_t number;
    size_t before = reader->reader.report->count;
    cJSON *json;

    number = find_treatment(reader, treatment, &name);
    if (number == 0) {
        json = parse_treatment(reader, client, treatment);
        if (json == NULL && reader->reader.report->count > before)
            return;
        number = add_treatment(reader, client, &name, json);
    }
    if (number != 0)
        add_client(reader, client, number);
}

static void
read_line(struct list_reader *reader, char *line, size_t bytes)
{
    char *rest;

    line += strspn(line, " \t\r");
    if (bytes > LINE_BYTES) {
        end_with(reader, line, "a line has more than " STRINGIFY(LINE_BYTES) " bytes");
        return;
    }
    if (line[0] == '\0' || line[0] == '#')
        return;
    rest = line[0] == '"' ? cut_quoted(line) : cut_plain(line);
    if (rest == NULL) {
        add_mistake(reader, line, "is not a string as JSON has it");
        return;
    }
    rest += strspn(rest, " \t\r");
    if (*rest == '\0' || *rest == '#') {
        add_mistake(reader, line,
                    "needs \"unlimited\", \"blocked\" or limits after it, such as {\"limit\": 1000}");
        return;
    }
    strip(rest);
    read_entry(reader, line, rest);
}

static void
read_lines(struct list_reader *reader, FILE *file)
{
    char buffer[LINE_BYTES + 1];
    size_t bytes, total = 0;

    while (!reader->ended && next_line(file, buffer, &bytes)) {
        char *line = buffer + (reader->reader.line == 0 ? json_text_mark_bytes(buffer, bytes) : 0);
        reader->reader.line++;
        total += bytes + 1;
        if (total > LIST_FILE_BYTES)
            end_with(reader, line, "the file has more than " STRINGIFY(LIST_FILE_BYTES) " bytes");
        else if (bytes <= LINE_BYTES && strlen(line) + (size_t)(line - buffer) < bytes)
            add_mistake(reader, line, "a zero byte follows; the file must be text");
        else
            read_line(reader, line, bytes);
        check_mistakes(reader);
    }
    reader->reader.line = 0;
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

/* Only a regular file: another could keep the reader waiting. NULL with errno. */
static FILE *
open_regular(const char *path)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status;
    FILE *file;

    if (descriptor < 0)
        return NULL;
    if (fstat(descriptor, &status) == 0 && !S_ISREG(status.st_mode))
        errno = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
    else if ((file = fdopen(descriptor, "r")) != NULL)
        return file;
    close(descriptor);
    return NULL;
}

/* The file may be large, so what is noted is not what it says but its version, before it is opened. False
   when out of memory. */
static bool
note_file(struct list_reader *reader, const char *path)
{
    const struct file_version version = file_version_at(path);
    struct file_set *files = reader->reader.files;

    reader->list->version = siphash128((struct siphash_key){0}, &version, sizeof(version)).low;
    errno = ENOMEM;
    return files == NULL || file_set_add(files, path, &version, NULL, 0);
}

/* False with errno. */
static bool
read_file(struct list_reader *reader, const char *path)
{
    FILE *file = note_file(reader, path) ? open_regular(path) : NULL;
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
client_list_read_file(const struct rules_reader *rules, const struct place *place, const char *path)
{
    struct place root = place_root();
    struct list_reader reader;

    begin(&reader, rules, &root);
    reader.reader.file = path;
    if (reader.list != NULL) {
        reader.list->file = strdup(path);
        if (!read_file(&reader, path))
            diagnostic_add(rules, place, NULL, "%s cannot be read: %s", path, strerror(errno));
    }
    return end(&reader);
}
