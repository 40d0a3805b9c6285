#include "headers.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include <microhttpd.h>

#include "cookie.h"
#include "first_line.h"
#include "number.h"
#include "token.h"
#include "traceparent.h"

struct headers_reader {
    struct headers *headers;
    const struct header_index *index;
    const char *why;  /* NULL: nothing wrong so far */
    const char *next; /* where the next line begins; NULL: the last one did not end as lines do */
    const char *end;  /* after the empty line */
    unsigned count, hosts, lengths, encodings;
    bool too_many;
};

static const char not_as_sent[] =
    "A header is folded, holds a NUL or a CR, or its line does not end in CRLF.";

static void
read_content_length(struct headers_reader *reader, void *out, struct field value)
{
    char digits[20];

    if (reader->lengths++ > 0)
        reader->why = "The request has more than one Content-Length.";
    if (value.bytes >= sizeof(digits)) {
        reader->why = "The Content-Length is not a length.";
        return;
    }
    memcpy(digits, value.text, value.bytes);
    digits[value.bytes] = '\0';
    if (!number_parse(digits, 0, INT64_MAX, out))
        reader->why = "The Content-Length is not a length.";
}

static void
read_transfer_encoding(struct headers_reader *reader, void *out, struct field value)
{
    bool *chunked = out;

    if (reader->encodings++ > 0 || value.bytes != 7 || strncasecmp(value.text, "chunked", 7) != 0)
        reader->why = "The only Transfer-Encoding that is understood is chunked, once.";
    *chunked = true;
}

static void
read_host(struct headers_reader *reader, void *out, struct field value)
{
    struct field *field = out;

    reader->hosts++;
    *field = value;
}

static void
read_last(struct headers_reader *reader, void *out, struct field value)
{
    struct field *field = out;

    (void)reader;
    *field = value;
}

/* A header that a browser sends once. Of two lines it is unknown which one the browser wrote; "" is the value
   of neither. */
static void
read_once(struct headers_reader *reader, void *out, struct field value)
{
    static const struct field neither = {.text = ""};
    struct field *field = out;

    (void)reader;
    *field = field->text != NULL ? neither : value;
}

/* Of two lines neither counts, nor does one that is no traceparent: the request begins a trace of its own. */
static void
read_traceparent(struct headers_reader *reader, void *out, struct field value)
{
    struct field trace_id = traceparent_trace_id(&value);

    read_once(reader, out, trace_id.text != NULL ? trace_id : (struct field){.text = ""});
}

static void
read_forwarded(struct headers_reader *reader, void *out, struct field value)
{
    struct field *field = out;

    if (value.bytes == 0)
        return;
    reader->headers->forwarded.repeated |= field->text != NULL;
    *field = value;
}

/* Of too many lines the last ones are kept: they are read from the right. */
static void
read_forwarded_for(struct headers_reader *reader, void *out, struct field value)
{
    struct field *first = out;
    uint32_t *count = &reader->headers->identity.forwarded_count;

    if (*count == FORWARDED_LINES)
        memmove(first, first + 1, --*count * sizeof(*first));
    first[(*count)++] = value;
}

/* Several lines are read as one, in their order. */
static void
read_cookies(struct headers_reader *reader, void *out, struct field value)
{
    const struct policy *policy = reader->index->policy;
    struct field *cookies = out;

    for (uint32_t i = 0; i < policy->cookie_count; i++)
        if (cookies[i].text == NULL)
            cookies[i] = cookie_find(&value, policy->cookies[i]);
}

/* What the service itself looks at. */
static const struct own_header {
    const char *name;
    size_t name_bytes;
    void (*read)(struct headers_reader *reader, void *out, struct field value);
    size_t offset; /* of `out` in struct headers */
} own_headers[] = {
/* clang-format off */
#define OWN(name, read, field) {name, sizeof(name) - 1, read, offsetof(struct headers, field)}
    /* clang-format on */
    OWN("Content-Length", read_content_length, content_length),
    OWN("Transfer-Encoding", read_transfer_encoding, chunked),
    OWN("Host", read_host, host),
    OWN("Authorization", read_last, authorization),
    OWN("Cookie", read_cookies, identity.cookies),
    OWN("Origin", read_once, origin),
    OWN("Sec-Fetch-Site", read_once, fetch_site),
    OWN("X-Forwarded-For", read_forwarded_for, identity.forwarded_for),
    OWN("X-Forwarded-Host", read_forwarded, forwarded.host),
    OWN("X-Forwarded-Method", read_forwarded, forwarded.method),
    OWN("X-Forwarded-Uri", read_forwarded, forwarded.uri),
    OWN("X-Original-Method", read_forwarded, forwarded.original_method),
    OWN("X-Original-URI", read_forwarded, forwarded.original_uri),
    OWN("X-Original-URL", read_forwarded, forwarded.original_url),
    OWN("Accept", read_last, accept),
    OWN("traceparent", read_traceparent, trace_id),
};
#define OWN_COUNT (sizeof(own_headers) / sizeof(own_headers[0]))

