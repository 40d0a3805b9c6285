/*
 * exposition_accept: which format the value of Accept prefers (RFC 9110, section 12.5.1).
 *
 * OpenMetrics is sent only to scrapers that name it, in the version that is written here or without one: what a
 * wildcard accepts, old scrapers and people, is plain text.
 */
#include <string.h>
#include <strings.h>

#include "exposition.h"

#define FULL_WEIGHT 1000

/* One range of the list: its type, and what its parameters say. */
struct range {
    struct field type;
    int weight; /* `q` in thousandths */
    bool is_other_version;
};

/* Cuts off what precedes the separator, or all, and takes it out of `rest`. */
static struct field
cut(struct field *rest, char separator)
{
    const char *end = memchr(rest->text, separator, rest->bytes);
    size_t bytes = end != NULL ? (size_t)(end - rest->text) : rest->bytes;
    struct field part = field_trimmed(rest->text, bytes);

    if (end != NULL)
        bytes++;
    rest->text += bytes;
    rest->bytes -= bytes;
    return part;
}

static bool
is_text(const struct field *field, const char *text)
{
    return field->bytes == strlen(text) && strncasecmp(field->text, text, field->bytes) == 0;
}

/* "0.75": 750. What is no weight is none. */
static int
read_weight(const struct field *text)
{
    int weight = 0, unit = FULL_WEIGHT;

    for (size_t i = 0; i < text->bytes; i++) {
        if (text->text[i] == '.' && i == 1)
            continue;
        if (text->text[i] < '0' || text->text[i] > '9' || i > 4)
            return 0;
        weight += (text->text[i] - '0') * unit;
        unit /= 10;
    }
    return weight <= FULL_WEIGHT ? weight : 0;
}

static struct range
read_range(struct field text)
{
    struct range range = {.type = cut(&text, ';'), .weight = FULL_WEIGHT};

    while (text.bytes > 0) {
        struct field value = cut(&text, ';');
        struct field name = cut(&value, '=');
        if (is_text(&name, "q"))
            range.weight = read_weight(&value);
        else if (is_text(&name, "version"))
            range.is_other_version = !is_text(&value, "1.0.0");
    }
    return range;
}

enum exposition_format
exposition_accepted(const struct field *accept)
{
    struct field rest = *accept;
    int open = 0, plain = 0;

    while (rest.text != NULL && rest.bytes > 0) {
        struct range range = read_range(cut(&rest, ','));
        if (is_text(&range.type, "application/openmetrics-text") && !range.is_other_version &&
            range.weight > open)
            open = range.weight;
        else if (is_text(&range.type, "text/plain") && range.weight > plain)
            plain = range.weight;
    }
    return open > 0 && open >= plain ? EXPOSITION_OPENMETRICS : EXPOSITION_PROMETHEUS;
}
