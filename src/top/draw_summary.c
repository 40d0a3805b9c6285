#include "draw_summary.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "figures.h"
#include "top_json.h"

#define INDENT     12 /* of the facts, right of the line's name */
#define GAP        2  /* between facts */
#define FACT_BYTES 256

struct flow {
    struct screen *screen;
    unsigned row, column, rows;
    unsigned indent; /* of this line: less on a narrow screen */
};

static void
begin_line(struct flow *flow, const char *name)
{
    if (flow->column > 0)
        flow->row++;
    flow->indent = flow->screen->columns >= 60 ? INDENT : 2;
    flow->column = 0;
    if (flow->row < flow->rows)
        flow->column = screen_put(flow->screen, flow->row, 0, STYLE_BOLD, name, SCREEN_COLUMNS_MAX);
    flow->column = flow->column < flow->indent ? flow->indent : flow->column + 1;
}

static void put_fact(struct flow *flow, enum style style, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void
put_fact(struct flow *flow, enum style style, const char *format, ...)
{
    char fact[FACT_BYTES];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(fact, sizeof(fact), format, arguments);
    va_end(arguments);
    if (flow->column > flow->indent && flow->column + strlen(fact) > flow->screen->columns) {
        flow->row++;
        flow->column = flow->indent;
    }
    if (flow->row < flow->rows)
        flow->column =
            GAP + screen_put(flow->screen, flow->row, flow->column, style, fact, SCREEN_COLUMNS_MAX);
}

static void
put_clock(struct flow *flow, double now)
{
    time_t seconds = now >= 0 && now < 1e11 ? (time_t)now : 0;
    struct tm local;
    char clock[16];

    if (localtime_r(&seconds, &local) != NULL && strftime(clock, sizeof(clock), "%H:%M:%S", &local) > 0)
        put_fact(flow, STYLE_PLAIN, "%s", clock);
}

static void
put_service(struct flow *flow, const struct scene *scene)
{
    const cJSON *node = top_json_member(scene->status, "node");
    double now = top_json_number(scene->status, "now");

    begin_line(flow, "ratelimitd");
    if (scene->status != NULL) {
        put_fact(flow, STYLE_PLAIN, "%s", top_json_text(scene->status, "version"));
        put_clock(flow, now);
        put_fact(flow, STYLE_PLAIN, "up %s", figure_age(now - top_json_number(node, "since")).text);
        put_fact(flow, STYLE_PLAIN, "on %s", top_json_text(node, "host"));
    }
    put_fact(flow, STYLE_PLAIN, "%s", scene->url);
}

static void
put_rates(struct flow *flow, const cJSON *rates)
{
    static const struct {
        const char *key, *name;
        enum style style; /* where it is not 0 */
    } shown[] = {
        {"requests", "", STYLE_BOLD},         {"allowed", "allowed ", STYLE_PLAIN},
        {"refused", "refused ", STYLE_BOLD},  {"near_limit", "near a limit ", STYLE_PLAIN},
        {"degraded", "degraded ", STYLE_BAD}, {"unmatched", "unmatched ", STYLE_PLAIN},
    };

    begin_line(flow, "requests/s");
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
        double rate = top_json_number(rates, shown[i].key);
        put_fact(flow, rate > 0 ? shown[i].style : STYLE_PLAIN, "%s%s", shown[i].name,
                 figure_number(rate).text);
    }
}

static void
put_latency(struct flow *flow, const char *name, const cJSON *percentiles)
{
    static const char *const shown[][2] = {
        {"p50_us", "p50"}, {"p90_us", "p90"}, {"p99_us", "p99"}, {"p999_us", "p99.9"}};

    begin_line(flow, name);
    if (!cJSON_IsObject(percentiles))
        put_fact(flow, STYLE_FAINT, "nothing measured in the last 10 s");
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]) && cJSON_IsObject(percentiles); i++)
        put_fact(flow, STYLE_PLAIN, "%s %s", shown[i][1],
                 figure_latency(top_json_number(percentiles, shown[i][0])).text);
}

