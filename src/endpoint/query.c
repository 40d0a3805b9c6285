#include "query.h"

#include <stdio.h>
#include <string.h>

#include "stringify.h"
#include "url.h"

static bool
refuse(struct query *query, const char *why)
{
    snprintf(query->why, sizeof(query->why), "%s", why);
    return false;
}

static bool
refuse_unknown(struct query *query, const struct query_argument *arguments, size_t count)
{
    size_t used =
        (size_t)snprintf(query->why, sizeof(query->why), "The query has an unknown argument; known:");

    for (size_t i = 0; i < count && used < sizeof(query->why); i++)
        used += (size_t)snprintf(query->why + used, sizeof(query->why) - used, " %s%s", arguments[i].name,
                                 i + 1 < count ? "," : ".");
    return false;
}

static struct query_argument *
find(struct query_argument *arguments, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(arguments[i].name, name) == 0)
            return &arguments[i];
    return NULL;
}

/* One "name=value", which is decoded in its place. */
static bool
read_argument(struct query *query, char *text, struct query_argument *arguments, size_t count)
{
    char *equals = strchr(text, '=');
    struct query_argument *argument;

    if (equals == NULL)
        return refuse(query, "An argument of the query has no value: write NAME=VALUE.");
    *equals = '\0';
    if (!url_decode(text) || !url_decode(equals + 1))
        return refuse(query, "The query is not percent-encoded: a % needs two hexadecimal digits, not 00.");
    argument = find(arguments, count, text);
    if (argument == NULL)
        return refuse_unknown(query, arguments, count);
    if (argument->value != NULL) {
        snprintf(query->why, sizeof(query->why), "The query has the argument %s twice.", argument->name);
        return false;
    }
    argument->value = equals + 1;
    return true;
}

bool
query_read(struct query *query, const char *text, struct query_argument *arguments, size_t count)
{
    char *next = query->text, *one;

    for (size_t i = 0; i < count; i++)
        arguments[i].value = NULL;
    if (strlen(text) > QUERY_BYTES_MAX)
        return refuse(query, "The query is longer than " STRINGIFY(QUERY_BYTES_MAX) " bytes.");
    memcpy(query->text, text, strlen(text) + 1);
    while (next != NULL && *next != '\0') {
        one = strsep(&next, "&");
        if (!read_argument(query, one, arguments, count))
            return false;
    }
    return true;
}
