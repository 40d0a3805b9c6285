/* override, overrides: from a text of anybody to what is done with a client under a rule. */
#include <cjson/cJSON.h>

#include "overrides.h"
#include "policy_text.h"
#include "suite.h"

static const char rules[] =
    "{\"one\": {\"capacity\": 20, \"refill_rate\": 5, \"clients\": {\"gold\": \"unlimited\"}},"
    " \"two\": {\"limits\": [{\"capacity\": 2, \"refill_rate\": 1}, {\"capacity\": 9, \"refill_rate\": 1}]}}";

static const struct address no_address;

static struct override *
parse(const char *text)
{
    return override_parse(text, strlen(text), 7);
}

START_TEST(id_is_of_rule_and_client_however_it_is_written)
{
    static const struct {
        const char *text, *id;
    } rows[] = {
        {"{\"client\": \"gold\", \"treatment\": \"blocked\"}", " =gold"},
        {"{\"client\": \"a b\", \"rule\": \"one\", \"treatment\": \"blocked\"}", "one =a%20b"},
        {"{\"client\": \"header:X-Key=v\", \"treatment\": \"blocked\"}", " header:x-key=v"},
        {"{\"client\": \"10.0.0.0/8\", \"treatment\": \"blocked\"}", " 10.0.0.0/8"},
        {"{\"client\": \"203.0.113.7/32\", \"treatment\": \"blocked\"}", " 203.0.113.7"},
        {"{\"client\": \"2001:DB8:0:0::/32\", \"treatment\": \"blocked\"}", " 2001:db8::/32"},
        {"{\"client\": \"gold\", \"rule\": \"one\", \"treatment\": {\"capacity\": 5}}", "one =gold"},
    };
    struct override *override = parse(rows[_i].text);

    ck_assert_ptr_nonnull(override);
    ck_assert_str_eq(override->id, rows[_i].id);
    ck_assert_int_eq(override->end_us, 7);
    override_free(override);
}
END_TEST

START_TEST(what_is_no_override_is_refused)
{
    static const char *const rows[] = {
        "",
        "7",
        "[]",
        "{}",
        "{\"client\": \"gold\"}",
        "{\"treatment\": \"blocked\"}",
        "{\"client\": 7, \"treatment\": \"blocked\"}",
        "{\"client\": \"\", \"treatment\": \"blocked\"}",
        "{\"client\": \"10.0.0.1/8\", \"treatment\": \"blocked\"}",
        "{\"client\": \"a\\u001bb\", \"treatment\": \"blocked\"}",
        "{\"client\": \"gold\", \"treatment\": \"unlimited\"}",
        "{\"client\": \"gold\", \"treatment\": 7}",
        "{\"client\": \"gold\", \"treatment\": {\"limit\": 7}}", /* of which rule? */
        "{\"client\": \"gold\", \"rule\": \"\", \"treatment\": \"blocked\"}",
        "{\"client\": \"gold\", \"rule\": \"a b\", \"treatment\": \"blocked\"}",
        "{\"client\": \"gold\", \"rule\": 7, \"treatment\": \"blocked\"}",
        "{\"client\": \"gold\", \"treatment\": \"blocked\"} x",
    };

    ck_assert_ptr_null(parse(rows[_i]));
}
END_TEST

START_TEST(long_text_is_refused)
{
    char text[OVERRIDE_TEXT_BYTES + 2];
    int bytes = snprintf(text, sizeof(text), "{\"client\": \"gold\", \"treatment\": \"blocked\"%*s}",
                         OVERRIDE_TEXT_BYTES - 42, "");

    ck_assert_int_eq(bytes, OVERRIDE_TEXT_BYTES);
    override_free(override_parse(text, OVERRIDE_TEXT_BYTES, 0));
    ck_assert_ptr_null(override_parse(text, OVERRIDE_TEXT_BYTES + 1, 0));
}
END_TEST

/* Lists. */

static struct override_list *
list_of(const char *const *texts, uint32_t count)
{
    struct override *items[16];
    struct override_list *list;

    for (uint32_t i = 0; i < count; i++) {
        items[i] = parse(texts[i]);
        ck_assert_msg(items[i] != NULL, "%s", texts[i]);
    }
    list = override_list_new(items, count);
    ck_assert_ptr_nonnull(list);
    return list;
}

START_TEST(list_has_each_id_once_and_shares_what_it_has)
{
    static const char *const texts[] = {"{\"client\": \"b\", \"treatment\": \"blocked\"}",
                                        "{\"client\": \"a\", \"treatment\": \"blocked\"}",
                                        "{\"client\": \"b\", \"treatment\": \"blocked\"}"};
    struct override_list *list = list_of(texts, 3), *shorter;

    ck_assert_uint_eq(list->count, 2);
    ck_assert_uint_eq(override_list_find(list, " =a"), 0);
    ck_assert_uint_eq(override_list_find(list, " =b"), 1);
    ck_assert_uint_eq(override_list_find(list, " =c"), 2);
    shorter = override_list_new(&list->items[1], 1);
    override_list_free(list);
    ck_assert_str_eq(shorter->items[0]->id, " =b"); /* not freed */
    override_list_free(shorter);
}
END_TEST

/* Compiled. */

static struct policy *policy;
static struct overrides *overrides;

static void
compile(const char *const *texts, uint32_t count)
{
    struct override_list *list = list_of(texts, count);

    policy = policy_of_text(rules);
    overrides = overrides_compile(list, policy);
    ck_assert_ptr_nonnull(overrides);
    override_list_free(list); /* only borrowed */
}

static void
forget(void)
{
    overrides_free(overrides);
    policy_free(policy);
}