/* Of a list that begins with what was last; NULL: it is empty. */
static const cJSON *
latest(const cJSON *object, const char *key)
{
    return cJSON_GetArrayItem(top_json_list(object, key), 0);
}

static void
put_change(struct flow *flow, const cJSON *status, const cJSON *change)
{
    const char *reason = top_json_text(change, "reason");

    put_fact(flow, STYLE_PLAIN, "%s %s ago%s%s", top_json_text(change, "state"),
             figure_age(top_json_number(status, "now") - top_json_number(change, "at")).text,
             reason[0] != '\0' ? ": " : "", reason);
}

/* What the log said of it, and the first mistake. */
static void
put_reload(struct flow *flow, const cJSON *status, const cJSON *reload)
{
    enum style style = cJSON_IsFalse(top_json_member(reload, "ok")) ? STYLE_BAD : STYLE_PLAIN;
    const cJSON *mistake = latest(reload, "mistakes");

    put_fact(flow, style, "%s ago: %s",
             figure_age(top_json_number(status, "now") - top_json_number(reload, "at")).text,
             top_json_text(reload, "text"));
    if (cJSON_IsString(mistake))
        put_fact(flow, style, "%s", mistake->valuestring);
}

static void
put_store(struct flow *flow, const cJSON *status)
{
    const cJSON *store = top_json_member(status, "store"), *workers = top_json_member(store, "workers");
    const cJSON *change = latest(store, "changes");
    const char *state = top_json_text(store, "state");

    begin_line(flow, "store");
    put_fact(flow, STYLE_PLAIN, "%s", top_json_text(store, "kind"));
    put_fact(flow, strcmp(state, "ready") == 0 ? STYLE_GOOD : STYLE_BAD, "%s", state);
    put_fact(flow, STYLE_PLAIN, "workers: %s ready, %s connecting, %s lost",
             figure_number(top_json_number(workers, "ready")).text,
             figure_number(top_json_number(workers, "connecting")).text,
             figure_number(top_json_number(workers, "lost")).text);
    if (change != NULL)
        put_change(flow, status, change);
}

static void
put_room(struct flow *flow, const cJSON *status)
{
    const cJSON *connections = top_json_member(status, "connections"),
                *memory = top_json_member(status, "memory");

    begin_line(flow, "in use");
    put_fact(flow, STYLE_PLAIN, "connections %s of %s",
             figure_number(top_json_number(connections, "open")).text,
             figure_number(top_json_number(connections, "max")).text);
    put_fact(flow, STYLE_PLAIN, "keys in memory %s of %s",
             figure_number(top_json_number(memory, "entries")).text,
             figure_number(top_json_number(memory, "entries_max")).text);
    put_fact(flow, STYLE_PLAIN, "evictions %s", figure_number(top_json_number(memory, "evictions")).text);
}

static void
put_rules(struct flow *flow, const cJSON *status)
{
    const cJSON *rules = top_json_member(status, "rules"), *reload = latest(status, "reloads");
    double age = top_json_number(status, "now") - top_json_number(rules, "loaded");

    begin_line(flow, "rules");
    put_fact(flow, STYLE_PLAIN, "%s", figure_number(top_json_number(rules, "count")).text);
    put_fact(flow, STYLE_PLAIN, "loaded %s ago", figure_age(age).text);
    if (reload != NULL)
        put_reload(flow, status, reload);
}

unsigned
draw_summary(struct screen *screen, unsigned rows, const struct scene *scene)
{
    struct flow flow = {.screen = screen, .rows = rows};

    put_service(&flow, scene);
    if (scene->status != NULL) {
        put_rates(&flow, top_json_member(scene->status, "rates"));
        put_latency(&flow, "latency", top_json_member(scene->status, "latency"));
        if (strcmp(top_json_text(top_json_member(scene->status, "store"), "kind"), "memory") != 0)
            put_latency(&flow, "redis", top_json_member(scene->status, "redis_latency"));
        put_store(&flow, scene->status);
        put_room(&flow, scene->status);
        put_rules(&flow, scene->status);
    }
    return flow.row + 1 < rows ? flow.row + 1 : rows;
}
