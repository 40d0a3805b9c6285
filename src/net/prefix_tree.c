#include "prefix_tree.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>

#define FIRST_NODES   64
#define INDEX_BITS    16
#define INDEX_ENTRIES (UINT32_C(1) << INDEX_BITS)
#define INDEX_NODES   1024 /* of a tree that is worth an index */
#define NODES_MAX     (UINT32_C(1) << 31)

/* The first bits of addresses: those of IPv4 fill the upper half of `high`. The rest is 0. */
struct prefix {
    uint64_t high, low;
    uint8_t bits;
};

struct tree_node {
    uint64_t high, low; /* its prefix, with `bits` */
    uint32_t child[2];  /* by the bit after the prefix; 0: none */
    uint32_t value;     /* 0: no network, only where two branches part */
    uint8_t bits;
};
_Static_assert(sizeof(struct tree_node) == 32, "half a cache line");

/* Where a search goes on after the sixteen bits that follow those of the root. */
struct entry {
    uint32_t node;  /* the first with at least as many bits; 0: none */
    uint32_t value; /* of the longest network above it; 0: none */
};

struct prefix_tree {
    struct tree_node *nodes; /* the first is unused */
    uint32_t count, capacity;
    uint32_t roots[2];        /* IPv4, IPv6 */
    struct entry *indexes[2]; /* NULL: none */
};

struct prefix_tree *
prefix_tree_new(void)
{
    struct prefix_tree *tree = calloc(1, sizeof(*tree));

    if (tree != NULL)
        tree->count = 1;
    return tree;
}

void
prefix_tree_free(struct prefix_tree *tree)
{
    if (tree == NULL)
        return;
    free(tree->indexes[0]);
    free(tree->indexes[1]);
    free(tree->nodes);
    free(tree);
}

static uint64_t
read_word(const uint8_t *bytes, size_t count)
{
    uint64_t word = 0;

    for (size_t i = 0; i < count; i++)
        word |= (uint64_t)bytes[i] << (56 - 8 * i);
    return word;
}

static uint64_t
first_bits(uint64_t word, int bits)
{
    return bits <= 0 ? 0 : bits >= 64 ? word : word & ~(UINT64_MAX >> bits);
}

static struct prefix
prefix_of(const struct address *address, uint8_t bits)
{
    bool is_ipv4 = address->size == 4;

    return (struct prefix){.high = first_bits(read_word(address->bytes, is_ipv4 ? 4 : 8), bits),
                           .low = first_bits(is_ipv4 ? 0 : read_word(address->bytes + 8, 8), bits - 64),
                           .bits = bits};
}

static unsigned
bit_at(const struct prefix *prefix, uint8_t at)
{
    return (unsigned)(at < 64 ? prefix->high >> (63 - at) : prefix->low >> (127 - at)) & 1;
}

/* The number of bits that both begin with. */
static uint8_t
common_bits(const struct prefix *prefix, const struct tree_node *node)
{
    uint64_t high = prefix->high ^ node->high, low = prefix->low ^ node->low;
    uint8_t most = prefix->bits < node->bits ? prefix->bits : node->bits;
    int same = high != 0 ? __builtin_clzll(high) : low != 0 ? 64 + __builtin_clzll(low) : 128;

    return same < most ? (uint8_t)same : most;
}

/* Room for two more nodes, all that one network can need. */
static bool
make_room(struct prefix_tree *tree)
{
    uint32_t capacity = tree->capacity == 0 ? FIRST_NODES : 2 * tree->capacity;
    struct tree_node *nodes;

    if (tree->count + 2 <= tree->capacity)
        return true;
    if (capacity > NODES_MAX)
        return false;
    nodes = reallocarray(tree->nodes, capacity, sizeof(*nodes));
    if (nodes == NULL)
        return false;
    tree->nodes = nodes;
    tree->capacity = capacity;
    return true;
}

static uint32_t
new_node(struct prefix_tree *tree, const struct prefix *prefix, uint8_t bits, uint32_t value)
{
    tree->nodes[tree->count] = (struct tree_node){.high = first_bits(prefix->high, bits),
                                                  .low = first_bits(prefix->low, bits - 64),
                                                  .value = value,
                                                  .bits = bits};
    return tree->count++;
}

/* Puts a node above `old`, which shares only the first `common` bits of its own with the prefix. */
static uint32_t
new_parent(struct prefix_tree *tree, const struct prefix *prefix, uint32_t value, uint32_t old,
           uint8_t common)
{
    const struct prefix below = {.high = tree->nodes[old].high, .low = tree->nodes[old].low};
    uint32_t parent = new_node(tree, prefix, common, common == prefix->bits ? value : 0);

    tree->nodes[parent].child[bit_at(&below, common)] = old;
    if (common < prefix->bits)
        tree->nodes[parent].child[bit_at(prefix, common)] = new_node(tree, prefix, prefix->bits, value);
    return parent;
}

