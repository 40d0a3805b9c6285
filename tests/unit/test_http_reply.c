/* http_reply: whole answers of HTTP, and what is none. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "http_reply.h"
#include "suite.h"

#define OK "HTTP/1.1 200 OK\r\n"

static const struct {
    const char *text;
    unsigned status;
    const char *body;
} good[] = {
    {OK "Content-Length: 2\r\n\r\n{}", 200, "{}"},
    {OK "content-length:2\r\nConnection: close\r\n\r\n{}", 200, "{}"},
    {OK "\r\n{\"until\": \"the end\"}", 200, "{\"until\": \"the end\"}"},
    {"HTTP/1.0 404 Not Found\r\n\r\n", 404, ""},
    {OK "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1;ext=1\r\n}\r\n0\r\n\r\n", 200, "{}"},
    {OK "transfer-encoding: Chunked\r\n\r\n00\r\n\r\n", 200, ""},
    {OK "Transfer-Encoding: chunked\r\n\r\n0A\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n", 200, "0123456789"},
};

START_TEST(an_answer_has_a_status_and_a_body)
{
    char text[256];
    struct http_reply reply;

    strcpy(text, good[_i].text);
    ck_assert(http_reply_parse(&reply, text, strlen(good[_i].text)));
    ck_assert_uint_eq(reply.status, good[_i].status);
    ck_assert_str_eq(reply.body, good[_i].body);
    ck_assert_uint_eq(reply.bytes, strlen(good[_i].body));
}
END_TEST

static const char *const bad[] = {
    "",
    "-ERR unknown command\r\n",
    "SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.1 2x0 OK\r\n\r\n",
    "HTTP/1.1 20\r\n\r\n",
    "HTTP/1.1 999 OK\r\n\r\n",
    OK "Content-Length: 3\r\n\r\n{}",
    OK "Content-Length: 1\r\n\r\n{}",
    OK "Content-Length: -2\r\n\r\n{}",
    OK "Content-Length: 99999999999999999999999\r\n\r\n{}",
    OK "Transfer-Encoding: gzip\r\n\r\n{}",
    OK "Transfer-Encoding: chunked\r\n\r\n",
    OK "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
    OK "Transfer-Encoding: chunked\r\n\r\n2\r\n{}",
    OK "Transfer-Encoding: chunked\r\n\r\n5\r\n{}\r\n0\r\n\r\n",
    OK "Transfer-Encoding: chunked\r\n\r\n-1\r\n{}\r\n0\r\n\r\n",
    OK "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}\r\n0\r\n\r\n",
    OK "Transfer-Encoding: chunked\r\n\r\n7fffffff\r\n{}\r\n0\r\n\r\n",
};

/* The text is as long as it must be, so that the address sanitizer sees what is read beyond. */
START_TEST(half_an_answer_and_what_is_none_are_refused)
{
    size_t bytes = strlen(bad[_i]);
    char *text = malloc(bytes + 1);
    struct http_reply reply;

    memcpy(text, bad[_i], bytes);
    ck_assert_msg(!http_reply_parse(&reply, text, bytes), "%s", bad[_i]);
    free(text);
}
END_TEST

START_TEST(an_answer_that_is_cut_anywhere_is_refused)
{
    static const char whole[] = OK "Transfer-Encoding: chunked\r\n\r\n3\r\n{ }\r\n0\r\n\r\n";

    for (size_t bytes = 0; bytes < sizeof(whole) - 6; bytes++) {
        char *text = malloc(bytes + 1);
        struct http_reply reply;

        memcpy(text, whole, bytes);
        ck_assert_msg(!http_reply_parse(&reply, text, bytes), "%.*s", (int)bytes, whole);
        free(text);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("http_reply");
    TCase *tests = tcase_create("http_reply");

    tcase_add_loop_test(tests, an_answer_has_a_status_and_a_body, 0, ROWS(good));
    tcase_add_loop_test(tests, half_an_answer_and_what_is_none_are_refused, 0, ROWS(bad));
    tcase_add_test(tests, an_answer_that_is_cut_anywhere_is_refused);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
