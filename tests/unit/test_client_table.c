/* client_table: which entry speaks of a client. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "client_table.h"
#include "suite.h"

static struct client_table *table;

static void
set_up(void)
{
    table = client_table_new();
    ck_assert_ptr_nonnull(table);
}

static void
tear_down(void)
{
    client_table_free(table);
}

static enum client_table_status
add(const char *text, uint32_t value)
{
    struct client_name name;
    const char *why = client_name_parse(&name, text, strlen(text));

    ck_assert_msg(why == NULL, "%s: %s", text, why);
    return client_table_add(table, &name, value);
}

/* Of a client that the source names by the value. */
static uint32_t
find(const char *source, const char *value)
{
    struct address none = {.size = 0};
    struct client client;

    client_write(&client, source, value, strlen(value));
    return client_table_find(table, &client, &none);
}

static uint32_t
find_address(const char *text)
{
    char written[ADDRESS_TEXT_BYTES];
    struct address address;
    struct client client;

    ck_assert(address_parse(&address, text, strlen(text)));
    client_write(&client, "ip", written, address_write(&address, written));
    return client_table_find(table, &client, &address);
}

START_TEST(empty_table_has_no_client)
{
    ck_assert_uint_eq(find("header:a", "gold"), 0);
    ck_assert_uint_eq(find_address("10.0.0.1"), 0);
    ck_assert_uint_eq(find_address("::1"), 0);
}
END_TEST

START_TEST(address_comes_before_the_longest_network)
{
    add("10.0.0.0/8", 1);
    add("10.1.0.0/16", 2);
    add("10.1.0.1", 3);
    ck_assert_uint_eq(find_address("10.1.0.1"), 3);
    ck_assert_uint_eq(find_address("10.1.0.2"), 2);
    ck_assert_uint_eq(find_address("10.2.0.1"), 1);
    ck_assert_uint_eq(find_address("11.2.0.1"), 0);
}
END_TEST

/* Though the client is the /64, each address in it may differ. */
START_TEST(ipv6_address_is_found_by_all_its_bits)
{
    add("2001:db8::7", 1);
    add("2001:db8::/96", 2);
    add("2001:db8::/64", 3);
    ck_assert_uint_eq(find_address("2001:db8::7"), 1);
    ck_assert_uint_eq(find_address("2001:db8::8"), 2);
    ck_assert_uint_eq(find_address("2001:db8::1:0:0:8"), 3);
    ck_assert_uint_eq(find_address("2001:db8:0:1::"), 0);
}
END_TEST

START_TEST(nobody_claims_an_address_by_a_header)
{
    add("10.0.0.1", 1);
    add("10.0.0.0/8", 2);
    add("gold", 3);
    ck_assert_uint_eq(find("header:a", "10.0.0.1"), 0);
    ck_assert_uint_eq(find("client", "10.0.0.1"), 0);
    ck_assert_uint_eq(find("header:a", "10.0.0.0/8"), 0);
    ck_assert_uint_eq(find("header:a", "gold"), 3);
}
END_TEST

/* Neither the peer of a Unix socket, which has no address. */
START_TEST(name_does_not_speak_of_a_client_identified_by_ip)
{
    add("unix", 1);
    add("203.0.113.0/24", 2);
    ck_assert_uint_eq(find("ip", "unix"), 0);
    ck_assert_uint_eq(find("ip/24", "203.0.113.0/24"), 0); /* without the address */
    ck_assert_uint_eq(find("header:a", "unix"), 1);
}
END_TEST

START_TEST(name_of_one_source_comes_before_the_plain_name)
{
    add("gold", 1);
    add("header:X-API-Key=gold", 2);
    ck_assert_uint_eq(find("header:x-api-key", "gold"), 2);
    ck_assert_uint_eq(find("header:other", "gold"), 1);
    ck_assert_uint_eq(find("client", "gold"), 1);
    ck_assert_uint_eq(find("client", "Gold"), 0);
}
END_TEST

