#include "draw_table.h"

#include <string.h>

#include "figures.h"
#include "top_json.h"

#define NUMBER_COLUMNS 11 /* with the blank that comes first */
#define TEXT_COLUMNS   12 /* at least */

/* How many numbers there is room for. */
static unsigned
shown_columns(const struct screen *screen, const struct table *table)
{
    unsigned count = 0;

    while (count < TABLE_COLUMNS_MAX && table->columns[count].key != NULL &&
           (count + 1) * NUMBER_COLUMNS + TEXT_COLUMNS <= screen->columns)
        count++;
    return count;
}

static unsigned
put_right(struct screen *screen, unsigned row, unsigned column, enum style style, const char *text)
{
    unsigned end = column + NUMBER_COLUMNS - 1, bytes = (unsigned)strlen(text);

    screen_put(screen, row, end - (bytes < NUMBER_COLUMNS ? bytes : NUMBER_COLUMNS - 1), style, text, bytes);
    return column + NUMBER_COLUMNS;
}

static void
put_title(struct screen *screen, unsigned row, unsigned shown, const struct table *table)
{
    unsigned column = 0;

    for (unsigned i = 0; i < shown; i++)
        column = put_right(screen, row, column, STYLE_TITLE, table->columns[i].title);
    screen_put(screen, row, column, STYLE_TITLE, table->title, SCREEN_COLUMNS_MAX);
    screen_style_row(screen, row, STYLE_TITLE);
}

static void
put_row(struct screen *screen, unsigned row, unsigned shown, const struct table *table, const cJSON *values)
{
    unsigned column = 0;

    for (unsigned i = 0; i < shown; i++) {
        struct figure figure = figure_number(top_json_number(values, table->columns[i].key));
        column = put_right(screen, row, column, i == 0 ? STYLE_BOLD : STYLE_PLAIN, figure.text);
    }
    for (size_t i = 0; table->text_keys[i] != NULL; i++)
        column = 1 + screen_put(screen, row, column, STYLE_PLAIN, top_json_text(values, table->text_keys[i]),
                                SCREEN_COLUMNS_MAX);
}

unsigned
draw_table(struct screen *screen, unsigned row, unsigned rows, const struct table *table)
{
    unsigned shown = shown_columns(screen, table);

    if (rows == 0)
        return row;
    put_title(screen, row++, shown, table);
    for (size_t i = 0; i < table->rows.count && i + 1 < rows; i++)
        put_row(screen, row++, shown, table, table->rows.list[i].values);
    return row;
}
