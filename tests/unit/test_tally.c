/*
 * tally: on streams of Zipf and on ones made to deceive it, what it says of each client is within its bounds of a
 * naive count; also after merges, in any order.
 */
#include "tally.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"
#include "random_numbers.h"
#include "suite.h"

#define CLIENTS 20000

/* What is true. */
static int64_t truth[CLIENTS][TALLY_MEASURES];
static int64_t total[TALLY_MEASURES];
static uint64_t random_state;
static struct tally tally;

static void
set_up(void)
{
    memset(truth, 0, sizeof(truth));
    memset(total, 0, sizeof(total));
    random_state = 1;
    ck_assert(tally_init(&tally));
}

static void
tear_down(void)
{
    tally_fini(&tally);
}

static struct siphash
key_of(uint32_t client)
{
    return siphash128((struct siphash_key){1, 2}, &client, sizeof(client));
}

/* The client of a number is its text: the item's texts are checked by it. */
static void
add_to(struct tally *to, uint32_t client, int64_t refusals, int64_t cost)
{
    char text[16];
    struct tally_entry entry = {.key = key_of(client),
                                .rule = {"api", client % 4},
                                .client = {.text = text},
                                .counts = {1, refusals, cost}};

    entry.client.bytes = (size_t)snprintf(text, sizeof(text), "ip=%u", client);
    tally_add(to, &entry);
    for (unsigned by = 0; by < TALLY_MEASURES; by++) {
        truth[client][by] += entry.counts[by];
        total[by] += entry.counts[by];
    }
}

static void
add(uint32_t client, int64_t refusals, int64_t cost)
{
    add_to(&tally, client, refusals, cost);
}

static uint32_t
client_of(const struct tally_item *item)
{
    char text[sizeof(item->text) + 1] = "";
    unsigned client;

    memcpy(text, item->text, (size_t)item->rule_bytes + item->client_bytes);
    ck_assert_int_eq(sscanf(text + item->rule_bytes, "ip=%u", &client), 1);
    ck_assert_uint_eq(item->rule_bytes, client % 4);
    ck_assert_int_eq(memcmp(text, "api", client % 4 < 3 ? client % 4 : 3), 0);
    ck_assert(siphash_equals(item->key, key_of(client)));
    return client;
}

/* The promises of tally.h, of each measure and each client. */
static void
assert_bounds_by(unsigned by)
{
    static bool is_item[CLIENTS];

    memset(is_item, 0, sizeof(is_item));
    ck_assert_int_eq(tally.totals[by], total[by]);
    ck_assert_int_le(tally.errors[by], tally.totals[by] / TALLY_KEPT);
    ck_assert_uint_le(tally.count, TALLY_ITEMS);
    for (uint32_t i = 0; i < tally.count; i++) {
        const struct tally_item *item = &tally.items[i];
        uint32_t client = client_of(item);
        ck_assert(!is_item[client]);
        is_item[client] = true;
        ck_assert_int_le(item->counts[by], truth[client][by]);
        ck_assert_int_ge(item->counts[by] + item->errors[by], truth[client][by]);
        ck_assert_int_le(item->errors[by], tally.errors[by]);
    }
    for (uint32_t client = 0; client < CLIENTS; client++)
        if (!is_item[client] && truth[client][by] > tally.errors[by])
            ck_abort_msg("client %u has %" PRId64 ", and is no item", client, truth[client][by]);
}

static void
assert_bounds(void)
{
    for (unsigned by = 0; by < TALLY_MEASURES; by++)
        assert_bounds_by(by);
}

/* Streams. Each calls the function for each record. */

typedef void (*receive)(uint32_t client, int64_t refusals, int64_t cost);

static int64_t
random_cost(void)
{
    return random_below(&random_state, 50) == 0 ? (int64_t)random_below(&random_state, 100000) : 1;
}

static void
receive_one(receive to, uint32_t client)
{
    to(client, (int64_t)random_below(&random_state, 3) == 0, random_cost());
}

/* The client of rank r comes in proportion to 1 / r^s. */
static void
send_zipf(receive to, double s)
{
    static double sums[CLIENTS];
    double sum = 0;

    for (uint32_t i = 0; i < CLIENTS; i++)
        sums[i] = sum += 1 / pow(i + 1, s);
    for (int i = 0; i < 60000; i++) {
        double at = (double)random_below(&random_state, 1000000000) / 1e9 * sum;
        uint32_t low = 0, high = CLIENTS - 1;
        while (low < high) {
            uint32_t middle = (low + high) / 2;
            if (sums[middle] < at)
                low = middle + 1;
            else
                high = middle;
        }
        receive_one(to, low);
    }
}

static void
send_zipf_flat(receive to)
{
    send_zipf(to, 0.6);
}

static void
send_zipf_steep(receive to)
{
    send_zipf(to, 1.2);
}

/* Each client once, again and again. */
static void
send_round(receive to)
{
    for (int round = 0; round < 4; round++)
        for (uint32_t client = 0; client < CLIENTS; client++)
            receive_one(to, client);
}

