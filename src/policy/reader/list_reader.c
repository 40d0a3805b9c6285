/*
 * A list of clients in JSON, and what all lists share: mistakes, treatments, clients.
 */
#include "list_reader.h"

#include <stdlib.h>
#include <string.h>

#include "stringify.h"

static const char *const treatment_words[] = {"unlimited", "blocked"};
static const char *const limits_keys[] = {LIMITS_KEYS};

void
list_begin(struct list_reader *reader, const struct place *place)
{
    *reader = (struct list_reader){.rules = *place->reader,
                                   .place = *place,
                                   .list = diagnostic_check_memory(place, client_list_new()),
                                   .before = place->reader->report->count};
    reader->place.reader = &reader->rules;
}

struct client_list *
list_end(struct list_reader *reader)
{
    if (reader->list == NULL)
        return NULL;
    client_table_free(reader->list->numbers);
    reader->list->numbers = NULL;
    client_table_finish(reader->list->table);
    return reader->list;
}

static struct place
place_of(const struct list_reader *reader, const char *client, const cJSON *treatment)
{
    return (struct place){
        .reader = &reader->rules, .parent = &reader->place, .key = client, .value = treatment};
}

void
list_add_mistake(struct list_reader *reader, const char *client, const char *why)
{
    const struct place at = place_of(reader, client, NULL);

    diagnostic_add(&at, "%s", why);
}

void
list_end_with(struct list_reader *reader, const char *client, const char *why)
{
    reader->ended = true;
    list_add_mistake(reader, client, why);
}

/* Treatments. */

static void
refuse_treatment(const struct place *at)
{
    const char *word = cJSON_IsString(at->value) ? at->value->valuestring : "";
    const char *meant = report_did_you_mean(word, treatment_words, COUNT_OF(treatment_words));

    diagnostic_add_value(at, "must be \"unlimited\", \"blocked\" or limits, such as {\"limit\": 1000}%s%s%s",
                         meant ? "; did you mean \"" : "", meant ? meant : "", meant ? "\"?" : "");
}

static bool
treatment_is_good(const struct place *at)
{
    const char *word = cJSON_GetStringValue(at->value);
    size_t before = at->reader->report->count;

    if (cJSON_IsObject(at->value) && at->value->child != NULL)
        diagnostic_check_keys(at, limits_keys, COUNT_OF(limits_keys));
    else if (word == NULL || (strcmp(word, treatment_words[0]) != 0 && strcmp(word, treatment_words[1]) != 0))
        refuse_treatment(at);
    return at->reader->report->count == before;
}

static bool
make_room(struct client_list *list)
{
    uint32_t capacity = 2 * list->treatment_capacity + 4;
    struct written_treatment *treatments;

    if (list->treatment_count < list->treatment_capacity)
        return true;
    treatments = reallocarray(list->treatments, capacity, sizeof(*treatments));
    if (treatments == NULL)
        return false;
    list->treatments = treatments;
    list->treatment_capacity = capacity;
    return true;
}

/* Takes `json`, which may be NULL: out of memory, as in the result. */
static bool
append_treatment(struct list_reader *reader, const char *client, cJSON *json)
{
    struct client_list *list = reader->list;
    char *copy = strdup(client);

    if (json == NULL || copy == NULL || !make_room(list)) {
        free(copy);
        cJSON_Delete(json);
        return false;
    }
    list->treatments[list->treatment_count++] =
        (struct written_treatment){.json = json, .client = copy, .line = reader->rules.line};
    return true;
}

uint32_t
list_add_treatment(struct list_reader *reader, const char *client, const struct client_name *text,
                   cJSON *json)
{
    const struct place at = place_of(reader, client, json);
    struct client_list *list = reader->list;

    if (json != NULL && !treatment_is_good(&at)) {
        cJSON_Delete(json);
        return 0;
    }
    if (list->treatment_count == LIST_TREATMENTS_MAX) {
        list_end_with(reader, client, "more than " STRINGIFY(LIST_TREATMENTS_MAX) " different limits");
        cJSON_Delete(json);
        return 0;
    }
    if (append_treatment(reader, client, json) &&
        client_table_add(list->numbers, text, list->treatment_count) == CLIENT_TABLE_ADDED)
        return list->treatment_count;
    list_end_with(reader, client, "out of memory");
    return 0;
}

uint32_t
list_find_treatment(const struct list_reader *reader, const char *text, struct client_name *name)
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

void
list_add_client(struct list_reader *reader, const char *client, uint32_t treatment)
{
    struct client_list *list = reader->list;
    struct client_name name;
    const char *why = client_name_parse(&name, client, strlen(client));

    if (why != NULL) {
        list_add_mistake(reader, client, why);
        return;
    }
    if (client_table_addresses(list->table) + client_table_names(list->table) == LIST_CLIENTS_MAX) {
        list_end_with(reader, client, "more than " STRINGIFY(LIST_CLIENTS_MAX) " clients");
        return;
    }
    switch (client_table_add(list->table, &name, treatment)) {
    case CLIENT_TABLE_ADDED:
        note_longest(reader, client, &name);
        break;
    case CLIENT_TABLE_TAKEN:
        list_add_mistake(reader, client, "is listed twice");
        break;
    case CLIENT_TABLE_NO_MEMORY:
        list_end_with(reader, client, "out of memory");
        break;
    }
}

void
list_check_mistakes(struct list_reader *reader)
{
    if (reader->ended || reader->rules.report->count - reader->before < LIST_MISTAKES_MAX)
        return;
    reader->ended = true;
    diagnostic_add(&reader->place, "the rest was not read: too many mistakes");
}

/* A list in JSON. */

static void
read_member(struct list_reader *reader, const cJSON *item)
{
    char *text = cJSON_PrintUnformatted(item);
    struct client_name name;
    uint32_t number;

    if (text == NULL) {
        list_end_with(reader, item->string, "out of memory");
        return;
    }
    number = list_find_treatment(reader, text, &name);
    if (number == 0)
        number = list_add_treatment(reader, item->string, &name, cJSON_Duplicate(item, true));
    if (number != 0)
        list_add_client(reader, item->string, number);
    cJSON_free(text);
}

void
list_read_object(struct list_reader *reader)
{
    const cJSON *item;

    if (!cJSON_IsObject(reader->place.value)) {
        diagnostic_add_value(&reader->place,
                             "must be an object that maps clients to \"unlimited\", \"blocked\" or limits");
        return;
    }
    cJSON_ArrayForEach(item, reader->place.value)
    {
        if (reader->ended)
            break;
        read_member(reader, item);
        list_check_mistakes(reader);
    }
}

struct client_list *
client_list_read(const struct place *at)
{
    struct list_reader reader;

    list_begin(&reader, at);
    if (reader.list != NULL)
        list_read_object(&reader);
    return list_end(&reader);
}
