#include "address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"

/* The private and loopback networks of RFC 1918, RFC 4193, RFC 3927, RFC 4291 and RFC 6598. */
static const char private_networks[] =
    "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,100.64.0.0/10,169.254.0.0/16,127.0.0.0/8,"
    "fc00::/7,fe80::/10,::1";

static struct address
address_of_ipv6(const uint8_t bytes[16])
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct address address = {.size = 16};

    if (memcmp(bytes, mapped, sizeof(mapped)) == 0) {
        address.size = 4;
        memcpy(address.bytes, bytes + 12, 4);
    } else {
        memcpy(address.bytes, bytes, 16);
    }
    return address;
}

struct address
address_of_peer(const struct sockaddr *peer)
{
    struct address address = {.size = 0};

    if (peer->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, peer, sizeof(in));
        address.size = 4;
        memcpy(address.bytes, &in.sin_addr, 4);
    } else if (peer->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, peer, sizeof(in6));
        address = address_of_ipv6(in6.sin6_addr.s6_addr);
    }
    return address;
}

bool
address_is_loopback(const struct address *address)
{
    static const uint8_t ipv6[16] = {[15] = 1};

    if (address->size == 4)
        return address->bytes[0] == 127;
    return address->size == 0 || memcmp(address->bytes, ipv6, sizeof(ipv6)) == 0;
}

bool
address_is_local(int fd, const struct sockaddr *peer)
{
    struct sockaddr_storage ours = {0};
    socklen_t bytes = sizeof(ours);
    struct address theirs = address_of_peer(peer), address;

    if (address_is_loopback(&theirs))
        return true;
    if (getsockname(fd, (struct sockaddr *)&ours, &bytes) < 0)
        return false;
    address = address_of_peer((struct sockaddr *)&ours);
    return address.size == theirs.size && memcmp(address.bytes, theirs.bytes, theirs.size) == 0;
}

static bool
is_port(const char *text)
{
    int64_t port;

    return number_parse(text, 0, 65535, &port);
}

static bool
parse_ipv4(struct address *address, char *text)
{
    char *colon = strchr(text, ':');

    if (colon) {
        *colon = '\0';
        if (!is_port(colon + 1))
            return false;
    }
    *address = (struct address){.size = 4};
    return inet_pton(AF_INET, text, address->bytes) == 1;
}

static bool
parse_ipv6(struct address *address, char *text)
{
    uint8_t bytes[16];
    char *zone;

    if (text[0] == '[') {
        char *bracket = strchr(text, ']');
        if (bracket == NULL || (bracket[1] != '\0' && (bracket[1] != ':' || !is_port(bracket + 2))))
            return false;
        *bracket = '\0';
        text++;
    }
    zone = strchr(text, '%');
    if (zone)
        *zone = '\0';
    if (inet_pton(AF_INET6, text, bytes) != 1)
        return false;
    *address = address_of_ipv6(bytes);
    return true;
}

bool
address_parse(struct address *address, const char *text, size_t bytes)
{
    struct field field = field_trimmed(text, bytes);
    char copy[72]; /* brackets, 45 characters of address, a zone, a port */

    if (field.bytes == 0 || field.bytes >= sizeof(copy) || memchr(field.text, '\0', field.bytes))
        return false;
    memcpy(copy, field.text, field.bytes);
    copy[field.bytes] = '\0';
    /* One colon or none: IPv4, perhaps with a port. */
    if (copy[0] != '[' && strchr(copy, ':') == strrchr(copy, ':'))
        return parse_ipv4(address, copy);
    return parse_ipv6(address, copy);
}

static struct address
network_of(const struct address *address, unsigned bits)
{
    struct address network = *address;

    for (unsigned i = bits / 8; i < address->size; i++)
        network.bytes[i] &= (uint8_t)(i == bits / 8 ? 0xff00 >> bits % 8 : 0);
    return network;
}

size_t
address_write_network(const struct address *address, unsigned ipv4_bits, unsigned ipv6_bits,
                      char out[ADDRESS_TEXT_BYTES])
{
    unsigned bits = address->size == 4 ? ipv4_bits : ipv6_bits;
    struct address network = network_of(address, bits);
    char text[INET6_ADDRSTRLEN] = "unix";

    if (address->size > 0)
        inet_ntop(address->size == 4 ? AF_INET : AF_INET6, network.bytes, text, sizeof(text));
    if (bits < address->size * 8U)
        return (size_t)snprintf(out, ADDRESS_TEXT_BYTES, "%s/%u", text, bits);
    return (size_t)snprintf(out, ADDRESS_TEXT_BYTES, "%s", text);
}

