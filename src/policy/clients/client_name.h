/*
 * client_name: how a list of clients that differ names one.
 *
 *     203.0.113.7  2001:db8::/48      clients identified by their address; ip=203.0.113.7 is the same
 *     gold-key                        of clients identified by anything else, those with this value
 *     header:X-API-Key=gold           of one source, spelt as in `identify_by`; `client=`: named by an application
 *
 * So an address in a header is not taken for the address, nor an address for a name. Pure; any thread.
 */
#ifndef CLIENT_NAME_H
#define CLIENT_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "address.h"
#include "client.h"

struct client_name {
    bool is_network;
    struct network network; /* an address is a network with all its bits */
    struct client
        client; /* the others, as client.h has it: "header:x-api-key=gold"; without a source "=gold" */
};

/* NULL, or a static clause that says what is wrong and what is accepted. */
const char *client_name_parse(struct client_name *name, const char *text, size_t bytes);

#endif
