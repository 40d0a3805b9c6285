/*
 * call: what the bodies of one worker may take, and that it is given back.
 */
#include <stdlib.h>
#include <string.h>

#include <microhttpd.h>

#include "call.h"
#include "exchange.h"
#include "suite.h"

#define MEBIBYTE ((size_t)1024 * 1024)

static struct exchange_context context;
static char *mebibyte;

static void
set_up(void)
{
    context = (struct exchange_context){0};
    mebibyte = malloc(MEBIBYTE);
    ck_assert_ptr_nonnull(mebibyte);
    memset(mebibyte, ' ', MEBIBYTE);
}

static void
tear_down(void)
{
    free(mebibyte);
}

static void
never(void *arg)
{
    ck_abort_msg("nothing was asked: %p", arg);
}

static struct call *
call_with(size_t bytes)
{
    struct call *call = call_new(&context, ENDPOINT_API_BATCH, never, NULL);

    ck_assert_ptr_nonnull(call);
    for (size_t at = 0; at < bytes; at += MEBIBYTE)
        call_keep(call, mebibyte, bytes - at < MEBIBYTE ? bytes - at : MEBIBYTE);
    return call;
}

/* The status of the problem that a call is answered with. */
static unsigned
status_of(struct call *call)
{
    struct answer answer = {0};

    ck_assert_int_eq(call_ask(call, &answer), CALL_MISTAKE);
    ck_assert_ptr_nonnull(answer.response);
    MHD_destroy_response(answer.response);
    return answer.status;
}

START_TEST(bodies_take_no_more_than_a_worker_has_for_them)
{
    struct call *calls[65];

    for (size_t i = 0; i < 65; i++)
        calls[i] = call_with(MEBIBYTE);
    ck_assert_uint_eq(context.bodies_bytes, CALL_BODIES_BYTES);
    ck_assert_uint_eq(status_of(calls[64]), 503);
    ck_assert_uint_eq(status_of(calls[0]), 400); /* blanks are no JSON; and its body is gone now */
    call_free(calls[64]);
    calls[64] = call_with(MEBIBYTE);
    ck_assert_uint_eq(status_of(calls[64]), 400);
    for (size_t i = 0; i < 65; i++)
        call_free(calls[i]);
    ck_assert_uint_eq(context.bodies_bytes, 0);
}
END_TEST

START_TEST(a_body_in_many_pieces_is_the_same_body)
{
    struct call *call = call_new(&context, ENDPOINT_API_CHECK, never, NULL);

    for (size_t i = 0; i < 5000; i++)
        call_keep(call, i % 7 == 0 ? "\n" : " ", 1);
    ck_assert_uint_eq(context.bodies_bytes, 8192);
    ck_assert_uint_eq(status_of(call), 400);
    ck_assert_uint_eq(context.bodies_bytes, 0);
    call_free(call);
}
END_TEST

START_TEST(a_call_without_a_body_is_a_mistake_of_the_client)
{
    struct call *call = call_with(0);

    ck_assert_uint_eq(status_of(call), 400);
    call_free(call);
    call_free(NULL);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("call");
    TCase *bodies = tcase_create("bodies");

    tcase_add_checked_fixture(bodies, set_up, tear_down);
    tcase_add_test(bodies, bodies_take_no_more_than_a_worker_has_for_them);
    tcase_add_test(bodies, a_body_in_many_pieces_is_the_same_body);
    tcase_add_test(bodies, a_call_without_a_body_is_a_mistake_of_the_client);
    suite_add_tcase(suite, bodies);
    return run_suite(suite);
}
