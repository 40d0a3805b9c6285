/*
 * prefix_tree: the longest network of many that an address is in.
 *
 *     prefix_tree_add(tree, &network, 7);
 *     value = prefix_tree_find(tree, &address);       7, or another's if that is longer; 0: in none
 *
 * A binary tree over the bits of addresses, without nodes of one child: at most two nodes of 32 bytes a
 * network, and a search visits at most one for each bit; once the tree is indexed, for each bit
 * after the first sixteen that differ. Filled by one thread; then any thread may search.
 */
#ifndef PREFIX_TREE_H
#define PREFIX_TREE_H

#include <stddef.h>
#include <stdint.h>

#include "address.h"

struct prefix_tree;

/* NULL when out of memory. */
struct prefix_tree *prefix_tree_new(void);
void prefix_tree_free(struct prefix_tree *tree); /* NULL is allowed */

enum prefix_tree_status { PREFIX_TREE_ADDED, PREFIX_TREE_TAKEN, PREFIX_TREE_NO_MEMORY };

/* `value` is above 0. The bits after the prefix do not count. TAKEN: the network was there, and keeps its
   value. */
enum prefix_tree_status prefix_tree_add(struct prefix_tree *tree, const struct network *network,
                                        uint32_t value);

/* When all networks are added: with many, a search then begins sixteen bits further down, by a table of half
   a MiB. Where there is no memory for it, searches only take longer. */
void prefix_tree_index(struct prefix_tree *tree);

uint32_t prefix_tree_find(const struct prefix_tree *tree, const struct address *address);

#endif
