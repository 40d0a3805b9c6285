/*
 * check_parser: the check that a JSON object makes, and the field that each error names.
 */
#include <stdlib.h>
#include <string.h>

#include "check_parser.h"
#include "policy_text.h"
#include "suite.h"

static const char rules_text[] =
    "{\"default\": {\"capacity\": 1, \"refill_rate\": 1},"
    " \"few\": {\"capacity\": 1, \"refill_rate\": 1},"
    " \"all\": {\"identify_by\": [\"global\"], \"capacity\": 1, \"refill_rate\": 1},"
    " \"keyed\": {\"match\": {\"path\": \"/k\", \"methods\": [\"POST\"]}, \"identify_by\": "
    "[\"header:X-Key\", \"ip\"],"
    "             \"capacity\": 1, \"refill_rate\": 1},"
    " \"hosted\": {\"identify_by\": [[\"host\", \"cookie:sid\"], \"host\"], \"capacity\": 1, "
    "\"refill_rate\": 1},"
    " \"tenants\": {\"match\": {\"path\": \"/t/**\"}, \"identify_by\": [\"path:2\"], \"capacity\": 1, "
    "\"refill_rate\": 1},"
    " \"networks\": {\"identify_by\": [\"ip/24/56\"], \"capacity\": 1, \"refill_rate\": 1}}";

static struct policy *policy;

static void
set_up(void)
{
    policy = policy_of_text(rules_text);
}

static void
tear_down(void)
{
    policy_free(policy);
}

/* Reads an object, with ' for ", into a check or an error. */
static struct check
read_text(const char *quoted, const char *list)
{
    struct check check = {.take.cost = 1, .error = {.list = list, .index = 999}};
    char *text = strdup(quoted);
    struct json_body body;
    cJSON *root;

    ck_assert_ptr_nonnull(text);
    for (char *quote = text; (quote = strchr(quote, '\'')) != NULL;)
        *quote = '"';
    json_body_init(&body, text, strlen(text));
    while (!body.scan.ended && json_body_check(&body, strlen(text), &check.error))
        continue;
    root = body.scan.ended ? json_body_root(&body) : NULL;
    if (root != NULL)
        check_parse(policy, root, true, &check);
    cJSON_Delete(root);
    free(text);
    return check;
}

static const struct {
    const char *text, *rule, *client;
    int64_t cost;
} good[] = {
    {"{'rule':'few','client':'u'}", "few", "client=u", 1},
    {"\xef\xbb\xbf {'rule':'few','client':'u','cost':0}", "few", "client=u", 0},
    {"{'cost':9007199254740991,'client':'u','rule':'few'}", "few", "client=u", INT64_C(9007199254740991)},
    {"{'rule':'few','client':'u','cost':1e3}", "few", "client=u", 1000},
    {"{'rule':'few','client':'u','cost':2.0}", "few", "client=u", 2},
    {"{'rule':'few','client':'u','cost':-0}", "few", "client=u", 0},
    {"{'rule':'few','client':'a b\\n\\u00fc{}'}", "few", "client=a%20b%0a%c3%bc%7b%7d", 1},
    {"{'rule':'all'}", "all", "global", 1},
    {"{'rule':'keyed','ip':'192.0.2.1'}", "keyed", "ip=192.0.2.1", 1},
    {"{'rule':'keyed','ip':'[2001:db8::1]:443'}", "keyed", "ip=2001:db8::/64", 1},
    {"{'rule':'keyed','ip':'192.0.2.1','headers':{'X-KEY':' k\\t','Other':''}}", "keyed", "header:x-key=k",
     1},
    {"{'rule':'keyed','ip':'192.0.2.1','headers':{'X-Key':' '}}", "keyed", "ip=192.0.2.1", 1},
    {"{'rule':'few','client':'192.0.2.1'}", "few", "client=192.0.2.1", 1},
    {"{'path':'/k','method':'POST','client':'u'}", "keyed", "client=u", 1},
    {"{'path':'//x/../%6b?a=/b','method':'POST','client':'u'}", "keyed", "client=u", 1},
    {"{'path':'/k','client':'u'}", "default", "client=u", 1},
    {"{'path':'/k','method':'POST','client':'u','headers':{'X-Key':'k'}}", "keyed", "client=u", 1},
    {"{'rule':'hosted','host':'A.Example:80'}", "hosted", "host=a.example", 1},
    {"{'rule':'hosted','headers':{'HOST':'a.example.'}}", "hosted", "host=a.example", 1},
    {"{'rule':'hosted','host':'b','headers':{'Host':'a','Cookie':'x=1; sid=s'}}", "hosted",
     "host=b&cookie:sid=s", 1},
    {"{'path':'http://a.example:80/t/acme/x?y'}", "tenants", "path:2=acme", 1},
    {"{'path':'/t/acme/a%2Fb'}", "tenants", "path:2=acme", 1},
    {"{'rule':'networks','ip':'192.0.2.77'}", "networks", "ip=192.0.2.0/24", 1},
    {"{'rule':'networks','ip':'2001:db8:1:2ff::1'}", "networks", "ip=2001:db8:1:200::/56", 1},
    {"{'path':'/k','method':'post','client':'u'}", "default", "client=u", 1},
};

