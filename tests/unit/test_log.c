/* log: what reaches standard error, byte for byte but for the time; JSON is read back by another's parser. */
#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "clock.h"
#include "log.h"
#include "suite.h"

#define TEXT_BYTES (1024 * 1024)
#define TIME_BYTES (sizeof("2026-11-20T15:04:05.678Z") - 1)

/* Standard error is this file while a test captures it. */
static int captured, real_stderr;

static void
set_up(void)
{
    captured = memfd_create("log", 0);
    real_stderr = dup(STDERR_FILENO);
    ck_assert_int_ge(captured, 0);
    /* Only so does each write of several threads find the end of what was written before. */
    ck_assert_int_eq(fcntl(captured, F_SETFL, O_APPEND), 0);
    ck_assert_int_ge(real_stderr, 0);
    log_init(LOG_DEBUG, LOG_TEXT);
}

static void
tear_down(void)
{
    close(captured);
    close(real_stderr);
}

static void
begin_capture(void)
{
    ck_assert_int_eq(ftruncate(captured, 0), 0);
    ck_assert_int_eq(lseek(captured, 0, SEEK_SET), 0);
    ck_assert_int_ge(dup2(captured, STDERR_FILENO), 0);
}

/* What was logged since; static, zero-terminated. */
static char *
end_capture(void)
{
    static char text[TEXT_BYTES];
    ssize_t bytes = pread(captured, text, sizeof(text) - 1, 0);

    ck_assert_int_ge(dup2(real_stderr, STDERR_FILENO), 0);
    ck_assert_int_ge(bytes, 0);
    text[bytes] = '\0';
    ck_assert_uint_eq(strlen(text), (size_t)bytes); /* no zero byte ever gets out */
    return text;
}

static char *
logged(const char *message)
{
    begin_capture();
    log_info("test", "%s", message);
    return end_capture();
}

START_TEST(a_text_line_has_time_level_module_and_message)
{
    char *line;

    begin_capture();
    log_warn("redis", "lost after %d ms", 120);
    line = end_capture();
    ck_assert_str_eq(line + TIME_BYTES, " WARN  redis: lost after 120 ms\n");
    for (size_t i = 0; i < TIME_BYTES; i++) {
        char pattern = "dddd-dd-ddTdd:dd:dd.dddZ"[i];
        ck_assert_msg(pattern == 'd' ? line[i] >= '0' && line[i] <= '9' : line[i] == pattern,
                      "byte %zu of %s", i, line);
    }
}
END_TEST

START_TEST(the_time_is_utc_of_now)
{
    int64_t before_us = clock_wall_us();
    char *line = logged("now"), *rest;
    struct tm utc = {0};
    int64_t line_us;

    rest = strptime(line, "%Y-%m-%dT%H:%M:%S", &utc);
    ck_assert_ptr_nonnull(rest);
    line_us = (int64_t)timegm(&utc) * US_PER_S + strtol(rest + 1, NULL, 10) * US_PER_MS;
    ck_assert_int_ge(line_us, before_us - US_PER_MS);
    ck_assert_int_le(line_us, clock_wall_us());
}
END_TEST

static const struct {
    enum log_level threshold;
    const char *levels; /* of the lines that are written */
} thresholds[] = {
    {LOG_DEBUG, "DIWE"},
    {LOG_INFO, "IWE"},
    {LOG_WARN, "WE"},
    {LOG_ERROR, "E"},
};

START_TEST(events_below_the_level_are_not_written)
{
    char levels[8] = "", *text;
    size_t count = 0;

    log_init(thresholds[_i].threshold, LOG_TEXT);
    begin_capture();
    log_debug("test", "a");
    log_info("test", "b");
    log_warn("test", "c");
    log_error("test", "d");
    text = end_capture();
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"))
        levels[count++] = line[TIME_BYTES + 1];
    ck_assert_str_eq(levels, thresholds[_i].levels);
}
END_TEST

