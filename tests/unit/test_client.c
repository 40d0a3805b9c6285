/* client: two who are not the same never have the same text, whatever they send. */
#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#include "client.h"
#include "random_numbers.h"
#include "suite.h"

static const struct {
    const char *source, *value;
    const char *text;
} clients[] = {
    {"ip", "203.0.113.7", "ip=203.0.113.7"},
    {"ip", "2001:db8::/64", "ip=2001:db8::/64"},
    {"header:user_id", "test_user", "header:user_id=test_user"},
    {"global", NULL, "global"},
    {"header:x", "", "header:x="},
    {"header:x", "a b", "header:x=a%20b"},
    {"header:x", "100%", "header:x=100%25"},
    {"header:x", "a%20b", "header:x=a%2520b"},
    {"header:x", "{tag}", "header:x=%7btag%7d"},
    {"header:x", "a\r\nSET x", "header:x=a%0d%0aSET%20x"},
    {"header:x", "\x01\x1f\x7f\x80\xff", "header:x=%01%1f%7f%80%ff"},
    {"header:x", "gr\xc3\xbc\xc3\x9f", "header:x=gr%c3%bc%c3%9f"},
    {"header:x", "a&b", "header:x=a%26b"},
    {"header:x", "!\"#$'()*+,-./:;<=>?@[\\]^_`|~", "header:x=!\"#$'()*+,-./:;<=>?@[\\]^_`|~"},
};

START_TEST(a_client_is_its_source_and_its_escaped_value)
{
    const char *value = clients[_i].value;
    struct client client;

    client_write(&client, clients[_i].source, value, value ? strlen(value) : 0);
    ck_assert_str_eq(client.text, clients[_i].text);
    ck_assert_uint_eq(client.bytes, strlen(clients[_i].text));
}
END_TEST

START_TEST(every_byte_is_itself_or_an_escape)
{
    for (int byte = 0; byte < 256; byte++) {
        char value = (char)byte, escaped[8];
        struct client client;
        bool plain = byte > 0x20 && byte < 0x7f && strchr("{}%&", byte) == NULL;

        if (plain)
            snprintf(escaped, sizeof(escaped), "x=%c", byte);
        else
            snprintf(escaped, sizeof(escaped), "x=%%%02x", (unsigned)byte);
        client_write(&client, "x", &value, 1);
        ck_assert_str_eq(client.text, escaped);
    }
}
END_TEST

/* The escaped text of any length, by the simplest means. */
static char *
escaped(const char *source, const char *value, size_t bytes)
{
    char *text = malloc(strlen(source) + 1 + 3 * bytes + 1), *end = text;

    ck_assert_ptr_nonnull(text);
    end += sprintf(end, "%s=", source);
    for (size_t i = 0; i < bytes; i++) {
        unsigned char byte = (unsigned char)value[i];
        if (byte <= ' ' || byte >= 0x7f || byte == '%' || byte == '&' || byte == '{' || byte == '}')
            end += sprintf(end, "%%%02x", byte);
        else
            *end++ = (char)byte;
    }
    *end = '\0';
    return text;
}

static void
check_against_reference(const char *source, const char *value, size_t bytes)
{
    char *whole = escaped(source, value, bytes), expected[CLIENT_BYTES + 1];
    unsigned char digest[SHA256_DIGEST_LENGTH];
    struct client client;

    if (strlen(whole) <= CLIENT_BYTES) {
        strcpy(expected, whole);
    } else {
        SHA256((const unsigned char *)whole, strlen(whole), digest);
        strcpy(expected, "sha256=");
        for (size_t i = 0; i < sizeof(digest); i++)
            sprintf(expected + 7 + 2 * i, "%02x", digest[i]);
    }
    client_write(&client, source, value, bytes);
    ck_assert_msg(strcmp(client.text, expected) == 0, "%s became %s", whole, client.text);
    ck_assert_uint_eq(client.bytes, strlen(expected));
    free(whole);
}

START_TEST(text_beyond_the_longest_is_a_digest)
{
    char value[CLIENT_BYTES + 8];
    struct client client;

    memset(value, 'a', sizeof(value));
    client_write(&client, "ip", value, CLIENT_BYTES - 3);
    ck_assert_uint_eq(client.bytes, CLIENT_BYTES);
    ck_assert_int_eq(client.text[CLIENT_BYTES], '\0');
    ck_assert_int_eq(strncmp(client.text, "ip=aaa", 6), 0);
    client_write(&client, "ip", value, CLIENT_BYTES - 2);
    ck_assert_uint_eq(client.bytes, 7 + 64);
    ck_assert_int_eq(strncmp(client.text, "sha256=", 7), 0);
    check_against_reference("ip", value, CLIENT_BYTES - 3);
    check_against_reference("ip", value, CLIENT_BYTES - 2);
}
END_TEST