START_TEST(check_has_a_rule_a_client_and_a_cost)
{
    struct check check = read_text(good[_i].text, NULL);

    ck_assert_msg(check.error.status == 0, "%s: %s %s", good[_i].text, check.error.field, check.error.why);
    ck_assert_str_eq(check.take.rule->name, good[_i].rule);
    ck_assert_str_eq(check.take.client.text, good[_i].client);
    ck_assert_int_eq(check.take.cost, good[_i].cost);
    ck_assert(strncmp(good[_i].client, "ip=", 3) == 0 ? check.take.address.size > 0
                                                      : check.take.address.size == 0);
}
END_TEST

/* Under rules without a default. */
START_TEST(path_that_no_rule_matches_is_not_an_error)
{
    static const char *const texts[] = {"{'path':'/x'}", "{'path':'/x','client':'u','cost':2}",
                                        "{'path':'/x','ip':'192.0.2.1','headers':{'X-Key':'k'}}"};
    struct check check;

    policy->fallback = NULL;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        check = read_text(texts[i], NULL);
        ck_assert_msg(check.error.status == 0, "%s: %s", texts[i], check.error.field);
        ck_assert_ptr_null(check.take.rule);
    }
    check = read_text("{'path':'/x','ip':'nowhere'}", NULL);
    ck_assert_str_eq(check.error.field, "ip"); /* what is said is looked at all the same */
}
END_TEST

