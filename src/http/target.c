#include "target.h"

#include <string.h>
#include <strings.h>

/* Absolute-form (RFC 9112, section 3.2.2): sent by a client that takes this service for a proxy. */
static size_t
scheme_bytes(const char *text, size_t bytes)
{
    if (bytes >= 7 && strncasecmp(text, "http://", 7) == 0)
        return 7;
    if (bytes >= 8 && strncasecmp(text, "https://", 8) == 0)
        return 8;
    return 0;
}

/* Bytes before the first of `ends`. */
static size_t
bytes_before(const char *text, size_t bytes, const char *ends)
{
    size_t at = 0;

    while (at < bytes && (text[at] == '\0' || strchr(ends, text[at]) == NULL))
        at++;
    return at;
}

const char *
target_path(const char *text, size_t bytes, size_t *path_bytes)
{
    size_t skipped = scheme_bytes(text, bytes);

    if (skipped > 0) {
        skipped += bytes_before(text + skipped, bytes - skipped, "/?#");
        if (skipped == bytes || text[skipped] != '/') {
            *path_bytes = 1;
            return "/";
        }
    }
    *path_bytes = bytes_before(text + skipped, bytes - skipped, "?#");
    return text + skipped;
}

struct field
target_host(const char *text, size_t bytes)
{
    size_t skipped = scheme_bytes(text, bytes);

    if (skipped == 0)
        return (struct field){.text = NULL};
    return (struct field){.text = text + skipped,
                          .bytes = bytes_before(text + skipped, bytes - skipped, "/?#")};
}

enum target_status
target_read(struct target *target, const char *text, size_t bytes)
{
    const char *path = target_path(text, bytes, &target->path.bytes);

    target->host = target_host(text, bytes);
    target->path.text = target->text;
    if (target->path.bytes > sizeof(target->text))
        return TARGET_TOO_LONG;
    memcpy(target->text, path, target->path.bytes);
    return path_normalise(target->text, &target->path.bytes) ? TARGET_GOOD : TARGET_BAD;
}
