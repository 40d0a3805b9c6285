/*
 * traceparent: which values are one, and which part of them is the trace-id.
 */
#include <stdlib.h>
#include <string.h>

#include "suite.h"
#include "traceparent.h"

#define TRACE  "0af7651916cd43dd8448eb211c80319c"
#define PARENT "b7ad6b7169203331"
#define ZEROS  "00000000000000000000000000000000"

/* In memory of its own length, so that a read beyond it is seen. */
static struct field
read_value(const char *text, char **copy)
{
    struct field value = {.bytes = strlen(text)};

    *copy = malloc(value.bytes > 0 ? value.bytes : 1);
    ck_assert_ptr_nonnull(*copy);
    memcpy(*copy, text, value.bytes);
    value.text = *copy;
    return traceparent_trace_id(&value);
}

static const char *const good[] = {
    "00-" TRACE "-" PARENT "-01",
    "00-" TRACE "-" PARENT "-00",
    "00-" TRACE "-" PARENT "-ff",
    "01-" TRACE "-" PARENT "-01",
    "fe-" TRACE "-" PARENT "-01",
    "cc-" TRACE "-" PARENT "-01-",
    "cc-" TRACE "-" PARENT "-01-what-the-future-will-be-like",
    "cc-" TRACE "-" PARENT "-01-.\"\\\xff",
    "00-" TRACE "-0000000000000001-01",
};

START_TEST(trace_id_of_a_traceparent_is_its_second_part)
{
    char *copy;
    struct field trace_id = read_value(good[_i], &copy);

    ck_assert_msg(trace_id.bytes == TRACE_ID_BYTES, "%s", good[_i]);
    ck_assert_ptr_eq(trace_id.text, copy + 3);
    ck_assert_mem_eq(trace_id.text, TRACE, TRACE_ID_BYTES);
    free(copy);
}
END_TEST

static const char *const bad[] = {
    "",
    "0",
    "00",
    "00-",
    TRACE,
    "00-" TRACE,
    "00-" TRACE "-" PARENT,
    "00-" TRACE "-" PARENT "-",
    "00-" TRACE "-" PARENT "-0",
    "00-" TRACE "-" PARENT "-001",
    "00-" TRACE "-" PARENT "-01-",      /* version 00 ends there */
    "00-" TRACE "-" PARENT "-01-after", /* likewise */
    "00-" TRACE "-" PARENT "-01 ",
    " 00-" TRACE "-" PARENT "-01",
    "cc-" TRACE "-" PARENT "-01.after",
    "cc-" TRACE "-" PARENT "-011",
    "ff-" TRACE "-" PARENT "-01",
    "FF-" TRACE "-" PARENT "-01",
    "CC-" TRACE "-" PARENT "-01",
    "0-" TRACE "-" PARENT "-01-a",
    "000-" TRACE "-" PARENT "-01",
    "g0-" TRACE "-" PARENT "-01",
    ".0-" TRACE "-" PARENT "-01",
    "00-" ZEROS "-" PARENT "-01",
    "00-" TRACE "-0000000000000000-01",
    "00-0AF7651916CD43DD8448EB211C80319C-" PARENT "-01",
    "00-" TRACE "-B7AD6B7169203331-01",
    "00-" TRACE "-" PARENT "-0A",
    "00-" TRACE "-" PARENT "-0x",
    "00-" TRACE "-" PARENT "-.0",
    "00-0af7651916cd43dd8448eb211c80319-" PARENT "-01-",
    "00-0af7651916cd43dd8448eb211c80319cd-" PARENT "-01",
    "00-" TRACE "-b7ad6b716920333-01-",
    "00-" TRACE "-b7ad6b71692033311-01",
    "00_" TRACE "-" PARENT "-01",
    "00-" TRACE "_" PARENT "-01",
    "00-" TRACE "-" PARENT "_01",
    "00-0af7651916cd43dd8448eb211c80319/-" PARENT "-01",
    "00-0af7651916cd43dd8448eb211c80319:-" PARENT "-01",
    "00-0af7651916cd43dd8448eb211c80319`-" PARENT "-01",
    "00-0af7651916cd43dd8448eb211c80319\"-" PARENT "-01",
    "00-0af7651916cd43dd8448eb211c80319\xe9-" PARENT "-01",
    "00-0x0af7651916cd43dd8448eb211c8031-" PARENT "-01",
    "00--" TRACE "-" PARENT "-0",
    "00-" TRACE "-" PARENT "-01,00-" TRACE "-" PARENT "-01", /* two lines as one */
};

START_TEST(other_values_have_none)
{
    char *copy;
    struct field trace_id = read_value(bad[_i], &copy);

    ck_assert_msg(trace_id.text == NULL && trace_id.bytes == 0, "%s", bad[_i]);
    free(copy);
}
END_TEST

/* Each byte of a value that counts, changed into each other byte: only another hexadecimal digit leaves a
   traceparent. */
START_TEST(every_byte_counts)
{
    char value[] = "00-" TRACE "-" PARENT "-01";
    char changed[sizeof(value)], *copy;

    for (size_t at = 0; value[at] != '\0'; at++)
        for (int byte = 1; byte < 256; byte++) {
            bool is_digit = strchr("0123456789abcdef", byte) != NULL;
            bool is_good = value[at] == '-' ? byte == '-' : is_digit;
            memcpy(changed, value, sizeof(value));
            changed[at] = (char)byte;
            ck_assert_msg((read_value(changed, &copy).text != NULL) == is_good, "%s", changed);
            free(copy);
        }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("traceparent");
    TCase *values = tcase_create("values");

    tcase_add_loop_test(values, trace_id_of_a_traceparent_is_its_second_part, 0, ROWS(good));
    tcase_add_loop_test(values, other_values_have_none, 0, ROWS(bad));
    tcase_add_test(values, every_byte_counts);
    suite_add_tcase(suite, values);
    return run_suite(suite);
}
