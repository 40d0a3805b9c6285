#include "conditions.h"

#include <stdlib.h>
#include <string.h>

#include "host.h"

static bool
begins(const struct field *value, const char *text)
{
    size_t bytes = strlen(text);

    return value->bytes >= bytes && memcmp(value->text, text, bytes) == 0;
}

static bool
header_holds(const struct header_condition *condition, const struct field *value)
{
    switch (condition->test) {
    case HEADER_IS:
        return value->text != NULL && value->bytes == strlen(condition->text) &&
               begins(value, condition->text);
    case HEADER_BEGINS:
        return value->text != NULL && begins(value, condition->text);
    case HEADER_PRESENT:
        return value->text != NULL;
    case HEADER_ABSENT:
        break;
    }
    return value->text == NULL;
}

bool
conditions_host_holds(const struct conditions *conditions, const struct field *host)
{
    for (uint32_t i = 0; i < conditions->host_count && host->text != NULL; i++)
        if (host_pattern_matches(conditions->hosts[i], host))
            return true;
    return conditions->host_count == 0;
}

const struct header_condition *
conditions_unmet_header(const struct conditions *conditions, const struct policy_request *request)
{
    for (uint32_t i = 0; i < conditions->header_count; i++) {
        const struct header_condition *condition = &conditions->headers[i];
        if (!header_holds(condition, &request->headers[condition->header]))
            return condition;
    }
    return NULL;
}

bool
conditions_hold(const struct conditions *conditions, const struct policy_request *request)
{
    return conditions_unmet_header(conditions, request) == NULL &&
           conditions_host_holds(conditions, &request->host);
}

/* A pattern serves as a host: its `*` is at most the beginning of what the `*` of the wide one matches. */
static bool
hosts_cover(const struct conditions *wide, const struct conditions *narrow)
{
    if (wide->host_count == 0)
        return true;
    for (uint32_t i = 0; i < narrow->host_count; i++) {
        const struct field pattern = {.text = narrow->hosts[i], .bytes = strlen(narrow->hosts[i])};
        if (!conditions_host_holds(wide, &pattern))
            return false;
    }
    return narrow->host_count > 0;
}

/* Whether `wide` holds for every value for which `narrow`, on the same header, holds. */
static bool
header_covers(const struct header_condition *wide, const struct header_condition *narrow)
{
    struct field value = {.text = narrow->text, .bytes = narrow->text != NULL ? strlen(narrow->text) : 0};

    switch (wide->test) {
    case HEADER_IS:
        return narrow->test == HEADER_IS && header_holds(wide, &value);
    case HEADER_BEGINS:
        return header_holds(wide, &value);
    case HEADER_PRESENT:
        return narrow->test != HEADER_ABSENT;
    case HEADER_ABSENT:
        break;
    }
    return narrow->test == HEADER_ABSENT;
}

static bool
some_header_covers(const struct header_condition *wide, const struct conditions *narrow)
{
    for (uint32_t i = 0; i < narrow->header_count; i++)
        if (narrow->headers[i].header == wide->header && header_covers(wide, &narrow->headers[i]))
            return true;
    return false;
}

bool
conditions_cover(const struct conditions *wide, const struct conditions *narrow)
{
    static const struct conditions none = {.host_count = 0};

    if (wide == NULL)
        return true;
    if (narrow == NULL)
        narrow = &none;
    for (uint32_t i = 0; i < wide->header_count; i++)
        if (!some_header_covers(&wide->headers[i], narrow))
            return false;
    return hosts_cover(wide, narrow);
}

void
conditions_free(struct conditions *conditions)
{
    if (conditions == NULL)
        return;
    for (uint32_t i = 0; i < conditions->host_count; i++)
        free(conditions->hosts[i]);
    for (uint32_t i = 0; i < conditions->header_count; i++)
        free(conditions->headers[i].text);
    free(conditions);
}
