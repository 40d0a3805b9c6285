/* address: parsing, networks, and the client address behind proxies, with forged X-Forwarded-For too. */
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "address.h"
#include "random_numbers.h"
#include "suite.h"

static const char *
written(const struct address *address)
{
    static char text[ADDRESS_TEXT_BYTES];
    size_t bytes = address_write(address, text);

    ck_assert_uint_eq(bytes, strlen(text));
    return text;
}

static const struct {
    const char *text, *written;
} addresses[] = {
    {"203.0.113.7", "203.0.113.7"},
    {" \t203.0.113.7\t ", "203.0.113.7"},
    {"203.0.113.7:51234", "203.0.113.7"},
    {"0.0.0.0", "0.0.0.0"},
    {"255.255.255.255:65535", "255.255.255.255"},
    {"2001:db8::7", "2001:db8::/64"},
    {"2001:DB8:0:0:0:0:0:7", "2001:db8::/64"},
    {"[2001:db8::7]", "2001:db8::/64"},
    {"[2001:db8::7]:51234", "2001:db8::/64"},
    {"fe80::1%eth0", "fe80::/64"},
    {"[fe80::1%eth0]:80", "fe80::/64"},
    {"::1", "::/64"},
    {"::", "::/64"},
    /* The /64, not the address: any of it is the same client. */
    {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
    {"2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"},
    {"2001:db8:1:3::", "2001:db8:1:3::/64"},
    {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff::/64"},
    {"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", "ffff:ffff:ffff:ffff::/64"},
    /* IPv4-mapped by bits, however spelt; what only looks so is not. */
    {"::ffff:203.0.113.7", "203.0.113.7"},
    {"::ffff:cb00:7107", "203.0.113.7"},
    {"::FFFF:CB00:7107", "203.0.113.7"},
    {"0:0:0:0:0:ffff:cb00:7107", "203.0.113.7"},
    {"[::ffff:203.0.113.7]:80", "203.0.113.7"},
    {"2001:db8::203.0.113.7", "2001:db8::/64"},
    {"::203.0.113.7", "::/64"},
    {"::fffe:203.0.113.7", "::/64"},
    {"64:ff9b::203.0.113.7", "64:ff9b::/64"},
};

START_TEST(address_is_parsed_in_each_of_its_spellings)
{
    struct address address;

    ck_assert_msg(address_parse(&address, addresses[_i].text, strlen(addresses[_i].text)), "%s",
                  addresses[_i].text);
    ck_assert_msg(strcmp(written(&address), addresses[_i].written) == 0, "%s is written %s",
                  addresses[_i].text, written(&address));
}
END_TEST

static const char *const not_addresses[] = {
    "",
    " ",
    "unknown",
    "_hidden",
    "localhost",
    "203.0.113",
    "203.0.113.7.8",
    "203.0.113.256",
    "203.0.113.007", /* octal to some */
    "0xcb.0.113.7",
    "3405803783",
    "203.0.113.7:",
    "203.0.113.7:65536",
    "203.0.113.7:-0",
    "203.0.113.7:http",
    "203.0.113.7: 80",
    "203.0.113.7/32",
    "203.0. 113.7",
    ":80",
    "[203.0.113.7]",
    "[203.0.113.7]:80",
    "[2001:db8::7",
    "2001:db8::7]",
    "[2001:db8::7]80",
    "[2001:db8::7]:",
    "[2001:db8::7]:x",
    "[]",
    "[]:80",
    ":",
    ":::",
    "2001:db8::7::8",
    "2001:db8:0:0:0:0:0:0:7",
    "2001:db8::g",
    "12345::",
    "\"2001:db8::7\"",
    "for=203.0.113.7",
    "203.0.113.7\r\n",
    "\xef\xbc\x91.2.3.4",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
};

START_TEST(text_that_is_not_an_address_is_refused)
{
    struct address address;

    ck_assert_msg(!address_parse(&address, not_addresses[_i], strlen(not_addresses[_i])), "%s was read as %s",
                  not_addresses[_i], written(&address));
}
END_TEST

START_TEST(zero_byte_within_an_address_is_refused)
{
    static const char text[] = "203.0.113.7\0.8";
    struct address address;

    ck_assert(address_parse(&address, text, 11));
    ck_assert(!address_parse(&address, text, 12));
    ck_assert(!address_parse(&address, text, sizeof(text) - 1));
}
END_TEST

START_TEST(peer_of_a_unix_socket_has_no_address)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(80)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(80)};
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    struct address address;

    ck_assert_int_eq(inet_pton(AF_INET, "203.0.113.7", &in.sin_addr), 1);
    address = address_of_peer((struct sockaddr *)&in);
    ck_assert_str_eq(written(&address), "203.0.113.7");
    ck_assert_int_eq(inet_pton(AF_INET6, "2001:db8:1:2::7", &in6.sin6_addr), 1);
    address = address_of_peer((struct sockaddr *)&in6);
    ck_assert_str_eq(written(&address), "2001:db8:1:2::/64");
    ck_assert_int_eq(inet_pton(AF_INET6, "::ffff:203.0.113.7", &in6.sin6_addr), 1);
    address = address_of_peer((struct sockaddr *)&in6);
    ck_assert_str_eq(written(&address), "203.0.113.7");
    address = address_of_peer((struct sockaddr *)&un);
    ck_assert_str_eq(written(&address), "unix");
}
END_TEST

