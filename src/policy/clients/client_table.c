#include "client_table.h"

#include <stdlib.h>
#include <string.h>

#include "prefix_tree.h"
#include "siphash.h"

#define FIRST_SLOTS 64 /* a power of two, as are all that follow */

struct slot {
    struct siphash fingerprint;
    uint32_t value; /* 0: empty */
};

struct client_table {
    struct siphash_key key;
    struct slot *slots;
    size_t slot_count;
    uint32_t addresses, of_sources, plain; /* in the slots */
    uint32_t network_count;
    struct prefix_tree *networks;
};

struct client_table *
client_table_new(void)
{
    struct client_table *table = calloc(1, sizeof(*table));

    if (table == NULL)
        return NULL;
    table->key = siphash_random_key();
    table->networks = prefix_tree_new();
    if (table->networks != NULL)
        return table;
    free(table);
    return NULL;
}

void
client_table_free(struct client_table *table)
{
    if (table == NULL)
        return;
    prefix_tree_free(table->networks);
    free(table->slots);
    free(table);
}

/* The slot of the fingerprint, or the empty one where it belongs. There is always an empty one. */
static struct slot *
slot_of(struct slot *slots, size_t count, struct siphash fingerprint)
{
    size_t at = fingerprint.low & (count - 1);

    while (slots[at].value != 0 && !siphash_equals(slots[at].fingerprint, fingerprint))
        at = (at + 1) & (count - 1);
    return &slots[at];
}

static uint32_t
find(const struct client_table *table, const void *text, size_t bytes)
{
    return slot_of(table->slots, table->slot_count, siphash128(table->key, text, bytes))->value;
}

static uint32_t
used_slots(const struct client_table *table)
{
    return table->addresses + table->of_sources + table->plain;
}

/* A quarter of the slots stays empty. */
static bool
make_room(struct client_table *table)
{
    size_t count = table->slot_count == 0 ? FIRST_SLOTS : 2 * table->slot_count;
    struct slot *slots;

    if (used_slots(table) < table->slot_count / 4 * 3)
        return true;
    slots = calloc(count, sizeof(*slots));
    if (slots == NULL)
        return false;
    for (size_t i = 0; i < table->slot_count; i++)
        if (table->slots[i].value != 0)
            *slot_of(slots, count, table->slots[i].fingerprint) = table->slots[i];
    free(table->slots);
    table->slots = slots;
    table->slot_count = count;
    return true;
}

static enum client_table_status
add(struct client_table *table, const void *text, size_t bytes, uint32_t value, uint32_t *count)
{
    struct siphash fingerprint = siphash128(table->key, text, bytes);
    struct slot *slot;

    if (!make_room(table))
        return CLIENT_TABLE_NO_MEMORY;
    slot = slot_of(table->slots, table->slot_count, fingerprint);
    if (slot->value != 0)
        return CLIENT_TABLE_TAKEN;
    *slot = (struct slot){.fingerprint = fingerprint, .value = value};
    ++*count;
    return CLIENT_TABLE_ADDED;
}

/* Hashed with its size after it: no text of a client has a byte below the space. */
static size_t
address_key(const struct address *address, uint8_t key[17])
{
    memcpy(key, address->bytes, address->size);
    key[address->size] = address->size;
    return address->size + 1u;
}

static enum client_table_status
add_network(struct client_table *table, const struct network *network, uint32_t value)
{
    uint8_t key[17];

    if (network->prefix == 8 * network->address.size)
        return add(table, key, address_key(&network->address, key), value, &table->addresses);
    switch (prefix_tree_add(table->networks, network, value)) {
    case PREFIX_TREE_ADDED:
        table->network_count++;
        return CLIENT_TABLE_ADDED;
    case PREFIX_TREE_TAKEN:
        return CLIENT_TABLE_TAKEN;
    case PREFIX_TREE_NO_MEMORY:
        break;
    }
    return CLIENT_TABLE_NO_MEMORY;
}

enum client_table_status
client_table_add(struct client_table *table, const struct client_name *name, uint32_t value)
{
    const struct client *client = &name->client;

    if (name->is_network)
        return add_network(table, &name->network, value);
    return add(table, client->text, client->bytes, value,
               client->text[0] == '=' ? &table->plain : &table->of_sources);
}

void
client_table_finish(struct client_table *table)
{
    prefix_tree_index(table->networks);
}

static uint32_t
find_address(const struct client_table *table, const struct address *address)
{
    uint8_t key[17];
    uint32_t value = 0;

    if (table->addresses > 0)
        value = find(table, key, address_key(address, key));
    return value != 0 ? value : prefix_tree_find(table->networks, address);
}

/* Also the peer of a Unix socket, which has no address but is not a name either. */
static bool
is_by_address(const struct client *client)
{
    return strncmp(client->text, "ip", 2) == 0 && (client->text[2] == '=' || client->text[2] == '/');
}

uint32_t
client_table_find(const struct client_table *table, const struct client *client,
                  const struct address *address)
{
    const char *value;
    uint32_t found = 0;

    if (address->size > 0)
        return find_address(table, address);
    if (is_by_address(client))
        return 0;
    if (table->of_sources > 0)
        found = find(table, client->text, client->bytes);
    if (found != 0 || table->plain == 0)
        return found;
    value = memchr(client->text, '=', client->bytes);
    return value == NULL ? 0 : find(table, value, client->bytes - (size_t)(value - client->text));
}

uint32_t
client_table_addresses(const struct client_table *table)
{
    return table->addresses + table->network_count;
}

uint32_t
client_table_names(const struct client_table *table)
{
    return table->of_sources + table->plain;
}
