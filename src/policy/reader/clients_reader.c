/*
 * "clients" of a rule: an object, or the path of a file with a list. Rules that name the same file share its
 * list.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "list_reader.h"
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
read_file(const struct place *at)
{
    struct policy *policy = at->reader->policy;
    char *path = diagnostic_check_memory(at, resolve(at->reader->file, at->value->valuestring));
    const struct client_list *list = path != NULL ? find_file(policy, path) : NULL;

    if (path != NULL && list == NULL)
        list = keep(policy, client_list_read_file(at, path));
    free(path);
    return list;
}

static const struct client_list *
read_list(const struct place *at)
{
    if (cJSON_IsString(at->value) && at->value->valuestring[0] != '\0')
        return read_file(at);
    if (cJSON_IsObject(at->value))
        return keep(at->reader->policy, client_list_read(at));
    diagnostic_add_value(at,
                         "must be an object, such as {\"10.0.0.0/8\": \"unlimited\"}, or the path of a file");
    return NULL;
}

/* What it means under the rule. */

static void
read_treatment(const struct place *at, const struct limit_set *base, struct treatment *treatment)
{
    if (!cJSON_IsObject(at->value)) {
        treatment->kind =
            strcmp(at->value->valuestring, "blocked") == 0 ? TREATMENT_BLOCKED : TREATMENT_UNLIMITED;
        return;
    }
    treatment->kind = TREATMENT_LIMITS;
    treatment->limits.id = unique_id();
    limits_read(at, base, &treatment->limits);
}

/* `clients` is the place of the list, in the rule or in a file. */
static void
read_treatments(const struct place *clients, const struct client_list *list, struct rule *rule)
{
    const struct report *report = clients->reader->report;
    struct rules_reader reader = *clients->reader;
    size_t before = report->count;

    reader.rule = list->file != NULL ? rule->name : NULL;
    for (uint32_t i = 0; i < list->treatment_count && report->count - before < LIST_MISTAKES_MAX; i++) {
        const struct written_treatment *written = &list->treatments[i];
        const struct place at = {
            .reader = &reader, .parent = clients, .key = written->client, .value = written->json};

        reader.line = written->line;
        read_treatment(&at, &rule->limits, &rule->treatments[i]);
    }
}

/* A client's text above CLIENT_BYTES is a digest, in which a value without its source cannot be found. */
static void
check_longest(const struct place *clients, const struct client_list *list, const struct rule *rule)
{
    const struct place at = {.reader = clients->reader, .parent = clients, .key = list->longest};

    for (uint32_t i = 0; list->longest != NULL && i < rule->identifier_count; i++) {
        const struct source *source = &rule->identifiers[i].sources[0];
        if (rule->identifiers[i].count > 1 || source->kind == SOURCE_IP ||
            strlen(source->text) + list->longest_bytes <= CLIENT_BYTES)
            continue;
        diagnostic_add(&at, "is too long without its source; write %s= before it", source->text);
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
warn_unused(const struct place *at, const struct client_list *list, const struct rule *rule)
{
    if (list->file == NULL && client_table_addresses(list->table) > 0 && !identifies_by_address(rule))
        diagnostic_warn(at, "the addresses in it have no effect, because identify_by has no \"ip\"");
}

void
clients_read(const struct place *object, struct rule *rule, bool has_limits)
{
    const struct place at = place_key(object, "clients");
    const struct client_list *list = at.value != NULL ? read_list(&at) : NULL;
    struct rules_reader file = *at.reader;
    struct place clients = at;

    if (list == NULL || !has_limits)
        return;
    rule->treatments =
        diagnostic_check_memory(&at, calloc(list->treatment_count + 1, sizeof(struct treatment)));
    if (rule->treatments == NULL)
        return;
    if (list->file != NULL) {
        file.file = list->file;
        clients = (struct place){.reader = &file};
    }
    rule->clients = list->table;
    rule->clients_version = list->version;
    read_treatments(&clients, list, rule);
    check_longest(&clients, list, rule);
    warn_unused(&at, list, rule);
}
