/*
 * Memory that cannot be had: a worker that is being started fails as a whole, one that serves loses at most
 * the request.
 *
 * Allocations of this program's own code are counted, and one of them fails: the linker replaces them in it
 * (--wrap). The libraries' own are not.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "generation.h"
#include "limiter.h"
#include "memory_store.h"
#include "metrics.h"
#include "places.h"
#include "public_routes.h"
#include "service_state.h"
#include "suite.h"
#include "worker.h"

/* How many allocations still succeed before one fails; negative: all do. Of all threads. */
static _Atomic int countdown = -1;
static _Atomic int failures;
static _Thread_local bool is_spared; /* for what Check allocates in the test's own thread */

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *memory, size_t bytes);

void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *memory, size_t bytes);

static bool
fails(void)
{
    if (is_spared || atomic_load(&countdown) < 0 || atomic_fetch_sub(&countdown, 1) != 0)
        return false;
    atomic_fetch_add(&failures, 1);
    errno = ENOMEM;
    return true;
}

void *
__wrap_malloc(size_t bytes)
{
    return fails() ? NULL : __real_malloc(bytes);
}

void *
__wrap_calloc(size_t count, size_t bytes)
{
    return fails() ? NULL : __real_calloc(count, bytes);
}

void *
__wrap_realloc(void *memory, size_t bytes)
{
    return fails() ? NULL : __real_realloc(memory, bytes);
}

/* A service of one worker. */

static const char rules[] = "{\"default\": {\"algorithm\": \"token_bucket\", \"capacity\": 1000000, "
                            "\"refill_rate\": \"1000000/1s\"}}";

static struct generations *generations;
static struct clock wall;
static struct service_state state;
static struct places places;
static struct networks trusted;
static struct metrics metrics;
static struct worker_options options;
static struct sockaddr_in address;

static void
set_up(void)
{
    static const struct policy_defaults defaults = {.limit = 1, .window_us = US_PER_S};
    struct report report;

    report_init(&report);
    wall = clock_steady();
    memset(&state, 0, sizeof(state));
    places_init(&places, 100);
    generations = generations_new(policy_parse("rules", rules, strlen(rules), &defaults, &report), 1);
    options = (struct worker_options){
        .http = {.routes = &public_routes,
                 .service = &state,
                 .metrics = &metrics,
                 .generations = generations,
                 .trusted = &trusted,
                 .places = &places,
                 .api_token = "",
                 .admin_token = "",
                 .max_body_bytes = 65536,
                 .header_timeout_us = 10 * US_PER_S,
                 .idle_timeout_us = 10 * US_PER_S},
        .memory = memory_store_new(&(struct memory_store_options){.max_keys = 1000, .clock = &wall}),
        .counts = &state.counts,
        .drain_us = 10 * US_PER_S,
    };
    report_print(&report, stderr, "");
    report_fini(&report);
    ck_assert(generations != NULL && options.memory != NULL && metrics_init(&metrics, 1));
}

static void
tear_down(void)
{
    ck_assert_uint_eq(places.taken, 0);
    metrics_fini(&metrics);
    store_free(options.memory);
    generations_free(generations);
}

static int
listen_somewhere(void)
{
    socklen_t bytes = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, bytes), 0);
    ck_assert_int_eq(listen(fd, 16), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &bytes), 0);
    return fd;
}

static struct worker *
start(int allocations)
{
    int fd = listen_somewhere();
    struct worker *worker;

    atomic_store(&countdown, allocations);
    is_spared = false;
    worker = worker_start(&options, 0, fd);
    is_spared = true;
    atomic_store(&countdown, -1);
    return worker;
}

static void
stop(struct worker *worker)
{
    worker_stop(worker);
    worker_join(worker);
}

