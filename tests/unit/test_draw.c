/* draw, screen, figures: the picture of `ratelimitd top`, on screens of all sizes and from answers of all kinds. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "draw.h"
#include "figures.h"
#include "suite.h"

#define STATUS                                                                                               \
    "{\"version\":\"9.8.7\",\"node\":{\"id\":\"3f2a\",\"host\":\"web-1\",\"since\":1000000},\"now\":"        \
    "1003725,"                                                                                               \
    "\"store\":{\"kind\":\"redis\",\"state\":\"ready\",\"workers\":{\"ready\":2,\"connecting\":0,\"lost\":"  \
    "1},"                                                                                                    \
    "\"changes\":[{\"at\":1003665,\"state\":\"lost\",\"reason\":\"Connection refused\"},"                    \
    "{\"at\":1003600,\"state\":\"ready\",\"reason\":\"\"}]},"                                                \
    "\"rates\":{\"requests\":12345.6,\"allowed\":12000,\"refused\":345.6,\"degraded\":1,\"near_limit\":12."  \
    "5,"                                                                                                     \
    "\"unmatched\":0},"                                                                                      \
    "\"latency\":{\"p50_us\":80,\"p90_us\":120,\"p99_us\":1250,\"p999_us\":2500000},\"redis_latency\":null," \
    "\"connections\":{\"open\":17,\"max\":10000},"                                                           \
    "\"memory\":{\"entries\":5,\"entries_max\":1000000,\"evictions\":0},"                                    \
    "\"rules\":{\"count\":3,\"loaded\":1000000},"                                                            \
    "\"reloads\":[{\"at\":1003665,\"ok\":false,\"text\":\"not reloaded\",\"mistakes\":[\"line 1: "           \
    "x\",\"y\"]},"                                                                                           \
    "{\"at\":1003600,\"ok\":true,\"text\":\"reloaded\",\"mistakes\":[]}],"                                   \
    "\"nodes\":[{\"id\":\"00aa\",\"host\":\"web-1\",\"version\":\"9.8.7\",\"seen_s_ago\":0,\"requests\":10," \
    "\"refused\":1,"                                                                                         \
    "\"store\":\"ready\"},{\"id\":\"00bb\",\"host\":\"web-2\",\"version\":\"9.8.6\",\"seen_s_ago\":7,"       \
    "\"requests\":20,"                                                                                       \
    "\"refused\":2,\"store\":\"lost\"}]}"
#define RATES                                                                                               \
    "{\"rules\":[{\"rule\":\"search\",\"allowed\":20,\"refused\":0,\"near_limit\":0,\"shadow_refused\":7."  \
    "25,"                                                                                                   \
    "\"candidate_refused\":1,\"degraded\":0},{\"rule\":\"login\",\"allowed\":3000,\"refused\":45.6,\"near_" \
    "limit\":0.5},"                                                                                         \
    "{\"rule\":\"api\",\"allowed\":9000,\"refused\":300,\"near_limit\":12}]}"
#define ANALYTICS                                                                                         \
    "{\"clients\":[{\"rule\":\"api\",\"client\":\"ip=203.0.113.9\",\"requests\":5000,\"refusals\":4500,"  \
    "\"cost\":5001,"                                                                                      \
    "\"error\":3},{\"rule\":\"login\",\"client\":\"global\",\"requests\":70,\"refusals\":20,\"cost\":70," \
    "\"error\":0}]}"

struct picture {
    struct top_view view;
    struct scene scene;
    cJSON *status, *rates, *analytics;
    char *text;
    size_t bytes;
};

static struct picture
picture_of(const char *status, const char *rates, const char *analytics)
{
    struct picture picture = {.view = top_view_of_start(),
                              .status = cJSON_Parse(status),
                              .rates = cJSON_Parse(rates),
                              .analytics = cJSON_Parse(analytics)};

    picture.scene = (struct scene){.url = "http://here:8001",
                                   .status = picture.status,
                                   .rates = picture.rates,
                                   .analytics = picture.analytics};
    return picture;
}

static void
paint(struct picture *picture, unsigned rows, unsigned columns)
{
    struct screen screen;

    picture->scene.view = &picture->view;
    ck_assert(screen_init(&screen, rows, columns));
    ck_assert_uint_le(draw(&screen, &picture->scene), rows);
    free(picture->text);
    picture->text = screen_to_text(&screen, rows, &picture->bytes);
    ck_assert_ptr_nonnull(picture->text);
    screen_fini(&screen);
}

static void
throw_away(struct picture *picture)
{
    cJSON_Delete(picture->status);
    cJSON_Delete(picture->rates);
    cJSON_Delete(picture->analytics);
    free(picture->text);
}

#define ck_assert_shows(picture, part) \
    ck_assert_msg(strstr((picture).text, part) != NULL, "%s", (picture).text)
#define ck_assert_shows_not(picture, part) \
    ck_assert_msg(strstr((picture).text, part) == NULL, "%s", (picture).text)

/* The clock is of the zone that the test runs in: set in main. */
START_TEST(everything_is_on_a_terminal_of_24_rows_and_80_columns)
{
    static const char expected[] =
        "ratelimitd  9.8.7  14:48:45  up 1h2m  on web-1  http://here:8001\n"
        "requests/s  12346  allowed 12000  refused 346  near a limit 12.5  degraded 1\n"
        "            unmatched 0\n"
        "latency     p50 80us  p90 120us  p99 1.2ms  p99.9 2.5s\n"
        "redis       nothing measured in the last 10 s\n"
        "store       redis  ready  workers: 2 ready, 0 connecting, 1 lost\n"
        "            lost 1m ago: Connection refused\n"
        "in use      connections 17 of 10000  keys in memory 5 of 1000000  evictions 0\n"
        "rules       3  loaded 1h2m ago  1m ago: not reloaded  line 1: x\n"
        "\n"
        " REFUSED/s  ALLOWED/s     NEAR/s   SHADOW/s   CANDID/s DEGRADED/s RULE\n"
        "       300       9000         12          -          -          - api\n"
        "      45.6       3000        0.5          -          -          - login\n"
        "         0         20          0        7.2          1          0 search\n"
        "  REFUSALS   REQUESTS       COST  + AT MOST RULE CLIENT in the last minute\n"
        "      4500       5000       5001          3 api ip=203.0.113.9\n"
        "        20         70         70          0 login global\n";
    struct picture picture = picture_of(STATUS, RATES, ANALYTICS);

    paint(&picture, 24, 80);
    picture.text[strlen(expected)] = '\0';
    ck_assert_str_eq(picture.text, expected);
    throw_away(&picture);
}
END_TEST

