/*
 * client_table: from a client to what is done with it: the clients that differ, of one list.
 *
 *     client_table_add(table, &name, 7);
 *     value = client_table_find(table, &client, &address);       7, or 0: the client is not in the table
 *
 * Exact clients and addresses are in a hash table, as keyed fingerprints of 128 bits without their text:
 * about 50 bytes each. Networks are in a prefix_tree. Filled by one thread, and immutable from then on: any
 * thread may search. A search allocates nothing.
 */
#ifndef CLIENT_TABLE_H
#define CLIENT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client_name.h"

struct client_table;

/* NULL when out of memory. */
struct client_table *client_table_new(void);
void client_table_free(struct client_table *table); /* NULL is allowed */

enum client_table_status { CLIENT_TABLE_ADDED, CLIENT_TABLE_TAKEN, CLIENT_TABLE_NO_MEMORY };

/* `value` is above 0. TAKEN: the name was there, and keeps its value. */
enum client_table_status client_table_add(struct client_table *table, const struct client_name *name,
                                          uint32_t value);

/* When all names are added; makes searches of large tables shorter. */
void client_table_finish(struct client_table *table);

/*
 * The value of the client's name; 0: it has none. `address` is that of a client identified by it, and of size
 * 0 for every other. Of an address, its own entry comes first, then the longest network; of any other client,
 * the entry of its source, then that of its value alone. A client of several sources together is in no table.
 */
uint32_t client_table_find(const struct client_table *table, const struct client *client,
                           const struct address *address);

/* How many names are of addresses and networks, and how many of all others. */
uint32_t client_table_addresses(const struct client_table *table);
uint32_t client_table_names(const struct client_table *table);

#endif
