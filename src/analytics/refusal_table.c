#include "refusal_table.h"

#include <assert.h>
#include <stdlib.h>

#define BUCKETS (2 * REFUSAL_TABLE_CLIENTS)
#define NONE    UINT32_MAX

struct refusal_table *
refusal_table_new(void)
{
    struct refusal_table *table = malloc(sizeof(*table));

    if (table == NULL)
        return NULL;
    table->head = table->count = 0;
    for (uint32_t i = 0; i < BUCKETS; i++)
        table->buckets[i] = NONE;
    return table;
}

/* The bucket of the key, or the free one for it. */
static uint32_t *
find_link(struct refusal_table *table, struct siphash key)
{
    uint32_t *link = &table->buckets[key.low % BUCKETS];

    while (*link != NONE && !siphash_equals(table->clients[*link].key, key))
        link = &table->clients[*link].next;
    return link;
}

struct told_client *
refusal_table_find(struct refusal_table *table, struct siphash key)
{
    uint32_t found = *find_link(table, key);

    return found != NONE ? &table->clients[found] : NULL;
}

struct told_client *
refusal_table_put(struct refusal_table *table, struct siphash key)
{
    uint32_t *link = find_link(table, key);
    uint32_t place = (table->head + table->count) % REFUSAL_TABLE_CLIENTS;

    assert(*link == NONE);
    if (table->count == REFUSAL_TABLE_CLIENTS)
        return NULL;
    table->count++;
    *link = place;
    table->clients[place].key = key;
    table->clients[place].suppressed = 0;
    table->clients[place].next = NONE;
    return &table->clients[place];
}

struct told_client *
refusal_table_head(struct refusal_table *table)
{
    return table->count > 0 ? &table->clients[table->head] : NULL;
}

void
refusal_table_remove_head(struct refusal_table *table)
{
    struct told_client *head = &table->clients[table->head];

    *find_link(table, head->key) = head->next;
    table->head = (table->head + 1) % REFUSAL_TABLE_CLIENTS;
    table->count--;
}