enum prefix_tree_status
prefix_tree_add(struct prefix_tree *tree, const struct network *network, uint32_t value)
{
    const struct prefix prefix = prefix_of(&network->address, network->prefix);
    uint32_t *place = &tree->roots[network->address.size == 16];

    if (!make_room(tree))
        return PREFIX_TREE_NO_MEMORY;
    while (*place != 0) {
        struct tree_node *node = &tree->nodes[*place];
        uint8_t common = common_bits(&prefix, node);
        if (common < node->bits) {
            *place = new_parent(tree, &prefix, value, *place, common);
            return PREFIX_TREE_ADDED;
        }
        if (node->bits == prefix.bits) {
            if (node->value != 0)
                return PREFIX_TREE_TAKEN;
            node->value = value;
            return PREFIX_TREE_ADDED;
        }
        place = &node->child[bit_at(&prefix, node->bits)];
    }
    *place = new_node(tree, &prefix, prefix.bits, value);
    return PREFIX_TREE_ADDED;
}

/* Searching. */

struct search {
    uint32_t at; /* a node that may contain the prefix; 0: there is none */
    uint32_t value;
};

/* Descends while nodes contain the prefix and have fewer than `bits` bits. */
static struct search
descend(const struct prefix_tree *tree, struct search search, const struct prefix *prefix, unsigned bits)
{
    while (search.at != 0) {
        const struct tree_node *node = &tree->nodes[search.at];
        if (node->bits >= bits)
            return search;
        if (common_bits(prefix, node) < node->bits)
            break;
        if (node->value != 0)
            search.value = node->value;
        search.at = node->bits < prefix->bits ? node->child[bit_at(prefix, node->bits)] : 0;
    }
    search.at = 0;
    return search;
}

/* INDEX_BITS of the prefix, from `at` on. */
static uint32_t
bits_from(const struct prefix *prefix, uint8_t at)
{
    uint64_t word = at == 0   ? prefix->high
                    : at < 64 ? prefix->high << at | prefix->low >> (64 - at)
                              : prefix->low << (at - 64);

    return (uint32_t)(word >> (64 - INDEX_BITS));
}

/* The root's prefix with INDEX_BITS more. */
static struct prefix
prefix_of_index(const struct tree_node *root, uint32_t index)
{
    uint64_t word = (uint64_t)index << (64 - INDEX_BITS);
    uint8_t at = root->bits;

    return (struct prefix){.high = root->high | (at < 64 ? word >> at : 0),
                           .low = root->low | (at == 0   ? 0
                                               : at < 64 ? word << (64 - at)
                                                         : word >> (at - 64)),
                           .bits = (uint8_t)(at + INDEX_BITS)};
}

static void
add_index(struct prefix_tree *tree, int family, unsigned address_bits)
{
    const struct tree_node *root = &tree->nodes[tree->roots[family]];
    struct entry *index;

    if (tree->roots[family] == 0 || (unsigned)root->bits + INDEX_BITS > address_bits)
        return;
    index = malloc(INDEX_ENTRIES * sizeof(*index));
    for (uint32_t i = 0; index != NULL && i < INDEX_ENTRIES; i++) {
        const struct prefix prefix = prefix_of_index(root, i);
        struct search found = descend(tree, (struct search){.at = tree->roots[family]}, &prefix, prefix.bits);
        index[i] = (struct entry){.node = found.at, .value = found.value};
    }
    free(tree->indexes[family]);
    tree->indexes[family] = index;
}

void
prefix_tree_index(struct prefix_tree *tree)
{
    if (tree->count < INDEX_NODES)
        return;
    add_index(tree, 0, 32);
    add_index(tree, 1, 128);
}

uint32_t
prefix_tree_find(const struct prefix_tree *tree, const struct address *address)
{
    const struct prefix whole = prefix_of(address, (uint8_t)(8 * address->size));
    int family = address->size == 16;
    struct search from = {.at = address->size == 0 ? 0 : tree->roots[family]};
    const struct tree_node *root = &tree->nodes[from.at];

    if (from.at != 0 && tree->indexes[family] != NULL && common_bits(&whole, root) == root->bits) {
        const struct entry *entry = &tree->indexes[family][bits_from(&whole, root->bits)];
        from = (struct search){.at = entry->node, .value = entry->value};
    }
    return descend(tree, from, &whole, UINT_MAX).value;
}
