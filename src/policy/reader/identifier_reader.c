/*
 * `identify_by`: a list of sources, or of lists of sources that name a client together.
 */
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "number.h"
#include "rules_reader.h"
#include "token.h"

#define SEGMENTS_MAX 64 /* of a path, that a source may name */

static const char *const source_words[] = {"header:NAME", "cookie:NAME", "host",  "path:N",
                                           "ip",          "ip/BITS",     "global"};

/* Names of headers and cookies, each kept once. */

struct names {
    char **list;
    uint32_t *count;
    uint32_t max;
    const char *what; /* for diagnostics */
};

/* Takes `name`, which may be NULL: out of memory. */
static bool
add_name(const struct place *at, const struct names *names, char *name, uint32_t *index)
{
    if (diagnostic_check_memory(at, name) == NULL)
        return false;
    for (*index = 0; *index < *names->count; ++*index) {
        if (strcmp(names->list[*index], name) == 0) {
            free(name);
            return true;
        }
    }
    if (*names->count < names->max)
        return names->list[(*names->count)++] = name, true;
    diagnostic_add_value(at, "the rules name more than %u %ss", names->max, names->what);
    free(name);
    return false;
}

static bool
check_name(const struct place *at, const char *name, const char *what)
{
    return is_token(name, strlen(name)) ||
           diagnostic_add_value(at, "must name a %s: letters, digits and !#$%%&'*+-.^_`|~", what);
}

static char *
lower_case(char *text)
{
    for (char *at = text; at != NULL && *at != '\0'; at++)
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at - 'A' + 'a');
    return text;
}

bool
header_read(const struct place *at, const char *name, uint32_t *index)
{
    struct policy *policy = at->reader->policy;
    const struct names names = {policy->headers, &policy->header_count, POLICY_HEADERS_MAX, "header"};

    return check_name(at, name, names.what) && add_name(at, &names, lower_case(strdup(name)), index);
}

static bool
cookie_read(const struct place *at, const char *name, uint32_t *index)
{
    struct policy *policy = at->reader->policy;
    const struct names names = {policy->cookies, &policy->cookie_count, POLICY_COOKIES_MAX, "cookie"};

    return check_name(at, name, names.what) && add_name(at, &names, strdup(name), index);
}

/* One source. */

/* "24" of IPv4, "56" of IPv6, "24/56" of both. */
static bool
parse_bits(const char *text, struct source *source)
{
    const char *slash = strchr(text, '/');
    int64_t ipv4_bits = ADDRESS_IPV4_BITS, ipv6_bits = ADDRESS_IPV6_BITS;
    char first[4] = "";

    if (slash != NULL && slash - text < (ptrdiff_t)sizeof(first))
        memcpy(first, text, (size_t)(slash - text));
    if (slash != NULL
            ? !number_parse(first, 1, 32, &ipv4_bits) || !number_parse(slash + 1, 1, 128, &ipv6_bits)
            : !number_parse(text, 1, 32, &ipv4_bits) && !number_parse(text, 33, 128, &ipv6_bits))
        return false;
    source->ipv4_bits = (uint8_t)ipv4_bits;
    source->ipv6_bits = (uint8_t)ipv6_bits;
    return true;
}

static bool
read_bits(const struct place *at, const char *text, struct source *source)
{
    return parse_bits(text, source) ||
           diagnostic_add_value(at,
                                "must be \"ip/BITS\" with 1 to 32 bits of an IPv4 address or 33 to 128 of an "
                                "IPv6 one, or \"ip/BITS/BITS\" with both, such as \"ip/24/56\"");
}

static bool
read_segment(const struct place *at, const char *text, struct source *source)
{
    int64_t segment = 0;

    if (!number_parse(text, 1, SEGMENTS_MAX, &segment))
        diagnostic_add_value(at, "must be \"path:N\": a segment of the path, from 1 to %d", SEGMENTS_MAX);
    source->index = (uint32_t)segment;
    return segment > 0;
}

/* What follows `prefix` in the text; NULL: it does not begin with it. */
static const char *
after(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0 ? text + strlen(prefix) : NULL;
}

/* Fills all but the text. False: the item is not a source, which has been reported. */
static bool
parse_source(const struct place *at, struct source *source)
{
    const char *text = cJSON_IsString(at->value) ? at->value->valuestring : "", *rest;

    *source = (struct source){.ipv4_bits = ADDRESS_IPV4_BITS, .ipv6_bits = ADDRESS_IPV6_BITS};
    if ((rest = after(text, "header:")) != NULL) {
        source->kind = SOURCE_HEADER;
        return header_read(at, rest, &source->index);
    }
    if ((rest = after(text, "cookie:")) != NULL) {
        source->kind = SOURCE_COOKIE;
        return cookie_read(at, rest, &source->index);
    }
    if ((rest = after(text, "path:")) != NULL) {
        source->kind = SOURCE_PATH;
        return read_segment(at, rest, source);
    }
    source->kind = SOURCE_IP;
    if ((rest = after(text, "ip/")) != NULL)
        return read_bits(at, rest, source);
    if (strcmp(text, "ip") == 0)
        return true;
    source->kind = SOURCE_HOST;
    if (strcmp(text, "host") == 0)
        return at->reader->policy->reads_host = true;
    source->kind = SOURCE_GLOBAL;
    if (strcmp(text, "global") == 0)
        return true;
    return diagnostic_add_word(at, source_words, COUNT_OF(source_words));
}