START_TEST(nodes_are_shown_where_there_are_several_and_room)
{
    struct picture picture = picture_of(STATUS, RATES, ANALYTICS);

    paint(&picture, 40, 80);
    ck_assert_shows(picture, " REFUSED/s REQUESTS/s SEEN s ago NODE ID STORE VERSION\n"
                             "         1         10          0 web-1 00aa ready 9.8.7\n"
                             "         2         20          7 web-2 00bb lost 9.8.6\n");
    paint(&picture, 16, 80);
    ck_assert_shows_not(picture, "web-2");
    throw_away(&picture);
}
END_TEST

START_TEST(a_narrow_screen_keeps_the_names_and_the_column_that_it_is_sorted_by)
{
    struct picture picture = picture_of(STATUS, RATES, ANALYTICS);

    picture.view.order = ORDER_SHADOW;
    paint(&picture, 40, 40);
    ck_assert_shows(picture, "  SHADOW/s  REFUSED/s RULE\n       7.2          0 search\n");
    ck_assert_shows(picture, "refused 346");
    paint(&picture, 40, 24);
    ck_assert_shows(picture, "  SHADOW/s RULE\n");
    paint(&picture, 40, 12);
    ck_assert_shows(picture, "\nRULE\nsearch\n");
    throw_away(&picture);
}
END_TEST

static const struct {
    enum rule_order order;
    const char *first, *second, *third;
} orders[] = {
    {ORDER_REFUSED, "api", "login", "search"},  {ORDER_ALLOWED, "api", "login", "search"},
    {ORDER_SHADOW, "search", "login", "api"},   {ORDER_NAME, "api", "login", "search"},
    {ORDER_DEGRADED, "search", "login", "api"},
};

/* Where the numbers are equal, or none, as in the file. */
START_TEST(rules_are_sorted)
{
    struct picture picture = picture_of(STATUS, RATES, "{}");
    const char *at;

    picture.view.order = orders[_i].order;
    paint(&picture, 24, 80);
    at = strstr(picture.text, " RULE");
    ck_assert_ptr_nonnull(at);
    ck_assert_ptr_nonnull(at = strstr(at, orders[_i].first));
    ck_assert_ptr_nonnull(at = strstr(at, orders[_i].second));
    ck_assert_ptr_nonnull(strstr(at, orders[_i].third));
    throw_away(&picture);
}
END_TEST

START_TEST(a_filter_leaves_rules_and_their_clients)
{
    struct picture picture = picture_of(STATUS, RATES, ANALYTICS);

    strcpy(picture.view.filter, "og");
    paint(&picture, 30, 80);
    ck_assert_shows(picture, "rules with: og\n");
    ck_assert_shows(picture, "0.5          -          -          - login\n");
    ck_assert_shows(picture, "login global\n");
    ck_assert_shows_not(picture, "search");
    ck_assert_shows_not(picture, "203.0.113.9");
    throw_away(&picture);
}
END_TEST