static const struct {
    const char *text;
    unsigned status;
    const char *sentence;
} errors[] = {
    {"", 400, "The body is not JSON: line 1, column 1: empty text."},
    {"{", 400, "The body is not JSON: line 1, column 2: unexpected end of the text."},
    {"{\n 'rule': few}", 400,
     "The body is not JSON: line 2, column 10: expected a value: an object, an array, a string in double "
     "quotes, or a number."},
    {"{'rule':'\\u0000'}", 400, "The body is not JSON: line 1, column 11: something else is expected here."},
    {"[[[[[[[[[[[[[[[[[", 400, "The body is not JSON: line 1, column 17: nested more than 16 levels deep."},
    {"7", 400, "The body must be an object."},
    {"{'Rule':'few'}", 400,
     "The body has an unknown field; accepted: rule, client, cost, path, method, host, headers, ip."},
    {"{'rule':'few','client':'u','client':'u'}", 400, "client is given twice."},
    {"{}", 400, "rule is missing, and so is path."},
    {"{'rule':7}", 400, "rule must be a string that is not empty."},
    {"{'rule':''}", 400, "rule must be a string that is not empty."},
    {"{'rule':'none','client':'u'}", 404, "rule is not the name of a rule."},
    {"{'rule':'few','path':'/','client':'u'}", 400, "path is not allowed beside rule."},
    {"{'rule':'few','method':'GET','client':'u'}", 400, "method is not allowed beside rule."},
    {"{'rule':'few'}", 400, "client is missing, and the other fields name none by the rule's identify_by."},
    {"{'rule':'keyed','headers':{'X-Other':'k'}}", 400,
     "client is missing, and the other fields name none by the rule's identify_by."},
    {"{'rule':'few','client':null}", 400, "client must be a string that is not empty."},
    {"{'rule':'few','client':'u','headers':{}}", 400, "headers is not allowed beside rule and client."},
    {"{'rule':'few','client':'u','host':'h'}", 400, "host is not allowed beside rule and client."},
    {"{'rule':'few','host':''}", 400, "host must be a string that is not empty."},
    {"{'rule':'few','host':'a/b'}", 400, "host must be the name of a host or its address."},
    {"{'rule':'hosted','headers':{'Host':'a/b'}}", 400, "headers must be the name of a host or its address."},
    {"{'rule':'hosted','headers':{'Host':'a','host':'b'}}", 400, "headers contains a header twice."},
    {"{'path':'http://a@b/','client':'u'}", 400, "path must be the name of a host or its address."},
    {"{'path':'/t/a%2Fb/c'}", 400,
     "path must not have an encoded slash (%2F) that makes it unclear which segment names the client."},
    {"{'rule':'few','client':'u','ip':'::1'}", 400, "ip is not allowed beside client."},
    {"{'rule':'few','client':'u','cost':-1}", 400, "cost must be a whole number from 0 to 9007199254740991."},
    {"{'rule':'few','client':'u','cost':0.5}", 400,
     "cost must be a whole number from 0 to 9007199254740991."},
    {"{'rule':'few','client':'u','cost':9007199254740993}", 400,
     "cost must be a whole number from 0 to 9007199254740991."},
    {"{'rule':'few','client':'u','cost':1e999}", 400,
     "cost must be a whole number from 0 to 9007199254740991."},
    {"{'rule':'few','client':'u','cost':'1'}", 400,
     "cost must be a whole number from 0 to 9007199254740991."},
    {"{'path':'k','client':'u'}", 400, "path must be a path that begins with /, without control bytes."},
    {"{'path':'/%00','client':'u'}", 400, "path must be a path that begins with /, without control bytes."},
    {"{'path':'/','method':7,'client':'u'}", 400, "method must be a string that is not empty."},
    {"{'rule':'keyed','ip':'1.2.3'}", 400, "ip must be an IPv4 or an IPv6 address."},
    {"{'rule':'keyed','headers':7}", 400, "headers must be an object of strings."},
    {"{'rule':'keyed','headers':{'X':null}}", 400, "headers must be an object of strings."},
    {"{'rule':'keyed','headers':{'x-key':'a','X-Key':'b'}}", 400, "headers contains a header twice."},
    {"{'rule':'keyed','headers':{'x-key':'a\\u0001'}}", 400,
     "headers must not have control bytes in the value that names the client."},
};

START_TEST(error_names_the_field_and_what_is_accepted)
{
    struct check check = read_text(errors[_i].text, NULL);
    char sentence[JSON_ERROR_BYTES];

    ck_assert_msg(check.error.status == errors[_i].status, "%s: %u", errors[_i].text, check.error.status);
    json_error_text(&check.error, sentence);
    ck_assert_msg(strcmp(sentence, errors[_i].sentence) == 0, "%s: %s", errors[_i].text, sentence);
    ck_assert_ptr_null(strpbrk(sentence, "\"\\\n")); /* it goes into JSON as it is */
}
END_TEST

START_TEST(error_in_a_list_names_its_element)
{
    ck_assert_str_eq(read_text("{'rule':'few','client':7}", "checks").error.field, "checks[999].client");
    ck_assert_str_eq(read_text("7", "checks").error.field, "checks[999]");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("check_parser");
    TCase *reading = tcase_create("reading");

    tcase_add_checked_fixture(reading, set_up, tear_down);
    tcase_add_loop_test(reading, check_has_a_rule_a_client_and_a_cost, 0, ROWS(good));
    tcase_add_test(reading, path_that_no_rule_matches_is_not_an_error);
    tcase_add_loop_test(reading, error_names_the_field_and_what_is_accepted, 0, ROWS(errors));
    tcase_add_test(reading, error_in_a_list_names_its_element);
    suite_add_tcase(suite, reading);
    return run_suite(suite);
}