/* Three bytes of an escape may begin at each of the last bytes that are there. */
START_TEST(escape_is_never_cut_at_the_end)
{
    char value[CLIENT_BYTES];

    memset(value, 'a', sizeof(value));
    for (size_t at = CLIENT_BYTES - 10; at < CLIENT_BYTES; at++) {
        char before = value[at];
        value[at] = ' ';
        for (size_t bytes = at; bytes <= CLIENT_BYTES; bytes++)
            check_against_reference("x", value, bytes);
        value[at] = before;
    }
}
END_TEST

START_TEST(client_agrees_with_the_reference)
{
    uint64_t random = 4;
    char value[700];

    for (int i = 0; i < 3000; i++) {
        size_t bytes = random_below(&random, random_below(&random, 8) == 0 ? sizeof(value) : 140);
        random_fill(&random, value, bytes);
        if (i % 2 == 0)
            for (size_t k = 0; k < bytes; k++)
                value[k] = (char)('!' + (unsigned char)value[k] % 94);
        check_against_reference("header:user_id", value, bytes);
    }
}
END_TEST

START_TEST(a_long_source_is_part_of_the_digest)
{
    char source[300], other[300];
    struct client a, b;

    memset(source, 'n', sizeof(source) - 1);
    source[sizeof(source) - 1] = '\0';
    memcpy(other, source, sizeof(source));
    other[sizeof(other) - 2] = 'm';
    check_against_reference(source, "v", 1);
    client_write(&a, source, "v", 1);
    client_write(&b, other, "v", 1);
    ck_assert_str_ne(a.text, b.text);
}
END_TEST

/* The value made of the pieces that `number` names: its digits to the base count + 1, of which 0 is none. */
static size_t
value_of_pieces(const char *const *pieces, size_t count, size_t number, char *out)
{
    size_t bytes = 0;

    for (; number > 0; number /= count + 1) {
        const char *piece = number % (count + 1) > 0 ? pieces[number % (count + 1) - 1] : "";
        memcpy(out + bytes, piece, strlen(piece));
        bytes += strlen(piece);
    }
    return bytes;
}

/* What was named, in bytes that are equal only for the same, with zeros after them; and the text that it got. */
struct named {
    char key[48];
    size_t used;
    char text[CLIENT_BYTES + 1];
};

static void
add_to_key(struct named *named, size_t number, const char *value, size_t bytes)
{
    ck_assert_uint_le(named->used + 2 + bytes, sizeof(named->key));
    named->key[named->used++] = (char)number;
    named->key[named->used++] = (char)bytes;
    memcpy(named->key + named->used, value, bytes);
    named->used += bytes;
}

static int
by_key(const void *a, const void *b)
{
    return memcmp(((const struct named *)a)->key, ((const struct named *)b)->key,
                  sizeof(((struct named *)0)->key));
}

static int
by_text(const void *a, const void *b)
{
    return strcmp(((const struct named *)a)->text, ((const struct named *)b)->text);
}

/* Of all pairs: sorted, equal ones are neighbours. */
static void
check_same_text_for_the_same_only(struct named *all, size_t count)
{
    qsort(all, count, sizeof(*all), by_key);
    for (size_t i = 1; i < count; i++)
        if (by_key(&all[i - 1], &all[i]) == 0 && by_text(&all[i - 1], &all[i]) != 0)
            ck_abort_msg("both %s and %s", all[i - 1].text, all[i].text);
    qsort(all, count, sizeof(*all), by_text);
    for (size_t i = 1; i < count; i++)
        if (by_text(&all[i - 1], &all[i]) == 0 && by_key(&all[i - 1], &all[i]) != 0)
            ck_abort_msg("two are %s", all[i].text);
}

/* All values of up to four of the pieces that escaping is about, so that equal texts would come up if there were any. */
START_TEST(distinct_values_have_distinct_texts)
{
    static const char *const pieces[] = {"%",  "2", "5",  "0", " ",   "{",    "}",
                                         "7b", "=", "\n", "a", "%20", "\x80", "&"};
    enum { BASE = ROWS(pieces) + 1, VALUES = BASE * BASE * BASE * BASE };
    struct named *all = calloc(VALUES, sizeof(*all));

    ck_assert_ptr_nonnull(all);
    for (size_t i = 0; i < VALUES; i++) {
        char value[4 * 3];
        size_t bytes = value_of_pieces(pieces, ROWS(pieces), i, value);
        struct client client;

        client_write(&client, "header:x", value, bytes);
        strcpy(all[i].text, client.text);
        add_to_key(&all[i], 0, value, bytes);
    }
    check_same_text_for_the_same_only(all, VALUES);
    free(all);
}
END_TEST

