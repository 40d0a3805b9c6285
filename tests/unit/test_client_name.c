/* client_name: which text names an address, a name of one source, or a name of any; and what is refused. */
#include <check.h>
#include <string.h>

#include "client_name.h"
#include "suite.h"

static const char *
parse(struct client_name *name, const char *text)
{
    return client_name_parse(name, text, strlen(text));
}

static const struct {
    const char *text;
    uint8_t size, prefix;
} networks[] = {
    {"203.0.113.7", 4, 32},        {"10.0.0.0/8", 4, 8},     {"0.0.0.0/0", 4, 0},
    {"10.0.0.1/32", 4, 32},        {"2001:db8::1", 16, 128}, {"2001:DB8::/32", 16, 32},
    {"2001:db8:0:1::/64", 16, 64}, {"::/0", 16, 0},          {"ip=203.0.113.7", 4, 32},
    {"ip=2001:db8::/32", 16, 32},
};

START_TEST(address_or_network_is_one)
{
    struct client_name name;

    ck_assert_ptr_null(parse(&name, networks[_i].text));
    ck_assert(name.is_network);
    ck_assert_uint_eq(name.network.address.size, networks[_i].size);
    ck_assert_uint_eq(name.network.prefix, networks[_i].prefix);
}
END_TEST

static const struct {
    const char *text, *client;
} names[] = {
    {"gold-key", "=gold-key"},
    {"7", "=7"},
    {"a b", "=a%20b"},
    {"sm\xc3\xb6rg\xe5s", "=sm%c3%b6rg%e5s"},
    {"user:17", "=user:17"},
    {"a=b", "=a=b"},
    {"global", "=global"},
    {"unix", "=unix"},
    {"hostile", "=hostile"},
    {"clients=7", "=clients=7"},
    {"header:X-API-Key=gold", "header:x-api-key=gold"},
    {"header:X-API-Key=a=b", "header:x-api-key=a=b"},
    {"header:x=10.0.0.1", "header:x=10.0.0.1"},
    {"cookie:SID=gold", "cookie:SID=gold"},
    {"path:2=acme", "path:2=acme"},
    {"host=shop.example", "host=shop.example"},
    {"client=1.2.3", "client=1.2.3"},
    {"1.2.3-4", "=1.2.3-4"},
    {"sha256=0123", "=sha256=0123"},
};

START_TEST(name_is_a_client_s_text)
{
    struct client_name name;
    const char *why = parse(&name, names[_i].text);

    ck_assert_msg(why == NULL, "%s: %s", names[_i].text, why);
    ck_assert(!name.is_network);
    ck_assert_str_eq(name.client.text, names[_i].client);
}
END_TEST

static const struct {
    const char *text, *why; /* its beginning */
} mistakes[] = {
    {"", "must name a client"},
    {"10.0.0.0/33", "is not an address"},
    {"10.0.0.300", "is not an address"},
    {"10.0.0", "is not an address"},
    {"10/8", "is not an address"},
    {"10.0.0.1:80", "is not an address"},
    {"10.0.0.*", "is not an address"},
    {"10.*", "is not an address"},
    {"10.0.0.1-10.0.0.9", "is not an address"},
    {"sha256=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
     "is the digest of a long client"},
    {"[::1]", "is not an address"},
    {"::ffff:10.0.0.1", "is not an address"},
    {"2001:db8::/129", "is not an address"},
    {"2001:db8:::1", "is not an address"},
    {"10.0.0.1/8", "has bits set after its prefix"},
    {"2001:db8::1/64", "has bits set after its prefix"},
    {"ip=10.0.0.256", "is not an address"},
    {"ip=10.0.0.1/8", "has bits set after its prefix"},
    {"ip=gold", "is not an address"},
    {"ip=", "is not an address"},
    {"a\tb", "must have no control characters"},
    {"a\x7f", "must have no control characters"},
    {" a", "must not begin or end with a blank"},
    {"a ", "must not begin or end with a blank"},
    {"header:X-API-Key", "must name a source and a value"},
    {"header:X-API-Key=", "must name a source and a value"},
    {"header:=a", "must name a source and a value"},
    {"header:a b=c", "must name a source and a value"},
    {"cookie:=a", "must name a source and a value"},
    {"path:x=a", "must name a source and a value"},
    {"host=", "must name a source and a value"},
};

START_TEST(mistake_says_what_is_accepted)
{
    struct client_name name;
    const char *why = parse(&name, mistakes[_i].text);

    ck_assert_msg(why != NULL && strncmp(why, mistakes[_i].why, strlen(mistakes[_i].why)) == 0, "%s: %s",
                  mistakes[_i].text, why ? why : "taken");
}
END_TEST

START_TEST(long_name_needs_its_source)
{
    char text[CLIENT_BYTES + sizeof("client=")] = "client=";
    struct client_name name;

    memset(text + 7, 'x', CLIENT_BYTES);
    ck_assert_ptr_null(parse(&name, text));
    ck_assert_int_eq(strncmp(name.client.text, "sha256=", 7), 0);
    ck_assert_ptr_nonnull(strstr(parse(&name, text + 7), "too long without its source"));
    ck_assert_ptr_null(parse(&name, text + 8)); /* with the `=`, the longest that fits */
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("client_name");
    TCase *tests = tcase_create("client_name");

    tcase_add_loop_test(tests, address_or_network_is_one, 0, ROWS(networks));
    tcase_add_loop_test(tests, name_is_a_client_s_text, 0, ROWS(names));
    tcase_add_loop_test(tests, mistake_says_what_is_accepted, 0, ROWS(mistakes));
    tcase_add_test(tests, long_name_needs_its_source);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
