#include "draw.h"

#include <stdio.h>
#include <string.h>

#include "draw_summary.h"
#include "draw_table.h"
#include "top_json.h"

#define OTHER_ROWS 64 /* at most: the summary, the titles */

static const struct column rule_columns[ORDER_NAME] = {
    [ORDER_REFUSED] = {"REFUSED/s", "refused"},
    [ORDER_ALLOWED] = {"ALLOWED/s", "allowed"},
    [ORDER_NEAR_LIMIT] = {"NEAR/s", "near_limit"},
    [ORDER_SHADOW] = {"SHADOW/s", "shadow_refused"},
    [ORDER_CANDIDATE] = {"CANDID/s", "candidate_refused"},
    [ORDER_DEGRADED] = {"DEGRADED/s", "degraded"},
};

/* In the order of top_measures. */
static const struct column client_columns[TOP_MEASURES] = {
    {"REFUSALS", "refusals"}, {"REQUESTS", "requests"}, {"COST", "cost"}};

/* That one comes first, because the last columns are left out on a narrow screen. */
static void
take_columns(struct table *table, const struct column *columns, size_t count, size_t first)
{
    size_t used = 0;

    if (first < count)
        table->columns[used++] = columns[first];
    for (size_t i = 0; i < count; i++)
        if (i != first)
            table->columns[used++] = columns[i];
}

static struct table
rules_of(const struct scene *scene)
{
    const struct top_view *view = scene->view;
    struct table table = {
        .title = view->order == ORDER_NAME ? "RULE (sorted)" : "RULE",
        .text_keys = {"rule"},
        .rows = table_rows_of(top_json_list(scene->rates, "rules"), "rule", view->filter),
    };

    take_columns(&table, rule_columns, ORDER_NAME, view->order);
    if (view->order == ORDER_NAME)
        table_rows_sort_by_name(&table.rows);
    else
        table_rows_sort(&table.rows, rule_columns[view->order].key);
    return table;
}

static struct table
clients_of(const struct scene *scene, char title[64])
{
    double sampled = top_json_number(scene->analytics, "sampled");
    struct table table = {
        .title = title,
        .text_keys = {"rule", "client"},
        .rows = table_rows_of(top_json_list(scene->analytics, "clients"), "rule", scene->view->filter),
    };

    snprintf(title, 64, "RULE CLIENT in the last %s", top_windows[scene->view->window]);
    if (sampled < 0.995) /* not where it is NAN */
        snprintf(title + strlen(title), 64 - strlen(title), ", from %.0f %% of the decisions", 100 * sampled);
    take_columns(&table, client_columns, TOP_MEASURES, scene->view->measure);
    table.columns[TOP_MEASURES] = (struct column){"+ AT MOST", "error"};
    return table;
}

static struct table
nodes_of(const struct scene *scene)
{
    return (struct table){
        .columns = {{"REFUSED/s", "refused"}, {"REQUESTS/s", "requests"}, {"SEEN s ago", "seen_s_ago"}},
        .title = "NODE ID STORE VERSION",
        .text_keys = {"host", "id", "store", "version"},
        .rows = table_rows_of(top_json_list(scene->status, "nodes"), "host", ""),
    };
}

/* How the rows are shared. */

enum { RULES, CLIENTS, NODES, TABLES };

static unsigned
least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static unsigned
wanted(const struct table *table)
{
    return (unsigned)table->rows.count + 1;
}

/* Nodes, where there are several, have a fifth at most; rules and clients share the rest, and what one does not need is the
   other's. */
static void
share(const struct table tables[TABLES], unsigned room, unsigned rows[TABLES])
{
    rows[NODES] = tables[NODES].rows.count > 1 && room >= 15 ? least(wanted(&tables[NODES]), room / 5) : 0;
    room -= rows[NODES];
    rows[CLIENTS] = room >= 8 ? least(wanted(&tables[CLIENTS]), room) : 0;
    rows[RULES] = least(wanted(&tables[RULES]), room - least(rows[CLIENTS], room * 2 / 5));
    rows[CLIENTS] = least(rows[CLIENTS], room - rows[RULES]);
}

static unsigned
draw_tables(struct screen *screen, unsigned row, const struct scene *scene)
{
    char clients_title[64];
    struct table tables[TABLES] = {
        [RULES] = rules_of(scene), [CLIENTS] = clients_of(scene, clients_title), [NODES] = nodes_of(scene)};
    unsigned rows[TABLES];

    share(tables, screen->rows > row ? screen->rows - row : 0, rows);
    for (size_t i = 0; i < TABLES; i++) {
        row = draw_table(screen, row, scene->is_whole ? wanted(&tables[i]) : rows[i], &tables[i]);
        if (i == CLIENTS && scene->clients_problem != NULL && (scene->is_whole || rows[CLIENTS] > 0))
            screen_put(screen, row++, 0, STYLE_FAINT, scene->clients_problem, SCREEN_COLUMNS_MAX);
        table_rows_fini(&tables[i].rows);
    }
    return row;
}

static void
draw_message(struct screen *screen, unsigned row, const struct scene *scene)
{
    const struct top_view *view = scene->view;
    unsigned column = 0;

    if (view->is_typing || view->filter[0] != '\0') {
        column = screen_put(screen, row, column, STYLE_BOLD, "rules with: ", SCREEN_COLUMNS_MAX);
        column = screen_put(screen, row, column, STYLE_BOLD, view->filter, SCREEN_COLUMNS_MAX);
        column = 2 + screen_put(screen, row, column, STYLE_BOLD, view->is_typing ? "_" : "", 1);
    }
    if (view->is_paused)
        column = 2 + screen_put(screen, row, column, STYLE_BOLD, "paused: p goes on", SCREEN_COLUMNS_MAX);
    if (scene->problem != NULL) {
        column = screen_put(screen, row, column, STYLE_BAD, scene->problem, SCREEN_COLUMNS_MAX);
        screen_put(screen, row, column, STYLE_BAD, "; trying again", SCREEN_COLUMNS_MAX);
    }
}

static unsigned
draw_help(struct screen *screen)
{
    unsigned row = 0;

    screen_put(screen, row, 0, STYLE_BOLD, "ratelimitd top: keys", SCREEN_COLUMNS_MAX);
    for (const struct top_key *key = top_keys; key->key != NULL; key++) {
        row++;
        screen_put(screen, row, 2, STYLE_BOLD, key->key, SCREEN_COLUMNS_MAX);
        screen_put(screen, row, 12, STYLE_PLAIN, key->meaning, SCREEN_COLUMNS_MAX);
    }
    screen_put(screen, row + 2, 0, STYLE_PLAIN,
               "Rates are a second, over the last 10 s. Any key ends this help.", SCREEN_COLUMNS_MAX);
    return row + 3;
}

unsigned
draw(struct screen *screen, const struct scene *scene)
{
    unsigned row;

    if (scene->view->shows_help) {
        row = draw_help(screen);
    } else {
        row = draw_summary(screen, scene->is_whole ? screen->rows : screen->rows / 2, scene);
        draw_message(screen, row++, scene);
        row = draw_tables(screen, row, scene);
    }
    return least(row, screen->rows);
}

unsigned
draw_rows(const struct scene *scene)
{
    int elements = cJSON_GetArraySize(top_json_list(scene->rates, "rules")) +
                   cJSON_GetArraySize(top_json_list(scene->analytics, "clients")) +
                   cJSON_GetArraySize(top_json_list(scene->status, "nodes"));

    return (unsigned)elements + OTHER_ROWS;
}
