/*
 * The script on lists of a sliding window that it did not write: no answer is out of range, and none takes long.
 */
#include <inttypes.h>
#include <math.h>
#include <time.h>

#include "limit.h"
#include "take_script_fixture.h"

/* Makes the key a list of these entries. */
struct entry {
    double at_us, total;
};

static void
push(const char *key, const struct entry *entries, size_t count)
{
    freeReplyObject(redisCommand(redis, "DEL %s", key));
    for (size_t i = 0; i < count; i++)
        redisAppendCommand(redis, "RPUSH %s %b", key, &entries[i], sizeof(entries[i]));
    for (size_t i = 0; i < count; i++) {
        void *reply;

        ck_assert_int_eq(redisGetReply(redis, &reply), REDIS_OK);
        freeReplyObject(reply);
    }
}

/* The commands that Redis has run so far, including those of scripts. */
static int64_t
calls(void)
{
    redisReply *reply = ask("INFO commandstats");
    int64_t sum = 0;

    for (const char *at = reply->str; (at = strstr(at, ":calls=")) != NULL; at++)
        sum += strtoll(at + strlen(":calls="), NULL, 10);
    freeReplyObject(reply);
    return sum;
}

START_TEST(a_list_whose_ends_do_not_add_up_is_foreign)
{
    static struct entry entries[5000];
    const double now_us = (double)time(NULL) * 1e6;
    static const struct {
        const char *row;
        size_t count;
        struct entry first, last;
        double step; /* of the totals */
    } rows[] = {
        {"entry 0 alone", 1, {0, 0}, {0, 1}, 1},
        {"an entry too many", SLIDING_WINDOW_ENTRIES + 2, {0, 0}, {0, 5000}, 1},
        {"five thousand", 5000, {0, 0}, {0, 5000}, 1},
        {"fewer requests than entries", 10, {0, 0}, {0, 8}, 1},
        {"half a request", 3, {0, 0}, {0, 2.5}, 1},
        {"a total past 2^53", 3, {0, 0}, {0, 9007199254740992}, 1},
        {"less than nothing", 3, {0, 0}, {0, -2}, 1},
        {"a base that is no number", 3, {0, (double)NAN}, {0, 2}, 1},
        {"a moment that is none", 3, {0, 0}, {(double)INFINITY, 2}, 1},
    };

    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
        char answer[128];
        redisReply *before, *after;
        int64_t calls_before;

        for (size_t i = 0; i < rows[r].count; i++)
            entries[i] = (struct entry){now_us - 5e6 + (double)i, (double)i * rows[r].step};
        entries[rows[r].count - 1].total = rows[r].last.total;
        entries[rows[r].count - 1].at_us += rows[r].last.at_us;
        entries[0].total = rows[r].first.total;
        push("wrong", entries, rows[r].count);
        before = ask("DUMP wrong");
        calls_before = calls();
        take(answer, sizeof(answer), "1 wrong 0 1 1 sliding_window 9000 60000000 58652 1 1 1 1");
        ck_assert_msg(strcmp(answer, "0") == 0, "%s: %s", rows[r].row, answer);
        ck_assert_int_le(calls() - calls_before,
                         1 + 1 + 4); /* INFO, EVAL and TIME, both ends and the length */
        after = ask("DUMP wrong");
        ck_assert_msg(before->len == after->len && memcmp(before->str, after->str, after->len) == 0, "%s",
                      rows[r].row);
        freeReplyObject(before);
        freeReplyObject(after);
    }
}
END_TEST

/* The entries in the middle could only be checked by reading all of them. Whatever they are, the answer is
   well-formed and its numbers are in range. */
START_TEST(a_list_corrupt_in_the_middle_gives_no_number_out_of_range)
{
    static const double between[] = {0, 1, -1, 0.5, 1e300, 9007199254740991, (double)INFINITY, (double)NAN};
    const double now_us = (double)time(NULL) * 1e6;

    for (unsigned i = 0; i < 600; i++) {
        struct entry entries[40];
        char words[128], answer[256];
        int64_t remaining = 0, retry_after = 0, reset_after = 0;
        int end = 0;

        for (unsigned k = 0; k < 40; k++)
            entries[k] =
                (struct entry){i % 3 ? now_us - 1e6 * (double)(i * (k + 7) % 90) : between[(i + k) % 8],
                               i % 5 ? (double)(i * (k + 3) % 97) : between[(i / 8 + k) % 8]};
        entries[0] = (struct entry){0, i % 7 ? 5 : 900};
        entries[39] = (struct entry){now_us - 1e6, 100};
        push("wrong", entries, 40);
        snprintf(words, sizeof(words), "1 wrong 0 1 1 sliding_window 90 60000000 1 1 %u 1 1", 1 + i % 90);
        take(answer, sizeof(answer), words);
        if (strcmp(answer, "0") == 0)
            continue;
        if (sscanf(answer, "1 1 %" SCNd64 " 0 %" SCNd64 "%n", &remaining, &reset_after, &end) < 2)
            sscanf(answer, "1 0 %" SCNd64 " %" SCNd64 " %" SCNd64 "%n", &remaining, &retry_after,
                   &reset_after, &end);
        ck_assert_msg(end == (int)strlen(answer), "%u: %s", i, answer);
        ck_assert_msg(remaining >= 0 && remaining <= 90 && retry_after >= 0 && retry_after <= reset_after &&
                          reset_after > 0 && reset_after <= 120000000,
                      "%u: %s", i, answer);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("take_lists");
    TCase *tests = tcase_create("take_lists");

    tcase_add_test(tests, a_list_whose_ends_do_not_add_up_is_foreign);
    tcase_add_test(tests, a_list_corrupt_in_the_middle_gives_no_number_out_of_range);
    return run_with_redis(suite, tests);
}