/* A value that is spelt as a name of a source is still only a value. */
START_TEST(value_does_not_pass_for_a_source)
{
    add("header:x-api-key=gold", 1);
    ck_assert_uint_eq(find("header:other", "header:x-api-key=gold"), 0);
    ck_assert_uint_eq(find("client", "header:x-api-key=gold"), 0);
}
END_TEST

START_TEST(plain_name_does_not_speak_of_sources_together)
{
    static const struct address none = {.size = 0};
    struct client client = {.text = "header:x-tenant=acme&ip=203.0.113.7"};

    client.bytes = strlen(client.text);
    add("acme", 1);
    add("acme&ip=203.0.113.7", 2);
    ck_assert_uint_eq(client_table_find(table, &client, &none), 0);
}
END_TEST

START_TEST(long_name_of_a_source_is_found_by_its_digest)
{
    char value[300], text[320];

    memset(value, 'x', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    snprintf(text, sizeof(text), "header:a=%s", value);
    add(text, 1);
    ck_assert_uint_eq(find("header:a", value), 1);
    ck_assert_uint_eq(find("header:b", value), 0);
}
END_TEST

START_TEST(client_is_added_once)
{
    static const char *const texts[] = {"gold", "header:a=gold", "10.0.0.1", "10.0.0.0/8", "2001:db8::1"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        ck_assert_int_eq(add(texts[i], 1), CLIENT_TABLE_ADDED);
        ck_assert_int_eq(add(texts[i], 2), CLIENT_TABLE_TAKEN);
    }
    ck_assert_int_eq(add("10.0.0.1/32", 2), CLIENT_TABLE_TAKEN);
    ck_assert_uint_eq(find("client", "gold"), 1);
    ck_assert_uint_eq(find_address("10.0.0.1"), 1);
    ck_assert_uint_eq(client_table_addresses(table), 3);
    ck_assert_uint_eq(client_table_names(table), 2);
}
END_TEST

/* Every third number is a name, every third a name of a source, every third an address; half of them are in the table. */
static void
name_of(uint32_t number, char text[32])
{
    if (number % 3 == 0)
        snprintf(text, 32, "key-%u", number);
    else if (number % 3 == 1)
        snprintf(text, 32, "header:a=%u", number);
    else
        snprintf(text, 32, "10.%u.%u.%u", number >> 16, number >> 8 & 255, number & 255);
}

START_TEST(thousands_of_clients_keep_their_values)
{
    const uint32_t count = 20000;
    char text[32];

    for (uint32_t i = 0; i < count; i += 2) {
        name_of(i, text);
        ck_assert_int_eq(add(text, i + 1), CLIENT_TABLE_ADDED);
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t found;
        name_of(i, text);
        found = i % 3 == 0   ? find("header:b", text)
                : i % 3 == 1 ? find("header:a", text + strlen("header:a="))
                             : find_address(text);
        ck_assert_msg(found == (i % 2 == 0 ? i + 1 : 0), "%s: %u", text, found);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("client_table");
    TCase *tests = tcase_create("client_table");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, empty_table_has_no_client);
    tcase_add_test(tests, address_comes_before_the_longest_network);
    tcase_add_test(tests, ipv6_address_is_found_by_all_its_bits);
    tcase_add_test(tests, nobody_claims_an_address_by_a_header);
    tcase_add_test(tests, name_does_not_speak_of_a_client_identified_by_ip);
    tcase_add_test(tests, name_of_one_source_comes_before_the_plain_name);
    tcase_add_test(tests, value_does_not_pass_for_a_source);
    tcase_add_test(tests, plain_name_does_not_speak_of_sources_together);
    tcase_add_test(tests, long_name_of_a_source_is_found_by_its_digest);
    tcase_add_test(tests, client_is_added_once);
    tcase_add_test(tests, thousands_of_clients_keep_their_values);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