/* Networks. */

static struct address
parsed(const char *text)
{
    struct address address;

    ck_assert_msg(address_parse(&address, text, strlen(text)), "%s", text);
    return address;
}

static struct networks
list_of(const char *text)
{
    struct networks networks;
    struct report report;

    report_init(&report);
    networks_parse(&networks, "TRUSTED_PROXIES", text, &report);
    ck_assert_msg(report_is_empty(&report), "%s: %s", text, report.count ? report.lines[0] : "");
    report_fini(&report);
    return networks;
}

static const struct {
    const char *list, *address;
    bool contained;
} memberships[] = {
    {"10.0.0.0/8", "10.255.255.255", true},
    {"10.0.0.0/8", "11.0.0.0", false},
    {"10.1.2.3/8", "10.9.9.9", true}, /* bits after the prefix do not count */
    {"10.0.0.0/9", "10.127.255.255", true},
    {"10.0.0.0/9", "10.128.0.0", false},
    {"10.0.0.1", "10.0.0.1", true},
    {"10.0.0.1", "10.0.0.2", false},
    {"10.0.0.1/32", "10.0.0.1", true},
    {"10.0.0.0/31", "10.0.0.1", true},
    {"10.0.0.0/31", "10.0.0.2", false},
    {"0.0.0.0/0", "203.0.113.7", true},
    {"0.0.0.0/0", "2001:db8::1", false}, /* of the other kind */
    {"::/0", "2001:db8::1", true},
    {"::/0", "203.0.113.7", false},
    {"::/0", "::ffff:203.0.113.7", false}, /* which is IPv4 */
    {"203.0.113.0/24", "::ffff:203.0.113.7", true},
    {"2001:db8::/32", "2001:db8:ffff::1", true},
    {"2001:db8::/32", "2001:db9::1", false},
    {"2001:db8::/33", "2001:db8:8000::", false},
    {"::1", "::1", true},
    {"::1", "::2", false},
    {"::1/128", "::1", true},
    {"10.0.0.0/8, ::1\t192.168.0.0/16,,", "192.168.3.4", true},
    {"10.0.0.0/8, ::1\t192.168.0.0/16,,", "::1", true},
    {"10.0.0.0/8, ::1\t192.168.0.0/16,,", "192.169.0.0", false},
    {"private", "172.31.255.255", true},
    {"private", "172.32.0.0", false},
    {"private", "192.168.1.1", true},
    {"private", "127.0.0.1", true},
    {"private", "fd00::1", true},
    {"private", "fe80::1", true},
    {"private", "::1", true},
    {"private", "203.0.113.7", false},
    {"private 203.0.113.7", "203.0.113.7", true},
    {"", "127.0.0.1", false},
    {"none", "127.0.0.1", false},
};

