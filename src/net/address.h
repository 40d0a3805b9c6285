/*
 * address: IP addresses, networks of them, and which address a request comes from.
 *
 * An IPv4-mapped IPv6 address is IPv4, by its bits. Pure; any thread.
 */
#ifndef ADDRESS_H
#define ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "field.h"
#include "report.h"

struct address {
    uint8_t bytes[16]; /* network order; IPv4 uses the first four */
    uint8_t size;      /* 4, 16; 0: the peer of a Unix socket, which has none */
};

/* How much of an address is one client, unless a rule says otherwise: "203.0.113.7", "2001:db8::/64". A
   network hands each machine an IPv6 /64 at least (RFC 4291, section 2.5.4), and the machine can use any
   address within. */
#define ADDRESS_IPV4_BITS  32
#define ADDRESS_IPV6_BITS  64
#define ADDRESS_TEXT_BYTES 52

struct address address_of_peer(const struct sockaddr *peer);

/* No other machine has it: the loopback, a Unix socket. */
bool address_is_loopback(const struct address *address);

/* Whether the peer of the connection is on this machine: the loopback, the connection's own address, a Unix
   socket. */
bool address_is_local(int fd, const struct sockaddr *peer);

/* One element of X-Forwarded-For: an address, bare, with a port, in brackets, with a zone. */
bool address_parse(struct address *address, const char *text, size_t bytes);

/* The address as a client's name; returns its length. */
size_t address_write(const struct address *address, char out[ADDRESS_TEXT_BYTES]);

/* The network of an address, "203.0.113.0/24", by the prefix length of its family. A prefix of the full length
   gives the address itself. */
size_t address_write_network(const struct address *address, unsigned ipv4_bits, unsigned ipv6_bits,
                             char out[ADDRESS_TEXT_BYTES]);

struct network {
    struct address address;
    uint8_t prefix; /* bits */
};

/* An address, or a network as 10.0.0.0/8. False: it is neither. Refused too: a port, brackets, a zone,
   blanks, and IPv4 in IPv6, whose prefix would count other bits. */
bool network_parse(struct network *network, const char *text, size_t bytes);

/* Whether its address has no bit set after the prefix. */
bool network_is_first(const struct network *network);

struct networks {
    struct network *list;
    size_t count;
};

/* A list like "10.0.0.0/8, ::1, private", or "none"; errors go to `report`, after the name of the setting.
   Blanks and empty elements are skipped. The caller frees the list with networks_fini, also after errors. */
void networks_parse(struct networks *networks, const char *setting, const char *text, struct report *report);
void networks_fini(struct networks *networks);

/* The peer of a Unix socket is in every list: the socket's permissions decide who may connect. */
bool networks_contain(const struct networks *networks, const struct address *address);

/*
 * The right-most address of X-Forwarded-For that is not a trusted proxy's; the left-most when all are.
 * `lines` are its lines in their order. The walk ends at an element that is not an address, with the last
 * address to its right, or the peer: elements further left have no known author. Only for a peer that is
 * trusted.
 */
struct address forwarded_client(const struct networks *trusted, const struct address *peer,
                                const struct field *lines, size_t count);

#endif
