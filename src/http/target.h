/*
 * target: the path within a request target, or within the target that a proxy reports. Pure; any thread.
 */
#ifndef TARGET_H
#define TARGET_H

#include <stddef.h>

#include "field.h"
#include "path.h"

#define TARGET_BYTES_MAX PATH_BYTES_MAX /* with its query */

/* Without scheme, authority, query and fragment: "/a" of "/a?b", of "https://host/a#c". "/" for an
   authority without a path. It points into `text`, or is static, and is not normalised. */
const char *target_path(const char *text, size_t bytes, size_t *path_bytes);

/* The host and port of an absolute target, "host:8080" of "https://host:8080/a", which count instead of those
   of Host (RFC 9112, section 3.2.2); text NULL for any other target. */
struct field target_host(const char *text, size_t bytes);

#endif