/* One more client than there is room for, so that some come in just after they went. */
static void
send_one_too_many(receive to)
{
    for (int i = 0; i < 15 * (TALLY_ITEMS + 1); i++)
        receive_one(to, (uint32_t)i % (TALLY_ITEMS + 1));
}

/* A flood of clients that come once, and a few that ask a little more often than the bound; they begin late. */
static void
send_hidden(receive to)
{
    for (uint32_t i = 0; i < 60000; i++) {
        if (i > 20000 && i % 200 == 0)
            receive_one(to, i / 200 % 3);
        else
            receive_one(to, 3 + i % (CLIENTS - 3));
    }
}

/* Ever larger newcomers, which push out what was there. */
static void
send_growing(receive to)
{
    for (uint32_t i = 0; i < CLIENTS; i++)
        for (uint32_t k = 0; k <= i / 4096; k++)
            to(i, k % 2, (int64_t)i * 1000);
}

/* One third asks much, one is refused much, one costs much: each measure has its own first. */
static void
send_apart(receive to)
{
    for (uint32_t i = 0; i < 60000; i++) {
        uint32_t client = (uint32_t)random_below(&random_state, 1 + random_below(&random_state, CLIENTS));
        to(client, client % 3 == 1, client % 3 == 2 ? 1000 : 0);
    }
}

/* All of equal weight: a cut finds nothing but ties. */
static void
send_ties(receive to)
{
    for (uint32_t i = 0; i < 60000; i++)
        to(i / 5 % CLIENTS, 1, 7);
}

static void (*const streams[])(receive to) = {
    send_zipf_flat, send_zipf_steep, send_round, send_one_too_many,
    send_hidden,    send_growing,    send_apart, send_ties,
};

START_TEST(every_client_is_within_the_bounds)
{
    streams[_i](add);
    assert_bounds();
}
END_TEST

START_TEST(few_clients_are_counted_exactly)
{
    for (uint32_t i = 0; i < 50000; i++)
        receive_one(add, i % TALLY_KEPT);
    tally_cut(&tally);
    ck_assert_uint_eq(tally.count, TALLY_KEPT);
    for (uint32_t i = 0; i < tally.count; i++)
        ck_assert_mem_eq(tally.items[i].counts, truth[client_of(&tally.items[i])], sizeof(truth[0]));
    ck_assert_mem_eq(tally.errors, ((int64_t[TALLY_MEASURES]){0}), sizeof(tally.errors));
}
END_TEST

START_TEST(client_that_was_there_before_the_flood_is_counted_exactly)
{
    struct tally_ranked ranked[TALLY_ITEMS];

    for (uint32_t i = 0; i < 60000; i++)
        receive_one(add, i % 50 == 0 ? 7 : i % CLIENTS);
    tally_rank(&tally, TALLY_REQUESTS, ranked);
    ck_assert_uint_eq(client_of(ranked[0].item), 7);
    ck_assert_int_gt(tally.errors[TALLY_REQUESTS], 0);
    ck_assert_int_eq(ranked[0].item->errors[TALLY_REQUESTS], 0);
    ck_assert_mem_eq(ranked[0].item->counts, truth[7], sizeof(truth[7]));
}
END_TEST

START_TEST(first_by_one_measure_stays_whatever_it_is_by_the_others)
{
    for (uint32_t i = 0; i < 60000; i++)
        add(i % 100 == 0 ? 7 : 8 + i % 10000, i % 100 != 0, i % 100 == 0 ? 500 : 0);
    assert_bounds();
    for (uint32_t i = 0; i < tally.count; i++)
        if (client_of(&tally.items[i]) == 7) {
            ck_assert_mem_eq(tally.items[i].counts, truth[7], sizeof(truth[7]));
            return;
        }
    ck_abort_msg("it went");
}
END_TEST

START_TEST(cut_leaves_as_many_as_it_can_where_all_are_equal)
{
    for (uint32_t i = 0; i <= TALLY_ITEMS; i++)
        add(i, 0, 1);
    ck_assert_uint_eq(tally.count, TALLY_KEPT + 1);
}
END_TEST

START_TEST(rank_is_by_what_is_counted)
{
    struct tally_ranked ranked[TALLY_ITEMS];
    uint32_t count;

    send_apart(add);
    count = tally_rank(&tally, TALLY_COST, ranked);
    ck_assert_uint_gt(count, 0);
    ck_assert_uint_lt(count, tally.count);
    for (uint32_t i = 0; i < count; i++) {
        ck_assert_int_gt(ranked[i].number, 0);
        ck_assert_int_eq(ranked[i].number, ranked[i].item->counts[TALLY_COST]);
        ck_assert(i == 0 || ranked[i].number <= ranked[i - 1].number);
    }
}
END_TEST

/* Merges. */

#define PARTS 40
static struct tally parts[PARTS];

