/*
 * path: patterns of `match.path`, and the normal form of a path that they match.
 *
 * Pure; any thread.
 */
#ifndef PATH_H
#define PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "field.h"

struct path_pattern;

/*
 * A pattern begins with "/"; `*` and `**` are entire segments, `**` the last:
 *
 *     /search                that path alone: not /search/
 *     /search/ and a `*`     one segment more, not empty: /search/a, but neither /search/ nor /search/a/b
 *     /search/ and a `**`    /search itself and everything below it
 *
 * NULL if the text is not a pattern, with `*why` a static clause that says what is accepted, or when out of memory, with
 * a clause that says that.
 */
struct path_pattern *path_pattern_new(const char *text, const char **why);
void path_pattern_free(struct path_pattern *pattern);

/* As it was given. */
const char *path_pattern_text(const struct path_pattern *pattern);

/* `path` is normalised. One comparison of bytes says no, or yes where the pattern has no `*`. */
bool path_pattern_matches(const struct path_pattern *pattern, const char *path, size_t bytes);

/* Whether `wide` matches every path that `narrow` matches. */
bool path_pattern_covers(const struct path_pattern *wide, const struct path_pattern *narrow);

/*
 * One path, one spelling (RFC 3986 section 6.2.2): percent-encodings of anything but `/` and `%` decoded, the
 * hexadecimal digits of those that stay in upper case, "." and ".." segments removed, runs of slashes merged.
 * A trailing slash stays. Without this, `/api/%72esource` or `//api/./resource` would evade the rule of
 * `/api/resource`.
 *
 * In place; `*bytes` is the length before and after and never grows. False, with the text undefined, if it
 * does not begin with "/", or has an invalid percent-encoding or a control byte, raw or encoded (%00 too).
 */
bool path_normalise(char *path, size_t *bytes);

#define PATH_BYTES_MAX 8192 /* the longest that is matched */

/*
 * The other spelling of a normalised path: %2F is a slash, and the path is normalised again. To WSGI, CGI and
 * many frameworks `/api%2Fresource` is `/api/resource`; to others it is one segment. In place, never longer;
 * false, with the path unchanged, if it has no %2F.
 */
bool path_decode_slashes(char *path, size_t *bytes);

/* The n-th segment of a normalised path, from 1; text NULL where there is none or it is empty. False: the
   path has a %2F, and the segment is another one in the other spelling (path_decode_slashes), so it is
   unknown which one the application means. */
bool path_segment(const char *path, size_t bytes, uint32_t n, struct field *segment);

#endif
