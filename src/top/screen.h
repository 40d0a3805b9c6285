/*
 * screen: a grid of characters that is drawn in memory and then written to a terminal, or to a file, at once.
 *
 * Whatever text is put there, what comes out holds printable ASCII and the sequences that this module itself makes: every
 * other byte becomes `?`. So no name of a rule, a client or a node can give an order to the terminal. Pure; one
 * thread at a time.
 */
#ifndef SCREEN_H
#define SCREEN_H

#include <stdbool.h>
#include <stddef.h>

#define SCREEN_COLUMNS_MAX 500

enum style { STYLE_PLAIN, STYLE_BOLD, STYLE_TITLE, STYLE_FAINT, STYLE_GOOD, STYLE_BAD };

struct cell {
    char character;
    unsigned char style; /* enum style */
};

struct screen {
    unsigned rows, columns;
    struct cell *cells; /* owned */
};

/* Blank. False: out of memory. More than SCREEN_COLUMNS_MAX columns are that many. */
bool screen_init(struct screen *screen, unsigned rows, unsigned columns);
void screen_fini(struct screen *screen);

/* Puts at most `bytes` characters of the text at this place. What is outside of the grid is left out. Returns the column
   that follows. */
unsigned screen_put(struct screen *screen, unsigned row, unsigned column, enum style style, const char *text,
                    size_t bytes);

/* The style of an entire row, over what is there. */
void screen_style_row(struct screen *screen, unsigned row, enum style style);

/* What shows the grid on a terminal, whatever is there now. The caller frees it; NULL: out of memory. `coloured`: with
   colours; without, bold, faint and reverse are used still. */
char *screen_to_terminal(const struct screen *screen, bool coloured, size_t *bytes);

/* The first `rows` rows as lines of text, without the blanks at their ends. */
char *screen_to_text(const struct screen *screen, unsigned rows, size_t *bytes);

#endif
