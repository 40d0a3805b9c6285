/*
 * host: the normal form of a host, and patterns of `match.host`.
 *
 * Pure; any thread.
 */
#ifndef HOST_H
#define HOST_H

#include <stdbool.h>

#include "field.h"

#define HOST_BYTES_MAX 253 /* of a name in DNS */

/*
 * One host, one spelling, without the port: "api.example.com" of "API.Example.com.:8080", "[2001:db8::1]" of
 * "[2001:DB8:0::1]:443". `host` is a Host header's value, `out` has room for HOST_BYTES_MAX bytes, which the
 * result points to. text NULL where `host` is no host: a name of letters, digits, `-` and `_` between dots,
 * or an address.
 */
struct field host_normalise(const struct field *host, char out[HOST_BYTES_MAX]);

/* Whether a pattern, "api.example.com" or "*.example.com", both in normal form, matches a host in normal
   form. `*.` is one name or more: a.b.example.com too, but not example.com itself. */
bool host_pattern_matches(const char *pattern, const struct field *host);

#endif
