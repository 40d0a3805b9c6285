/* refusal: the line that tells of one, word for word, and what of its client is shown. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "decision.h"
#include "log.h"
#include "refusal.h"
#include "suite.h"

#define TRACE "0af7651916cd43dd8448eb211c80319c"

static char line[4096];

static void
keep_line(void *arg, enum log_level level, const char *module, const char *message)
{
    (void)arg;
    ck_assert_int_eq(level, LOG_INFO);
    ck_assert_str_eq(module, "refusals");
    snprintf(line, sizeof(line), "%s", message);
}

static void
set_up(void)
{
    log_init_sink(LOG_DEBUG, keep_line, NULL);
}

static struct field
field_of(const char *text)
{
    return (struct field){.text = text, .bytes = strlen(text)};
}

static const struct {
    struct decision_record record;
    const char *trace;
    uint64_t suppressed;
    const char *line;
} lines[] = {
    {{.result = RESULT_REFUSED, .limit = 10, .window_us = 60 * US_PER_S, .retry_after_us = 5500000},
     "",
     0,
     "client refused rule=api client=\"ip=::1\" result=refused limit=10 window=1m retry_after=6"},
    {{.result = RESULT_REFUSED, .limit = 10, .window_us = US_PER_S / 2, .retry_after_us = RETRY_NEVER},
     TRACE,
     812,
     "client refused rule=api client=\"ip=::1\" result=refused limit=10 window=500ms suppressed=812 "
     "trace_id=" TRACE},
    {{.result = RESULT_PENALISED, .limit = 1, .window_us = US_PER_S, .retry_after_us = 1},
     "",
     0,
     "client penalised rule=api client=\"ip=::1\" result=penalised limit=1 window=1s retry_after=1"},
    {{.result = RESULT_BLOCKED}, "", 0, "client blocked rule=api client=\"ip=::1\" result=blocked"},
    {{.result = RESULT_UNAVAILABLE, .limit = 3, .window_us = US_PER_S},
     "",
     7,
     "clients refused, as the store is unavailable rule=api result=unavailable suppressed=7"},
    {{.result = RESULT_REFUSED, .shadow = true},
     "",
     0,
     "client would be refused rule=api client=\"ip=::1\" result=shadow_refused"},
    {{.result = RESULT_PENALISED, .shadow = true},
     "",
     0,
     "client would be penalised rule=api client=\"ip=::1\" result=shadow_penalised"},
    {{.result = RESULT_BLOCKED, .shadow = true},
     "",
     0,
     "client would be blocked rule=api client=\"ip=::1\" result=shadow_blocked"},
    {{.result = RESULT_UNAVAILABLE, .shadow = true},
     "",
     0,
     "clients would be refused, as the store is unavailable rule=api result=shadow_unavailable"},
};

START_TEST(line_tells_who_was_refused_by_what)
{
    struct decision_record record = lines[_i].record;
    struct refusal refusal;

    record.rule = field_of("api");
    record.client = field_of("ip=::1");
    record.trace_id = field_of(lines[_i].trace);
    refusal_init(&refusal, &record);
    refusal_tell(&refusal, refusal.client, lines[_i].suppressed);
    ck_assert_str_eq(line, lines[_i].line);
}
END_TEST

/* `*` is a hash. */
static const struct {
    const char *client, *addresses, *hash;
} shown[] = {
    {"ip=203.0.113.9", "ip=203.0.113.9", "ip=#*"},
    {"ip=2001:db8:0:7::/64", "ip=2001:db8:0:7::/64", "ip=#*"},
    {"ip/24=203.0.113.0", "ip/24=203.0.113.0", "ip/24=#*"},
    {"host=api.example.com", "host=api.example.com", "host=#*"},
    {"global", "global", "global"},
    {"header:x-api-key=secret", "header:x-api-key=#*", "header:x-api-key=#*"},
    {"header:x-api-key=a=b", "header:x-api-key=#*", "header:x-api-key=#*"},
    {"header:ip=a", "header:ip=#*", "header:ip=#*"},
    {"cookie:session=secret", "cookie:session=#*", "cookie:session=#*"},
    {"path:2=secret", "path:2=#*", "path:2=#*"},
    {"client=secret", "client=#*", "client=#*"},
    {"ipx=secret", "ipx=#*", "ipx=#*"},
    {"i=secret", "i=#*", "i=#*"},
    {"=secret", "=#*", "=#*"},
    {"", "", ""},
    {"sha256=0123", "sha256=#*", "sha256=#*"},
    {"header:x-tenant=acme&ip=203.0.113.0/24", "header:x-tenant=#*&ip=203.0.113.0/24",
     "header:x-tenant=#*&ip=#*"},
    {"ip=::1&header:k=v&global", "ip=::1&header:k=#*&global", "ip=#*&header:k=#*&global"},
};

static const struct siphash_key key = {1, 2};

static void
check_shown(const char *client, enum client_display display, const char *expected)
{
    struct shown_client got = shown_client(client, display, key);
    const char *at = got.text;

    for (; *expected != '\0'; expected++)
        if (*expected != '*') {
            ck_assert_msg(*at++ == *expected, "%s: %s", client, got.text);
        } else {
            ck_assert_msg(strspn(at, "0123456789abcdef") == 16, "%s: %s", client, got.text);
            at += 16;
        }
    ck_assert_str_eq(at, "");
}

START_TEST(client_is_shown_as_asked)
{
    check_shown(shown[_i].client, CLIENTS_ADDRESSES, shown[_i].addresses);
    check_shown(shown[_i].client, CLIENTS_HASH, shown[_i].hash);
    ck_assert_str_eq(shown_client(shown[_i].client, CLIENTS_PLAIN, key).text, shown[_i].client);
}
END_TEST

START_TEST(hash_tells_clients_apart_and_needs_the_key)
{
    struct shown_client one = shown_client("ip=1.1.1.1", CLIENTS_HASH, key);

    ck_assert_str_eq(one.text, shown_client("ip=1.1.1.1", CLIENTS_HASH, key).text);
    ck_assert_str_ne(one.text, shown_client("ip=1.1.1.2", CLIENTS_HASH, key).text);
    ck_assert_str_ne(one.text, shown_client("ip=1.1.1.1", CLIENTS_HASH, (struct siphash_key){1, 3}).text);
    ck_assert_str_ne(shown_client("header:a=x", CLIENTS_HASH, key).text + strlen("header:a=#"),
                     shown_client("header:b=x", CLIENTS_HASH, key).text + strlen("header:b=#"));
}
END_TEST

/* Every text of CLIENT_BYTES that is made of one part after the other: the shortest ones grow most. */
START_TEST(longest_clients_fit)
{
    static const char *const parts[] = {"a=&", "=&", "&", "=", "a", "ip=&", "a=b&"};

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        char client[CLIENT_BYTES + 1];
        size_t bytes = strlen(parts[i]);

        for (size_t at = 0; at < CLIENT_BYTES; at++)
            client[at] = parts[i][at % bytes];
        client[CLIENT_BYTES] = '\0';
        ck_assert_uint_lt(strlen(shown_client(client, CLIENTS_HASH, key).text), SHOWN_CLIENT_BYTES);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("refusal");
    TCase *tests = tcase_create("refusal");

    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_loop_test(tests, line_tells_who_was_refused_by_what, 0, ROWS(lines));
    tcase_add_loop_test(tests, client_is_shown_as_asked, 0, ROWS(shown));
    tcase_add_test(tests, hash_tells_clients_apart_and_needs_the_key);
    tcase_add_test(tests, longest_clients_fit);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