size_t
address_write(const struct address *address, char out[ADDRESS_TEXT_BYTES])
{
    return address_write_network(address, ADDRESS_IPV4_BITS, ADDRESS_IPV6_BITS, out);
}

/* Networks. */

#define NETWORK_TEXT_BYTES 50 /* 45 of an IPv6 address, 4 of the prefix */

bool
network_parse(struct network *network, const char *text, size_t bytes)
{
    char copy[NETWORK_TEXT_BYTES], *slash;
    int64_t prefix;

    if (bytes >= sizeof(copy) || strnlen(text, bytes) < bytes)
        return false;
    memcpy(copy, text, bytes);
    copy[bytes] = '\0';
    slash = strchr(copy, '/');
    if (slash)
        *slash = '\0';
    if (strpbrk(copy, "[% \t") || !address_parse(&network->address, copy, strlen(copy)))
        return false;
    if (network->address.size == 4 && strchr(copy, ':'))
        return false; /* with a port, or IPv4 in IPv6 */
    prefix = network->address.size * 8;
    if (slash && !number_parse(slash + 1, 0, prefix, &prefix))
        return false;
    network->prefix = (uint8_t)prefix;
    return true;
}

bool
network_is_first(const struct network *network)
{
    for (unsigned bit = network->prefix; bit < 8u * network->address.size; bit++)
        if (network->address.bytes[bit / 8] & 0x80 >> bit % 8)
            return false;
    return true;
}

static void
append_network(struct networks *networks, const struct network *network, struct report *report)
{
    struct network *list = reallocarray(networks->list, networks->count + 1, sizeof(*list));

    if (list == NULL) {
        report_add(report, "out of memory");
        return;
    }
    list[networks->count++] = *network;
    networks->list = list;
}

static void
append_networks(struct networks *networks, const char *setting, const char *text, struct report *report)
{
    char *copy = strdup(text), *rest = copy, *word;

    if (copy == NULL)
        report_add(report, "out of memory");
    while ((word = strsep(&rest, ", \t")) != NULL) {
        struct network network;
        char shown[64];
        snprintf(shown, sizeof(shown), "%s", word);
        if (word[0] == '\0' || strcmp(word, "none") == 0)
            continue;
        if (strcmp(word, "private") == 0)
            append_networks(networks, setting, private_networks, report);
        else if (network_parse(&network, word, strlen(word)))
            append_network(networks, &network, report);
        else
            report_add(
                report,
                "%s: \"%s\": not a network; accepted: a list of addresses, networks like 10.0.0.0/8 or "
                "2001:db8::/32, and the word private",
                setting, shown);
    }
    free(copy);
}

void
networks_parse(struct networks *networks, const char *setting, const char *text, struct report *report)
{
    *networks = (struct networks){0};
    append_networks(networks, setting, text, report);
}

void
networks_fini(struct networks *networks)
{
    free(networks->list);
    *networks = (struct networks){0};
}

static bool
network_contains(const struct network *network, const struct address *address)
{
    size_t whole = network->prefix / 8;
    unsigned rest = network->prefix % 8;

    if (network->address.size != address->size || memcmp(network->address.bytes, address->bytes, whole) != 0)
        return false;
    return rest == 0 || (network->address.bytes[whole] ^ address->bytes[whole]) >> (8 - rest) == 0;
}

bool
networks_contain(const struct networks *networks, const struct address *address)
{
    if (address->size == 0)
        return true;
    for (size_t i = 0; i < networks->count; i++)
        if (network_contains(&networks->list[i], address))
            return true;
    return false;
}

struct address
forwarded_client(const struct networks *trusted, const struct address *peer, const struct field *lines,
                 size_t count)
{
    struct address client = *peer;

    while (count-- > 0) {
        size_t end = lines[count].bytes;
        for (;;) {
            const char *text = lines[count].text;
            const char *comma = end > 0 ? memrchr(text, ',', end) : NULL;
            size_t start = comma ? (size_t)(comma - text) + 1 : 0;
            struct address address;
            if (!address_parse(&address, text + start, end - start))
                return client;
            client = address;
            if (!networks_contain(trusted, &client))
                return client;
            if (comma == NULL)
                break;
            end = start - 1;
        }
    }
    return client;
}