START_TEST(network_contains_the_addresses_with_its_prefix)
{
    struct networks networks = list_of(memberships[_i].list);
    struct address address = parsed(memberships[_i].address);

    ck_assert_msg(networks_contain(&networks, &address) == memberships[_i].contained, "%s in %s",
                  memberships[_i].address, memberships[_i].list);
    networks_fini(&networks);
}
END_TEST

START_TEST(peer_of_a_unix_socket_is_in_every_list)
{
    struct networks networks = list_of("");
    struct address address = {.size = 0};

    ck_assert(networks_contain(&networks, &address));
}
END_TEST

static const char *const not_networks[] = {
    "10.0.0.0/33",  "10.0.0.0/-1",    "10.0.0.0/-0",         "10.0.0.0/",   "10.0.0.0/8/8", "/8",
    "10.0.0/8",     "10.0.0.0/x",     "10.0.0.0/255.0.0.0",  "::/129",      "2001:db8::/x", "[::1]",
    "10.0.0.1:80",  "fe80::1%eth0",   "::ffff:10.0.0.0/104", "example.org", "Private",      "*",
    "10.0.0.0/08x", "10.0.0.0/8;::1", "::ffff:10.0.0.1",
};

START_TEST(bad_network_is_reported_and_the_rest_is_kept)
{
    struct networks networks;
    struct report report;
    char text[128];

    report_init(&report);
    snprintf(text, sizeof(text), "10.0.0.1, %s, ::1, %s", not_networks[_i], not_networks[_i]);
    networks_parse(&networks, "TRUSTED_PROXIES", text, &report);
    ck_assert_msg(report.count == 2, "%s", not_networks[_i]);
    ck_assert_ptr_nonnull(strstr(report.lines[0], "TRUSTED_PROXIES"));
    ck_assert_ptr_nonnull(strstr(report.lines[0], "accepted"));
    ck_assert_uint_eq(networks.count, 2);
    networks_fini(&networks);
    report_fini(&report);
}
END_TEST

/* X-Forwarded-For. */

