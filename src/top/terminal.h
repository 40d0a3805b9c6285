/*
 * terminal: the terminal of standard input and output: as pictures need it, and as it was before.
 *
 * There is one, so this module has the one state of it. One thread.
 */
#ifndef TERMINAL_H
#define TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/* Whether pictures can be drawn on it: both are terminals, and TERM is none that cannot move its cursor. */
bool terminal_can_draw(void);

/* Takes it: another screen, no cursor, keys at once and without echo. Also after the process was stopped and goes on.
   False: it cannot be had, with errno. From now on it is given back when a fault ends the process, too. */
bool terminal_enter(void);

/* Gives it back as it was. Also where it was not taken. */
void terminal_leave(void);

void terminal_size(unsigned *rows, unsigned *columns);

/* Waits until all is written. False: it is gone. */
bool terminal_write(const char *text, size_t bytes);

#endif
