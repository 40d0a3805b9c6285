/* log_output: a reader of standard error that has stopped reading holds nobody, and hears of what it missed. */
#include <check.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"
#include "log_output.h"
#include "suite.h"

#define TEXT_BYTES (4 * 1024 * 1024)
#define LINES      5000 /* of 200 bytes: more than a pipe or a socket holds */

static int reader; /* what standard error is read from */
static char *text; /* what was read */

static void
take_stderr(const int ends[2])
{
    reader = ends[0];
    ck_assert_int_ge(dup2(ends[1], STDERR_FILENO), 0);
    close(ends[1]);
    text = malloc(TEXT_BYTES);
    ck_assert_ptr_nonnull(text);
}

static void
open_pipe(void)
{
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    take_stderr(ends);
}

static void
open_socket(void)
{
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    take_stderr(ends);
}

/* Root's pipe, which another user may not open. */
static void
open_foreign_pipe(void)
{
    open_pipe();
    if (geteuid() == 0)
        ck_assert_int_eq(seteuid(65534), 0);
}

static void (*const kinds[])(void) = {open_pipe, open_socket, open_foreign_pipe};

static void
begin(int kind)
{
    kinds[kind]();
    log_init(LOG_DEBUG, LOG_TEXT);
    log_output_init();
    if (geteuid() != getuid())
        ck_assert_int_eq(seteuid(getuid()), 0);
}

/* Reads what there is; returns how many lines. */
static int
read_lines(void)
{
    size_t used = 0;
    ssize_t bytes;
    int lines = 0;

    ck_assert_int_eq(fcntl(reader, F_SETFL, O_NONBLOCK), 0);
    while ((bytes = read(reader, text + used, TEXT_BYTES - 1 - used)) > 0)
        used += (size_t)bytes;
    text[used] = '\0';
    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    ck_assert_msg(used == 0 || text[used - 1] == '\n', "a line is cut");
    return lines;
}

static void
fill(void)
{
    for (int i = 0; i < LINES; i++)
        log_info("test", "%d %0180d", i, 0);
}

START_TEST(reader_that_stops_reading_holds_nobody_and_hears_of_what_it_missed)
{
    int before, lost;
    const char *told;

    begin(_i);
    fill(); /* a write that waited would wait for ever */
    before = read_lines();
    ck_assert_int_gt(before, 0);
    ck_assert_int_lt(before, LINES);
    log_info("test", "again");
    ck_assert_int_eq(read_lines(), 2);
    told = strstr(text, " WARN  log: ");
    ck_assert_ptr_nonnull(told);
    ck_assert_int_eq(sscanf(told, " WARN  log: %d lines of the log were lost here: ", &lost), 1);
    ck_assert_int_eq(before + lost, LINES);
    ck_assert_ptr_nonnull(strstr(text, " INFO  test: again\n"));
    log_info("test", "and again");
    ck_assert_int_eq(read_lines(), 1); /* told once */
}
END_TEST

START_TEST(descriptor_that_others_share_stays_as_it_is)
{
    begin(_i);
    ck_assert_int_eq(fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK, 0);
}
END_TEST

START_TEST(file_is_written_on_where_it_was)
{
    FILE *file = tmpfile();
    char content[512] = "";

    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(dprintf(fileno(file), "before\n"), 7);
    ck_assert_int_ge(dup2(fileno(file), STDERR_FILENO), 0);
    log_init(LOG_DEBUG, LOG_TEXT);
    log_output_init();
    log_info("test", "one");
    dprintf(STDERR_FILENO, "between\n"); /* by another process, say */
    log_info("test", "two");
    ck_assert_int_gt(pread(fileno(file), content, sizeof(content) - 1, 0), 0);
    ck_assert_int_eq(strncmp(content, "before\n", 7), 0);
    ck_assert_ptr_nonnull(strstr(content, "INFO  test: one\nbetween\n"));
    ck_assert_ptr_nonnull(strstr(content, "INFO  test: two\n"));
    fclose(file);
}
END_TEST

START_TEST(standard_error_that_is_closed_loses_lines)
{
    close(STDERR_FILENO);
    log_output_init();
    ck_assert(!log_output_write("x\n", 2));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("log_output");
    TCase *tests = tcase_create("log_output");

    tcase_add_loop_test(tests, reader_that_stops_reading_holds_nobody_and_hears_of_what_it_missed, 0,
                        ROWS(kinds));
    tcase_add_loop_test(tests, descriptor_that_others_share_stays_as_it_is, 0, ROWS(kinds));
    tcase_add_test(tests, file_is_written_on_where_it_was);
    tcase_add_test(tests, standard_error_that_is_closed_loses_lines);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
