/* Reads the tables: a line at a time, a word at a time. */
#include "cases.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"

struct reader {
    const char *path;
    int line;
    char *rest; /* of the line */
};

static void __attribute__((noreturn, format(printf, 2, 3)))
fail(const struct reader *reader, const char *format, ...)
{
    va_list arguments;

    fprintf(stderr, "%s:%d: ", reader->path, reader->line);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(2);
}

static char *
next_word(struct reader *reader)
{
    return strtok_r(NULL, " \t\n", &reader->rest);
}

static char *
need_word(struct reader *reader, const char *what)
{
    char *word = next_word(reader);

    if (word == NULL)
        fail(reader, "%s is missing", what);
    return word;
}

static int64_t
need_number(const struct reader *reader, const char *text, const char *what)
{
    int64_t number;

    if (!number_parse(text, 0, NUMBER_EXACT_MAX, &number))
        fail(reader, "%s: %s is not a whole number", what, text);
    return number;
}

/* One term of a time; returns what follows it, or NULL. */
static const char *
read_term(const char *text, int64_t *us)
{
    static const struct {
        const char *unit;
        int64_t us;
    } units[] = {
        {"us", 1}, {"ms", 1000}, {"s", 1000000}, {"m", 60000000}, {"h", 3600000000}, {"d", 86400000000},
    };
    char *unit;
    long long number = strtoll(text, &unit, 10);
    size_t letters = strspn(unit, "abcdefghijklmnopqrstuvwxyz");

    if (unit == text)
        return NULL;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strlen(units[i].unit) == letters && strncmp(unit, units[i].unit, letters) == 0) {
            *us += number * units[i].us;
            return unit + letters;
        }
    }
    return number == 0 && letters == 0 ? unit : NULL;
}

static int64_t
need_time(const struct reader *reader, const char *text)
{
    const char *rest = text;
    int64_t us = 0;

    do {
        rest = read_term(rest, &us);
    } while (rest != NULL && (*rest == '+' || *rest == '-'));
    if (rest == NULL || *rest != '\0')
        fail(reader, "%s is not a time", text);
    return us;
}

/* Grows an array by one element, zeroed; returns the array. */
static void *
append(void *elements, size_t *count, size_t bytes)
{
    char *grown = realloc(elements, (*count + 1) * bytes);

    assert(grown != NULL);
    memset(grown + (*count)++ * bytes, 0, bytes);
    return grown;
}

static void
copy_name(const struct reader *reader, char *out, const char *name)
{
    if (strlen(name) >= CASES_NAME_BYTES)
        fail(reader, "%s is too long", name);
    strcpy(out, name);
}

static void
read_limit(struct reader *reader, struct cases_case *c)
{
    struct cases_limit *limit = &c->limits[c->limit_count];
    const char *name = need_word(reader, "the algorithm");
    int algorithm = algorithm_by_name(name);
    enum limit_error error;
    char *period;

    if (algorithm < 0)
        fail(reader, "%s is no algorithm", name);
    if (c->limit_count == CASES_LIMITS_MAX)
        fail(reader, "too many limits");
    limit->requests = need_number(reader, need_word(reader, "the limit"), "limit");
    period = need_word(reader, "the window or the refill");
    if (algorithm == TOKEN_BUCKET) {
        char *refill = strsep(&period, "/");

        if (period == NULL)
            fail(reader, "a refill is written N/PERIOD");
        limit->refill = need_number(reader, refill, "refill");
        limit->period_us = need_time(reader, period);
        error = limit_init_token_bucket(&limit->limit, limit->requests, limit->refill, limit->period_us);
    } else {
        limit->period_us = need_time(reader, period);
        error =
            limit_init_window(&limit->limit, (enum algorithm)algorithm, limit->requests, limit->period_us);
    }
    if (error != LIMIT_OK)
        fail(reader, "%s", limit_error_text(error));
    c->limit_count++;
}

static void
read_penalty(struct reader *reader, struct cases_case *c)
{
    c->penalty = (struct penalty){
        .after = need_number(reader, need_word(reader, "after"), "after"),
        .within_us = need_time(reader, need_word(reader, "within")),
        .for_us = need_time(reader, need_word(reader, "for")),
        .growth = need_number(reader, need_word(reader, "growth"), "growth"),
        .up_to_us = need_time(reader, need_word(reader, "up_to")),
    };
    if (c->penalty.after < 1)
        fail(reader, "a penalty after no refusal");
}

static void
read_decision(struct reader *reader, const struct limit *limit, char *allowed, struct decision *decision)
{
    const char *retry_after;

    if (strcmp(allowed, "yes") != 0 && strcmp(allowed, "no") != 0)
        fail(reader, "%s: expected yes or no", allowed);
    decision->allowed = strcmp(allowed, "yes") == 0;
    decision->limit = limit->limit;
    decision->remaining = need_number(reader, need_word(reader, "remaining"), "remaining");
    retry_after = need_word(reader, "retry_after");
    decision->retry_after_us =
        strcmp(retry_after, "never") == 0 ? RETRY_NEVER : need_time(reader, retry_after);
    decision->reset_after_us = need_time(reader, need_word(reader, "reset_after"));
}