START_TEST(clients_that_were_not_all_counted_are_said_to_be_a_part)
{
    static const char *const whole[] = {"{}", "{\"sampled\":1}", "{\"sampled\":0.999}",
                                        "{\"sampled\":\"x\"}"};
    struct picture picture = picture_of(STATUS, RATES, "{\"sampled\":0.834,\"clients\":[]}");

    paint(&picture, 30, 120);
    ck_assert_shows(picture, " RULE CLIENT in the last minute, from 83 % of the decisions\n");
    throw_away(&picture);
    for (int i = 0; i < ROWS(whole); i++) {
        picture = picture_of(STATUS, RATES, whole[i]);
        paint(&picture, 30, 120);
        ck_assert_shows(picture, " RULE CLIENT in the last minute\n");
        throw_away(&picture);
    }
}
END_TEST

START_TEST(what_the_operator_must_know_is_said)
{
    struct picture picture = picture_of(STATUS, RATES, "{}");

    picture.scene.problem = "http://here:8001 gives no answer: Connection refused";
    picture.scene.clients_problem = "no top clients: they are off";
    picture.view.is_paused = true;
    paint(&picture, 30, 100);
    ck_assert_shows(
        picture, "\npaused: p goes on  http://here:8001 gives no answer: Connection refused; trying again\n");
    ck_assert_shows(picture, "\nno top clients: they are off\n");
    picture.view.shows_help = true;
    paint(&picture, 30, 100);
    ck_assert_shows(picture, "\n  q         quit\n");
    throw_away(&picture);
}
END_TEST

/* Answers of which nothing can be trusted. */
static const char *const odd[] = {
    "null",
    "{}",
    "[]",
    "{\"rules\":1,\"clients\":\"x\",\"nodes\":{},\"store\":[],\"now\":\"soon\",\"reloads\":3}",
    "{\"rules\":[1,null,\"x\",[],{}],\"clients\":[{\"rule\":7}],\"nodes\":[null,null,3],\"reloads\":[0],"
    "\"now\":-1e308}",
    "{\"now\":1e308,\"node\":{\"since\":-1e308},\"rates\":{\"requests\":1e308,\"refused\":-5},\"rules\":{"
    "\"count\":1e-300}}",
};

START_TEST(no_answer_and_no_size_breaks_it)
{
    static const unsigned sizes[] = {1, 2, 3, 5, 11, 12, 13, 23, 80, 501};
    struct picture picture =
        picture_of(_i == 0 ? STATUS : odd[_i], _i == 0 ? RATES : odd[_i], _i == 0 ? ANALYTICS : odd[_i]);

    for (int rows = 0; rows < ROWS(sizes); rows++)
        for (int columns = 0; columns < ROWS(sizes); columns++) {
            picture.view.shows_help = true;
            paint(&picture, sizes[rows], sizes[columns]);
            picture.view.shows_help = false;
            paint(&picture, sizes[rows], sizes[columns]);
            for (char *line = strtok(picture.text, "\n"); line != NULL; line = strtok(NULL, "\n"))
                ck_assert_uint_le(strlen(line), sizes[columns]);
        }
    throw_away(&picture);
}
END_TEST

/* ESC ], CSI as one byte, as U+009B, line ends, backspaces, and what turns the direction of writing. */
#define HOSTILE "\\u001b]0;owned\\u0007\\u009b2J\\r\\n\\b\\u202e\\u007f\\ufeff"

START_TEST(nothing_from_outside_gives_orders_to_the_terminal)
{
    struct picture picture = picture_of(
        "{\"version\":\"" HOSTILE "\",\"node\":{\"host\":\"" HOSTILE "\"},\"store\":{\"kind\":\"" HOSTILE
        "\",\"changes\":[{\"reason\":\"" HOSTILE "\"}]},\"reloads\":[{\"text\":\"" HOSTILE
        "\"}],\"nodes\":[{\"host\":\"" HOSTILE "\",\"store\":\"" HOSTILE "\"},{}]}",
        "{\"rules\":[{\"rule\":\"" HOSTILE "\",\"refused\":1}]}",
        "{\"clients\":[{\"rule\":\"" HOSTILE "\",\"client\":\"" HOSTILE "\"}]}");
    struct screen screen;
    char *drawn;

    picture.scene.view = &picture.view;
    picture.scene.problem = picture.scene.clients_problem = "\033]0;owned\a\x9b"
                                                            "2J";
    ck_assert(screen_init(&screen, 40, 100));
    draw(&screen, &picture.scene);
    drawn = screen_to_terminal(&screen, true, &picture.bytes);
    ck_assert_ptr_nonnull(strstr(drawn, "?]0;owned?"));
    for (size_t i = 0; i < picture.bytes; i++)
        if (drawn[i] == '\033')
            ck_assert_msg(drawn[i + 1] == '[' &&
                              strchr("HmK", drawn[i + 2 + strspn(drawn + i + 2, "0123456789;")]) != NULL,
                          "%s", drawn + i + 1);
        else
            ck_assert_msg(drawn[i] >= ' ' && drawn[i] <= '~', "%#x", (unsigned char)drawn[i]);
    screen_fini(&screen);
    free(drawn);
    throw_away(&picture);
}
END_TEST

