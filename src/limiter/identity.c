#include "identity.h"

#include <string.h>

#include "path.h"
#include "text.h"

static void
write_address(struct client *client, const struct address *address)
{
    char text[ADDRESS_TEXT_BYTES];

    client_write(client, "ip", text, address_write(address, text));
}

void
peer_of_address(struct peer *peer, const struct address *address, bool trusted)
{
    peer->address = *address;
    peer->trusted = trusted;
    write_address(&peer->client, address);
}

void
peer_init(struct peer *peer, const struct sockaddr *sockaddr, const struct networks *trusted)
{
    struct address address = address_of_peer(sockaddr);

    peer_of_address(peer, &address, networks_contain(trusted, &address));
}

static void
copy_client(struct client *to, const struct client *from)
{
    to->bytes = from->bytes;
    memcpy(to->text, from->text, from->bytes + 1);
}

/* The client is the peer, not one that the peer forwards for. */
static bool
is_peer(const struct identity_request *request)
{
    return !request->peer->trusted || request->fields->forwarded_count == 0;
}

static struct address
client_address(const struct identity_request *request)
{
    const struct identity_fields *fields = request->fields;

    if (is_peer(request))
        return request->peer->address;
    return forwarded_client(request->trusted, &request->peer->address, fields->forwarded_for,
                            fields->forwarded_count);
}

/* The value of a source that is a field of the request. */
static enum identity_status
read_field(const struct source *source, const struct policy_request *asked, struct field *value)
{
    switch (source->kind) {
    case SOURCE_HEADER:
        *value = asked->headers[source->index];
        break;
    case SOURCE_COOKIE:
        *value = asked->cookies[source->index];
        break;
    case SOURCE_HOST:
        *value = asked->host;
        break;
    default:
        if (!path_segment(asked->path.text, asked->path.bytes, source->index, value))
            return IDENTITY_UNCLEAR;
    }
    if (value->text == NULL)
        return IDENTITY_ABSENT;
    return field_is_clean(value) ? IDENTITY_FOUND : IDENTITY_BAD;
}

/* `text` is room for an address; the part points into it, or into the request. */
static enum identity_status
read_part(const struct source *source, const struct identity_request *request, char text[ADDRESS_TEXT_BYTES],
          struct client_part *part)
{
    struct field value = {.text = NULL};
    struct address address;
    enum identity_status status;

    *part = (struct client_part){.source = source->text, .percent_encoded = source->kind == SOURCE_COOKIE};
    if (source->kind == SOURCE_GLOBAL)
        return IDENTITY_FOUND;
    if (source->kind == SOURCE_IP) {
        if (request->peer == NULL)
            return IDENTITY_ABSENT;
        address = client_address(request);
        part->source = "ip";
        part->value = text;
        part->value_bytes = address_write_network(&address, source->ipv4_bits, source->ipv6_bits, text);
        return IDENTITY_FOUND;
    }
    status = read_field(source, request->asked, &value);
    part->value = value.text;
    part->value_bytes = value.bytes;
    return status;
}

static enum identity_status
identify_by(struct client *client, const struct identifier *identifier,
            const struct identity_request *request)
{
    struct client_part parts[IDENTIFIER_SOURCES_MAX];
    char address[ADDRESS_TEXT_BYTES]; /* at most one of the parts is one */

    for (uint32_t i = 0; i < identifier->count; i++) {
        enum identity_status status = read_part(&identifier->sources[i], request, address, &parts[i]);
        if (status != IDENTITY_FOUND)
            return status;
    }
    client_write_parts(client, parts, identifier->count);
    return IDENTITY_FOUND;
}

/* By `ip` alone. Most clients are peers, whose text was written when they connected. */
static enum identity_status
identify_by_address(struct limiter_take *take, const struct source *source,
                    const struct identity_request *request)
{
    struct client_part part = {.source = "ip"};
    char text[ADDRESS_TEXT_BYTES];

    if (request->peer == NULL)
        return IDENTITY_ABSENT;
    take->address = client_address(request);
    if (is_peer(request) && source->ipv4_bits == ADDRESS_IPV4_BITS &&
        source->ipv6_bits == ADDRESS_IPV6_BITS) {
        copy_client(&take->client, &request->peer->client);
        return IDENTITY_FOUND;
    }
    part.value = text;
    part.value_bytes = address_write_network(&take->address, source->ipv4_bits, source->ipv6_bits, text);
    client_write_parts(&take->client, &part, 1);
    return IDENTITY_FOUND;
}

enum identity_status
identify(struct limiter_take *take, const struct identity_request *request)
{
    const struct rule *rule = take->rule;
    enum identity_status status = IDENTITY_ABSENT;

    take->address.size = 0;
    for (uint32_t i = 0; i < rule->identifier_count && status == IDENTITY_ABSENT; i++) {
        const struct identifier *identifier = &rule->identifiers[i];
        status = identifier->count == 1 && identifier->sources[0].kind == SOURCE_IP
                     ? identify_by_address(take, &identifier->sources[0], request)
                     : identify_by(&take->client, identifier, request);
    }
    return status;
}

void
identity_write_sought(char out[IDENTITY_SOUGHT_BYTES], const struct rule *rule)
{
    struct text text = {.start = out, .room = IDENTITY_SOUGHT_BYTES};

    text_put_cut(&text, "The request names no client: looked for ");
    for (uint32_t i = 0; i < rule->identifier_count; i++)
        for (uint32_t k = 0; k < rule->identifiers[i].count; k++)
            text_put_cut(&text, "%s%s",
                         k > 0   ? " + "
                         : i > 0 ? ", "
                                 : "",
                         rule->identifiers[i].sources[k].text);
}
