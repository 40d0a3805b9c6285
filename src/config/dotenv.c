#include "dotenv.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#define BLANKS          " \t"
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

void
dotenv_init(struct dotenv *dotenv, char *text, size_t bytes)
{
    size_t skip = bytes >= 3 && memcmp(text, BYTE_ORDER_MARK, 3) == 0 ? 3 : 0;

    dotenv->at = text + skip;
    dotenv->end = text + bytes;
    dotenv->line = 0;
}

/* The next line without its end, zero-terminated in place. */
static char *
cut_line(struct dotenv *dotenv, size_t *bytes)
{
    char *line = dotenv->at;
    char *end = memchr(line, '\n', (size_t)(dotenv->end - line));

    dotenv->at = end ? end + 1 : dotenv->end;
    if (!end)
        end = dotenv->end;
    if (end > line && end[-1] == '\r')
        end--;
    *end = '\0';
    *bytes = (size_t)(end - line);
    dotenv->line++;
    return line;
}

/* Dots and dashes too: not names to a shell, but they occur in shared files. */
static size_t
name_bytes(const char *text)
{
    size_t bytes = 0;

    if (isdigit((unsigned char)text[0]))
        return 0;
    while (isalnum((unsigned char)text[bytes]) || (text[bytes] != '\0' && strchr("_.-", text[bytes])))
        bytes++;
    return bytes;
}

/* After a closing quote: blanks, and a comment after a blank. */
static bool
is_rest_of_line(const char *text)
{
    size_t blanks = strspn(text, BLANKS);

    return text[blanks] == '\0' || (blanks > 0 && text[blanks] == '#');
}

static const char *
unquote_single(char *text, char **value)
{
    char *close = strchr(text + 1, '\'');

    if (!close)
        return "unterminated single quote";
    if (!is_rest_of_line(close + 1))
        return "text after the closing quote";
    *close = '\0';
    *value = text + 1;
    return NULL;
}

/* Unquoting never lengthens a value, so it is done in place. */
static const char *
unquote_double(char *text, char **value)
{
    char *from = text + 1, *to = text + 1;

    for (; *from != '"'; from++) {
        if (*from == '\0')
            return "unterminated double quote";
        if (*from == '\\' && from[1] == 'n') {
            *to++ = '\n';
            from++;
        } else if (*from == '\\' && from[1] != '\0' && strchr("\"\\$", from[1])) {
            *to++ = *++from;
        } else {
            *to++ = *from;
        }
    }
    if (!is_rest_of_line(from + 1))
        return "text after the closing quote";
    *to = '\0';
    *value = text + 1;
    return NULL;
}

/* `text` begins right after the `=`: a blank there may already precede a comment. */
static void
trim_unquoted(char *text, char **value)
{
    char *end = text;

    while (*end != '\0' && !(*end == '#' && end > text && strchr(BLANKS, end[-1])))
        end++;
    while (end > text && strchr(BLANKS, end[-1]))
        end--;
    *end = '\0';
    *value = text + strspn(text, BLANKS);
}

/* NULL, or the reason why not. */
static const char *
parse_line(char *text, struct dotenv_entry *entry)
{
    char *name = text, *rest, *value;
    size_t bytes;

    if (strncmp(name, "export", 6) == 0 && name[6] != '\0' && strchr(BLANKS, name[6]))
        name += 6 + strspn(name + 6, BLANKS);
    bytes = name_bytes(name);
    rest = name + bytes + strspn(name + bytes, BLANKS);
    if (bytes == 0 || *rest != '=')
        return "not of the form NAME=value";
    name[bytes] = '\0';
    entry->name = name;
    value = rest + 1 + strspn(rest + 1, BLANKS);
    if (*value == '\'')
        return unquote_single(value, &entry->value);
    if (*value == '"')
        return unquote_double(value, &entry->value);
    trim_unquoted(rest + 1, &entry->value);
    return NULL;
}

enum dotenv_status
dotenv_next(struct dotenv *dotenv, struct dotenv_entry *entry)
{
    while (dotenv->at < dotenv->end) {
        size_t bytes;
        char *line = cut_line(dotenv, &bytes);
        char *text = line + strspn(line, BLANKS);

        if (strlen(line) != bytes) {
            entry->reason = "holds a zero byte";
            return DOTENV_MALFORMED;
        }
        if (*text == '\0' || *text == '#')
            continue;
        entry->reason = parse_line(text, entry);
        return entry->reason ? DOTENV_MALFORMED : DOTENV_ENTRY;
    }
    return DOTENV_END;
}

static bool
needs_quotes(const char *value)
{
    for (const char *at = value; *at != '\0'; at++)
        if ((unsigned char)*at <= ' ' || strchr("\"'\\$#", *at))
            return true;
    return false;
}

size_t
dotenv_write_value(FILE *out, const char *value)
{
    size_t written = 2;

    if (!needs_quotes(value)) {
        fputs(value, out);
        return strlen(value);
    }
    fputc('"', out);
    for (; *value != '\0'; value++) {
        if (*value == '\n' || strchr("\"\\$", *value)) {
            fputc('\\', out);
            written++;
        }
        fputc(*value == '\n' ? 'n' : *value, out);
        written++;
    }
    fputc('"', out);
    return written;
}
