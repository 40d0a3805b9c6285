/* decision_stream: what is written comes out, in order and whole, or is counted as dropped; also with the reader on
   another thread. */
#include "decision_stream.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "suite.h"

static struct decision_stream *stream;

static void
set_up(void)
{
    stream = decision_stream_new(2);
    ck_assert_ptr_nonnull(stream);
}

static void
tear_down(void)
{
    decision_stream_free(stream);
}

/* The record of that number: its texts' lengths, and so its size, follow from the number. */
static void
write_record(unsigned worker, uint64_t number)
{
    static const char rule[RULE_NAME_BYTES + 1] =
        "rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr";
    char client[CLIENT_BYTES + 1], trace[TRACE_ID_BYTES + 1];
    size_t rule_bytes = 1 + number % RULE_NAME_BYTES, client_bytes = 1 + number * 7 % CLIENT_BYTES;
    size_t trace_bytes = number * 5 % (TRACE_ID_BYTES + 1);

    memset(client, 'a' + (int)(number % 26), client_bytes);
    memset(trace, '0' + (int)(number % 10), trace_bytes);
    client[client_bytes] = trace[trace_bytes] = '\0';
    decision_ring_write(decision_stream_ring(stream, worker),
                        &(struct decision_record){.result = (enum decision_result)(number % 5),
                                                  .shadow = number % 2,
                                                  .cost = (int64_t)number,
                                                  .rule = {rule + RULE_NAME_BYTES - rule_bytes, rule_bytes},
                                                  .client = {client, client_bytes},
                                                  .trace_id = {trace, trace_bytes}});
}

static void
assert_text(const struct field *field, char byte, size_t bytes)
{
    ck_assert_uint_eq(field->bytes, bytes);
    ck_assert_uint_eq(strlen(field->text), bytes);
    ck_assert_uint_eq(strspn(field->text, (char[]){byte, '\0'}), bytes);
}

/* What it takes of a ring. */
static size_t
record_bytes(uint64_t number)
{
    return sizeof(struct decision_record) + 1 + number % RULE_NAME_BYTES + 1 + number * 7 % CLIENT_BYTES +
           number * 5 % (TRACE_ID_BYTES + 1) + 3;
}

static void
assert_record(const struct decision_record *record, uint64_t number)
{
    ck_assert_int_eq(record->cost, (int64_t)number);
    ck_assert_int_eq(record->result, (int)(number % 5));
    ck_assert_int_eq(record->shadow, number % 2);
    assert_text(&record->rule, 'r', 1 + number % RULE_NAME_BYTES);
    assert_text(&record->client, 'a' + (char)(number % 26), 1 + number * 7 % CLIENT_BYTES);
    assert_text(&record->trace_id, '0' + (char)(number % 10), number * 5 % (TRACE_ID_BYTES + 1));
}

/* The records are those of growing numbers. */
struct reader {
    uint64_t count;
    int64_t last;
};

static void
take(void *arg, const struct decision_record *record)
{
    struct reader *reader = arg;

    ck_assert_int_gt(record->cost, reader->last);
    reader->last = record->cost;
    reader->count++;
    assert_record(record, (uint64_t)record->cost);
}

static bool
is_awaited(void)
{
    struct pollfd found = {.fd = decision_stream_fd(stream), .events = POLLIN};

    return poll(&found, 1, 0) == 1;
}

START_TEST(records_come_out_as_they_went_in_all_around_the_ring)
{
    struct reader reader = {.last = -1};

    for (uint64_t number = 0; number < 12000; number++) {
        write_record(0, number);
        if (number % 97 == 0)
            ck_assert(!decision_stream_drain(stream, 1000, take, &reader));
    }
    ck_assert(!decision_stream_drain(stream, 1000, take, &reader));
    ck_assert_uint_eq(reader.count, 12000);
    ck_assert_uint_eq(decision_stream_counts(stream).seen, 12000);
    ck_assert_uint_eq(decision_stream_counts(stream).dropped, 0);
}
END_TEST