void
header_index_init(struct header_index *index, const struct policy *policy)
{
    *index = (struct header_index){.policy = policy};
    for (size_t i = 0; i < OWN_COUNT; i++)
        index->lengths |= UINT64_C(1) << own_headers[i].name_bytes;
    for (uint32_t i = 0; i < policy->header_count; i++)
        index->lengths |= UINT64_C(1) << (strlen(policy->headers[i]) & 63);
}

static void
read_own(struct headers_reader *reader, const char *name, size_t name_bytes, struct field value)
{
    for (size_t i = 0; i < OWN_COUNT; i++) {
        const struct own_header *own = &own_headers[i];
        if (own->name_bytes == name_bytes && strncasecmp(own->name, name, name_bytes) == 0) {
            own->read(reader, (char *)reader->headers + own->offset, value);
            return;
        }
    }
}

static void
read_wanted(struct headers_reader *reader, const char *name, size_t name_bytes, struct field value)
{
    const struct policy *policy = reader->index->policy;

    read_own(reader, name, name_bytes, value);
    for (uint32_t i = 0; i < policy->header_count; i++) {
        struct field *field = &reader->headers->identity.headers[i];
        if (field->text == NULL && value.bytes > 0 && strlen(policy->headers[i]) == name_bytes &&
            strncasecmp(policy->headers[i], name, name_bytes) == 0)
            *field = value;
    }
}

static const char *
past_blanks(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    return at;
}

/* From the end of a value to the next line; NULL if anything but blanks and CRLF lies between. libmicrohttpd
   0.9.75 has replaced CRLF by zeros; 1.0 has replaced the first byte, which may be a blank, by a zero. */
static const char *
next_line(const char *at, const char *end)
{
    if (end - at < 2 || *at != '\0')
        return NULL;
    at++;
    if (*at == '\0' || *at == '\n')
        return at + 1;
    at = past_blanks(at, end);
    return end - at >= 2 && at[0] == '\r' && at[1] == '\n' ? at + 2 : NULL;
}

/* Whether the header was sent as it is shown, right after the line before it. Its value may hold a carriage
   return, for some the end of a line. */
static bool
is_as_sent(struct headers_reader *reader, const char *name, size_t name_bytes, const char *value,
           size_t value_bytes)
{
    if (name != reader->next || past_blanks(name + name_bytes + 1, reader->end) != value)
        return false;
    reader->next = next_line(value + value_bytes, reader->end);
    return memchr(value, '\r', value_bytes) == NULL;
}

static enum MHD_Result
on_header(void *arg, enum MHD_ValueKind kind, const char *name, size_t name_bytes, const char *value,
          size_t value_bytes)
{
    struct headers_reader *reader = arg;

    (void)kind;
    if (first_line_is_shield(name))
        return MHD_YES;
    if (++reader->count > HEADERS_MAX)
        reader->too_many = true;
    if (!is_token(name, name_bytes))
        reader->why = "A header name is not a token.";
    else if (!is_as_sent(reader, name, name_bytes, value, value_bytes))
        reader->why = not_as_sent;
    else if (reader->index->lengths >> (name_bytes & 63) & 1)
        read_wanted(reader, name, name_bytes, field_trimmed(value ? value : "", value_bytes));
    return reader->why || reader->too_many ? MHD_NO : MHD_YES;
}

/* What several headers say together. */
static const char *
block_mistake(const struct headers_reader *reader, bool is_1_0)
{
    if (reader->lengths > 0 && reader->encodings > 0)
        return "The request has both a Content-Length and a Transfer-Encoding.";
    if (reader->encodings > 0 && is_1_0)
        return "HTTP/1.0 has no Transfer-Encoding.";
    if (reader->hosts > 1)
        return "The request has more than one Host.";
    if (reader->hosts == 0 && !is_1_0)
        return "The request has no Host.";
    if (reader->next == NULL || reader->next + 2 != reader->end)
        return not_as_sent;
    return NULL;
}

enum headers_status
headers_read(struct headers *headers, const struct header_index *index, struct MHD_Connection *connection,
             const char *version, const char *end, const char **why)
{
    struct headers_reader reader = {.headers = headers, .index = index, .end = end};

    memset(headers->identity.headers, 0, index->policy->header_count * sizeof(headers->identity.headers[0]));
    memset(headers->identity.cookies, 0, index->policy->cookie_count * sizeof(headers->identity.cookies[0]));
    headers->identity.forwarded_count = 0;
    headers->forwarded = (struct forwarded){0};
    headers->authorization = headers->accept = headers->host = (struct field){0};
    headers->origin = headers->fetch_site = headers->trace_id = (struct field){0};
    headers->content_length = -1;
    headers->chunked = false;
    reader.next = next_line(version + strlen(version), end);
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, on_header, &reader);
    if (reader.too_many)
        return HEADERS_TOO_MANY;
    *why = reader.why ? reader.why : block_mistake(&reader, strcmp(version, MHD_HTTP_VERSION_1_0) == 0);
    return *why ? HEADERS_BAD : HEADERS_GOOD;
}
