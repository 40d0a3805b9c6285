/* Tests an implementation against the tables. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cases.h"

static bool
same_decision(const struct decision *a, const struct decision *b)
{
    return a->allowed == b->allowed && a->limit == b->limit && a->remaining == b->remaining &&
           a->retry_after_us == b->retry_after_us && a->reset_after_us == b->reset_after_us;
}

static void
print_decision(const char *label, const struct decision *decision)
{
    fprintf(stderr,
            "    %-8s %s, limit %" PRId64 ", remaining %" PRId64 ", retry_after %" PRId64
            " us, reset_after %" PRId64 " us\n",
            label, decision->allowed ? "allowed" : "refused", decision->limit, decision->remaining,
            decision->retry_after_us, decision->reset_after_us);
}

static bool
check_step(const char *path, const struct cases_case *c, const struct cases_step *step,
           const struct decision *decisions, const int64_t *penalties_us)
{
    size_t request = 0;

    for (size_t i = 0; i < step->answer_count; i++) {
        for (int64_t k = 0; k < step->answers[i].count; k++, request++) {
            if (penalties_us[request] != step->answers[i].penalty_us) {
                fprintf(stderr, "%s:%d: %s: request %zu: penalty of %" PRId64 " us, expected %" PRId64 "\n",
                        path, step->line, c->name, request + 1, penalties_us[request],
                        step->answers[i].penalty_us);
                return false;
            }
            for (size_t l = 0; l < c->limit_count; l++) {
                const struct decision *expected = &step->answers[i].decisions[l];
                const struct decision *got = &decisions[request * c->limit_count + l];

                if (same_decision(expected, got))
                    continue;
                fprintf(stderr, "%s:%d: %s: request %zu, limit %zu\n", path, step->line, c->name, request + 1,
                        l + 1);
                print_decision("expected", expected);
                print_decision("got", got);
                return false;
            }
        }
    }
    return true;
}

/* Stops at the first difference: what follows depends on it. */
static bool
run_case(const struct cases_runner *runner, const char *path, const struct cases_case *c)
{
    bool same = runner->begin(runner->context, c);

    for (size_t i = 0; same && i < c->step_count; i++) {
        const struct cases_step *step = &c->steps[i];
        struct decision *decisions = calloc((size_t)step->count * c->limit_count, sizeof(*decisions));
        int64_t *penalties_us = calloc((size_t)step->count, sizeof(*penalties_us));

        assert(decisions != NULL && penalties_us != NULL);
        same = runner->take(runner->context, c, step, decisions, penalties_us) &&
               check_step(path, c, step, decisions, penalties_us);
        free(decisions);
        free(penalties_us);
    }
    if (!same)
        fprintf(stderr, "%s: %s: failed\n", runner->name, c->name);
    return same;
}

int
cases_run(const struct cases_runner *runner, int path_count, char **paths)
{
    int run = 0, failed = 0;

    assert(path_count > 0);
    for (int i = 0; i < path_count; i++) {
        struct cases cases = cases_read(paths[i]);

        for (size_t k = 0; k < cases.count; k++) {
            run++;
            failed += !run_case(runner, cases.path, &cases.cases[k]);
        }
        cases_free(&cases);
    }
    printf("%d%%: Checks: %d, Failures: %d, Errors: 0\n", 100 * (run - failed) / run, run, failed);
    return failed == 0 ? 0 : 1;
}
