/*
 * redis_news: which of the losses that several connections see are lines of the log.
 */
#include <pthread.h>
#include <string.h>

#include "redis_news.h"
#include "suite.h"

#define CONNECTIONS 8

/* One event a letter. Small: of a connection that was not of use; capital: of one that was, or of a first attempt.
   a: away, c: certificate, p: wrong password, r: replica; +: connected. `lines`: those that are news. */
static const struct {
    const char *events, *lines;
} histories[] = {
    {"+++", "+"},          {"AAA", "A"},
    {"+AAA+++", "+A+"},    {"+AAaaa+++AAA+", "+A+A+"}, /* they were of use in between */
    {"+A+a+a+", "+A+"},                                /* it accepts the handshake and nothing else */
    {"+++A+A+", "+A+A+"},                              /* one after the other, each for itself */
    {"+AApapap+", "+Ap+"}, /* one still sees the loss when another sees the rotated password */
    {"+Accaac+", "+Ac+"},  {"+R+rr+A+a", "+R+A+"},
    {"+Pppa+", "+Pa+"},
};

static unsigned
kind_of(char event)
{
    switch (event | ' ') {
    case 'a':
        return REDIS_NEWS_AWAY;
    case 'c':
        return REDIS_NEWS_CERTIFICATE;
    case 'p':
        return redis_news_kind(redis_error_of("WRONGPASS no", 12));
    default:
        return redis_news_kind(redis_error_of("READONLY no", 11));
    }
}

START_TEST(a_loss_is_a_line_of_each_kind)
{
    struct redis_news news = {0};
    char lines[32] = "";

    for (const char *event = histories[_i].events; *event != '\0'; event++)
        if (*event == '+' ? redis_news_connected(&news)
                          : redis_news_lost(&news, kind_of(*event), *event < 'a'))
            strncat(lines, event, 1);
    ck_assert_msg(strcmp(lines, histories[_i].lines) == 0, "%s: %s, not %s", histories[_i].events, lines,
                  histories[_i].lines);
}
END_TEST

static void *
lose(void *arg)
{
    return redis_news_lost(arg, REDIS_NEWS_AWAY, true) ? arg : NULL;
}

START_TEST(a_loss_that_threads_see_at_once_is_one_line)
{
    struct redis_news news = {0};
    pthread_t threads[CONNECTIONS];
    int lines = 0;

    ck_assert(redis_news_connected(&news));
    for (int i = 0; i < CONNECTIONS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, lose, &news), 0);
    for (int i = 0; i < CONNECTIONS; i++) {
        void *said;
        pthread_join(threads[i], &said);
        lines += said != NULL;
    }
    ck_assert_int_eq(lines, 1);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("redis_news");
    TCase *tests = tcase_create("redis_news");

    tcase_add_loop_test(tests, a_loss_is_a_line_of_each_kind, 0, ROWS(histories));
    tcase_add_test(tests, a_loss_that_threads_see_at_once_is_one_line);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