/* Sources are spelt without "=", so that the first one ends them. */
START_TEST(client_of_one_source_never_equals_that_of_another)
{
    static const char *const sources[] = {"ip",     "header:ip",     "header:x",     "header:x-y",
                                          "global", "header:global", "header:sha256"};
    static const char *const values[] = {
        "",
        "203.0.113.7",
        "ip=203.0.113.7",
        "x=1",
        "=",
        "y",
        "=y",
        "global",
        "sha256=",
        ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")};
    enum { SOURCES = sizeof(sources) / sizeof(sources[0]), VALUES = sizeof(values) / sizeof(values[0]) };
    static struct client all[SOURCES * VALUES + 1];
    size_t count = 0;

    client_write(&all[count++], "global", NULL, 0);
    for (size_t s = 0; s < SOURCES; s++)
        for (size_t v = 0; v < VALUES; v++)
            client_write(&all[count++], sources[s], values[v], strlen(values[v]));
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i; k++)
            ck_assert_str_ne(all[i].text, all[k].text);
}
END_TEST

static const char *
joined(const struct client_part *parts, size_t count)
{
    static struct client client;

    client_write_parts(&client, parts, count);
    ck_assert_uint_eq(client.bytes, strlen(client.text));
    return client.text;
}

START_TEST(several_sources_name_one_client_together)
{
    const struct client_part parts[] = {{.source = "header:x", .value = "a b", .value_bytes = 3},
                                        {.source = "ip", .value = "203.0.113.7", .value_bytes = 11},
                                        {.source = "host", .value = "h", .value_bytes = 1}};

    ck_assert_str_eq(joined(parts, 1), "header:x=a%20b");
    ck_assert_str_eq(joined(parts, 2), "header:x=a%20b&ip=203.0.113.7");
    ck_assert_str_eq(joined(parts, 3), "header:x=a%20b&ip=203.0.113.7&host=h");
}
END_TEST

/* All lists of up to two parts that are made of the pieces that joining is about. */
START_TEST(distinct_lists_of_parts_have_distinct_texts)
{
    static const char *const sources[] = {"ip", "host", "header:a", "header:a&ip"};
    static const char *const pieces[] = {"&", "&ip", "=", "%", "a"};
    enum { BASE = ROWS(pieces) + 1, PARTS = ROWS(sources) * BASE * BASE, LISTS = PARTS * (PARTS + 1) };
    struct named *all = calloc(LISTS, sizeof(*all));

    ck_assert_ptr_nonnull(all);
    for (size_t i = 0; i < LISTS; i++) {
        const size_t numbers[] = {i % PARTS, i / PARTS}; /* the second is PARTS: there is none */
        const size_t count = numbers[1] < PARTS ? 2 : 1;
        struct client_part parts[2];
        char values[2][2 * 3];
        struct client client;

        for (size_t k = 0; k < count; k++) {
            size_t source = numbers[k] % ROWS(sources);
            size_t bytes = value_of_pieces(pieces, ROWS(pieces), numbers[k] / ROWS(sources), values[k]);
            parts[k] =
                (struct client_part){.source = sources[source], .value = values[k], .value_bytes = bytes};
            add_to_key(&all[i], source + 1, values[k], bytes);
        }
        client_write_parts(&client, parts, count);
        strcpy(all[i].text, client.text);
    }
    check_same_text_for_the_same_only(all, LISTS);
    free(all);
}
END_TEST

START_TEST(parts_beyond_the_longest_text_are_all_in_the_digest)
{
    char value[CLIENT_BYTES], other[CLIENT_BYTES], first[CLIENT_BYTES + 1];
    struct client_part parts[] = {{.source = "header:x", .value = value, .value_bytes = sizeof(value)},
                                  {.source = "header:y", .value = value, .value_bytes = sizeof(value)}};

    memset(value, 'a', sizeof(value));
    memset(other, 'a', sizeof(other));
    other[sizeof(other) - 1] = 'b';
    strcpy(first, joined(parts, 2));
    ck_assert_uint_eq(strlen(first), 7 + 64);
    parts[1].value = other;
    ck_assert_str_ne(joined(parts, 2), first);
}
END_TEST