/* The parts are of unequal length. */
static void
add_to_parts(uint32_t client, int64_t refusals, int64_t cost)
{
    add_to(&parts[random_below(&random_state, 1 + random_below(&random_state, PARTS))], client, refusals,
           cost);
}

static void
make_parts(int stream)
{
    for (unsigned i = 0; i < PARTS; i++)
        ck_assert(tally_init(&parts[i]));
    streams[stream](add_to_parts);
}

static void
free_parts(void)
{
    for (unsigned i = 0; i < PARTS; i++)
        tally_fini(&parts[i]);
}

START_TEST(sum_of_parts_is_within_the_bounds)
{
    make_parts(_i);
    for (unsigned i = 0; i < PARTS; i++)
        tally_merge(&tally, &parts[i]);
    assert_bounds();
    free_parts();
}
END_TEST

/* As a window does: parts are kept packed, and added up twice. */
START_TEST(sum_of_packed_sums_is_within_the_bounds)
{
    struct tally_packed packed = {0};

    make_parts(_i);
    for (unsigned i = 0; i < PARTS; i += 8) {
        for (unsigned k = i + 1; k < i + 8; k++) {
            tally_cut(&parts[k]);
            tally_merge(&parts[i], &parts[k]);
        }
        tally_cut(&parts[i]);
        ck_assert_uint_le(parts[i].count, TALLY_MEASURES * TALLY_KEPT);
        tally_pack(&parts[i], &packed);
        ck_assert_uint_le(packed.bytes, parts[i].count * sizeof(struct tally_item));
        tally_merge_packed(&tally, &packed);
    }
    assert_bounds();
    free_parts();
    tally_packed_fini(&packed);
}
END_TEST

START_TEST(client_that_both_parts_know_is_as_exact_in_their_sum)
{
    for (int i = 0; i < 2; i++)
        ck_assert(tally_init(&parts[i]));
    for (uint32_t i = 0; i < 40000; i++)
        add_to(&parts[i % 2], i % 50 < 2 ? CLIENTS - 1 : i % (CLIENTS - 1), 0, 1);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_gt(parts[i].errors[TALLY_REQUESTS], 0);
        tally_merge(&tally, &parts[i]);
        tally_fini(&parts[i]);
    }
    ck_assert_int_gt(tally.errors[TALLY_REQUESTS], 0);
    for (uint32_t i = 0; i < tally.count; i++)
        if (client_of(&tally.items[i]) == CLIENTS - 1)
            ck_assert_int_eq(tally.items[i].errors[TALLY_REQUESTS], 0);
}
END_TEST

START_TEST(longest_texts_have_room)
{
    static char rule[RULE_NAME_BYTES], client[CLIENT_BYTES];
    const struct tally_entry entry = {
        .rule = {rule, sizeof(rule)}, .client = {client, sizeof(client)}, .counts = {1, 1, 1}};
    struct tally_packed packed = {0};

    memset(rule, 'r', sizeof(rule));
    memset(client, 'c', sizeof(client));
    tally_add(&tally, &entry);
    tally_pack(&tally, &packed);
    tally_clear(&tally);
    tally_merge_packed(&tally, &packed);
    ck_assert_uint_eq(tally.items[0].client_bytes, CLIENT_BYTES);
    ck_assert_mem_eq(tally.items[0].text, rule, sizeof(rule));
    ck_assert_mem_eq(tally.items[0].text + sizeof(rule), client, sizeof(client));
    tally_packed_fini(&packed);
}
END_TEST

START_TEST(number_stays_at_the_largest_that_is_exact)
{
    for (uint32_t i = 0; i < 1500; i++)
        add_to(&tally, i % 5, 0, NUMBER_EXACT_MAX / 2);
    ck_assert_int_eq(tally.totals[TALLY_COST], NUMBER_EXACT_MAX);
    for (uint32_t i = 0; i < tally.count; i++)
        ck_assert_int_eq(tally.items[i].counts[TALLY_COST], NUMBER_EXACT_MAX);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("tally");
    TCase *tests = tcase_create("tally");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, every_client_is_within_the_bounds, 0, ROWS(streams));
    tcase_add_test(tests, few_clients_are_counted_exactly);
    tcase_add_test(tests, client_that_was_there_before_the_flood_is_counted_exactly);
    tcase_add_test(tests, first_by_one_measure_stays_whatever_it_is_by_the_others);
    tcase_add_test(tests, cut_leaves_as_many_as_it_can_where_all_are_equal);
    tcase_add_test(tests, rank_is_by_what_is_counted);
    tcase_add_loop_test(tests, sum_of_parts_is_within_the_bounds, 0, ROWS(streams));
    tcase_add_loop_test(tests, sum_of_packed_sums_is_within_the_bounds, 0, ROWS(streams));
    tcase_add_test(tests, client_that_both_parts_know_is_as_exact_in_their_sum);
    tcase_add_test(tests, longest_texts_have_room);
    tcase_add_test(tests, number_stays_at_the_largest_that_is_exact);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
