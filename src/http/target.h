/*
 * target: the path within a request target, or within the target that a proxy reports. Pure; any thread.
 */
#ifndef TARGET_H
#define TARGET_H

#include <stddef.h>

#include "field.h"
#include "path.h"

#define TARGET_BYTES_MAX PATH_BYTES_MAX /* with its query */

/* A target, taken apart. */
struct target {
    struct field path; /* normalised, in `text` */
    struct field host; /* of an absolute target, as it came; otherwise text is NULL */
    char text[TARGET_BYTES_MAX];
};
enum target_status { TARGET_GOOD, TARGET_TOO_LONG, TARGET_BAD };

/* TOO_LONG: the path has more than TARGET_BYTES_MAX bytes. BAD: path_normalise refuses it. `host` is set either way. */
enum target_status target_read(struct target *target, const char *text, size_t bytes);

/* Without scheme, authority, query and fragment: "/a" of "/a?b", of "https://host/a#c". "/" for an
   authority without a path. It points into `text`, or is static, and is not normalised. */
const char *target_path(const char *text, size_t bytes, size_t *path_bytes);

/* The host and port of an absolute target, "host:8080" of "https://host:8080/a", which count instead of those
   of Host (RFC 9112, section 3.2.2); text NULL for any other target. */
struct field target_host(const char *text, size_t bytes);

#endif
