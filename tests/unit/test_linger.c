/*
 * linger: that an answer arrives at a client that still sends, and that nothing lingers beyond its bounds.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "linger.h"
#include "suite.h"

static struct event_base *base;
static struct linger_list *linger;

static void
set_up(void)
{
    base = event_base_new();
    linger = linger_new(base);
    ck_assert_ptr_nonnull(linger);
}

static void
tear_down(void)
{
    linger_free(linger);
    event_base_free(base);
}

struct pair {
    int client, server;
};

/* A TCP connection over the loopback: a pair of Unix sockets knows no reset. */
static struct pair
connect_pair(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof(address);
    int listening = socket(AF_INET, SOCK_STREAM, 0);
    struct pair pair = {.client = socket(AF_INET, SOCK_STREAM, 0)};

    ck_assert_int_eq(bind(listening, (struct sockaddr *)&address, bytes), 0);
    ck_assert_int_eq(listen(listening, 1), 0);
    ck_assert_int_eq(getsockname(listening, (struct sockaddr *)&address, &bytes), 0);
    ck_assert_int_eq(connect(pair.client, (struct sockaddr *)&address, bytes), 0);
    pair.server = accept(listening, NULL, NULL);
    ck_assert_int_ge(pair.server, 0);
    close(listening);
    return pair;
}

/* What the server does: the answer is written, and its descriptor is closed. */
static void
answer_and_close(const struct pair *pair)
{
    ck_assert_int_eq(send(pair->server, "answer", 6, 0), 6);
    linger_add(linger, pair->server);
    close(pair->server);
}

static void
expect_answer(int client)
{
    char text[16];

    ck_assert_int_eq(recv(client, text, sizeof(text), 0), 6);
    ck_assert_int_eq(memcmp(text, "answer", 6), 0);
    ck_assert_int_eq(recv(client, text, sizeof(text), 0), 0);
}

static void
run_until_count(unsigned count)
{
    while (linger_count(linger) != count)
        ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
}

/* Sends without waiting; returns the bytes taken, -1: the connection is gone. */
static ssize_t
send_some(int client)
{
    static const char noise[65536];
    ssize_t sent = send(client, noise, sizeof(noise), MSG_DONTWAIT | MSG_NOSIGNAL);

    if (sent < 0)
        return errno == EAGAIN ? 0 : -1;
    return sent;
}

START_TEST(answer_reaches_a_client_that_still_sends)
{
    struct pair pair = connect_pair();
    ssize_t sent = send_some(pair.client);

    ck_assert_int_gt(sent, 0);
    answer_and_close(&pair);
    while (sent < 3000000) {
        ssize_t more = send_some(pair.client);
        ck_assert_int_ge(more, 0);
        sent += more;
        event_base_loop(base, EVLOOP_NONBLOCK);
    }
    expect_answer(pair.client);
    ck_assert_uint_eq(linger_count(linger), 1);
    close(pair.client);
    run_until_count(0);
}
END_TEST

START_TEST(client_that_has_closed_its_side_does_not_linger)
{
    struct pair pair = connect_pair();
    char byte;

    shutdown(pair.client, SHUT_WR);
    ck_assert_int_eq(recv(pair.server, &byte, 1, 0), 0);
    answer_and_close(&pair);
    ck_assert_uint_eq(linger_count(linger), 0);
    expect_answer(pair.client);
    close(pair.client);
}
END_TEST

START_TEST(client_that_sends_without_end_is_cut_off)
{
    struct pair pair = connect_pair();
    ssize_t sent = 0, more;

    answer_and_close(&pair);
    while ((more = send_some(pair.client)) >= 0) {
        sent += more;
        event_base_loop(base, EVLOOP_NONBLOCK);
    }
    ck_assert_int_ge(sent, LINGER_BYTES);
    ck_assert_uint_eq(linger_count(linger), 0);
    close(pair.client);
}
END_TEST

START_TEST(silent_client_is_closed_after_the_deadline)
{
    struct pair pair = connect_pair();
    int64_t start_us = clock_mono_us();

    answer_and_close(&pair);
    run_until_count(0);
    ck_assert_int_ge(clock_mono_us() - start_us, LINGER_US);
    close(pair.client);
}
END_TEST

START_TEST(oldest_makes_room)
{
    struct pair pairs[LINGER_MAX + 1];

    for (int i = 0; i <= LINGER_MAX; i++) {
        pairs[i] = connect_pair();
        answer_and_close(&pairs[i]);
        ck_assert_uint_eq(linger_count(linger), i < LINGER_MAX ? (unsigned)i + 1 : LINGER_MAX);
    }
    close(pairs[1].client); /* the first, the last and one between */
    close(pairs[LINGER_MAX].client);
    close(pairs[LINGER_MAX / 2].client);
    run_until_count(LINGER_MAX - 3);
    for (int i = 0; i <= LINGER_MAX; i++)
        if (i != 1 && i != LINGER_MAX && i != LINGER_MAX / 2)
            close(pairs[i].client);
    run_until_count(0);
}
END_TEST

START_TEST(free_closes_what_lingers)
{
    struct pair pair = connect_pair();

    answer_and_close(&pair);
    linger_free(linger);
    expect_answer(pair.client);
    close(pair.client);
    linger = linger_new(base);
}
END_TEST

START_TEST(without_a_descriptor_it_is_a_plain_close)
{
    struct pair pair = connect_pair();
    struct rlimit limit, none;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = limit.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    answer_and_close(&pair);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert_uint_eq(linger_count(linger), 0);
    expect_answer(pair.client);
    close(pair.client);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("linger");
    TCase *answers = tcase_create("answers"), *bounds = tcase_create("bounds");

    tcase_add_checked_fixture(answers, set_up, tear_down);
    tcase_add_test(answers, answer_reaches_a_client_that_still_sends);
    tcase_add_test(answers, client_that_has_closed_its_side_does_not_linger);
    tcase_add_test(answers, free_closes_what_lingers);
    suite_add_tcase(suite, answers);
    tcase_add_checked_fixture(bounds, set_up, tear_down);
    tcase_set_timeout(bounds, 30);
    tcase_add_test(bounds, client_that_sends_without_end_is_cut_off);
    tcase_add_test(bounds, silent_client_is_closed_after_the_deadline);
    tcase_add_test(bounds, oldest_makes_room);
    tcase_add_test(bounds, without_a_descriptor_it_is_a_plain_close);
    suite_add_tcase(suite, bounds);
    return run_suite(suite);
}
