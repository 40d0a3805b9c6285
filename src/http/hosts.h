/*
 * hosts: by which names a listener may be asked.
 *
 * A page whose host name was made to resolve to this machine (DNS rebinding) may read whatever its browser
 * reaches: for the browser it is of the same site. Its requests have its name in Host, so a listener that is
 * not for the public knows its own names. An address in Host is nobody's name, and is always accepted; so is
 * a request without a Host, which no browser sends.
 *
 * Pure; any thread.
 */
#ifndef HOSTS_H
#define HOSTS_H

#include <stdbool.h>

#include "address.h"

/* Beside "localhost". Borrowed. */
struct hosts {
    const char *own;    /* a name or an address; NULL: none */
    const char *listed; /* names separated by commas and blanks, as ADMIN_HOSTS has them; "": none */
};

/* `host` is the header's value, with or without a port; text NULL: absent. `hosts` NULL: any is accepted. */
bool hosts_accept(const struct hosts *hosts, const struct field *host);

/* A sentence for those that are not. */
extern const char hosts_refusal[];

#endif