static const struct {
    const char *value, *text;
} encoded[] = {
    {"abc", "cookie:s=abc"},     {"%61b%63", "cookie:s=abc"}, {"%2561", "cookie:s=%2561"},
    {"a%20b", "cookie:s=a%20b"}, {"a b", "cookie:s=a%20b"},   {"%7B%7d", "cookie:s=%7b%7d"},
    {"%", "cookie:s=%25"},       {"%6", "cookie:s=%256"},     {"%6g", "cookie:s=%256g"},
    {"%g1", "cookie:s=%25g1"},   {"%00", "cookie:s=%00"},     {"a%26b", "cookie:s=a%26b"},
};

START_TEST(percent_encoded_value_is_one_client_in_all_its_spellings)
{
    const struct client_part part = {.source = "cookie:s",
                                     .value = encoded[_i].value,
                                     .value_bytes = strlen(encoded[_i].value),
                                     .percent_encoded = true};

    ck_assert_str_eq(joined(&part, 1), encoded[_i].text);
}
END_TEST

static const struct {
    const char *text;
    bool good;
} texts[] = {
    {"global", true},
    {"ip=203.0.113.7", true},
    {"ip=2001:db8::/64", true},
    {"header:x=", true},
    {"header:x=a=b", true},
    {"header:x=%7btag%7d%20%26", true},
    {"header:a%b&c=d", true},
    {"header:x-tenant=a&ip=203.0.113.7", true},
    {"", false},
    {"globals", false},
    {"ip", false},
    {"=a", false},
    {"ip=a b", false},
    {"ip=\x7f", false},
    {"ip=\xc3\xbc", false},
    {"ip={", false},
    {"ip=%", false},
    {"ip=%2", false},
    {"ip=%zz", false},
    {"ip=%61", false},
    {"ip=%2F", false},
    {"ip=%7B", false},
    {"ip=a&", false},
    {"ip=a&global", false},
    {"ip=a&&ip=b", true}, /* of a source "&ip" */
    {"ip=a&=b", false},
};

START_TEST(a_text_is_a_client_if_it_could_have_been_written)
{
    const char *text = texts[_i].text;
    struct client client;

    ck_assert_msg(client_parse(&client, text, strlen(text)) == texts[_i].good, "%s", text);
    if (texts[_i].good) {
        ck_assert_str_eq(client.text, text);
        ck_assert_uint_eq(client.bytes, strlen(text));
    }
}
END_TEST

START_TEST(what_is_written_is_parsed)
{
    char value[CLIENT_BYTES * 2];

    for (size_t bytes = 0; bytes < sizeof(value); bytes++) {
        struct client written, parsed;
        for (size_t i = 0; i < bytes; i++)
            value[i] = (char)(i * 89 + bytes);
        client_write(&written, "header:x", value, bytes);
        ck_assert(client_parse(&parsed, written.text, written.bytes));
        ck_assert_str_eq(parsed.text, written.text);
    }
}
END_TEST

START_TEST(a_text_that_is_too_long_is_no_client)
{
    char text[CLIENT_BYTES + 2] = "ip=";
    struct client client;

    memset(text + 3, '1', sizeof(text) - 4);
    ck_assert(client_parse(&client, text, CLIENT_BYTES));
    ck_assert(!client_parse(&client, text, CLIENT_BYTES + 1));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("client");
    TCase *tests = tcase_create("client");

    tcase_add_loop_test(tests, a_client_is_its_source_and_its_escaped_value, 0, ROWS(clients));
    tcase_add_test(tests, every_byte_is_itself_or_an_escape);
    tcase_add_test(tests, text_beyond_the_longest_is_a_digest);
    tcase_add_test(tests, escape_is_never_cut_at_the_end);
    tcase_add_test(tests, client_agrees_with_the_reference);
    tcase_add_test(tests, a_long_source_is_part_of_the_digest);
    tcase_add_test(tests, distinct_values_have_distinct_texts);
    tcase_add_test(tests, client_of_one_source_never_equals_that_of_another);
    tcase_add_test(tests, several_sources_name_one_client_together);
    tcase_add_test(tests, distinct_lists_of_parts_have_distinct_texts);
    tcase_add_test(tests, parts_beyond_the_longest_text_are_all_in_the_digest);
    tcase_add_loop_test(tests, percent_encoded_value_is_one_client_in_all_its_spellings, 0, ROWS(encoded));
    tcase_add_loop_test(tests, a_text_is_a_client_if_it_could_have_been_written, 0, ROWS(texts));
    tcase_add_test(tests, what_is_written_is_parsed);
    tcase_add_test(tests, a_text_that_is_too_long_is_no_client);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
