/*
 * clients: what the clients of a rule that differ compile to: in the rule, in a file, merged into the rule's limits.
 */
#include <sys/stat.h>

#include "client_list.h"
#include "file_set.h"
#include "policy_fixture.h"
#include "suite.h"

static char folder[64];

static void
make_folder(void)
{
    set_up();
    snprintf(folder, sizeof(folder), "/tmp/test_clients.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
}

static void
remove_folder(void)
{
    tear_down();
    remove("list");
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_int_eq(rmdir(folder), 0);
}

static void
write_list(const char *text, size_t bytes)
{
    FILE *file = fopen("list", "w");

    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(text, 1, bytes, file), bytes);
    fclose(file);
}

/* Rules with ' for ", in a file of the folder. */
static void
compile_any(const char *quoted)
{
    char path[96], *text = strdup(quoted);

    ck_assert_ptr_nonnull(text);
    for (char *quote = text; (quote = strchr(quote, '\'')) != NULL;)
        *quote = '"';
    snprintf(path, sizeof(path), "%s/rules.json", folder);
    policy = policy_parse(path, text, strlen(text), &defaults, &report);
    free(text);
}

static void
compile(const char *quoted)
{
    compile_any(quoted);
    ck_assert_msg(policy != NULL, "%s", report.count ? report.lines[0] : "");
    ck_assert(report_is_empty(&report));
}

static const struct treatment *
of_name(const char *rule, const char *value)
{
    static const struct address none = {.size = 0};
    struct client client;

    client_write(&client, "client", value, strlen(value));
    return policy_treatment(policy_rule(policy, rule), &client, &none);
}

static const struct limit *
limit_of(const char *rule, const char *value, uint32_t count, uint32_t index)
{
    const struct treatment *treatment = of_name(rule, value);

    ck_assert_ptr_nonnull(treatment);
    ck_assert_int_eq(treatment->kind, TREATMENT_LIMITS);
    ck_assert_uint_eq(treatment->limits.count, count);
    ck_assert_uint_ne(treatment->limits.id, 0);
    return &treatment->limits.limits[index];
}

static int
kind_of(const char *rule, const char *value)
{
    const struct treatment *treatment = of_name(rule, value);

    return treatment == NULL ? -1 : (int)treatment->kind;
}

START_TEST(client_that_is_not_listed_is_as_the_rule_says)
{
    compile(
        "{'r': {'capacity': 5, 'refill_rate': 1, 'clients': {'gold': 'unlimited', 'bad': 'blocked'}},"
        " 's': {'capacity': 5, 'refill_rate': 1}, 't': {'capacity': 5, 'refill_rate': 1, 'clients': {}}}");
    ck_assert_int_eq(kind_of("r", "other"), -1);
    ck_assert_int_eq(kind_of("r", "gold"), TREATMENT_UNLIMITED);
    ck_assert_int_eq(kind_of("r", "bad"), TREATMENT_BLOCKED);
    ck_assert_int_eq(kind_of("s", "gold"), -1);
    ck_assert_int_eq(kind_of("t", "gold"), -1);
}
END_TEST

