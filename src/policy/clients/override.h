/*
 * override: what is done with one client at run time, whatever the rules say of it, until it ends.
 *
 *     {"client": "gold-key", "rule": "api", "treatment": {"limit": 1000}}      id: "api =gold-key"
 *     {"client": "10.0.0.0/8", "treatment": "blocked"}                         id: " 10.0.0.0/8"
 *
 * The text is what the store keeps, for nodes with other rules, too: so it is not compiled here
 * (overrides.h). The id is the same for each way to write the client; a client has one override for each
 * rule, and one for every rule.
 */
#ifndef OVERRIDE_H
#define OVERRIDE_H

#include <stdint.h>

#include "client_name.h"
#include "rule_name.h"

struct cJSON;

#define OVERRIDES_MAX       10000 /* at a time */
#define OVERRIDE_TEXT_BYTES 4096
#define OVERRIDE_ID_BYTES   (RULE_NAME_BYTES + 1 + CLIENT_BYTES)

struct override {
    char id[OVERRIDE_ID_BYTES + 1];
    char *text;
    int64_t end_us;                 /* monotonic */
    char rule[RULE_NAME_BYTES + 1]; /* "": every rule */
    struct client_name name;
    struct cJSON *root;
    const struct cJSON *treatment; /* "blocked", or an object with limits; then there is a rule */
    uint32_t lists;                /* that hold it; on the keeper's thread */
};

/* `rule` is "" or the name of a rule. */
void override_write_id(char id[OVERRIDE_ID_BYTES + 1], const char *rule, const struct client_name *name);

/* From the text, any bytes; NULL: it is no override, or out of memory. In no list. */
struct override *override_parse(const char *text, size_t bytes, int64_t end_us);

/* `treatment` is copied. NULL: it is too long, or out of memory. */
struct override *override_new(const char *client, const char *rule, const struct cJSON *treatment,
                              int64_t end_us);

/* For one that is in no list; NULL is allowed. */
void override_free(struct override *override);

/* Immutable, by id, each of them once. Its overrides are shared with other lists. One thread makes and frees
   all lists; others may read one that is not freed meanwhile. */
struct override_list {
    uint32_t count;
    struct override *items[];
};

/* A list of these, which are sorted; of those with the same id, one is kept. What is in no list then is
   freed. NULL: out of memory. */
struct override_list *override_list_new(struct override **items, uint32_t count);
void override_list_free(struct override_list *list); /* NULL is allowed */

/* Its place; `list->count`: none has that id. */
uint32_t override_list_find(const struct override_list *list, const char *id);

/* What a store of overrides says one by one (override_store.h), until it is made a list. */
struct override_reading {
    struct override **items; /* NULL: not begun, or out of memory */
    uint32_t count;
    uint32_t unknown_count; /* texts that are skipped: another program or version wrote them */
};

/* Forgets what was read, and begins again. */
void override_reading_begin(struct override_reading *reading);
void override_reading_add(struct override_reading *reading, const char *id, size_t id_bytes, const char *text,
                          size_t text_bytes, int64_t end_us);
void override_reading_forget(struct override_reading *reading);

#endif