/* What follows "->". */
static void
read_answer(struct reader *reader, const struct cases_case *c, struct cases_step *step)
{
    char *word = need_word(reader, "the answer");
    size_t length = strlen(word);
    struct cases_answer *answer;

    step->answers = append(step->answers, &step->answer_count, sizeof(*step->answers));
    answer = &step->answers[step->answer_count - 1];
    answer->count = step->count;
    if (word[length - 1] == ':') {
        word[length - 1] = '\0';
        answer->count = need_number(reader, word, "count");
        word = need_word(reader, "the answer");
    }
    for (size_t i = 0; i < c->limit_count; i++) {
        if (i > 0) {
            if (strcmp(word = need_word(reader, "the next limit's answer"), "|") != 0)
                fail(reader, "%s: expected | before the next limit's answer", word);
            word = need_word(reader, "the next limit's answer");
        }
        read_decision(reader, &c->limits[i].limit, word, &answer->decisions[i]);
    }
    word = next_word(reader);
    if (word == NULL)
        return;
    if (strcmp(word, "|") != 0 || strcmp(need_word(reader, "penalty"), "penalty") != 0)
        fail(reader, "%s: expected | penalty, or nothing", word);
    answer->penalty_us = need_time(reader, need_word(reader, "the rest of the penalty"));
}

static void
read_step(struct reader *reader, struct cases_case *c, const char *when)
{
    struct cases_step *step;
    char *cost;

    if (c->limit_count == 0)
        fail(reader, "a step before the limits");
    c->steps = append(c->steps, &c->step_count, sizeof(*c->steps));
    step = &c->steps[c->step_count - 1];
    step->line = reader->line;
    step->now_us = CASES_START_US + need_time(reader, when);
    copy_name(reader, step->client, need_word(reader, "the client"));
    cost = need_word(reader, "the cost");
    step->cost = need_number(reader, strsep(&cost, "x"), "cost");
    step->count = cost == NULL ? 1 : need_number(reader, cost, "count");
    if (strcmp(need_word(reader, "->"), "->") != 0)
        fail(reader, "expected -> after the cost");
    read_answer(reader, c, step);
}

/* Every request of every step has an answer. */
static void
check_counts(struct reader *reader, const struct cases_case *c)
{
    for (size_t i = 0; i < c->step_count; i++) {
        const struct cases_step *step = &c->steps[i];
        int64_t count = 0;

        for (size_t k = 0; k < step->answer_count; k++)
            count += step->answers[k].count;
        reader->line = step->line;
        if (count != step->count)
            fail(reader, "%" PRId64 " answers to %" PRId64 " requests", count, step->count);
    }
}

static void
read_line(struct reader *reader, struct cases *cases, char *text)
{
    struct cases_case *c = cases->count > 0 ? &cases->cases[cases->count - 1] : NULL;
    char *word;

    text[strcspn(text, "#")] = '\0';
    word = strtok_r(text, " \t\n", &reader->rest);
    if (word == NULL)
        return;
    if (strcmp(word, "case") == 0) {
        cases->cases = append(cases->cases, &cases->count, sizeof(*cases->cases));
        copy_name(reader, cases->cases[cases->count - 1].name, need_word(reader, "the case's name"));
    } else if (c == NULL) {
        fail(reader, "expected a case");
    } else if (strcmp(word, "limit") == 0) {
        read_limit(reader, c);
    } else if (strcmp(word, "penalty") == 0) {
        read_penalty(reader, c);
    } else if (strcmp(word, "->") != 0) {
        read_step(reader, c, word);
    } else if (c->step_count > 0) {
        read_answer(reader, c, &c->steps[c->step_count - 1]);
    } else {
        fail(reader, "an answer to nothing");
    }
    if ((word = next_word(reader)) != NULL)
        fail(reader, "%s: too much", word);
}

struct cases
cases_read(const char *path)
{
    struct cases cases = {.path = path};
    struct reader reader = {.path = path};
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t room = 0;

    if (file == NULL)
        fail(&reader, "%s", strerror(errno));
    while (getline(&line, &room, file) >= 0) {
        reader.line++;
        read_line(&reader, &cases, line);
    }
    for (size_t i = 0; i < cases.count; i++)
        check_counts(&reader, &cases.cases[i]);
    if (cases.count == 0)
        fail(&reader, "no case in it");
    free(line);
    fclose(file);
    return cases;
}

void
cases_free(struct cases *cases)
{
    for (size_t i = 0; i < cases->count; i++) {
        for (size_t k = 0; k < cases->cases[i].step_count; k++)
            free(cases->cases[i].steps[k].answers);
        free(cases->cases[i].steps);
    }
    free(cases->cases);
    *cases = (struct cases){0};
}