/* What a client's limit leaves out is the rule's. */
static const struct {
    const char *rule, *client;
    struct limit expected;
} merges[] = {
    {"'algorithm': 'fixed_window', 'limit': 10, 'window': '1h'",
     "'limit': 1000",
     {.algorithm = FIXED_WINDOW, .limit = 1000, .window_us = INT64_C(3600000000)}},
    {"'algorithm': 'fixed_window', 'limit': 10, 'window': '1h'",
     "'window': '1m'",
     {.algorithm = FIXED_WINDOW, .limit = 10, .window_us = 60000000}},
    {"'algorithm': 'fixed_window', 'limit': 10, 'window': '1h'",
     "'algorithm': 'sliding_window'",
     {.algorithm = SLIDING_WINDOW, .limit = 10, .window_us = INT64_C(3600000000)}},
    {"'algorithm': 'sliding_window', 'limit': 10, 'window': '1h'",
     "'capacity': 5, 'refill_rate': 1",
     {.algorithm = TOKEN_BUCKET,
      .limit = 5,
      .window_us = 5000000,
      .units_per_token = 1000000,
      .units_per_us = 1}},
    {"'capacity': 5, 'refill_rate': '3/1m'",
     "'capacity': 50",
     {.algorithm = TOKEN_BUCKET,
      .limit = 50,
      .window_us = 1000000000,
      .units_per_token = 20000000,
      .units_per_us = 1}},
    {"'capacity': 5, 'refill_rate': 2.5",
     "'capacity': 50",
     {.algorithm = TOKEN_BUCKET,
      .limit = 50,
      .window_us = 20000000,
      .units_per_token = 400000,
      .units_per_us = 1}},
    {"'capacity': 5, 'refill_rate': 1",
     "'refill_rate': 5",
     {.algorithm = TOKEN_BUCKET,
      .limit = 5,
      .window_us = 1000000,
      .units_per_token = 200000,
      .units_per_us = 1}},
    {"'capacity': 5, 'refill_rate': 1",
     "'algorithm': 'fixed_window', 'limit': 7",
     {.algorithm = FIXED_WINDOW, .limit = 7, .window_us = 60000000}}, /* the default window */
};

START_TEST(limit_of_a_client_is_merged_into_the_rule_s)
{
    const struct limit *limit, *expected = &merges[_i].expected;
    char text[300];

    snprintf(text, sizeof(text), "{'r': {%s, 'clients': {'gold': {%s}}}}", merges[_i].rule,
             merges[_i].client);
    compile(text);
    limit = limit_of("r", "gold", 1, 0);
    ck_assert_str_eq(algorithm_name(limit->algorithm), algorithm_name(expected->algorithm));
    ck_assert_int_eq(limit->limit, expected->limit);
    ck_assert_int_eq(limit->window_us, expected->window_us);
    ck_assert_int_eq(limit->units_per_token, expected->units_per_token);
    ck_assert_int_eq(limit->units_per_us, expected->units_per_us);
}
END_TEST

START_TEST(limits_of_a_client_replace_all_of_the_rule)
{
    compile("{'r': {'limits': [{'capacity': 5, 'refill_rate': 1}, {'capacity': 50, 'refill_rate': '1/1m'}],"
            "  'clients': {'gold': {'limits': [{'capacity': 500, 'refill_rate': 1}]}}},"
            " 's': {'capacity': 5, 'refill_rate': 1, 'clients': {'gold': {'limits': ["
            "  {'algorithm': 'fixed_window', 'limit': 3}, {'algorithm': 'fixed_window', 'limit': 9, "
            "'window': '1h'}]}}}}");
    ck_assert_int_eq(limit_of("r", "gold", 1, 0)->limit, 500);
    ck_assert_int_eq(limit_of("s", "gold", 2, 0)->limit, 3);
    ck_assert_int_eq(limit_of("s", "gold", 2, 1)->limit, 9);
}
END_TEST

START_TEST(equal_limits_of_clients_are_one)
{
    compile("{'r': {'capacity': 5, 'refill_rate': 1, 'clients': {'a': {'capacity': 7}, 'b': {'capacity':7},"
            " 'c': {'capacity': 8}, 'd': {'capacity': 7}}}}");
    ck_assert_ptr_eq(of_name("r", "a"), of_name("r", "b"));
    ck_assert_ptr_eq(of_name("r", "a"), of_name("r", "d"));
    ck_assert_ptr_ne(of_name("r", "a"), of_name("r", "c"));
    ck_assert_uint_ne(of_name("r", "a")->limits.id, of_name("r", "c")->limits.id);
    ck_assert_uint_ne(of_name("r", "a")->limits.id, policy_rule(policy, "r")->limits.id);
}
END_TEST

static const char in_file[] = "{'r': {'capacity': 5, 'refill_rate': 1, 'clients': 'list'}}";

