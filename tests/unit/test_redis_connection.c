/*
 * redis_connection: the handshake, replies, losses and back-off, against a small server on the same event
 * loop; and that a failure of libevent delays it but never stops it.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "clock.h"
#include "container_of.h"
#include "log.h"
#include "metrics.h"
#include "redis_connection.h"
#include "redis_url.h"
#include "suite.h"

#define HANDSHAKE_COMMANDS \
    3 /* CLIENT SETNAME, CLIENT SETINFO, SCRIPT LOAD: the URL has no user and no database */
#define PATIENCE_US (20 * US_PER_S)

static struct event_base *base;
static struct event *ticks; /* what requests are for a worker: without them a loop may have no turns */
static struct redis_url url;
static struct redis_counts counts;
static struct redis_connection *connection;

/* The server: one client, whose every command gets the same reply. */
static struct event *acceptor, *readable;
static int listening, client;
static uint16_t port;
static const char *reply_text; /* NULL: none */
static int accepted, commands; /* ever; of this client */
static char last;              /* what the client sent */

/* What the connection reported. */
static int readies, losses, replies, lost_replies;
static char names[4];

/* The number of the event_add of redis_connection that fails, from 0; -1: none. */
static int failing_add;

int __real_event_add(struct event *event, const struct timeval *timeout);
int __wrap_event_add(struct event *event, const struct timeval *timeout);

int
__wrap_event_add(struct event *event, const struct timeval *timeout)
{
    return failing_add >= 0 && failing_add-- == 0 ? -1 : __real_event_add(event, timeout);
}

