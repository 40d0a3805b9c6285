/*
 * file_set: files that were read together: the path of each, its version, and for a small one a digest of
 * what it said.
 *
 * So that one knows which files to watch, and whether they say something new. One thread at a time.
 */
#ifndef FILE_SET_H
#define FILE_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "file_version.h"
#include "siphash.h"

struct file_set_item {
    char *path;
    struct file_version version;
    bool has_digest;
    struct siphash digest; /* not against forgery */
};

/* Zeroed is empty. It owns its paths. */
struct file_set {
    struct file_set_item *items; /* in the order in which they were added */
    uint32_t count;
};
void file_set_fini(struct file_set *set);

/* `version`: as it was before it was read, so that a change from then on is one. `text` NULL: what it said is
   not known, as of a large file; then its version tells. "": it cannot be read. A path that is there
   already is not added again. False when out of memory. */
bool file_set_add(struct file_set *set, const char *path, const struct file_version *version,
                  const char *text, size_t bytes);

bool file_set_has(const struct file_set *set, const char *path);

/* Whether the same files said the same. */
bool file_set_equals(const struct file_set *a, const struct file_set *b);

#endif