START_TEST(colours_are_left_out_where_they_are_not_wanted)
{
    struct picture picture = picture_of(STATUS, RATES, ANALYTICS);
    struct screen screen;
    char *drawn;

    picture.scene.view = &picture.view;
    picture.scene.problem = "away";
    for (int coloured = 0; coloured < 2; coloured++) {
        ck_assert(screen_init(&screen, 30, 100));
        draw(&screen, &picture.scene);
        drawn = screen_to_terminal(&screen, coloured != 0, &picture.bytes);
        ck_assert_int_eq(strstr(drawn, "32m") != NULL, coloured);
        ck_assert_int_eq(strstr(drawn, "31m") != NULL, coloured);
        ck_assert_ptr_nonnull(strstr(drawn, "\033[0;7m REFUSED/s"));
        screen_fini(&screen);
        free(drawn);
    }
    throw_away(&picture);
}
END_TEST

START_TEST(a_file_has_every_row)
{
    struct picture picture = picture_of(STATUS, "{}", ANALYTICS);
    cJSON *rules = cJSON_AddArrayToObject(picture.rates, "rules");
    unsigned rows;

    for (int i = 0; i < 10000; i++) {
        cJSON *rule = cJSON_CreateObject();
        cJSON_AddStringToObject(rule, "rule", i == 0 ? "the-last-one" : "another");
        cJSON_AddNumberToObject(rule, "refused", i);
        cJSON_AddItemToArray(rules, rule);
    }
    picture.scene.is_whole = true;
    rows = draw_rows(&picture.scene);
    ck_assert_uint_gt(rows, 10000);
    paint(&picture, rows, 200);
    ck_assert_shows(picture, "the-last-one\n");
    ck_assert_shows(picture, "login global\n");
    ck_assert_shows(picture, "web-2 00bb lost 9.8.6\n");
    throw_away(&picture);
}
END_TEST

static const struct {
    double number;
    const char *number_text, *latency_text, *age_text;
} figures[] = {
    {0, "0", "0us", "0s"},
    {0.04, "0.0", "0us", "0s"},
    {7, "7", "7us", "7s"},
    {59.96, "60.0", "60us", "59s"},
    {61, "61", "61us", "1m"},
    {99.94, "99.9", "100us", "1m"},
    {99.96, "100", "100us", "1m"},
    {999.4, "999", "999us", "16m"},
    {999.6, "1000", "1.0ms", "16m"},
    {3600, "3600", "3.6ms", "1h0m"},
    {999949, "999949", "999.9ms", "11d13h"},
    {999951, "999951", "1.0s", "11d13h"},
    {9999999, "9999999", "10.0s", "115d17h"},
    {12345678, "12.3M", "12.3s", "142d21h"},
    {1.5e9, "1.5G", "1500.0s", "17361d2h"},
    {-5, "-5", "-", "0s"},
    {1e300, "-", "-", "-"},
};

START_TEST(a_figure_is_short)
{
    ck_assert_str_eq(figure_number(figures[_i].number).text, figures[_i].number_text);
    ck_assert_str_eq(figure_latency(figures[_i].number).text, figures[_i].latency_text);
    ck_assert_str_eq(figure_age(figures[_i].number).text, figures[_i].age_text);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("draw");
    TCase *tests = tcase_create("draw");

    setenv("TZ", "UTC", 1);
    tcase_add_test(tests, everything_is_on_a_terminal_of_24_rows_and_80_columns);
    tcase_add_test(tests, nodes_are_shown_where_there_are_several_and_room);
    tcase_add_test(tests, a_narrow_screen_keeps_the_names_and_the_column_that_it_is_sorted_by);
    tcase_add_loop_test(tests, rules_are_sorted, 0, ROWS(orders));
    tcase_add_test(tests, a_filter_leaves_rules_and_their_clients);
    tcase_add_test(tests, clients_that_were_not_all_counted_are_said_to_be_a_part);
    tcase_add_test(tests, what_the_operator_must_know_is_said);
    tcase_add_loop_test(tests, no_answer_and_no_size_breaks_it, 0, ROWS(odd));
    tcase_add_test(tests, nothing_from_outside_gives_orders_to_the_terminal);
    tcase_add_test(tests, colours_are_left_out_where_they_are_not_wanted);
    tcase_add_test(tests, a_file_has_every_row);
    tcase_add_loop_test(tests, a_figure_is_short, 0, ROWS(figures));
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