static const struct treatment *
treatment_of(const char *rule, const char *name)
{
    struct client client;

    client_write(&client, "client", name, strlen(name));
    return policy_treatment(policy_rule(overrides_policy(overrides), rule), &client, &no_address);
}

START_TEST(rule_s_comes_before_that_of_every_rule_and_both_before_the_file_s)
{
    static const char *const texts[] = {
        "{\"client\": \"gold\", \"treatment\": \"blocked\"}",
        "{\"client\": \"gold\", \"rule\": \"one\", \"treatment\": {\"capacity\": 7}}",
        "{\"client\": \"10.0.0.0/8\", \"rule\": \"two\", \"treatment\": \"blocked\"}"};
    struct address address;
    struct client client;

    compile(texts, 3);
    ck_assert_int_eq(treatment_of("one", "gold")->kind, TREATMENT_LIMITS);
    ck_assert_int_eq(treatment_of("two", "gold")->kind, TREATMENT_BLOCKED);
    ck_assert_ptr_null(treatment_of("one", "other"));
    ck_assert_ptr_null(treatment_of("two", "10.1.2.3")); /* a name */
    ck_assert(address_parse(&address, "10.1.2.3", 8));
    client_write(&client, "ip", "10.1.2.3", 8);
    ck_assert_int_eq(
        policy_treatment(policy_rule(overrides_policy(overrides), "two"), &client, &address)->kind,
        TREATMENT_BLOCKED);
    ck_assert_ptr_null(policy->rules[0].overrides); /* it is not changed */
    forget();
}
END_TEST

START_TEST(limits_are_merged_into_the_rule_s_and_equal_ones_are_the_same)
{
    static const char *const texts[] = {
        "{\"client\": \"a\", \"rule\": \"one\", \"treatment\": {\"capacity\": 7}}",
        "{\"client\": \"b\", \"rule\": \"one\", \"treatment\": {\"capacity\": 7}}",
        "{\"client\": \"c\", \"rule\": \"one\", \"treatment\": {\"capacity\": 8}}",
        ("{\"client\": \"a\", \"rule\": \"two\", \"treatment\": {\"limits\": [{\"capacity\": 7, "
         "\"refill_rate\": 1}]}}")};
    const struct limit_set *limits;

    compile(texts, 4);
    limits = &treatment_of("one", "a")->limits;
    ck_assert_uint_eq(limits->count, 1);
    ck_assert_int_eq(limits->limits[0].limit, 7);
    ck_assert_int_eq(limits->limits[0].units_per_us, policy->rules[0].limits.limits[0].units_per_us);
    ck_assert_uint_eq(treatment_of("one", "b")->limits.id, limits->id);
    ck_assert_uint_ne(treatment_of("one", "c")->limits.id, limits->id);
    ck_assert_uint_ne(limits->id, policy->rules[0].limits.id);
    ck_assert_uint_eq(treatment_of("two", "a")->limits.count, 1);
    forget();
}
END_TEST

START_TEST(what_does_not_fit_a_rule_of_this_node_is_left_out)
{
    static const char *const texts[] = {
        "{\"client\": \"a\", \"rule\": \"one\", \"treatment\": {\"capacity\": 0}}",
        "{\"client\": \"b\", \"rule\": \"two\", \"treatment\": {\"capacity\": 7}}",
        "{\"client\": \"c\", \"rule\": \"one\", \"treatment\": {\"wrong\": 7, \"capacity\": 7}}",
        "{\"client\": \"d\", \"rule\": \"gone\", \"treatment\": \"blocked\"}",
        "{\"client\": \"e\", \"rule\": \"two\", \"treatment\": \"blocked\"}"};

    compile(texts, 5);
    ck_assert_ptr_null(treatment_of("one", "a"));
    ck_assert_ptr_null(treatment_of("two", "b"));
    ck_assert_ptr_null(treatment_of("one", "c"));
    ck_assert_ptr_null(treatment_of("one", "d"));
    ck_assert_int_eq(treatment_of("two", "e")->kind, TREATMENT_BLOCKED);
    forget();
}
END_TEST

START_TEST(mistakes_of_limits_name_their_place_and_quote_nothing)
{
    struct limit_set limits;
    struct report report;
    cJSON *object = cJSON_Parse("{\"limits\": [{\"capacity\": \"secret\", \"refill_rate\": 1}]}");

    policy = policy_of_text(rules);
    report_init(&report);
    ck_assert(!overrides_read_limits(object, policy, &policy->rules[0], &limits, &report));
    ck_assert_uint_eq(report.count, 1);
    ck_assert_str_eq(report.lines[0],
                     "$.limits[0].capacity: must be a whole number from 1 to 9007199254740991");
    report_fini(&report);
    cJSON_Delete(object);
    policy_free(policy);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("overrides");
    TCase *tests = tcase_create("overrides");

    tcase_add_loop_test(tests, id_is_of_rule_and_client_however_it_is_written, 0, 7);
    tcase_add_loop_test(tests, what_is_no_override_is_refused, 0, 17);
    tcase_add_test(tests, long_text_is_refused);
    tcase_add_test(tests, list_has_each_id_once_and_shares_what_it_has);
    tcase_add_test(tests, rule_s_comes_before_that_of_every_rule_and_both_before_the_file_s);
    tcase_add_test(tests, limits_are_merged_into_the_rule_s_and_equal_ones_are_the_same);
    tcase_add_test(tests, what_does_not_fit_a_rule_of_this_node_is_left_out);
    tcase_add_test(tests, mistakes_of_limits_name_their_place_and_quote_nothing);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
