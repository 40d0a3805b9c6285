#include "asked.h"

#include <string.h>
#include <strings.h>

#include "cookie.h"
#include "settings.h"
#include "token.h"

#define SHOWN_BYTES 80

struct asked_reader {
    struct asked *asked;
    const struct policy *policy;
    const struct networks *trusted;
    struct report *report;
    const char *at; /* the rest of the text */
};

static void
add_mistake(const struct asked_reader *reader, const struct field *word, const char *why)
{
    report_add(reader->report, "--explain: \"%.*s%s\": %s; accepted: " SETTINGS_EXPLAIN_ACCEPTED,
               word->bytes > SHOWN_BYTES ? SHOWN_BYTES : (int)word->bytes, word->text,
               word->bytes > SHOWN_BYTES ? "..." : "", why);
}

static void
warn_unused(const struct asked_reader *reader, const struct field *name, const char *what)
{
    report_warn(reader->report, "--explain: \"%.*s\": no rule looks at this %s", (int)name->bytes, name->text,
                what);
}

static bool
is_named(const struct field *field, const char *name)
{
    return field->bytes == strlen(name) && strncasecmp(field->text, name, field->bytes) == 0;
}

/* Ends at a blank that is not in quotes, which only begin after an equals sign. False: there is no more. */
static bool
next_word(struct asked_reader *reader, struct field *word)
{
    const char *end = reader->at += strspn(reader->at, " \t");
    bool quoted = false;

    for (; *end != '\0' && (quoted || (*end != ' ' && *end != '\t')); end++)
        if (*end == '"')
            quoted = !quoted && end > reader->at && end[-1] == '=';
    *word = (struct field){.text = reader->at, .bytes = (size_t)(end - reader->at)};
    reader->at = end;
    if (quoted)
        add_mistake(reader, word, "its quotes are not closed");
    return word->bytes > 0;
}

/* The method and the path. */

static bool
is_target(const struct field *word)
{
    return word->text[0] == '/' || target_host(word->text, word->bytes).text != NULL;
}