static const struct {
    const char *message, *text, *json;
} escapes[] = {
    {"plain", "plain", "plain"},
    {"line\nbreak", "line\\x0abreak", "line\\u000abreak"},
    {"\r\t\033[31m\177", "\\x0d\\x09\\x1b[31m\\x7f", "\\u000d\\u0009\\u001b[31m\\u007f"},
    {"say \"x\\y\"", "say \"x\\y\"", "say \\\"x\\\\y\\\""},
    {"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80", "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
     "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"},
    /* Not UTF-8: a byte alone, cut short, overlong, a surrogate, beyond U+10FFFF. */
    {"\xff!", "\\xff!", "\\ufffd!"},
    {"\xe2\x82", "\\xe2\\x82", "\\ufffd\\ufffd"},
    {"\xc0\xaf", "\\xc0\\xaf", "\\ufffd\\ufffd"},
    {"\xed\xa0\x80", "\\xed\\xa0\\x80", "\\ufffd\\ufffd\\ufffd"},
    {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", "\\ufffd\\ufffd\\ufffd\\ufffd"},
    /* U+0080 to U+009F are control characters too: U+009B is what ESC [ is, in one. */
    {"\xc2\x9b"
     "31m",
     "\\xc2\\x9b31m", "\\u009b31m"},
    {"\xc2\x80 \xc2\x9f \xc2\xa0", "\\xc2\\x80 \\xc2\\x9f \xc2\xa0", "\\u0080 \\u009f \xc2\xa0"},
    {"{\"level\":\"error\"}", "{\"level\":\"error\"}", "{\\\"level\\\":\\\"error\\\"}"},
    {"", "", ""},
};

START_TEST(text_shows_no_byte_that_a_terminal_would_obey)
{
    char *line = logged(escapes[_i].message);
    char expected[256];

    snprintf(expected, sizeof(expected), " INFO  test: %s\n", escapes[_i].text);
    ck_assert_str_eq(line + TIME_BYTES, expected);
}
END_TEST

START_TEST(json_lines_are_valid_for_control_bytes_and_quotes)
{
    char expected[256], *line;

    log_init(LOG_DEBUG, LOG_JSON);
    line = logged(escapes[_i].message);
    snprintf(expected, sizeof(expected), "\",\"level\":\"info\",\"module\":\"test\",\"message\":\"%s\"}\n",
             escapes[_i].json);
    ck_assert_int_eq(strncmp(line, "{\"time\":\"", 9), 0);
    ck_assert_str_eq(line + 9 + TIME_BYTES, expected);
}
END_TEST

START_TEST(every_byte_value_leaves_json_valid)
{
    char message[256], *line;
    cJSON *object;

    for (int byte = 1; byte < 256; byte++)
        message[byte - 1] = (char)byte;
    message[255] = '\0';
    log_init(LOG_DEBUG, LOG_JSON);
    line = logged(message);
    ck_assert_ptr_eq(strchr(line, '\n'), line + strlen(line) - 1);
    object = cJSON_Parse(line);
    ck_assert_ptr_nonnull(object);
    ck_assert_str_eq(cJSON_GetObjectItemCaseSensitive(object, "level")->valuestring, "info");
    ck_assert_int_eq(
        strncmp(cJSON_GetObjectItemCaseSensitive(object, "message")->valuestring, "\001\002\003", 3), 0);
    cJSON_Delete(object);
}
END_TEST

/* A byte, what it takes in the line, and whether it is JSON. */
static const struct {
    const char *fill;
    enum log_format format;
} fills[] = {
    {"x", LOG_TEXT},    {"x", LOG_JSON},    {"\001", LOG_TEXT},         {"\001", LOG_JSON},
    {"\xff", LOG_TEXT}, {"\xff", LOG_JSON}, {"\xe2\x82\xac", LOG_TEXT}, {"\xe2\x82\xac", LOG_JSON},
    {"\"", LOG_JSON},   {"\\", LOG_JSON},
};

/* Lengths around the edge, so that the cut comes at every byte of every escape. */
START_TEST(a_line_too_long_is_cut_and_still_a_line)
{
    static char message[3 * LOG_LINE_BYTES];

    log_init(LOG_DEBUG, fills[_i].format);
    for (size_t bytes = LOG_LINE_BYTES - 180; bytes < LOG_LINE_BYTES + 20; bytes++) {
        size_t fill_bytes = strlen(fills[_i].fill), prefix = bytes % 7;
        char *line;

        memset(message, '.', prefix);
        for (size_t i = prefix; i + fill_bytes < bytes; i += fill_bytes)
            memcpy(message + i, fills[_i].fill, fill_bytes + 1);
        line = logged(message);
        ck_assert_uint_le(strlen(line), LOG_LINE_BYTES + 128);
        ck_assert_uint_gt(strlen(line), LOG_LINE_BYTES - 200);
        ck_assert_ptr_eq(strchr(line, '\n'), line + strlen(line) - 1);
        if (fills[_i].format == LOG_JSON) {
            cJSON *object = cJSON_Parse(line);
            ck_assert_msg(object != NULL, "%s", line);
            cJSON_Delete(object);
        }
    }
}
END_TEST

START_TEST(a_log_without_a_reader_does_not_stop_the_process)
{
    begin_capture();
    close(STDERR_FILENO);
    log_error("test", "into the void");
    end_capture();
}
END_TEST

static char sunk[256];

static void
sink(void *arg, enum log_level level, const char *module, const char *message)
{
    ck_assert_ptr_eq(arg, sunk);
    snprintf(sunk, sizeof(sunk), "%d %s %s", (int)level, module, message);
}

START_TEST(a_line_after_one_that_was_cut_by_a_full_disk_is_a_line_of_its_own)
{
    const char *rest;
    struct rlimit before, full;

    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    full = (struct rlimit){.rlim_cur = 10, .rlim_max = before.rlim_max};
    begin_capture();
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &full), 0);
    log_info("test", "cut");
    log_info("test", "not written");
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    log_info("test", "whole");
    rest = end_capture();
    ck_assert_ptr_nonnull(strstr(rest, ": 2 lines of the log were lost here"));
    ck_assert_int_eq(rest[10], '\n');
    ck_assert_str_eq(strrchr(rest, ' '), " whole\n");
}
END_TEST

