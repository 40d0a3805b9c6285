/*
 * A list of clients in JSON, and what all lists share: mistakes, treatments, clients.
 */
#include "list_reader.h"

#include <stdlib.h>
#include <string.h>

#include "diagnostic.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const treatment_words[] = {"unlimited", "blocked"};
static const char *const limits_keys[] = {LIMITS_KEYS};

void
list_begin(struct list_reader *reader, const struct rules_reader *rules, const struct place *place)
{
    *reader = (struct list_reader){
        .reader = *rules, .place = place, .list = client_list_new(), .before = rules->report->count};
}

struct client_list *
list_end(struct list_reader *reader)
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
list_add_mistake(struct list_reader *reader, const char *client, const char *why)
{
    struct place at = place_key(reader->place, client);

    diagnostic_add(&reader->reader, &at, NULL, "%s", why);
}

void
list_end_with(struct list_reader *reader, const char *client, const char *why)
{
    reader->ended = true;
    list_add_mistake(reader, client, why);
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

uint32_t
list_add_treatment(struct list_reader *reader, const char *client, const struct client_name *text,
                   cJSON *json)
{
    struct place at = place_key(reader->place, client);

    if (json != NULL && !treatment_is_good(reader, &at, json)) {
        cJSON_Delete(json);
        return 0;
    }
    if (reader->list->treatment_count == LIST_TREATMENTS_MAX) {
        list_end_with(reader, client, "more than " STRINGIFY(LIST_TREATMENTS_MAX) " different limits");
    } else if (json != NULL && append_treatment(reader, client, json)) {
        if (client_table_add(reader->list->numbers, text, reader->list->treatment_count) ==
            CLIENT_TABLE_ADDED)
            return reader->list->treatment_count;
        list_end_with(reader, client, "out of memory");
        return 0; /* the list has the treatment */
    } else {
        list_end_with(reader, client, "out of memory");
    }
    cJSON_Delete(json);
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
list_read_object(struct list_reader *reader, const cJSON *object)
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
        list_check_mistakes(reader);
    }
}

struct client_list *
client_list_read(const struct rules_reader *rules, const struct place *place, const cJSON *object)
{
    struct list_reader reader;

    list_begin(&reader, rules, place);
    if (reader.list != NULL)
        list_read_object(&reader, object);
    return list_end(&reader);
}
