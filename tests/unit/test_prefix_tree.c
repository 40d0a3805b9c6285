/* prefix_tree: the longest network that an address is in, against a search through all of them. */
#include <check.h>
#include <string.h>

#include "prefix_tree.h"
#include "random_numbers.h"
#include "suite.h"

static struct prefix_tree *tree;

static void
set_up(void)
{
    tree = prefix_tree_new();
    ck_assert_ptr_nonnull(tree);
}

static void
tear_down(void)
{
    prefix_tree_free(tree);
}

static void
add(const char *text, uint32_t value, enum prefix_tree_status expected)
{
    struct network network;

    ck_assert_msg(network_parse(&network, text, strlen(text)), "%s", text);
    ck_assert_int_eq(prefix_tree_add(tree, &network, value), expected);
}

static uint32_t
find(const char *text)
{
    struct network network;

    ck_assert_msg(network_parse(&network, text, strlen(text)), "%s", text);
    return prefix_tree_find(tree, &network.address);
}

START_TEST(empty_tree_has_nothing)
{
    ck_assert_uint_eq(find("10.0.0.1"), 0);
    ck_assert_uint_eq(find("::1"), 0);
    ck_assert_uint_eq(prefix_tree_find(tree, &(struct address){.size = 0}), 0);
}
END_TEST

START_TEST(longest_network_wins)
{
    add("10.0.0.0/8", 1, PREFIX_TREE_ADDED);
    add("10.1.0.0/16", 2, PREFIX_TREE_ADDED);
    add("10.1.2.3", 3, PREFIX_TREE_ADDED);
    add("0.0.0.0/0", 4, PREFIX_TREE_ADDED);
    ck_assert_uint_eq(find("10.1.2.3"), 3);
    ck_assert_uint_eq(find("10.1.2.4"), 2);
    ck_assert_uint_eq(find("10.2.2.3"), 1);
    ck_assert_uint_eq(find("192.0.2.1"), 4);
    ck_assert_uint_eq(find("::"), 0);
}
END_TEST

START_TEST(ipv6_has_all_128_bits)
{
    add("2001:db8::/32", 1, PREFIX_TREE_ADDED);
    add("2001:db8::/64", 2, PREFIX_TREE_ADDED);
    add("2001:db8::/65", 3, PREFIX_TREE_ADDED);
    add("2001:db8::1", 4, PREFIX_TREE_ADDED);
    add("2001:db8::8000:0:0:0/65", 5, PREFIX_TREE_ADDED);
    ck_assert_uint_eq(find("2001:db8::1"), 4);
    ck_assert_uint_eq(find("2001:db8::2"), 3);
    ck_assert_uint_eq(find("2001:db8::8000:0:0:1"), 5);
    ck_assert_uint_eq(find("2001:db8:1::"), 1);
    ck_assert_uint_eq(find("2001:db9::"), 0);
}
END_TEST

START_TEST(network_of_the_other_family_with_the_same_bits_is_another)
{
    add("2001:db8::/32", 1, PREFIX_TREE_ADDED);
    ck_assert_uint_eq(find("32.1.13.184"), 0);
    add("32.1.13.184", 2, PREFIX_TREE_ADDED);
    ck_assert_uint_eq(find("32.1.13.184"), 2);
    ck_assert_uint_eq(find("2001:db8::"), 1);
}
END_TEST

START_TEST(network_is_added_once)
{
    add("10.0.0.0/8", 1, PREFIX_TREE_ADDED);
    add("10.255.0.0/8", 2, PREFIX_TREE_TAKEN);
    ck_assert_uint_eq(find("10.0.0.1"), 1);
    add("10.0.0.0/9", 2, PREFIX_TREE_ADDED);
    add("10.128.0.0/9", 3, PREFIX_TREE_ADDED);
    add("10.0.0.0/8", 4, PREFIX_TREE_TAKEN);
}
END_TEST

/* Random networks, of few bits that differ so that they nest and share beginnings. */

#define NETWORKS 1500 /* enough for an index */

static struct address
random_address(uint64_t *random)
{
    struct address address = {.size = random_below(random, 2) ? 4 : 16};

    for (size_t i = 0; i < address.size; i++)
        address.bytes[i] = (uint8_t)(random_below(random, 4) ? 0 : 1 << random_below(random, 8));
    return address;
}

static bool
contains(struct network *network, const struct address *address)
{
    return networks_contain(&(struct networks){.list = network, .count = 1}, address);
}

static uint32_t
search(struct network *list, size_t count, const struct address *address)
{
    int longest = -1;
    uint32_t value = 0;

    for (size_t i = 0; i < count; i++) {
        if (list[i].prefix > longest && contains(&list[i], address)) {
            longest = list[i].prefix;
            value = (uint32_t)i + 1;
        }
    }
    return value;
}

/* All in one network of that many bits: the index begins after them, in either word or across both. */
static const uint8_t commons[] = {0, 1, 16, 17, 32, 47, 48, 49, 63, 64, 65, 100, 112, 113};

START_TEST(index_begins_where_networks_differ)
{
    uint64_t random = (uint64_t)_i + 1;
    static struct network list[NETWORKS];
    size_t count = 0;

    for (int i = 0; i < NETWORKS; i++) {
        struct network *network = &list[count];
        uint8_t common = commons[_i];

        random_fill(&random, network->address.bytes, 16);
        for (uint8_t bit = 0; bit < common; bit++)
            network->address.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
        network->address.size = 16;
        network->prefix = (uint8_t)(common + random_below(&random, 129u - common));
        count += prefix_tree_add(tree, network, (uint32_t)count + 1) == PREFIX_TREE_ADDED;
    }
    prefix_tree_index(tree);
    for (size_t i = 0; i < count; i++)
        ck_assert_uint_eq(prefix_tree_find(tree, &list[i].address), search(list, count, &list[i].address));
    ck_assert_uint_eq(find("::"), commons[_i] == 0 ? search(list, count, &(struct address){.size = 16}) : 0);
}
END_TEST

START_TEST(tree_agrees_with_a_search_through_all_networks)
{
    uint64_t random = (uint64_t)_i + 1;
    struct network list[NETWORKS];
    size_t count = 0;

    for (int i = 0; i < NETWORKS; i++) {
        struct network *network = &list[count];
        bool is_there = false;

        network->address = random_address(&random);
        network->prefix = (uint8_t)random_below(&random, 8u * network->address.size + 1);
        for (size_t k = 0; k < count; k++)
            is_there |= list[k].prefix == network->prefix && contains(&list[k], &network->address);
        ck_assert_int_eq(prefix_tree_add(tree, network, (uint32_t)count + 1),
                         is_there ? PREFIX_TREE_TAKEN : PREFIX_TREE_ADDED);
        count += !is_there;
    }
    for (int i = 0; i < 1000; i++) {
        struct address address = random_address(&random);
        uint32_t expected = search(list, count, &address);
        if (i == 500)
            prefix_tree_index(tree);
        ck_assert_uint_eq(prefix_tree_find(tree, &address), expected);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("prefix_tree");
    TCase *tests = tcase_create("prefix_tree");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, empty_tree_has_nothing);
    tcase_add_test(tests, longest_network_wins);
    tcase_add_test(tests, ipv6_has_all_128_bits);
    tcase_add_test(tests, network_of_the_other_family_with_the_same_bits_is_another);
    tcase_add_test(tests, network_is_added_once);
    tcase_add_loop_test(tests, tree_agrees_with_a_search_through_all_networks, 0, 8);
    tcase_add_loop_test(tests, index_begins_where_networks_differ, 0, ROWS(commons));
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
