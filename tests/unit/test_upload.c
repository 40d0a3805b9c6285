/*
 * upload: what the bodies of one worker may take, how the peers share it, and that it is given back.
 */
#include <stdlib.h>
#include <string.h>

#include "suite.h"
#include "upload.h"

#define MEBIBYTE     ((size_t)1024 * 1024)
#define BUDGET       ((size_t)UPLOAD_BUDGET_BYTES)
#define UPLOADS_MAX  1200
#define NOTHING_HELD 0

static struct uploads uploads;
static struct upload *list;
static size_t count;
static char *mebibyte;

static void
set_up(void)
{
    uploads_init(&uploads, (struct siphash_key){.k0 = 1}); /* no two of these peers share */
    list = malloc(UPLOADS_MAX * sizeof(*list));
    mebibyte = malloc(MEBIBYTE);
    ck_assert(list != NULL && mebibyte != NULL);
    memset(mebibyte, 'x', MEBIBYTE);
    count = 0;
}

static void
tear_down(void)
{
    for (size_t i = 0; i < count; i++)
        upload_clear(&list[i]);
    ck_assert_uint_eq(uploads.bytes, NOTHING_HELD);
    for (size_t i = 0; i < UPLOAD_SHARES; i++)
        ck_assert_uint_eq(uploads.shares[i], NOTHING_HELD);
    free(list);
    free(mebibyte);
}

static struct address
ipv4(uint32_t number)
{
    return (struct address){.bytes = {10, (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number},
                            .size = 4};
}

static struct upload *
begin(const struct address *peer)
{
    ck_assert_uint_lt(count, UPLOADS_MAX);
    upload_init(&list[count], &uploads, peer);
    return &list[count++];
}

/* Bodies of a mebibyte until one is refused; returns how many were not. */
static size_t
fill(const struct address *peer)
{
    size_t kept = 0;

    while (upload_put(begin(peer), mebibyte, MEBIBYTE))
        kept++;
    return kept;
}

static bool
is_kept(const struct address *peer, size_t bytes)
{
    return upload_put(begin(peer), mebibyte, bytes);
}

START_TEST(body_in_many_pieces_is_joined)
{
    struct address peer = ipv4(1);
    struct upload *upload = begin(&peer);
    const char *text;

    for (int i = 0; i < 50000; i++)
        ck_assert(upload_put(upload, &"0123456"[i % 7], 1));
    ck_assert_uint_eq(upload->bytes, 50000);
    text = upload_text(upload);
    for (int i = 0; i < 50000; i++)
        ck_assert_int_eq(text[i], '0' + i % 7);
}
END_TEST

START_TEST(empty_body_is_a_body)
{
    struct address peer = ipv4(1);
    struct upload *upload = begin(&peer);

    ck_assert_uint_eq(upload->bytes, 0);
    ck_assert_ptr_nonnull(upload_text(upload));
    ck_assert(upload_put(upload, "", 0));
    ck_assert_uint_eq(upload->bytes, 0);
}
END_TEST

START_TEST(refused_body_stays_refused_and_holds_no_memory)
{
    struct address peer = ipv4(1);
    struct upload *upload;

    fill(&peer);
    upload = &list[count - 1];
    ck_assert(upload->refused);
    ck_assert_uint_eq(upload->large_bytes, 0);
    for (size_t i = 0; i + 1 < count; i++)
        upload_clear(&list[i]);
    ck_assert(!upload_put(upload, "x", 1));
    ck_assert_uint_eq(upload->bytes, 0);
}
END_TEST

START_TEST(single_peer_has_half_of_the_budget)
{
    struct address peer = ipv4(1);

    ck_assert_uint_eq(fill(&peer) * MEBIBYTE, BUDGET / 2);
    upload_clear(&list[0]);
    ck_assert(is_kept(&peer, MEBIBYTE));
}
END_TEST

START_TEST(second_peer_has_half_of_what_is_free)
{
    struct address first = ipv4(1), second = ipv4(2), third = ipv4(3);

    ck_assert_uint_eq(fill(&first), 32);
    ck_assert_uint_eq(fill(&second), 16);
    ck_assert_uint_eq(fill(&third), 8);
    for (size_t i = 0; i < 32; i++)
        upload_clear(&list[i]);
    ck_assert_msg(is_kept(&third, MEBIBYTE), "and more when others have left");
}
END_TEST

START_TEST(small_body_is_always_kept)
{
    struct address peer;

    for (uint32_t i = 0; i < 1000; i++) {
        peer = ipv4(i);
        upload_put(begin(&peer), mebibyte, 40000);
    }
    for (uint32_t i = 0; i < 100; i++) {
        peer = ipv4(i);
        ck_assert(is_kept(&peer, UPLOAD_SMALL_BYTES));
    }
}
END_TEST

START_TEST(many_peers_never_take_all_of_the_budget)
{
    struct address last = ipv4(100000);
    size_t kept = 0;

    for (uint32_t i = 0; i < 1000; i++) {
        struct address peer = ipv4(i);
        kept += is_kept(&peer, 100000);
    }
    ck_assert_uint_lt(kept, 1000);
    ck_assert_uint_gt(uploads.bytes, BUDGET / 2);
    ck_assert_msg(is_kept(&last, 50000), "half of what each of them has");
}
END_TEST

START_TEST(ipv6_peer_is_its_slash_64)
{
    struct address peer = {.bytes = {0x20, 0x01, 0x0d, 0xb8}, .size = 16}, other = peer;

    for (size_t i = 0; i < 32; i++) {
        peer.bytes[15] = (uint8_t)i;
        ck_assert(is_kept(&peer, MEBIBYTE));
    }
    peer.bytes[15] = 200;
    ck_assert(!is_kept(&peer, MEBIBYTE));
    other.bytes[7] = 1;
    ck_assert(is_kept(&other, MEBIBYTE));
}
END_TEST

START_TEST(peers_of_a_unix_socket_are_one)
{
    struct address peer = {.size = 0};

    ck_assert_uint_eq(fill(&peer), 32);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("upload");
    TCase *bodies = tcase_create("bodies"), *budget = tcase_create("budget");

    tcase_add_checked_fixture(bodies, set_up, tear_down);
    tcase_add_test(bodies, body_in_many_pieces_is_joined);
    tcase_add_test(bodies, empty_body_is_a_body);
    tcase_add_test(bodies, refused_body_stays_refused_and_holds_no_memory);
    suite_add_tcase(suite, bodies);
    tcase_add_checked_fixture(budget, set_up, tear_down);
    tcase_add_test(budget, single_peer_has_half_of_the_budget);
    tcase_add_test(budget, second_peer_has_half_of_what_is_free);
    tcase_add_test(budget, small_body_is_always_kept);
    tcase_add_test(budget, many_peers_never_take_all_of_the_budget);
    tcase_add_test(budget, ipv6_peer_is_its_slash_64);
    tcase_add_test(budget, peers_of_a_unix_socket_are_one);
    suite_add_tcase(suite, budget);
    return run_suite(suite);
}
