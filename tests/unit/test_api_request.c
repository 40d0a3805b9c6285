/*
 * call: what is answered to bodies that cannot be read, and that their memory is given back.
 */
#include <stdlib.h>
#include <string.h>

#include <microhttpd.h>

#include "api_request.h"
#include "exchange.h"
#include "suite.h"

#define BATCH_BYTES ((size_t)1024 * 1024)

static struct exchange_context context;
static const struct address peer = {.bytes = {192, 0, 2, 1}, .size = 4};
static char *blanks;

static void
set_up(void)
{
    memset(&context, 0, sizeof(context));
    uploads_init(&context.uploads, (struct siphash_key){0});
    blanks = malloc(BATCH_BYTES);
    ck_assert_ptr_nonnull(blanks);
    memset(blanks, ' ', BATCH_BYTES);
}

static void
tear_down(void)
{
    ck_assert_uint_eq(context.uploads.bytes, 0);
    free(blanks);
}

static void
never(void *arg)
{
    ck_abort_msg("nothing was asked: %p", arg);
}

static struct api_request *
call_with(size_t bytes)
{
    struct api_request *call = api_request_new(&context, &peer, ENDPOINT_API_BATCH, false, never, NULL);

    ck_assert_ptr_nonnull(call);
    api_request_keep(call, blanks, bytes);
    return call;
}

/* The status of the problem that a call is answered with. */
static unsigned
status_of(struct api_request *call)
{
    struct response answer = {0};

    ck_assert_int_eq(api_request_ask(call, &answer), API_REQUEST_MISTAKE);
    ck_assert_ptr_nonnull(answer.response);
    MHD_destroy_response(answer.response);
    return answer.status;
}

START_TEST(a_body_without_room_is_503_and_one_after_it_has_it_again)
{
    struct api_request *calls[32];

    for (size_t i = 0; i < 32; i++)
        calls[i] = call_with(BATCH_BYTES);
    struct api_request *beyond = call_with(BATCH_BYTES);
    ck_assert_uint_eq(status_of(beyond), 503);
    ck_assert_uint_eq(status_of(calls[0]), 400); /* blanks are no JSON; and its body is gone now */
    api_request_free(beyond);
    beyond = call_with(BATCH_BYTES);
    ck_assert_uint_eq(status_of(beyond), 400);
    api_request_free(beyond);
    for (size_t i = 0; i < 32; i++)
        api_request_free(calls[i]);
}
END_TEST

START_TEST(a_body_is_freed_as_soon_as_it_is_read)
{
    struct api_request *call = call_with(BATCH_BYTES);

    ck_assert_uint_eq(context.uploads.bytes, BATCH_BYTES);
    ck_assert_uint_eq(status_of(call), 400);
    ck_assert_uint_eq(context.uploads.bytes, 0);
    api_request_free(call);
}
END_TEST

START_TEST(a_call_without_a_body_is_a_mistake_of_the_client)
{
    struct api_request *call = call_with(0);

    ck_assert_uint_eq(status_of(call), 400);
    api_request_free(call);
    api_request_free(NULL);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("call");
    TCase *bodies = tcase_create("bodies");

    tcase_add_checked_fixture(bodies, set_up, tear_down);
    tcase_add_test(bodies, a_body_without_room_is_503_and_one_after_it_has_it_again);
    tcase_add_test(bodies, a_body_is_freed_as_soon_as_it_is_read);
    tcase_add_test(bodies, a_call_without_a_body_is_a_mistake_of_the_client);
    suite_add_tcase(suite, bodies);
    return run_suite(suite);
}