/* False: as above; then there is no text to free. */
static bool
read_source(const struct place *at, struct source *source)
{
    if (!parse_source(at, source))
        return false;
    source->text = diagnostic_check_memory(at, strdup(at->value->valuestring));
    if (source->kind == SOURCE_HEADER)
        lower_case(source->text);
    return source->text != NULL;
}

/* Identifiers. */

static bool
is_same(const struct source *one, const struct source *other)
{
    return one->kind == other->kind && one->index == other->index;
}

static bool
has_source(const struct identifier *identifier, const struct source *source)
{
    for (uint32_t i = 0; i < identifier->count; i++)
        if (is_same(&identifier->sources[i], source))
            return true;
    return false;
}

static bool
is_always_present(const struct source *source)
{
    return source->kind == SOURCE_IP || source->kind == SOURCE_GLOBAL;
}

/* Whether a request that has all of `later`, or any request where that is NULL, has all of `earlier`. */
static bool
is_before(const struct identifier *earlier, const struct identifier *later)
{
    for (uint32_t i = 0; i < earlier->count; i++)
        if (!is_always_present(&earlier->sources[i]) &&
            (later == NULL || !has_source(later, &earlier->sources[i])))
            return false;
    return earlier->count > 0;
}

static void
read_together(const struct place *list, struct identifier *identifier)
{
    const cJSON *item;

    if (!diagnostic_check_list(list, IDENTIFIER_SOURCES_MAX,
                               "sources that name a client together, such as [\"header:X-Tenant\", \"ip\"]"))
        return;
    cJSON_ArrayForEach(item, list->value)
    {
        const struct place element = place_item(list, item);
        struct source source;

        if (!read_source(&element, &source))
            continue;
        if (source.kind == SOURCE_GLOBAL)
            diagnostic_add_value(&element, "not allowed in a list: it tells no clients apart");
        else if (has_source(identifier, &source))
            diagnostic_add_value(&element, "duplicate source");
        if (identifier->count < IDENTIFIER_SOURCES_MAX)
            identifier->sources[identifier->count++] = source;
        else
            free(source.text);
    }
}

static void
check_order(const struct place *element, const struct rule *rule, const struct identifier *identifier)
{
    if (element->value->next != NULL && is_before(identifier, NULL)) {
        diagnostic_add_value(element, "must be last: it is always present, so what follows is never tried");
        return;
    }
    for (uint32_t i = 0; i < rule->identifier_count; i++) {
        if (is_before(&rule->identifiers[i], NULL) || !is_before(&rule->identifiers[i], identifier))
            continue;
        diagnostic_add_value(
            element, "is never tried: a request that has it has element %u too, which comes before it", i);
        return;
    }
}

static void
add_default(const struct place *at, struct rule *rule)
{
    rule->identifiers[0].sources[0] = (struct source){.kind = SOURCE_IP,
                                                      .ipv4_bits = ADDRESS_IPV4_BITS,
                                                      .ipv6_bits = ADDRESS_IPV6_BITS,
                                                      .text = diagnostic_check_memory(at, strdup("ip"))};
    rule->identifiers[0].count = 1;
    rule->identifier_count = 1;
}

static void
add_element(const struct place *element, struct rule *rule)
{
    struct identifier identifier = {.count = 0};

    if (cJSON_IsArray(element->value))
        read_together(element, &identifier);
    else
        identifier.count = read_source(element, &identifier.sources[0]);
    check_order(element, rule, &identifier);
    if (identifier.count > 0 && rule->identifier_count < RULE_IDENTIFIERS_MAX)
        rule->identifiers[rule->identifier_count++] = identifier;
    else
        for (uint32_t i = 0; i < identifier.count; i++)
            free(identifier.sources[i].text);
}

void
identify_by_read(const struct place *object, struct rule *rule)
{
    const struct place at = place_key(object, "identify_by");
    const cJSON *item;

    if (at.value == NULL) {
        add_default(object, rule);
        return;
    }
    if (!diagnostic_check_list(&at, RULE_IDENTIFIERS_MAX, "sources, such as [\"header:user_id\", \"ip\"]"))
        return;
    cJSON_ArrayForEach(item, at.value)
    {
        const struct place element = place_item(&at, item);

        add_element(&element, rule);
    }
}
