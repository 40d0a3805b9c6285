/*
 * turns: long requests share a worker and the store alike, whatever their number.
 */
#include "suite.h"
#include "turns.h"

#define TURNS     5
#define STEPS_MAX 1000

static struct turns turns;

struct job {
    struct turn turn; /* first */
    int steps, left;
    bool leaves; /* instead of waiting, at its last step */
    uint32_t work, asked;
    bool ended;
};
static struct job jobs[TURNS];

static void
count_step(struct job *job)
{
    job->steps++;
    for (int i = 0; i < TURNS; i++)
        if (jobs[i].left > 0)
            ck_assert_int_le(job->steps, jobs[i].steps + 1);
    if (--job->left == 0)
        turns_leave(&job->turn);
}

static void
on_work(struct turn *turn)
{
    count_step((struct job *)turn);
}

static void
on_ask(struct turn *turn)
{
    struct job *job = (struct job *)turn;

    turns_asked(&turns, job->work);
    job->asked += job->work;
    count_step(job);
}

/* As the worker's loop does: a slice may be over after any step. */
static void
run_all(void)
{
    while (turns_run(&turns))
        continue;
}

static void
set_up(void)
{
    turns_init(&turns);
    for (int i = 0; i < TURNS; i++)
        jobs[i] = (struct job){.left = 10 * (i + 1), .work = 100};
}

static void
tear_down(void)
{
}

START_TEST(those_that_work_go_round_until_each_has_left)
{
    for (int i = 0; i < TURNS; i++) {
        jobs[i].turn.step = on_work;
        turns_work(&turns, &jobs[i].turn);
    }
    run_all();
    for (int i = 0; i < TURNS; i++)
        ck_assert_int_eq(jobs[i].steps, 10 * (i + 1));
}
END_TEST

START_TEST(those_that_ask_go_round_and_have_a_bound_together)
{
    for (int i = 0; i < TURNS; i++) {
        jobs[i].turn.step = on_ask;
        turns_ask(&turns, &jobs[i].turn, jobs[i].work);
    }
    for (int i = 0; i < TURNS; i++) {
        run_all(); /* until an answer comes */
        ck_assert_uint_eq(turns.asked_work, 200);
        turns_answered(&turns, 200);
    }
    for (int i = 0; i < TURNS; i++)
        ck_assert_int_eq(jobs[i].steps, 2);
}
END_TEST

START_TEST(what_exceeds_the_bound_goes_alone)
{
    for (int i = 0; i < 2; i++) {
        jobs[i].turn.step = on_ask;
        jobs[i].work = i == 0 ? 1 : TURNS_STORE_WORK + 1;
        jobs[i].left = 1;
        turns_ask(&turns, &jobs[i].turn, jobs[i].work);
    }
    run_all();
    ck_assert_uint_eq(turns.asked_work, 1);
    turns_answered(&turns, 1);
    run_all();
    ck_assert_uint_eq(turns.asked_work, TURNS_STORE_WORK + 1);
}
END_TEST

START_TEST(a_store_that_is_busy_delays_none_that_works)
{
    turns_asked(&turns, TURNS_STORE_WORK);
    jobs[0].turn.step = on_ask;
    turns_ask(&turns, &jobs[0].turn, 1);
    jobs[1].turn.step = on_work;
    for (int i = 0; i < TURNS; i++)
        jobs[i].left = i == 1 ? STEPS_MAX : 0;
    turns_work(&turns, &jobs[1].turn);
    run_all();
    ck_assert_int_eq(jobs[1].steps, STEPS_MAX);
    ck_assert_int_eq(jobs[0].steps, 0);
}
END_TEST

START_TEST(turn_that_leaves_gets_no_step)
{
    for (int i = 0; i < TURNS; i++) {
        jobs[i].turn.step = on_work;
        turns_work(&turns, &jobs[i].turn);
    }
    turns_leave(&jobs[2].turn);
    turns_leave(&jobs[2].turn);
    jobs[2].left = 0;
    run_all();
    ck_assert_int_eq(jobs[2].steps, 0);
    ck_assert_int_eq(jobs[3].steps, 40);
}
END_TEST

static void
on_end(struct turn *turn)
{
    ck_assert(turns.ended);
    ((struct job *)turn)->ended = true;
    turns_leave(turn);
}

START_TEST(at_the_end_each_gets_one_more_step)
{
    turns_asked(&turns, TURNS_STORE_WORK);
    for (int i = 0; i < TURNS; i++) {
        jobs[i].turn.step = on_end;
        if (i % 2)
            turns_work(&turns, &jobs[i].turn);
        else
            turns_ask(&turns, &jobs[i].turn, 1);
    }
    turns_end(&turns);
    for (int i = 0; i < TURNS; i++)
        ck_assert(jobs[i].ended);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("turns");
    TCase *tests = tcase_create("turns");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, those_that_work_go_round_until_each_has_left);
    tcase_add_test(tests, those_that_ask_go_round_and_have_a_bound_together);
    tcase_add_test(tests, what_exceeds_the_bound_goes_alone);
    tcase_add_test(tests, a_store_that_is_busy_delays_none_that_works);
    tcase_add_test(tests, turn_that_leaves_gets_no_step);
    tcase_add_test(tests, at_the_end_each_gets_one_more_step);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