START_TEST(full_ring_drops_and_counts_and_the_rest_stays_whole)
{
    struct reader reader = {.last = -1};
    uint64_t number = 0, dropped;

    for (int round = 0; round < 3; round++) {
        uint64_t kept = reader.count;
        for (int i = 0; i < 6000; i++)
            write_record(0, number++);
        dropped = decision_stream_counts(stream).dropped;
        ck_assert(!decision_stream_drain(stream, 10000, take, &reader));
        ck_assert_uint_gt(reader.count, kept);
        ck_assert_uint_eq(reader.count + dropped, number);
    }
    ck_assert_uint_gt(dropped, 0);
    ck_assert_uint_eq(decision_stream_counts(stream).seen, number);
}
END_TEST

START_TEST(ring_that_is_full_takes_no_byte_more_than_it_has)
{
    struct reader reader = {.last = -1};
    size_t bytes = 0;

    while (decision_stream_counts(stream).dropped == 0)
        write_record(0, 1 + decision_stream_counts(stream).seen);
    ck_assert(!decision_stream_drain(stream, 10000, take, &reader));
    for (uint64_t number = 1; number <= reader.count; number++)
        bytes += record_bytes(number);
    ck_assert_uint_le(bytes, DECISION_RING_BYTES);
    ck_assert_uint_gt(bytes, DECISION_RING_BYTES - 512);
}
END_TEST

START_TEST(each_worker_has_a_ring_and_a_turn_is_bounded)
{
    struct reader reader = {.last = -1};

    for (uint64_t number = 0; number < 10; number++)
        write_record(number < 5 ? 0 : 1, number);
    ck_assert(decision_stream_drain(stream, 4, take, &reader) || reader.count == 8);
    ck_assert_uint_eq(reader.count, 8);
    reader.last = -1;
    ck_assert(!decision_stream_drain(stream, 4, take, &reader));
    ck_assert_uint_eq(reader.count, 10);
}
END_TEST

START_TEST(reader_is_woken_once_a_ring_is_half_full)
{
    struct reader reader = {.last = -1};
    uint64_t number = 0;

    for (int round = 0; round < 3; round++) {
        size_t bytes = 0;
        ck_assert(!is_awaited());
        while (!is_awaited()) {
            bytes += record_bytes(number);
            write_record(0, number++);
        }
        ck_assert_uint_gt(bytes, DECISION_RING_BYTES / 2);
        ck_assert_uint_eq(decision_stream_counts(stream).dropped, 0);
        decision_stream_drain(stream, 10000, take, &reader);
    }
}
END_TEST

static void
keep_time(void *arg, const struct decision_record *record)
{
    *(int64_t *)arg = record->at_us;
}

START_TEST(reader_says_when_it_read)
{
    int64_t before_us = clock_wall_us();
    int64_t at_us = 0;

    write_record(0, 1);
    decision_stream_drain(stream, 1, keep_time, &at_us);
    ck_assert_int_ge(at_us, before_us);
}
END_TEST

/* Two threads. */

static _Atomic bool ended;

static void *
write_many(void *arg)
{
    (void)arg;
    for (uint64_t number = 0; number < 30000; number++)
        write_record(0, number);
    atomic_store(&ended, true);
    return NULL;
}

START_TEST(writer_and_reader_need_no_lock)
{
    struct reader reader = {.last = -1};
    pthread_t writer;
    bool was_last = false;

    atomic_store(&ended, false);
    ck_assert_int_eq(pthread_create(&writer, NULL, write_many, NULL), 0);
    while (!was_last) {
        was_last = atomic_load(&ended);
        while (decision_stream_drain(stream, 100, take, &reader))
            continue;
    }
    pthread_join(writer, NULL);
    ck_assert_uint_gt(reader.count, 1000);
    ck_assert_uint_eq(reader.count + decision_stream_counts(stream).dropped, 30000);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("decision_stream");
    TCase *tests = tcase_create("decision_stream");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, records_come_out_as_they_went_in_all_around_the_ring);
    tcase_add_test(tests, full_ring_drops_and_counts_and_the_rest_stays_whole);
    tcase_add_test(tests, ring_that_is_full_takes_no_byte_more_than_it_has);
    tcase_add_test(tests, each_worker_has_a_ring_and_a_turn_is_bounded);
    tcase_add_test(tests, reader_is_woken_once_a_ring_is_half_full);
    tcase_add_test(tests, reader_says_when_it_read);
    tcase_add_test(tests, writer_and_reader_need_no_lock);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
