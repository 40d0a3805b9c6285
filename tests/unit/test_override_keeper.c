/* override_keeper: over a store that the test plays. */
#include "override_keeper.h"

#include "clock.h"
#include "policy_text.h"
#include "suite.h"

/* A store that keeps nothing: the test answers, and says what is read. */
struct played_store {
    struct override_store store;
    bool is_away;
    struct override_call *put, *removed;
    int64_t for_us;
    unsigned swept, run;
};

static struct played_store played;
static struct generations *generations;
static struct generation_reader *reader;
static struct override_keeper *keeper;
static enum override_outcome told;
static int told_count;

static bool
put(struct override_store *store, const char *id, const char *text, int64_t for_us,
    struct override_call *call)
{
    (void)store, (void)id, (void)text;
    played.put = call;
    played.for_us = for_us;
    return !played.is_away;
}

static bool
remove_one(struct override_store *store, const char *id, struct override_call *call)
{
    (void)store, (void)id;
    played.removed = call;
    return !played.is_away;
}

static void
sweep(struct override_store *store, const char *id)
{
    (void)store, (void)id;
    played.swept++;
}

static void
run(struct override_store *store, int64_t now_us)
{
    (void)store, (void)now_us;
    played.run++;
}

static const struct override_store_ops ops = {
    .put = put, .remove = remove_one, .sweep = sweep, .run = run, .free = NULL};

static void
set_up_over(struct override_store *store)
{
    played = (struct played_store){.store.ops = &ops};
    told_count = 0;
    generations = generations_new(policy_of_text("{\"one\": {\"capacity\": 20, \"refill_rate\": 5}}"), 1);
    reader = generations_reader(generations, 0);
    keeper = override_keeper_new(generations, store);
    ck_assert_ptr_nonnull(keeper);
}

static void
set_up(void)
{
    set_up_over(&played.store);
}

static void
set_up_alone(void)
{
    set_up_over(NULL);
}

static void
tear_down(void)
{
    override_keeper_free(keeper);
    generation_reader_close(reader);
    generations_free(generations);
}

static bool
is_blocked(const char *name)
{
    static const struct address no_address;
    struct client client;
    const struct rule *rule = &generation_current(reader)->policy->rules[0];

    client_write(&client, "client", name, strlen(name));
    return policy_treatment(rule, &client, &no_address) != NULL;
}

static struct override *
block(const char *client)
{
    char text[128];

    snprintf(text, sizeof(text), "{\"client\": \"%s\", \"treatment\": \"blocked\"}", client);
    return override_parse(text, strlen(text), 0);
}

static void
tell(void *arg, enum override_outcome outcome)
{
    (void)arg;
    told = outcome;
    told_count++;
}

static enum override_outcome
ask(const char *client, int64_t for_us, struct override_change **change)
{
    return override_keeper_put(keeper, block(client), for_us, tell, NULL, change);
}

static void
say(const char *id, const char *text, int64_t end_us)
{
    played.store.listener.on_text(played.store.listener.arg, id, strlen(id), text, strlen(text), end_us);
}

static void
say_blocked(const char *client, int64_t end_us)
{
    struct override *override = block(client);

    say(override->id, override->text, end_us);
    override_free(override);
}

START_TEST(change_is_in_force_once_the_store_has_it)
{
    struct override_change *change;

    ck_assert_int_eq(ask("a", US_PER_S, &change), OVERRIDE_PENDING);
    ck_assert_int_eq(played.for_us, US_PER_S);
    ck_assert(!is_blocked("a"));
    played.put->callback(played.put, OVERRIDE_DONE);
    ck_assert_int_eq(told_count, 1);
    ck_assert_int_eq(told, OVERRIDE_CHANGED);
    ck_assert(is_blocked("a") && !is_blocked("b"));
    ck_assert_int_eq(override_keeper_remove(keeper, " =a", tell, NULL, &change), OVERRIDE_PENDING);
    played.removed->callback(played.removed, OVERRIDE_DONE);
    ck_assert_int_eq(told_count, 2);
    ck_assert(!is_blocked("a"));
}
END_TEST

START_TEST(change_that_the_store_refuses_or_loses_changes_nothing)
{
    struct override_change *change;

    ask("a", US_PER_S, &change);
    played.put->callback(played.put, OVERRIDE_FULL);
    ck_assert_int_eq(told, OVERRIDE_TOO_MANY);
    ask("a", US_PER_S, &change);
    played.put->callback(played.put, OVERRIDE_UNKNOWN);
    ck_assert_int_eq(told, OVERRIDE_AWAY);
    played.is_away = true;
    ck_assert_int_eq(ask("a", US_PER_S, &change), OVERRIDE_AWAY);
    ck_assert_ptr_null(change);
    ck_assert_int_eq(told_count, 2);
    ck_assert(!is_blocked("a"));
}
END_TEST