START_TEST(file_has_a_line_for_each_client)
{
    static const char good[] = "\xef\xbb\xbf# gold customers\n"
                               "gold\t {\"capacity\": 50} # many\n"
                               "\n   \r\n"
                               "  silver  { \"capacity\" : 20 }\r\n"
                               "\"a # \\u0062\\\"\"  unlimited # 1\n"
                               "a#1 blocked";

    write_list(good, sizeof(good) - 1);
    compile(in_file);
    ck_assert_int_eq(limit_of("r", "gold", 1, 0)->limit, 50);
    ck_assert_int_eq(limit_of("r", "silver", 1, 0)->limit, 20);
    ck_assert_int_eq(kind_of("r", "a # b\""), TREATMENT_UNLIMITED);
    ck_assert_int_eq(kind_of("r", "a#1"), TREATMENT_BLOCKED);
    ck_assert_uint_eq(policy->list_count, 1);
    ck_assert_ptr_nonnull(strstr(policy->lists[0]->file, "/list"));
}
END_TEST

START_TEST(file_may_be_in_json)
{
    static const char text[] =
        "\xef\xbb\xbf\n {\"gold\": {\"capacity\": 50}, \"10.0.0.0/8\": \"unlimited\"}\n";

    write_list(text, sizeof(text) - 1);
    compile(in_file);
    ck_assert_int_eq(limit_of("r", "gold", 1, 0)->limit, 50);
    ck_assert_uint_eq(client_table_addresses(policy->lists[0]->table), 1);
}
END_TEST

START_TEST(empty_file_is_an_empty_list)
{
    write_list("", 0);
    compile(in_file);
    ck_assert_int_eq(kind_of("r", "gold"), -1);
}
END_TEST

/* The list is read once; what it means is each rule's. */
START_TEST(rules_share_a_file)
{
    static const char text[] = "gold {\"limit\": 50}\n";

    write_list(text, sizeof(text) - 1);
    compile("{'r': {'algorithm': 'fixed_window', 'window': '1m', 'clients': 'list'},"
            " 's': {'algorithm': 'fixed_window', 'window': '1h', 'clients': 'list'}}");
    ck_assert_uint_eq(policy->list_count, 1);
    ck_assert_int_eq(limit_of("r", "gold", 1, 0)->window_us, 60000000);
    ck_assert_int_eq(limit_of("s", "gold", 1, 0)->window_us, INT64_C(3600000000));
    ck_assert_uint_ne(of_name("r", "gold")->limits.id, of_name("s", "gold")->limits.id);
}
END_TEST

static void
assert_one_line(const char *part)
{
    ck_assert_ptr_null(policy);
    ck_assert_uint_eq(report.count, 1);
    ck_assert_msg(strstr(report.lines[0], part) != NULL, "%s", report.lines[0]);
}

START_TEST(file_that_cannot_be_read_is_named)
{
    compile_any(in_file);
    assert_one_line("/list cannot be read: No such file or directory");
    report_fini(&report);
    compile_any("{'r': {'capacity': 5, 'refill_rate': 1, 'clients': '.'}}");
    assert_one_line("cannot be read: Is a directory");
    report_fini(&report);
    compile_any("{'r': {'capacity': 5, 'refill_rate': 1, 'clients': '/dev/zero'}}");
    assert_one_line("/dev/zero cannot be read: not a regular file");
}
END_TEST

START_TEST(zero_byte_in_a_line_is_refused)
{
    write_list("gold blocked\0 7\n", 16);
    compile_any(in_file);
    assert_one_line("line 1: $[\"gold blocked\"]: a zero byte follows");
}
END_TEST

START_TEST(line_has_a_bound)
{
    char line[5000];

    memset(line, 'x', sizeof(line));
    write_list(line, sizeof(line));
    compile_any(in_file);
    assert_one_line("a line has more than 4096 bytes");
}
END_TEST

/* A file with a hole, which would take hours to read. */
START_TEST(line_is_not_read_beyond_its_bound)
{
    write_list("", 0);
    ck_assert_int_eq(truncate("list", INT64_C(1) << 40), 0);
    compile_any(in_file);
    assert_one_line("a line has more than 4096 bytes");
}
END_TEST

