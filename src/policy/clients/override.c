#include "override.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "json_text.h"

#define VALUES_MAX 128 /* in a text */

void
override_write_id(char id[OVERRIDE_ID_BYTES + 1], const char *rule, const struct client_name *name)
{
    const struct network *network = &name->network;
    char address[ADDRESS_TEXT_BYTES] = "";
    const char *client = name->is_network ? address : name->client.text;

    if (name->is_network)
        address[address_write_network(&network->address, network->prefix, network->prefix, address)] = '\0';
    snprintf(id, OVERRIDE_ID_BYTES + 1, "%s %s", rule, client);
}

static const char *
string_of(const cJSON *object, const char *key)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

static bool
read_rule(struct override *override)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(override->root, "rule");
    const char *rule = cJSON_GetStringValue(item);

    if (item == NULL)
        return true;
    if (rule == NULL || !rule_name_is_good(rule))
        return false;
    memcpy(override->rule, rule, strlen(rule) + 1);
    return true;
}

/* Limits are those of a rule: what they leave out is as in its own. */
static bool
read_treatment(struct override *override)
{
    const cJSON *treatment = cJSON_GetObjectItemCaseSensitive(override->root, "treatment");

    override->treatment = treatment;
    if (cJSON_IsString(treatment))
        return strcmp(treatment->valuestring, "blocked") == 0;
    return cJSON_IsObject(treatment) && override->rule[0] != '\0';
}

static bool
read(struct override *override)
{
    const char *client = string_of(override->root, "client");

    if (client == NULL || client_name_parse(&override->name, client, strlen(client)) != NULL ||
        !read_rule(override) || !read_treatment(override))
        return false;
    override_write_id(override->id, override->rule, &override->name);
    return true;
}

struct override *
override_parse(const char *text, size_t bytes, int64_t end_us)
{
    struct override *override;
    size_t at;

    if (bytes > OVERRIDE_TEXT_BYTES || json_text_check(text, bytes, VALUES_MAX, &at) != NULL)
        return NULL;
    override = calloc(1, sizeof(*override));
    if (override == NULL)
        return NULL;
    override->end_us = end_us;
    override->text = strndup(text, bytes);
    override->root = cJSON_ParseWithLength(text, bytes);
    if (override->text != NULL && cJSON_IsObject(override->root) && read(override))
        return override;
    override_free(override);
    return NULL;
}

static char *
write_text(const char *client, const char *rule, const cJSON *treatment)
{
    cJSON *root = cJSON_CreateObject();
    bool good = cJSON_AddStringToObject(root, "client", client) != NULL &&
                (rule[0] == '\0' || cJSON_AddStringToObject(root, "rule", rule) != NULL) &&
                cJSON_AddItemToObject(root, "treatment", cJSON_Duplicate(treatment, true));
    char *text = good ? cJSON_PrintUnformatted(root) : NULL;

    cJSON_Delete(root);
    return text;
}

struct override *
override_new(const char *client, const char *rule, const cJSON *treatment, int64_t end_us)
{
    char *text = write_text(client, rule, treatment);
    struct override *override = text != NULL ? override_parse(text, strlen(text), end_us) : NULL;

    cJSON_free(text);
    return override;
}

void
override_free(struct override *override)
{
    if (override == NULL)
        return;
    cJSON_Delete(override->root);
    free(override->text);
    free(override);
}

/* Lists. */

static int
compare(const void *a, const void *b)
{
    const struct override *const *left = a, *const *right = b;

    return strcmp((*left)->id, (*right)->id);
}

static void
drop(struct override *override)
{
    if (override->lists == 0)
        override_free(override);
}

struct override_list *
override_list_new(struct override **items, uint32_t count)
{
    struct override_list *list = malloc(sizeof(*list) + count * sizeof(struct override *));

    if (list == NULL) {
        for (uint32_t i = 0; i < count; i++)
            drop(items[i]);
        return NULL;
    }
    list->count = 0;
    if (count > 0)
        qsort(items, count, sizeof(struct override *), compare);
    for (uint32_t i = 0; i < count; i++) {
        if (list->count > 0 && strcmp(list->items[list->count - 1]->id, items[i]->id) == 0) {
            drop(items[i]);
            continue;
        }
        items[i]->lists++;
        list->items[list->count++] = items[i];
    }
    return list;
}

void
override_list_free(struct override_list *list)
{
    if (list == NULL)
        return;
    for (uint32_t i = 0; i < list->count; i++) {
        list->items[i]->lists--;
        drop(list->items[i]);
    }
    free(list);
}

static int
compare_id(const void *id, const void *item)
{
    const struct override *const *override = item;

    return strcmp(id, (*override)->id);
}

uint32_t
override_list_find(const struct override_list *list, const char *id)
{
    struct override *const *found =
        bsearch(id, list->items, list->count, sizeof(struct override *), compare_id);

    return found != NULL ? (uint32_t)(found - list->items) : list->count;
}

/* Reading. */

void
override_reading_forget(struct override_reading *reading)
{
    for (uint32_t i = 0; i < reading->count; i++)
        override_free(reading->items[i]);
    free(reading->items);
    *reading = (struct override_reading){0};
}

void
override_reading_begin(struct override_reading *reading)
{
    override_reading_forget(reading);
    reading->items = malloc(OVERRIDES_MAX * sizeof(struct override *));
}

void
override_reading_add(struct override_reading *reading, const char *id, size_t id_bytes, const char *text,
                     size_t text_bytes, int64_t end_us)
{
    struct override *override = override_parse(text, text_bytes, end_us);
    bool is_known =
        override != NULL && strlen(override->id) == id_bytes && memcmp(override->id, id, id_bytes) == 0;

    if (reading->items != NULL && is_known && reading->count < OVERRIDES_MAX) {
        reading->items[reading->count++] = override;
        return;
    }
    override_free(override);
    reading->unknown_count++;
}
