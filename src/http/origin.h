/*
 * origin: whether a browser sent a request on behalf of another site's page.
 *
 * A page of any site can make a browser POST to any address that the browser reaches, also on the user's own
 * machine. Browsers say so in Origin and Sec-Fetch-Site (Fetch Metadata), which no page can change; other
 * programs send neither. A page whose host name was made to resolve to this service (DNS rebinding) is of the
 * same origin: only a token keeps it out.
 *
 * Pure; any thread.
 */
#ifndef ORIGIN_H
#define ORIGIN_H

#include <stdbool.h>

#include "address.h"

/* The values of the headers, text NULL where one was not sent. Foreign are:
       an Origin whose host and port are not those of Host, "null" among them;
       a Sec-Fetch-Site other than "same-origin" and "none", so also "same-site", which another port or subdomain is. */
bool origin_is_foreign(const struct field *origin, const struct field *fetch_site, const struct field *host);

#endif
