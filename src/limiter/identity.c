#include "identity.h"

#include <stdio.h>
#include <string.h>

bool
field_is_clean(const struct field *field)
{
    for (size_t i = 0; i < field->bytes; i++)
        if ((unsigned char)field->text[i] < ' ' || field->text[i] == 0x7f)
            return false;
    return true;
}

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

static void
identify_by_address(struct client *client, struct address *address, const struct identity_fields *fields,
                    const struct peer *peer, const struct networks *trusted)
{
    *address = peer->address;
    if (!peer->trusted || fields->forwarded_count == 0) {
        copy_client(client, &peer->client);
        return;
    }
    *address = forwarded_client(trusted, &peer->address, fields->forwarded_for, fields->forwarded_count);
    write_address(client, address);
}

enum identity_status
identify(struct client *client, struct address *address, const struct rule *rule,
         const struct identity_fields *fields, const struct peer *peer, const struct networks *trusted)
{
    address->size = 0;
    for (uint32_t i = 0; i < rule->source_count; i++) {
        const struct source *source = &rule->sources[i];
        const struct field *value;
        switch (source->kind) {
        case SOURCE_HEADER:
            value = &fields->values[source->header];
            if (value->text == NULL)
                break;
            if (!field_is_clean(value))
                return IDENTITY_BAD;
            client_write(client, source->text, value->text, value->bytes);
            return IDENTITY_FOUND;
        case SOURCE_IP:
            if (peer == NULL)
                break;
            identify_by_address(client, address, fields, peer, trusted);
            return IDENTITY_FOUND;
        case SOURCE_GLOBAL:
            client_write(client, source->text, NULL, 0);
            return IDENTITY_FOUND;
        }
    }
    return IDENTITY_ABSENT;
}

void
identity_write_sought(char out[IDENTITY_SOUGHT_BYTES], const struct rule *rule)
{
    size_t used = (size_t)snprintf(out, IDENTITY_SOUGHT_BYTES, "The request names no client: looked for ");

    for (uint32_t i = 0; i < rule->source_count && used < IDENTITY_SOUGHT_BYTES; i++)
        used += (size_t)snprintf(out + used, IDENTITY_SOUGHT_BYTES - used, "%s%s", i ? ", " : "",
                                 rule->sources[i].text);
}