START_TEST(blanks_in_a_line_s_json_mean_what_they_mean_in_json)
{
    static const char good[] = "gold \t { \"capacity\" :\t5  } # x\n";
    static const char bad[] = "gold {\"capacity\": 1  000}\n";

    write_list(good, sizeof(good) - 1);
    compile(in_file);
    ck_assert_int_eq(limit_of("r", "gold", 1, 0)->limit, 5);
    policy_free(policy);
    write_list(bad, sizeof(bad) - 1);
    compile_any(in_file);
    assert_one_line("line 1: $.gold: ");
}
END_TEST

/* As when only its permissions change. */
START_TEST(file_that_cannot_be_read_is_another_one_than_when_it_can)
{
    struct file_set unread = {0}, read = {0};
    const char *rules = "{\"r\": {\"capacity\": 5, \"refill_rate\": 1, \"clients\": \"list\"}}";

    ck_assert_int_eq(mkfifo("list", 0600), 0);
    ck_assert_ptr_null(policy_parse_files("rules.json", rules, strlen(rules), &defaults, &unread, &report));
    ck_assert_uint_eq(unread.count, 1);
    ck_assert(file_set_add(&read, "list", &unread.items[0].version, NULL, 0));
    ck_assert(!file_set_equals(&unread, &read));
    file_set_fini(&unread);
    file_set_fini(&read);
}
END_TEST

START_TEST(json_of_a_file_has_a_bound)
{
    size_t bytes = LIST_JSON_BYTES + 1;
    char *text = malloc(bytes);

    ck_assert_ptr_nonnull(text);
    memset(text, ' ', bytes);
    text[0] = '{';
    text[bytes - 1] = '}';
    write_list(text, bytes);
    compile_any(in_file);
    assert_one_line("is larger than 4194304 bytes of JSON; write a line for each client instead");
    report_fini(&report);
    text[1] = '}';
    write_list(text, bytes - 1);
    compile(in_file);
    free(text);
}
END_TEST

START_TEST(mistakes_of_a_list_are_bounded)
{
    FILE *file = fopen("list", "w");

    ck_assert_ptr_nonnull(file);
    for (int i = 0; i < 1000; i++)
        fprintf(file, "name-%d blokced\n", i);
    fclose(file);
    compile_any(in_file);
    ck_assert_uint_eq(report.count, LIST_MISTAKES_MAX + 1);
    ck_assert_ptr_nonnull(
        strstr(report.lines[LIST_MISTAKES_MAX], "the rest was not read: too many mistakes"));
}
END_TEST

START_TEST(addresses_without_use_are_warned_of)
{
    compile("{'r': {'identify_by': ['header:a'], 'capacity': 5, 'refill_rate': 1,"
            " 'clients': {'10.0.0.0/8': 'unlimited'}}}");
    ck_assert_uint_eq(report.warning_count, 1);
    ck_assert_ptr_nonnull(strstr(report.warnings[0], "$.r.clients: the addresses in it have no effect"));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("clients");
    TCase *tests = tcase_create("clients");

    tcase_add_checked_fixture(tests, make_folder, remove_folder);
    tcase_add_test(tests, client_that_is_not_listed_is_as_the_rule_says);
    tcase_add_loop_test(tests, limit_of_a_client_is_merged_into_the_rule_s, 0, ROWS(merges));
    tcase_add_test(tests, limits_of_a_client_replace_all_of_the_rule);
    tcase_add_test(tests, equal_limits_of_clients_are_one);
    tcase_add_test(tests, file_has_a_line_for_each_client);
    tcase_add_test(tests, file_may_be_in_json);
    tcase_add_test(tests, empty_file_is_an_empty_list);
    tcase_add_test(tests, rules_share_a_file);
    tcase_add_test(tests, file_that_cannot_be_read_is_named);
    tcase_add_test(tests, zero_byte_in_a_line_is_refused);
    tcase_add_test(tests, line_has_a_bound);
    tcase_add_test(tests, line_is_not_read_beyond_its_bound);
    tcase_add_test(tests, blanks_in_a_line_s_json_mean_what_they_mean_in_json);
    tcase_add_test(tests, file_that_cannot_be_read_is_another_one_than_when_it_can);
    tcase_add_test(tests, json_of_a_file_has_a_bound);
    tcase_add_test(tests, mistakes_of_a_list_are_bounded);
    tcase_add_test(tests, addresses_without_use_are_warned_of);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