START_TEST(forgotten_change_goes_on_and_tells_nobody)
{
    struct override_change *change;

    ask("a", US_PER_S, &change);
    override_change_forget(change);
    played.put->callback(played.put, OVERRIDE_DONE);
    ck_assert_int_eq(told_count, 0);
    ck_assert(is_blocked("a"));
}
END_TEST

START_TEST(what_is_read_takes_the_place_of_all)
{
    const struct override_listener *listener = &played.store.listener;

    for (int i = 0; i < 2; i++) { /* a reading that is given up leaves nothing */
        listener->on_begin(listener->arg);
        say_blocked("a", INT64_MAX);
    }
    say_blocked("b", INT64_MAX);
    ck_assert(!is_blocked("a"));
    listener->on_end(listener->arg);
    ck_assert(is_blocked("a") && is_blocked("b"));
    listener->on_begin(listener->arg);
    say_blocked("b", INT64_MAX);
    listener->on_end(listener->arg);
    ck_assert(!is_blocked("a") && is_blocked("b"));
}
END_TEST

START_TEST(what_others_wrote_is_skipped)
{
    const struct override_listener *listener = &played.store.listener;

    listener->on_begin(listener->arg);
    say("junk", "junk", INT64_MAX);
    say(" =other", "{\"client\": \"a\", \"treatment\": \"blocked\"}", INT64_MAX);
    for (unsigned i = 0; i <= OVERRIDES_MAX; i++)
        say_blocked("b", INT64_MAX);
    listener->on_end(listener->arg);
    ck_assert(!is_blocked("a") && is_blocked("b"));
    ck_assert_uint_eq(override_keeper_list(keeper)->count, 1);
}
END_TEST

START_TEST(it_ends_on_time_and_is_swept)
{
    const struct override_listener *listener = &played.store.listener;

    listener->on_begin(listener->arg);
    say_blocked("a", 1000);
    say_blocked("b", 100 * US_PER_S);
    listener->on_end(listener->arg);
    ck_assert_int_eq(override_keeper_run(keeper, 999), 1000);
    ck_assert(is_blocked("a"));
    ck_assert_int_eq(override_keeper_run(keeper, 1000), 1000 + OVERRIDE_RUN_US);
    ck_assert(!is_blocked("a") && is_blocked("b"));
    ck_assert_uint_eq(played.swept, 1);
    ck_assert_uint_eq(played.run, 2);
}
END_TEST

START_TEST(without_a_store_a_change_is_done_at_once)
{
    struct override_change *change;

    ck_assert_int_eq(override_keeper_run(keeper, 5), INT64_MAX);
    ck_assert_int_eq(ask("a", 0, &change), OVERRIDE_CHANGED);
    ck_assert_int_eq(ask("b", 3600 * US_PER_S, &change), OVERRIDE_CHANGED);
    ck_assert(is_blocked("a") && is_blocked("b"));
    ck_assert_int_gt(override_keeper_run(keeper, clock_mono_us()), clock_mono_us());
    ck_assert(!is_blocked("a") && is_blocked("b"));
    ck_assert_int_eq(override_keeper_remove(keeper, " =b", tell, NULL, &change), OVERRIDE_CHANGED);
    ck_assert_int_eq(override_keeper_remove(keeper, " =b", tell, NULL, &change), OVERRIDE_CHANGED);
    ck_assert(!is_blocked("b"));
    ck_assert_int_eq(told_count, 0);
}
END_TEST

START_TEST(overrides_outlive_the_rules)
{
    struct override_change *change;

    ask("a", 3600 * US_PER_S, &change);
    for (int i = 0; i < 3; i++) {
        struct generation_share *share = generation_enter(reader);
        ck_assert(generations_publish(generations,
                                      policy_of_text("{\"two\": {\"capacity\": 20, \"refill_rate\": 5}}")));
        ck_assert(is_blocked("a"));
        ask("b", 3600 * US_PER_S, &change);
        ck_assert(is_blocked("b"));
        override_keeper_remove(keeper, " =b", tell, NULL, &change);
        ck_assert_str_eq(share->generation->policy->rules[0].name, i == 0 ? "one" : "two"); /* not freed */
        generation_leave(share);
    }
    ck_assert_uint_le(generations_alive(generations), 2);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("override_keeper");
    TCase *tests = tcase_create("over a store"), *alone = tcase_create("alone");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, change_is_in_force_once_the_store_has_it);
    tcase_add_test(tests, change_that_the_store_refuses_or_loses_changes_nothing);
    tcase_add_test(tests, forgotten_change_goes_on_and_tells_nobody);
    tcase_add_test(tests, what_is_read_takes_the_place_of_all);
    tcase_add_test(tests, what_others_wrote_is_skipped);
    tcase_add_test(tests, it_ends_on_time_and_is_swept);
    suite_add_tcase(suite, tests);
    tcase_add_checked_fixture(alone, set_up_alone, tear_down);
    tcase_add_test(alone, without_a_store_a_change_is_done_at_once);
    tcase_add_test(alone, overrides_outlive_the_rules);
    suite_add_tcase(suite, alone);
    return run_suite(suite);
}