static const struct {
    const char *what, *trusted, *peer;
    const char *lines[4];
    const char *client;
} walks[] = {
    {"one proxy", "10.0.0.0/8", "10.0.0.1", {"203.0.113.7"}, "203.0.113.7"},
    {"two proxies", "10.0.0.0/8", "10.0.0.1", {"203.0.113.7, 10.0.0.2"}, "203.0.113.7"},
    {"what the client wrote is further left",
     "10.0.0.0/8",
     "10.0.0.1",
     {"1.1.1.1, 203.0.113.7"},
     "203.0.113.7"},
    {"... also where it claims to be a proxy",
     "10.0.0.0/8",
     "10.0.0.1",
     {"10.0.0.9, 203.0.113.7, 10.0.0.2"},
     "203.0.113.7"},
    {"lines are one list", "10.0.0.0/8", "10.0.0.1", {"1.1.1.1", "203.0.113.7", "10.0.0.2"}, "203.0.113.7"},
    {"in their order", "10.0.0.0/8", "10.0.0.1", {"203.0.113.7, 10.0.0.3", "10.0.0.2"}, "203.0.113.7"},
    {"all are trusted: the left-most", "10.0.0.0/8", "10.0.0.1", {"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
    {"no line", "10.0.0.0/8", "10.0.0.1", {NULL}, "10.0.0.1"},
    {"an empty line", "10.0.0.0/8", "10.0.0.1", {""}, "10.0.0.1"},
    {"garbage: the peer", "10.0.0.0/8", "10.0.0.1", {"unknown"}, "10.0.0.1"},
    {"garbage ends the walk", "10.0.0.0/8", "10.0.0.1", {"203.0.113.7, unknown, 10.0.0.2"}, "10.0.0.2"},
    {"... across lines", "10.0.0.0/8", "10.0.0.1", {"203.0.113.7", "unknown", "10.0.0.2"}, "10.0.0.2"},
    {"an empty element does too", "10.0.0.0/8", "10.0.0.1", {"203.0.113.7,, 10.0.0.2"}, "10.0.0.2"},
    {"a trailing comma", "10.0.0.0/8", "10.0.0.1", {"203.0.113.7,"}, "10.0.0.1"},
    {"garbage left of the client is not reached",
     "10.0.0.0/8",
     "10.0.0.1",
     {"'; DROP, ,,203.0.113.7"},
     "203.0.113.7"},
    {"ports, blanks, brackets",
     "10.0.0.0/8,fd00::/8",
     "10.0.0.1",
     {" 203.0.113.7:1234 ,\t[fd00::2]:80 "},
     "203.0.113.7"},
    {"no blanks", "10.0.0.0/8", "10.0.0.1", {"203.0.113.7,10.0.0.2,10.0.0.3"}, "203.0.113.7"},
    {"a client by IPv6 is its /64", "10.0.0.0/8", "10.0.0.1", {"2001:db8:1:2:3:4:5:6"}, "2001:db8:1:2::/64"},
    {"a proxy that is spelt mapped is trusted",
     "10.0.0.0/8",
     "10.0.0.1",
     {"203.0.113.7, ::ffff:10.0.0.2"},
     "203.0.113.7"},
    {"a mapped client is IPv4", "10.0.0.0/8", "10.0.0.1", {"::ffff:cb00:7107"}, "203.0.113.7"},
    {"a proxy that is trusted alone", "10.0.0.1", "10.0.0.1", {"203.0.113.7, 10.0.0.2"}, "10.0.0.2"},
};

START_TEST(client_is_the_right_most_untrusted_address)
{
    struct networks trusted = list_of(walks[_i].trusted);
    struct address peer = parsed(walks[_i].peer), client;
    struct field lines[4];
    size_t count = 0;

    for (; count < 4 && walks[_i].lines[count] != NULL; count++)
        lines[count] =
            (struct field){.text = walks[_i].lines[count], .bytes = strlen(walks[_i].lines[count])};
    client = forwarded_client(&trusted, &peer, lines, count);
    ck_assert_msg(strcmp(written(&client), walks[_i].client) == 0, "%s: %s", walks[_i].what,
                  written(&client));
    networks_fini(&trusted);
}
END_TEST

/* The right-most untrusted address is the client, with any text to its left. */
START_TEST(untrusted_text_never_changes_the_client)
{
    static const char alphabet[] = "0123456789abcdef:.,, []%\t\"=x/";
    struct networks trusted = list_of("10.0.0.0/8");
    struct address peer = parsed("10.0.0.1");
    uint64_t random = 1;

    for (int i = 0; i < 100000; i++) {
        char text[128];
        size_t bytes = random_below(&random, 60);
        struct address client;

        for (size_t k = 0; k < bytes; k++)
            text[k] = alphabet[random_below(&random, sizeof(alphabet) - 1)];
        bytes += (size_t)sprintf(text + bytes, ", 203.0.113.7, 10.0.0.2");
        client = forwarded_client(&trusted, &peer, &(struct field){.text = text, .bytes = bytes}, 1);
        if (strcmp(written(&client), "203.0.113.7") != 0)
            ck_abort_msg("\"%s\": %s", text, written(&client));
    }
    networks_fini(&trusted);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("address");
    TCase *tests = tcase_create("address");

    tcase_add_loop_test(tests, address_is_parsed_in_each_of_its_spellings, 0, ROWS(addresses));
    tcase_add_loop_test(tests, text_that_is_not_an_address_is_refused, 0, ROWS(not_addresses));
    tcase_add_test(tests, zero_byte_within_an_address_is_refused);
    tcase_add_test(tests, peer_of_a_unix_socket_has_no_address);
    tcase_add_loop_test(tests, network_contains_the_addresses_with_its_prefix, 0, ROWS(memberships));
    tcase_add_test(tests, peer_of_a_unix_socket_is_in_every_list);
    tcase_add_loop_test(tests, bad_network_is_reported_and_the_rest_is_kept, 0, ROWS(not_networks));
    tcase_add_loop_test(tests, client_is_the_right_most_untrusted_address, 0, ROWS(walks));
    tcase_add_test(tests, untrusted_text_never_changes_the_client);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