START_TEST(a_sink_gets_events_raw_and_nothing_is_written)
{
    begin_capture();
    log_init_sink(LOG_WARN, sink, sunk);
    log_info("test", "below the level");
    ck_assert_str_eq(sunk, "");
    log_warn("test", "lost\n%d", 7);
    ck_assert_str_eq(sunk, "2 test lost\n7");
    log_init_sink(LOG_DEBUG, NULL, NULL);
    log_error("test", "to nobody");
    ck_assert_str_eq(end_capture(), "");
    ck_assert_str_eq(sunk, "2 test lost\n7");
}
END_TEST

static const struct {
    struct log_field field;
    const char *text, *json;
} fields[] = {
    {{.name = "limit", .number = 10}, " limit=10", ",\"limit\":10"},
    {{.name = "limit", .number = INT64_MIN},
     " limit=-9223372036854775808",
     ",\"limit\":-9223372036854775808"},
    {{.name = "rule", .text = "api"}, " rule=api", ",\"rule\":\"api\""},
    {{.name = "rule", .text = ""}, " rule=\"\"", ",\"rule\":\"\""},
    {{.name = "client", .text = "ip=::1"}, " client=\"ip=::1\"", ",\"client\":\"ip=::1\""},
    {{.name = "client", .text = "a b"}, " client=\"a b\"", ",\"client\":\"a b\""},
    {{.name = "client", .text = "a\"b"}, " client=\"a\\\"b\"", ",\"client\":\"a\\\"b\""},
    {{.name = "client", .text = "a\\"}, " client=\"a\\\\\"", ",\"client\":\"a\\\\\""},
    {{.name = "client", .text = "a\n"}, " client=a\\x0a", ",\"client\":\"a\\u000a\""},
    {{.name = "client", .text = "\xff"}, " client=\\xff", ",\"client\":\"\\ufffd\""},
};

START_TEST(a_field_is_a_word_after_the_sentence_or_a_member)
{
    const struct log_field two[] = {fields[_i].field, {.name = "end", .number = 1}};
    char expected[256], *line;

    begin_capture();
    log_event_fields(LOG_INFO, "test", two, 2, "told %d", 1);
    line = end_capture();
    snprintf(expected, sizeof(expected), " INFO  test: told 1%s end=1\n", fields[_i].text);
    ck_assert_str_eq(line + TIME_BYTES, expected);
    log_init(LOG_DEBUG, LOG_JSON);
    begin_capture();
    log_event_fields(LOG_INFO, "test", two, 2, "told %d", 1);
    line = end_capture();
    snprintf(expected, sizeof(expected), "\"message\":\"told 1\"%s,\"end\":1}\n", fields[_i].json);
    ck_assert_str_eq(strstr(line, "\"message\""), expected);
}
END_TEST

/* Each byte of a field that takes the most room, at lengths around the bound. */
START_TEST(fields_too_long_are_cut_and_leave_json_valid)
{
    static char message[3 * LOG_LINE_BYTES], text[LOG_FIELDS_BYTES + 20];

    memset(message, 'x', sizeof(message) - 1);
    log_init(LOG_DEBUG, LOG_JSON);
    for (size_t bytes = LOG_FIELDS_BYTES / 6 - 20; bytes < sizeof(text); bytes++) {
        const struct log_field two[] = {{.name = "text", .text = text}, {.name = "end", .number = INT64_MIN}};
        cJSON *object;

        memset(text, bytes % 2 > 0 ? '\001' : '"', bytes);
        text[bytes] = '\0';
        begin_capture();
        log_event_fields(LOG_INFO, "test", two, 2, "%s", message);
        object = cJSON_Parse(end_capture());
        ck_assert_ptr_nonnull(object);
        ck_assert_ptr_nonnull(cJSON_GetObjectItemCaseSensitive(object, "text"));
        cJSON_Delete(object);
    }
}
END_TEST

