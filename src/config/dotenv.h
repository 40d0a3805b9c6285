/*
 * dotenv: the lines of a .env file, one at a time, unquoted in place.
 *
 *     # a comment                      export NAME=value          blanks around name and value are dropped
 *     NAME=value # a comment           NAME=value#no-comment      a comment needs a blank before it
 *     NAME='taken literally, \n too'      NAME="\n \" \\ \$"         other backslashes are literal
 *     NAME=                            an empty value
 *
 * Nothing is expanded; a value ends with its line; lines may end with CR LF; a byte order mark is skipped.
 * Writes into the text and is otherwise pure. One thread at a time.
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
    char *name;         /* in the text, zero-terminated */
    char *value;        /* likewise */
    const char *reason; /* DOTENV_MALFORMED: a clause without the line's text, which may be a secret */
};

enum dotenv_status { DOTENV_ENTRY, DOTENV_MALFORMED, DOTENV_END };

/* `text` is `bytes` long; one more byte after it must be writable. It must outlive the entries. */
void dotenv_init(struct dotenv *dotenv, char *text, size_t bytes);

/* After a malformed line, continues with the next one. */
enum dotenv_status dotenv_next(struct dotenv *dotenv, struct dotenv_entry *entry);

/* Writes a value so that dotenv_next reads it back: unquoted if possible, else in double quotes.
   Returns the bytes written. */
size_t dotenv_write_value(FILE *out, const char *value);

#endif
