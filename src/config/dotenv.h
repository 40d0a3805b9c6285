/*
 * dotenv: the lines of a .env file, one at a time, unquoted where they stand.
 *
 *     # a comment                      export NAME=value          blanks around the name and the value go
 *     NAME=value # a comment           NAME=value#no-comment      a comment needs a blank before it
 *     NAME='as it stands, \n too'      NAME="\n \" \\ \$"         other backslashes stand for themselves
 *     NAME=                            an empty value
 *
 * Nothing is expanded; a value does not go on in the next line; lines may end with CR LF; a byte order mark is
 * skipped. Pure, but for the text, which it writes into. One thread at a time.
 */
#ifndef DOTENV_H
#define DOTENV_H

#include <stddef.h>
#include <stdio.h>

#define DOTENV_FILE_BYTES 65536

struct dotenv {
    char *at, *end;
    unsigned line; /* number of the line last read, from 1 */
};

struct dotenv_entry {
    char *name;  /* in the text, zero-terminated */
    char *value; /* likewise */
    const char
        *mistake; /* DOTENV_MALFORMED: what is wrong, a clause without the line's text: it may be a secret */
};

enum dotenv_status { DOTENV_ENTRY, DOTENV_MALFORMED, DOTENV_END };

/* `text` is `bytes` long with one more byte behind them, which may be written. It must outlive the entries. */
void dotenv_init(struct dotenv *dotenv, char *text, size_t bytes);

/* After a malformed line it goes on with the next one. */
enum dotenv_status dotenv_next(struct dotenv *dotenv, struct dotenv_entry *entry);

/* Writes a value so that dotenv_next reads it back: as it stands where that is possible, else in double quotes.
   Returns the bytes written. */
size_t dotenv_write_value(FILE *out, const char *value);

#endif