START_TEST(a_sink_gets_fields_as_words)
{
    const struct log_field field = {.name = "client", .text = "a b"};

    log_init_sink(LOG_DEBUG, sink, sunk);
    log_event_fields(LOG_INFO, "test", &field, 1, "told");
    ck_assert_str_eq(sunk, "1 test told client=\"a b\"");
}
END_TEST

#define THREADS 4
#define LINES   500

static void *
log_lines(void *arg)
{
    for (int i = 0; i < LINES; i++)
        log_info("test", "thread %d line %d", *(int *)arg, i);
    return NULL;
}

START_TEST(lines_of_several_threads_do_not_mix)
{
    pthread_t threads[THREADS];
    int numbers[THREADS], next[THREADS] = {0}, thread, number, lines = 0;
    char *text;

    begin_capture();
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        ck_assert_int_eq(pthread_create(&threads[i], NULL, log_lines, &numbers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    text = end_capture();
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"), lines++) {
        ck_assert_msg(sscanf(line + TIME_BYTES, " INFO  test: thread %d line %d", &thread, &number) == 2,
                      "%s", line);
        ck_assert_int_eq(number, next[thread]++);
    }
    ck_assert_int_eq(lines, THREADS * LINES);
}
END_TEST

START_TEST(a_limiter_allows_once_per_interval_and_counts_the_suppressed)
{
    struct log_limiter limiter = {0};
    uint64_t suppressed = 77;

    ck_assert(log_limiter_allows(&limiter, 3600 * US_PER_S, &suppressed));
    ck_assert_uint_eq(suppressed, 0);
    for (int i = 0; i < 5; i++)
        ck_assert(!log_limiter_allows(&limiter, 3600 * US_PER_S, &suppressed));
    limiter.next_us = clock_mono_us(); /* the interval is over */
    ck_assert(log_limiter_allows(&limiter, 3600 * US_PER_S, &suppressed));
    ck_assert_uint_eq(suppressed, 5);
    limiter.next_us = clock_mono_us();
    ck_assert(log_limiter_allows(&limiter, 3600 * US_PER_S, &suppressed));
    ck_assert_uint_eq(suppressed, 0);
}
END_TEST

static struct log_limiter shared_limiter;

static void *
ask_limiter(void *arg)
{
    uint64_t suppressed;

    for (int i = 0; i < 10000; i++)
        if (log_limiter_allows(&shared_limiter, 3600 * US_PER_S, &suppressed))
            ++*(int *)arg;
    return NULL;
}

START_TEST(a_limiter_shared_by_threads_allows_one_of_them)
{
    pthread_t threads[THREADS];
    int allowed[THREADS] = {0}, sum = 0;

    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, ask_limiter, &allowed[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        sum += allowed[i];
    }
    ck_assert_int_eq(sum, 1);
    /* The winner may have swept up what others had counted by then. */
    ck_assert_uint_le(shared_limiter.suppressed, THREADS * 10000 - 1);
    ck_assert_uint_gt(shared_limiter.suppressed, 0);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("log");
    TCase *tests = tcase_create("log");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_text_line_has_time_level_module_and_message);
    tcase_add_test(tests, the_time_is_utc_of_now);
    tcase_add_loop_test(tests, events_below_the_level_are_not_written, 0, ROWS(thresholds));
    tcase_add_loop_test(tests, text_shows_no_byte_that_a_terminal_would_obey, 0, ROWS(escapes));
    tcase_add_loop_test(tests, json_lines_are_valid_for_control_bytes_and_quotes, 0, ROWS(escapes));
    tcase_add_test(tests, every_byte_value_leaves_json_valid);
    tcase_add_loop_test(tests, a_line_too_long_is_cut_and_still_a_line, 0, ROWS(fills));
    tcase_add_test(tests, a_log_without_a_reader_does_not_stop_the_process);
    tcase_add_test(tests, a_line_after_one_that_was_cut_by_a_full_disk_is_a_line_of_its_own);
    tcase_add_test(tests, a_sink_gets_events_raw_and_nothing_is_written);
    tcase_add_loop_test(tests, a_field_is_a_word_after_the_sentence_or_a_member, 0, ROWS(fields));
    tcase_add_test(tests, fields_too_long_are_cut_and_leave_json_valid);
    tcase_add_test(tests, a_sink_gets_fields_as_words);
    tcase_add_test(tests, lines_of_several_threads_do_not_mix);
    tcase_add_test(tests, a_limiter_allows_once_per_interval_and_counts_the_suppressed);
    tcase_add_test(tests, a_limiter_shared_by_threads_allows_one_of_them);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