/* The status of the first answer to the request; 0: the connection ended without one. */
static int
ask(const char *request, size_t bytes)
{
    const struct timeval patience = {.tv_sec = 20};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char answer[64] = "";
    size_t used = 0;
    ssize_t got;

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    send(fd, request, bytes, MSG_NOSIGNAL);
    while (used < 12 && (got = recv(fd, answer + used, sizeof(answer) - 1 - used, 0)) > 0)
        used += (size_t)got;
    ck_assert_msg(used >= 12 || errno != EAGAIN, "it neither answers nor closes");
    close(fd);
    if (used == 0)
        return 0;
    ck_assert_int_eq(strncmp(answer, "HTTP/1.1 ", 9), 0);
    return (int)strtol(answer + 9, NULL, 10);
}

static size_t
put_post(char *out, size_t room, const char *path, size_t padding, const char *body)
{
    int head = snprintf(out, room, "POST %s HTTP/1.1\r\nHost: test\r\nContent-Length: %zu\r\n\r\n", path,
                        padding + strlen(body));

    memset(out + head, ' ', padding);
    return (size_t)head + padding +
           (size_t)snprintf(out + head + padding, room - (size_t)head - padding, "%s", body);
}

static size_t
put_request(char *out, size_t room, int kind)
{
    static const char check[] = "{\"rule\": \"default\", \"client\": \"c\"}";

    switch (kind) {
    case 0:
        return (size_t)snprintf(out, room, "GET /api/data HTTP/1.1\r\nHost: test\r\n\r\n");
    case 1:
        return (size_t)snprintf(out, room, "GET /health HTTP/1.1\r\nHost: test\r\n\r\n");
    case 2:
        return put_post(out, room, "/v1/check", 0, check);
    case 3:
        return put_post(out, room, "/v1/check", 20000, check);
    case 4:
        return put_post(out, room, "/v1/check/batch", 0,
                        "{\"checks\": [{\"rule\": \"default\", \"client\": \"a\"}, {\"rule\": \"none\", "
                        "\"client\": \"b\"}]}");
    case 5:
        return put_post(out, room, "/json", 0,
                        "{\"domain\": \"default\", \"descriptors\": [{\"entries\": [{\"key\": \"k\", "
                        "\"value\": \"v\"}]}]}");
    default:
        return 0;
    }
}

#define KINDS 6

START_TEST(a_worker_starts_whole_or_not_at_all)
{
    struct worker *worker = NULL;
    int allocations = 0;

    while ((worker = start(allocations)) == NULL) {
        ck_assert_int_eq(errno, ENOMEM);
        allocations++;
    }
    ck_assert_int_ge(allocations, 5);
    stop(worker);
}
END_TEST

START_TEST(a_request_without_memory_ends_and_the_next_is_served)
{
    struct worker *worker = start(-1);
    static char request[32768];
    int before = failures;

    ck_assert_ptr_nonnull(worker);
    for (int kind = 0; kind < KINDS; kind++) {
        size_t bytes = put_request(request, sizeof(request), kind);
        int usual = ask(request, bytes);
        ck_assert_msg(usual == 200 || usual == 404, "kind %d: %d", kind, usual);
        for (int allocations = 0; allocations < 12; allocations++) {
            atomic_store(&countdown, allocations);
            int status = ask(request, bytes);
            ck_assert_msg(status == 0 || status == 503 || status == usual, "kind %d: %d", kind, status);
            atomic_store(&countdown, -1);
            ck_assert_int_eq(ask(request, bytes), usual);
        }
    }
    ck_assert_int_gt(failures, before + KINDS);
    stop(worker);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("out_of_memory");
    TCase *workers = tcase_create("workers");

    tcase_add_checked_fixture(workers, set_up, tear_down);
    tcase_set_timeout(workers, 60);
    tcase_add_test(workers, a_worker_starts_whole_or_not_at_all);
    tcase_add_test(workers, a_request_without_memory_ends_and_the_next_is_served);
    suite_add_tcase(suite, workers);
    return run_suite(suite);
}