static bool
is_method(const struct field *word)
{
    return word->bytes > 0 && strspn(word->text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-") >= word->bytes;
}

static void
take_host(struct asked_reader *reader, const struct field *word, const struct field *host)
{
    struct field normal;

    if (reader->asked->request.host.text != NULL || host->text == NULL)
        return;
    normal = host_normalise(host, reader->asked->host);
    if (normal.text == NULL)
        add_mistake(reader, word, "its host is not a name or an address");
    reader->asked->request.host = normal;
}

static void
take_target(struct asked_reader *reader, const struct field *word)
{
    struct target *target = &reader->asked->target;
    enum target_status status = target_read(target, word->text, word->bytes);

    if (status == TARGET_TOO_LONG) {
        add_mistake(reader, word, "the path is too long");
        return;
    }
    if (status == TARGET_BAD)
        add_mistake(reader, word, "is not a path that a rule can match");
    reader->asked->request.path = target->path;
    take_host(reader, word, &target->host);
}

static bool
read_line(struct asked_reader *reader)
{
    struct field word = {.text = ""};
    bool more = next_word(reader, &word);

    reader->asked->request.method = METHOD_GET;
    if (more && is_method(&word)) {
        reader->asked->request.method = method_by_name(word.text, word.bytes);
        more = next_word(reader, &word);
    }
    if (more && is_target(&word)) {
        take_target(reader, &word);
        return true;
    }
    add_mistake(reader, &word, more ? "is not a path" : "the path is missing");
    return false;
}

/* What follows them. */

static void
take_header(struct asked_reader *reader, const struct field *name, const struct field *value)
{
    struct identity_fields *fields = &reader->asked->fields;
    const struct policy *policy = reader->policy;
    bool is_used = is_named(name, "x-forwarded-for");

    if (is_used && fields->forwarded_count < FORWARDED_LINES)
        fields->forwarded_for[fields->forwarded_count++] = *value;
    for (uint32_t i = 0; i < policy->header_count; i++) {
        if (!is_named(name, policy->headers[i]))
            continue;
        is_used = true;
        if (fields->headers[i].text == NULL && value->bytes > 0)
            fields->headers[i] = *value;
    }
    if (!is_used)
        warn_unused(reader, name, "header");
}

static void
take_cookie(struct asked_reader *reader, const struct field *name, const struct field *value)
{
    struct field *cookies = reader->asked->fields.cookies;

    for (uint32_t i = 0; i < reader->policy->cookie_count; i++) {
        if (strlen(reader->policy->cookies[i]) != name->bytes ||
            memcmp(reader->policy->cookies[i], name->text, name->bytes) != 0)
            continue;
        if (cookies[i].text == NULL && value->bytes > 0)
            cookies[i] = *value;
        return;
    }
    warn_unused(reader, name, "cookie");
}

static void
take_cookies(struct asked_reader *reader, const struct field *value)
{
    struct field *cookies = reader->asked->fields.cookies;

    for (uint32_t i = 0; i < reader->policy->cookie_count; i++)
        if (cookies[i].text == NULL)
            cookies[i] = cookie_find(value, reader->policy->cookies[i]);
}

/* A header Host is what `match` and `identify_by` call host, and may also be looked at as a header. */
static void
take_host_header(struct asked_reader *reader, const struct field *word, const struct field *name,
                 const struct field *value)
{
    struct field *headers = reader->asked->fields.headers;

    take_host(reader, word, value);
    for (uint32_t i = 0; i < reader->policy->header_count; i++)
        if (headers[i].text == NULL && is_named(name, reader->policy->headers[i]))
            headers[i] = *value;
    if (!reader->policy->reads_host)
        warn_unused(reader, name, "header");
}

/* Removes `prefix` from the name. */
static bool
take_prefix(struct field *name, const char *prefix)
{
    size_t bytes = strlen(prefix);

    if (name->bytes < bytes || strncasecmp(name->text, prefix, bytes) != 0)
        return false;
    name->text += bytes;
    name->bytes -= bytes;
    return true;
}

static struct field
value_of(const char *text, size_t bytes)
{
    if (bytes >= 2 && text[0] == '"' && text[bytes - 1] == '"')
        return field_trimmed(text + 1, bytes - 2);
    return field_trimmed(text, bytes);
}

static void
take_value(struct asked_reader *reader, const struct field *word)
{
    const char *equals = memchr(word->text, '=', word->bytes);
    struct field name = {.text = word->text, .bytes = equals != NULL ? (size_t)(equals - word->text) : 0};
    bool is_cookie = take_prefix(&name, "cookie:"), is_header = !is_cookie && take_prefix(&name, "header:");
    struct field value;

    if (equals == NULL || !is_token(name.text, name.bytes)) {
        add_mistake(reader, word, "is neither NAME=VALUE nor from ADDRESS");
        return;
    }
    value = value_of(equals + 1, word->bytes - (size_t)(equals + 1 - word->text));
    if (is_cookie)
        take_cookie(reader, &name, &value);
    else if (is_named(&name, "host") && !is_header)
        take_host_header(reader, word, &name, &value);
    else if (is_named(&name, "cookie"))
        take_cookies(reader, &value);
    else
        take_header(reader, &name, &value);
}

/* The peer of a Unix socket has none. */
static bool
read_peer(struct address *address, const struct field *word)
{
    *address = (struct address){0};
    return (word->bytes == strlen("unix") && memcmp(word->text, "unix", word->bytes) == 0) ||
           address_parse(address, word->text, word->bytes);
}

static void
take_address(struct asked_reader *reader)
{
    struct asked *asked = reader->asked;
    struct address address;
    struct field word;

    if (asked->has_peer || !next_word(reader, &word) || !read_peer(&address, &word)) {
        word = (struct field){.text = "from", .bytes = 4};
        add_mistake(reader, &word, asked->has_peer ? "given twice" : "needs an address, or unix");
        return;
    }
    asked->has_peer = true;
    peer_of_address(&asked->peer, &address, networks_contain(reader->trusted, &address));
}

bool
asked_read(struct asked *asked, const char *text, const struct policy *policy, const struct networks *trusted,
           struct report *report)
{
    struct asked_reader reader = {
        .asked = asked, .policy = policy, .trusted = trusted, .report = report, .at = text};
    struct field word;

    memset(asked, 0, sizeof(*asked));
    asked->request.headers = asked->fields.headers;
    asked->request.cookies = asked->fields.cookies;
    if (!read_line(&reader))
        return false;
    while (next_word(&reader, &word))
        if (is_named(&word, "from"))
            take_address(&reader);
        else
            take_value(&reader, &word);
    return report_is_empty(report);
}