static void
server_send(const char *text)
{
    ck_assert_int_eq(send(client, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static void
close_client(void)
{
    if (readable)
        event_free(readable);
    if (client >= 0)
        close(client);
    readable = NULL;
    client = -1;
}

static void
on_client(evutil_socket_t fd, short what, void *arg)
{
    char bytes[4096];
    ssize_t got = recv(fd, bytes, sizeof(bytes), 0);

    (void)what;
    (void)arg;
    if (got <= 0) {
        close_client();
        return;
    }
    for (ssize_t i = 0; i < got;
         last = bytes[i++]) /* the head of a command; no line of the script begins so */
        if (last == '\n' && bytes[i] == '*') {
            commands++;
            if (reply_text)
                server_send(reply_text);
        }
}

static void
on_accept(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    (void)arg;
    close_client();
    client = accept4(fd, NULL, NULL, SOCK_NONBLOCK);
    ck_assert_int_ge(client, 0);
    accepted++;
    commands = 0;
    last = '\n';
    readable = event_new(base, client, EV_READ | EV_PERSIST, on_client, NULL);
    __real_event_add(readable, NULL);
}

/* On the port of last time, if there was one. */
static void
start_server(void)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
    socklen_t bytes = sizeof(address);
    int on = 1;

    listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    ck_assert_int_eq(bind(listening, (struct sockaddr *)&address, bytes), 0);
    ck_assert_int_eq(listen(listening, 8), 0);
    ck_assert_int_eq(getsockname(listening, (struct sockaddr *)&address, &bytes), 0);
    port = ntohs(address.sin_port);
    acceptor = event_new(base, listening, EV_READ | EV_PERSIST, on_accept, NULL);
    __real_event_add(acceptor, NULL);
}

static void
stop_server(void)
{
    close_client();
    event_free(acceptor);
    close(listening);
}

static void
on_change(void *arg, bool ready)
{
    (void)arg;
    readies += ready;
    losses += !ready;
}

struct named_call {
    struct redis_call call;
    char name;
};
static struct named_call calls[4];

static void
on_reply(struct redis_call *call, const struct redisReply *reply)
{
    names[replies++ % (int)sizeof(names)] = container_of(call, struct named_call, call)->name;
    lost_replies += reply == NULL;
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
}

static void
set_up(void)
{
    static const struct timeval tick = {.tv_usec = 1000};
    char text[64];

    log_init_sink(LOG_ERROR, NULL, NULL);
    base = event_base_new();
    ticks = event_new(base, -1, EV_PERSIST, on_tick, NULL);
    __real_event_add(ticks, &tick);
    accepted = commands = readies = losses = replies = lost_replies = 0;
    port = 0;
    client = -1;
    reply_text = "+OK\r\n";
    failing_add = -1;
    start_server();
    sprintf(text, "redis://127.0.0.1:%u", port);
    ck_assert_ptr_null(redis_url_read(&url, text));
}

static void
start_connection(void)
{
    connection =
        redis_connection_new(&(struct redis_connection_options){.base = base,
                                                                .counts = &counts,
                                                                .handshake = {.url = &url, .program = "test"},
                                                                .on_change = on_change});
    ck_assert_ptr_nonnull(connection);
}

static void
tear_down(void)
{
    redis_connection_free(connection);
    connection = NULL;
    stop_server();
    redis_url_fini(&url);
    event_free(ticks);
    event_base_free(base);
}

/* Turns as a worker's, until `count` is at least `least`. */
static void
turn_until(const int *count, int least)
{
    int64_t until_us = clock_mono_us() + PATIENCE_US;

    while (*count < least) {
        ck_assert_msg(clock_mono_us() < until_us, "still %d, not %d: %s", *count, least,
                      redis_connection_reason(connection));
        event_base_loop(base, EVLOOP_ONCE);
        redis_connection_flush(connection);
    }
}

static void
turn_until_reason(const char *part)
{
    int64_t until_us = clock_mono_us() + PATIENCE_US;

    while (strstr(redis_connection_reason(connection), part) == NULL) {
        ck_assert_msg(clock_mono_us() < until_us, "\"%s\"", redis_connection_reason(connection));
        event_base_loop(base, EVLOOP_ONCE);
        redis_connection_flush(connection);
    }
}

static void
connect_it(void)
{
    start_connection();
    turn_until(&readies, 1);
}

static bool
command(char name)
{
    static const char text[] = "*1\r\n$4\r\nPING\r\n";
    struct named_call *call = &calls[(name - 'a') % ROWS(calls)];

    *call = (struct named_call){.call.callback = on_reply, .name = name};
    return redis_connection_send(connection, text, strlen(text), &call->call);
}

START_TEST(connection_is_ready_after_the_handshake)
{
    start_connection();
    ck_assert(!redis_connection_is_ready(connection));
    ck_assert(!command('a'));
    turn_until(&readies, 1);
    ck_assert(redis_connection_is_ready(connection));
    ck_assert_str_eq(redis_connection_reason(connection), "");
    ck_assert_int_eq(commands, HANDSHAKE_COMMANDS);
    ck_assert_int_eq(losses, 0);
}
END_TEST

START_TEST(replies_come_in_order_to_their_calls)
{
    connect_it();
    ck_assert(command('a') && command('b') && command('c'));
    ck_assert_int_eq(replies, 0);
    turn_until(&replies, 3);
    ck_assert_int_eq(memcmp(names, "abc", 3), 0);
    ck_assert_int_eq(lost_replies, 0);
}
END_TEST

START_TEST(lost_connection_fails_its_commands_and_connects_again)
{
    connect_it();
    reply_text = NULL;
    ck_assert(command('a') && command('b'));
    turn_until(&commands, HANDSHAKE_COMMANDS + 2);
    close_client();
    reply_text = "+OK\r\n";
    turn_until(&losses, 1);
    ck_assert_int_eq(replies, 2);
    ck_assert_int_eq(lost_replies, 2);
    turn_until(&readies, 2);
    ck_assert_int_eq(accepted, 2);
    ck_assert_int_eq(replies, 2); /* nothing was sent again */
}
END_TEST

START_TEST(refused_handshake_is_the_reason_without_the_text_of_the_error)
{
    reply_text = "-WRONGPASS secret\r\n";
    start_connection();
    turn_until_reason("WRONGPASS");
    ck_assert_ptr_null(strstr(redis_connection_reason(connection), "secret"));
    ck_assert(!command('a'));
    reply_text = "+OK\r\n";
    turn_until(&readies, 1);
    ck_assert_int_eq(losses, 0);
}
END_TEST

START_TEST(refused_connection_is_tried_until_the_server_is_back)
{
    stop_server();
    start_connection();
    turn_until_reason("Connection refused");
    start_server();
    turn_until(&readies, 1);
}
END_TEST

START_TEST(silent_server_is_dropped_in_the_handshake)
{
    reply_text = NULL;
    start_connection();
    turn_until_reason("no reply to the handshake");
    ck_assert(!redis_connection_is_ready(connection));
}
END_TEST

START_TEST(reply_that_no_command_waits_for_ends_the_connection)
{
    connect_it();
    server_send("+OK\r\n");
    turn_until(&losses, 1);
    turn_until(&readies, 2);
    ck_assert_int_eq(replies, 0);
}
END_TEST

START_TEST(dropped_connection_takes_no_more_commands)
{
    connect_it();
    redis_connection_drop_soon(connection, "a test", REDIS_PAUSE_SHORT);
    ck_assert(!command('a'));
    ck_assert_int_eq(losses, 0);
    turn_until(&losses, 1);
    turn_until(&readies, 2);
}
END_TEST

START_TEST(freed_connection_fails_its_commands_and_reports_no_change)
{
    connect_it();
    ck_assert(command('a'));
    redis_connection_free(connection);
    connection = NULL;
    ck_assert_int_eq(lost_replies, 1);
    ck_assert_int_eq(losses, 0);
}
END_TEST

/* The timer of the first attempt, of the connect, of the handshake, the events of the socket: whichever
   fails. */
START_TEST(event_that_cannot_be_added_delays_the_connection_only)
{
    failing_add = _i;
    connect_it();
    ck_assert(command('a'));
    turn_until(&replies, 1);
    ck_assert_int_eq(failing_add, -1);
}
END_TEST

START_TEST(back_off_that_cannot_be_timed_is_retried)
{
    connect_it();
    failing_add = 0;
    close_client();
    turn_until(&losses, 1);
    ck_assert_int_eq(failing_add, -1);
    turn_until(&readies, 2);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("redis_connection");
    TCase *tests = tcase_create("redis_connection");

    tcase_set_timeout(tests, 60); /* for a busy machine */
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, connection_is_ready_after_the_handshake);
    tcase_add_test(tests, replies_come_in_order_to_their_calls);
    tcase_add_test(tests, lost_connection_fails_its_commands_and_connects_again);
    tcase_add_test(tests, refused_handshake_is_the_reason_without_the_text_of_the_error);
    tcase_add_test(tests, refused_connection_is_tried_until_the_server_is_back);
    tcase_add_test(tests, silent_server_is_dropped_in_the_handshake);
    tcase_add_test(tests, reply_that_no_command_waits_for_ends_the_connection);
    tcase_add_test(tests, dropped_connection_takes_no_more_commands);
    tcase_add_test(tests, freed_connection_fails_its_commands_and_reports_no_change);
    tcase_add_loop_test(tests, event_that_cannot_be_added_delays_the_connection_only, 0, 5);
    tcase_add_test(tests, back_off_that_cannot_be_timed_is_retried);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
