/*
 * "clients" of a rule: an object, or the path of a file with a list. Rules that name the same file share its
 * list.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diagnostic.h"
#include "list_reader.h"
#include "rules_reader.h"
#include "unique.h"

/* Which list. */

/* A path is relative to the folder of the rules file. To be freed; NULL: out of memory. */
static char *
resolve(const char *rules_file, const char *path)
{
    const char *slash = strrchr(rules_file, '/');
    int folder = path[0] != '/' && slash != NULL ? (int)(slash - rules_file) + 1 : 0;
    char *resolved;

    return asprintf(&resolved, "%.*s%s", folder, rules_file, path) < 0 ? NULL : resolved;
}

static const struct client_list *
find_file(const struct policy *policy, const char *path)
{
    for (uint32_t i = 0; i < policy->list_count; i++)
        if (policy->lists[i]->file != NULL && strcmp(policy->lists[i]->file, path) == 0)
            return policy->lists[i];
    return NULL;
}

/* The policy owns the list; there is room for one of each rule. */
static const struct client_list *
keep(struct policy *policy, struct client_list *list)
{
    if (list != NULL)
        policy->lists[policy->list_count++] = list;
    return list;
}

static const struct client_list *
read_file(const struct rules_reader *reader, const struct place *place, const char *path)
{
    char *resolved = resolve(reader->file, path);
    const struct client_list *list;

    if (resolved == NULL) {
        diagnostic_add(reader, place, NULL, "out of memory");
        return NULL;
    }
    list = find_file(reader->policy, resolved);
    if (list == NULL)
        list = keep(reader->policy, client_list_read_file(reader, place, resolved));
    free(resolved);
    return list;
}

static const struct client_list *
read_list(const struct rules_reader *reader, const struct place *place, const cJSON *item)
{
    if (cJSON_IsString(item) && item->valuestring[0] != '\0')
        return read_file(reader, place, item->valuestring);
    if (cJSON_IsObject(item))
        return keep(reader->policy, client_list_read(reader, place, item));
    diagnostic_add(reader, place, item,
                   "must be an object, such as {\"10.0.0.0/8\": \"unlimited\"}, or the path of a file");
    return NULL;
}

/* What it means under the rule. */

static void
read_treatment(const struct rules_reader *reader, const struct place *place, const cJSON *json,
               const struct limit_set *base, struct treatment *treatment)
{
    if (!cJSON_IsObject(json)) {
        treatment->kind = strcmp(json->valuestring, "blocked") == 0 ? TREATMENT_BLOCKED : TREATMENT_UNLIMITED;
        return;
    }
    treatment->kind = TREATMENT_LIMITS;
    treatment->limits.id = unique_id();
    limits_read(reader, place, json, base, &treatment->limits);
}

static void
read_treatments(const struct rules_reader *rules, const struct place *place, const struct client_list *list,
                struct rule *rule)
{
    size_t before = rules->report->count;
    struct rules_reader reader = *rules;

    if (list->file != NULL) {
        reader.file = list->file;
        reader.rule = rule->name;
    }
    for (uint32_t i = 0; i < list->treatment_count; i++) {
        const struct written_treatment *written = &list->treatments[i];
        struct place at = place_key(place, written->client);

        reader.line = written->line;
        read_treatment(&reader, &at, written->json, &rule->limits, &rule->treatments[i]);
        if (rules->report->count - before >= LIST_MISTAKES_MAX)
            break;
    }
}

/* A client's text above CLIENT_BYTES is a digest, in which a value without its source cannot be found. */
static void
check_longest(const struct rules_reader *rules, const struct place *place, const struct client_list *list,
              const struct rule *rule)
{
    struct place at = place_key(place, list->longest != NULL ? list->longest : "");
    struct rules_reader reader = *rules;

    reader.file = list->file != NULL ? list->file : rules->file;
    for (uint32_t i = 0; i < rule->identifier_count; i++) {
        const struct source *source = &rule->identifiers[i].sources[0];
        if (rule->identifiers[i].count > 1 || source->kind == SOURCE_IP ||
            strlen(source->text) + list->longest_bytes <= CLIENT_BYTES)
            continue;
        diagnostic_add(&reader, &at, NULL, "is too long without its source; write %s= before it",
                       source->text);
        return;
    }
}

static bool
identifies_by_address(const struct rule *rule)
{
    for (uint32_t i = 0; i < rule->identifier_count; i++)
        if (rule->identifiers[i].count == 1 && rule->identifiers[i].sources[0].kind == SOURCE_IP)
            return true;
    return false;
}

/* Applications may name clients in the API by what they like, so names always have a use. */
static void
warn_unused(const struct rules_reader *reader, const struct place *place, const struct client_list *list,
            const struct rule *rule)
{
    if (list->file == NULL && client_table_addresses(list->table) > 0 && !identifies_by_address(rule))
        report_warn(reader->report,
                    "%s: $.%s.clients: the addresses in it have no effect, because identify_by has no \"ip\"",
                    reader->file, place->parent->key);
}

void
clients_read(const struct rules_reader *reader, const struct place *place, const cJSON *object,
             struct rule *rule, bool has_limits)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, "clients");
    struct place at = place_key(place, "clients"), root = place_root();
    const struct client_list *list = item != NULL ? read_list(reader, &at, item) : NULL;
    const struct place *of_list = list != NULL && list->file != NULL ? &root : &at;

    if (list == NULL || !has_limits)
        return;
    rule->treatments = calloc(list->treatment_count + 1, sizeof(struct treatment));
    if (rule->treatments == NULL) {
        diagnostic_add(reader, &at, NULL, "out of memory");
        return;
    }
    rule->clients = list->table;
    rule->clients_version = list->version;
    read_treatments(reader, of_list, list, rule);
    check_longest(reader, of_list, list, rule);
    warn_unused(reader, &at, list, rule);
}
