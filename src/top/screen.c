#include "screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool
screen_init(struct screen *screen, unsigned rows, unsigned columns)
{
    if (columns > SCREEN_COLUMNS_MAX)
        columns = SCREEN_COLUMNS_MAX;
    *screen = (struct screen){.rows = rows, .columns = columns};
    screen->cells = calloc((size_t)rows * columns + 1, sizeof(*screen->cells));
    if (screen->cells == NULL)
        return false;
    for (size_t i = 0; i < (size_t)rows * columns; i++)
        screen->cells[i].character = ' ';
    return true;
}

void
screen_fini(struct screen *screen)
{
    free(screen->cells);
    *screen = (struct screen){0};
}

static char
printable(char byte)
{
    return byte >= ' ' && byte <= '~' ? byte : '?';
}

unsigned
screen_put(struct screen *screen, unsigned row, unsigned column, enum style style, const char *text,
           size_t bytes)
{
    struct cell *cells = screen->cells + (size_t)row * screen->columns;

    if (row >= screen->rows)
        return column;
    for (; bytes > 0 && *text != '\0' && column < screen->columns; text++, bytes--, column++)
        cells[column] = (struct cell){.character = printable(*text), .style = (unsigned char)style};
    return column;
}

void
screen_style_row(struct screen *screen, unsigned row, enum style style)
{
    for (unsigned column = 0; row < screen->rows && column < screen->columns; column++)
        screen->cells[(size_t)row * screen->columns + column].style = (unsigned char)style;
}

/* The columns of a row up to its last cell that shows something; a blank does in the style of titles, where there are
   styles. */
static unsigned
used_columns(const struct screen *screen, unsigned row, bool styled)
{
    const struct cell *cells = screen->cells + (size_t)row * screen->columns;
    unsigned columns = screen->columns;

    while (columns > 0 && cells[columns - 1].character == ' ' &&
           !(styled && cells[columns - 1].style == STYLE_TITLE))
        columns--;
    return columns;
}

/* Select Graphic Rendition of ECMA-48. */
static const char *
rendition(enum style style, bool coloured)
{
    switch (style) {
    case STYLE_BOLD:
        return "\033[0;1m";
    case STYLE_TITLE:
        return "\033[0;7m";
    case STYLE_FAINT:
        return "\033[0;2m";
    case STYLE_GOOD:
        return coloured ? "\033[0;32m" : "\033[0m";
    case STYLE_BAD:
        return coloured ? "\033[0;1;31m" : "\033[0;1m";
    case STYLE_PLAIN:
        break;
    }
    return "\033[0m";
}

static void
write_row(FILE *out, const struct screen *screen, unsigned row, bool coloured)
{
    const struct cell *cells = screen->cells + (size_t)row * screen->columns;
    unsigned style = STYLE_PLAIN, end = used_columns(screen, row, true);

    fprintf(out, "\033[%u;1H", row + 1);
    for (unsigned column = 0; column < end; column++) {
        if (cells[column].style != style)
            fputs(rendition((enum style)cells[column].style, coloured), out);
        style = cells[column].style;
        fputc(cells[column].character, out);
    }
    if (style != STYLE_PLAIN)
        fputs("\033[0m", out);
    if (end < screen->columns) /* else the cursor is on the last character, which would go too */
        fputs("\033[K", out);
}

/* NULL where a write has failed: open_memstream is out of memory. */
static char *
finish(FILE *out, char **text)
{
    bool failed = ferror(out) != 0;

    if (fclose(out) != 0 || failed) {
        free(*text);
        *text = NULL;
    }
    return *text;
}

char *
screen_to_terminal(const struct screen *screen, bool coloured, size_t *bytes)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, bytes);

    if (out == NULL)
        return NULL;
    for (unsigned row = 0; row < screen->rows; row++)
        write_row(out, screen, row, coloured);
    return finish(out, &text);
}

char *
screen_to_text(const struct screen *screen, unsigned rows, size_t *bytes)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, bytes);

    if (out == NULL)
        return NULL;
    for (unsigned row = 0; row < rows && row < screen->rows; row++) {
        for (unsigned column = 0, end = used_columns(screen, row, false); column < end; column++)
            fputc(screen->cells[(size_t)row * screen->columns + column].character, out);
        fputc('\n', out);
    }
    return finish(out, &text);
}
