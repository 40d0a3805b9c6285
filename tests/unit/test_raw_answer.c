#include "raw_answer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "suite.h"

static int sockets[2];
static char got[4096];

static void
set_up(void)
{
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
    memset(got, 0, sizeof(got));
}

static void
tear_down(void)
{
    close(sockets[0]);
    close(sockets[1]);
}

static const char *
body_of(const char *answer)
{
    const char *end = strstr(answer, "\r\n\r\n");

    ck_assert_ptr_nonnull(end);
    return end + 4;
}

static size_t
length_of(const char *answer)
{
    const char *length = strstr(answer, "\r\nContent-Length: ");

    ck_assert_ptr_nonnull(length);
    return strtoul(length + strlen("\r\nContent-Length: "), NULL, 10);
}

static void
send_and_read(const struct raw_answer *answer)
{
    ck_assert(raw_answer_send(answer, sockets[0]));
    ck_assert_int_gt(read(sockets[1], got, sizeof(got) - 1), 0);
}

START_TEST(answer_is_a_complete_problem)
{
    send_and_read(&(struct raw_answer){.status = 414, .detail = "Too long."});
    ck_assert_ptr_eq(strstr(got, "HTTP/1.1 414 URI Too Long\r\nDate: "), got);
    ck_assert_ptr_nonnull(strstr(got, " GMT\r\nConnection: close\r\n"));
    ck_assert_ptr_nonnull(strstr(got, "\r\nContent-Type: application/problem+json\r\n"));
    ck_assert_str_eq(body_of(got),
                     "{\"detail\": \"Too long.\", \"type\": \"about:blank\", \"title\": \"URI Too Long\", "
                     "\"status\": 414}\n");
    ck_assert_uint_eq(length_of(got), strlen(body_of(got)));
}
END_TEST

START_TEST(answer_to_head_has_a_length_and_no_body)
{
    send_and_read(&(struct raw_answer){.status = 431, .detail = "Too large.", .head = true});
    ck_assert_str_eq(body_of(got), "");
    ck_assert_uint_gt(length_of(got), 0);
}
END_TEST

START_TEST(answer_to_an_unknown_method_has_no_body)
{
    send_and_read(&(struct raw_answer){.status = 400});
    ck_assert_str_eq(body_of(got), "");
    ck_assert_uint_eq(length_of(got), 0);
    ck_assert_ptr_null(strstr(got, "Content-Type"));
}
END_TEST

START_TEST(send_neither_waits_nor_raises_sigpipe)
{
    char filler[65536] = "";

    while (send(sockets[0], filler, sizeof(filler), MSG_DONTWAIT) > 0)
        ;
    ck_assert(!raw_answer_send(&(struct raw_answer){.status = 431}, sockets[0]));
    shutdown(sockets[1], SHUT_RDWR);
    ck_assert(!raw_answer_send(&(struct raw_answer){.status = 431}, sockets[0]));
    ck_assert_int_eq(errno, EPIPE);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("raw_answer");
    TCase *tests = tcase_create("raw_answer");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, answer_is_a_complete_problem);
    tcase_add_test(tests, answer_to_head_has_a_length_and_no_body);
    tcase_add_test(tests, answer_to_an_unknown_method_has_no_body);
    tcase_add_test(tests, send_neither_waits_nor_raises_sigpipe);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
