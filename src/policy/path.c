#include "path.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"

struct path_pattern {
    bool wild;    /* some segment is `*` */
    bool rest;    /* `**` is last: the text may be followed by a slash and anything */
    size_t bytes; /* of the text, less a last slash and `**` */
    size_t stem;  /* of these, those before the first `*` */
    char text[];  /* as it was given */
};

/* The segment after the slash at `at`: from at + 1 to the returned index. */
static size_t
segment_end(const char *path, size_t bytes, size_t at)
{
    const char *slash = memchr(path + at + 1, '/', bytes - at - 1);

    return slash == NULL ? bytes : (size_t)(slash - path);
}

/* What is wrong with the segments, or NULL. `*wild`: one is a `*`; `*rest`: the last is `**`. */
static const char *
check_segments(const char *text, size_t bytes, bool *wild, bool *rest)
{
    *wild = *rest = false;
    for (size_t at = 0, end; at < bytes; at = end) {
        const char *segment = text + at + 1;
        size_t length;

        end = segment_end(text, bytes, at);
        length = end - at - 1;
        if (memchr(segment, '*', length) == NULL)
            continue;
        if (length == 1)
            *wild = true;
        else if (length != 2 || memcmp(segment, "**", length) != 0)
            return "\"*\" must be an entire segment, \"**\" the entire last segment";
        else if (end == bytes)
            *rest = true;
        else
            return "\"**\" must be the last segment";
    }
    return NULL;
}

/* What is wrong with the spelling, or NULL. Patterns are compared with normalised paths: one that is not
   normalised would silently match nothing. `copy` is scratch of the same length. */
static const char *
check_spelling(const char *text, size_t bytes, char *copy)
{
    size_t normal = bytes;

    if (text[0] != '/')
        return "must begin with \"/\"";
    if (strpbrk(text, "?#") != NULL)
        return "must be a path without \"?\" or \"#\"";
    memcpy(copy, text, bytes);
    if (!path_normalise(copy, &normal))
        return "must have no control characters, and \"%\" only before two hexadecimal digits";
    if (normal != bytes || memcmp(copy, text, bytes) != 0)
        return "must be normalised: no \"//\", \".\" or \"..\", and no percent-encodings but %2F and %25";
    return NULL;
}

struct path_pattern *
path_pattern_new(const char *text, const char **why)
{
    size_t bytes = strlen(text);
    struct path_pattern *pattern = calloc(1, sizeof(*pattern) + bytes + 1);

    *why = "out of memory";
    if (pattern == NULL)
        return NULL;
    *why = check_spelling(text, bytes, pattern->text);
    if (*why == NULL)
        *why = check_segments(text, bytes, &pattern->wild, &pattern->rest);
    if (*why != NULL) {
        free(pattern);
        return NULL;
    }
    pattern->bytes = pattern->rest ? bytes - strlen("/**") : bytes;
    memcpy(pattern->text, text, bytes + 1);
    pattern->stem = strcspn(text, "*");
    if (pattern->stem > pattern->bytes)
        pattern->stem = pattern->bytes;
    return pattern;
}

void
path_pattern_free(struct path_pattern *pattern)
{
    free(pattern);
}

const char *
path_pattern_text(const struct path_pattern *pattern)
{
    return pattern->text;
}

/* Segment by segment, for patterns with a `*`. Both indices are at a slash or at the end. */
static bool
matches_segments(const struct path_pattern *pattern, const char *path, size_t bytes)
{
    size_t at = 0;

    for (size_t from = 0, to; from < pattern->bytes; from = to) {
        const char *wanted = pattern->text + from + 1;
        size_t wanted_bytes, end, length;

        if (at == bytes)
            return false;
        to = segment_end(pattern->text, pattern->bytes, from);
        end = segment_end(path, bytes, at);
        wanted_bytes = to - from - 1;
        length = end - at - 1;
        if (wanted_bytes == 1 && wanted[0] == '*') {
            if (length == 0)
                return false;
        } else if (length != wanted_bytes || memcmp(path + at + 1, wanted, length) != 0) {
            return false;
        }
        at = end;
    }
    return at == bytes || pattern->rest;
}

bool
path_pattern_matches(const struct path_pattern *pattern, const char *path, size_t bytes)
{
    /* Most patterns do not match: the stem alone tells. */
    if (bytes < pattern->stem || memcmp(path, pattern->text, pattern->stem) != 0)
        return false;
    if (pattern->wild)
        return matches_segments(pattern, path, bytes);
    return bytes == pattern->bytes || (pattern->rest && path[pattern->bytes] == '/');
}

/* The narrow pattern's own text serves as the path: its `*` is a segment like any other there, which only a
   `*` or a `**` of the wide one accepts, because no literal segment holds a star. */
bool
path_pattern_covers(const struct path_pattern *wide, const struct path_pattern *narrow)
{
    if (narrow->rest && !wide->rest)
        return false;
    return path_pattern_matches(wide, narrow->text, narrow->bytes);
}

/* Percent-decoding, in place. An encoded slash is part of its segment, so it stays encoded; so does the
   percent sign, or decoding would not be idempotent. */
static bool
decode(char *path, size_t *bytes)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t used = 0;

    for (size_t at = 0; at < *bytes; at++) {
        unsigned char byte = (unsigned char)path[at];
        bool keep = false;

        if (byte == '%') {
            int decoded = at + 2 < *bytes ? hex_byte(path + at + 1) : -1;

            if (decoded < 0)
                return false;
            byte = (unsigned char)decoded;
            keep = byte == '/' || byte == '%';
            at += 2;
        }
        if (byte < ' ' || byte == 0x7f)
            return false;
        if (keep) {
            path[used++] = '%';
            path[used++] = digits[byte >> 4];
            path[used++] = digits[byte & 15];
        } else {
            path[used++] = (char)byte;
        }
    }
    *bytes = used;
    return true;
}

/* Joins the remaining segments, each preceded by one slash. `*bytes` may become 0. */
static bool
join_segments(char *path, size_t *bytes)
{
    size_t used = 0;
    bool open = false; /* the last segment ended in a slash, or was a "." or ".." */

    for (size_t at = 0, end; at < *bytes; at = end) {
        const char *segment = path + at + 1;
        size_t length;

        end = segment_end(path, *bytes, at);
        length = end - at - 1;
        open = true;
        if (length == 0 || (length == 1 && segment[0] == '.'))
            continue;
        if (length == 2 && segment[0] == '.' && segment[1] == '.') {
            while (used > 0 && path[--used] != '/')
                ;
            continue;
        }
        memmove(path + used, path + at, length + 1);
        used += length + 1;
        open = false;
    }
    *bytes = used;
    return open;
}

static void
join(char *path, size_t *bytes)
{
    if (join_segments(path, bytes))
        path[(*bytes)++] = '/';
    assert(*bytes > 0 && path[0] == '/');
}

bool
path_normalise(char *path, size_t *bytes)
{
    if (*bytes == 0 || path[0] != '/' || !decode(path, bytes))
        return false;
    join(path, bytes);
    return true;
}

bool
path_decode_slashes(char *path, size_t *bytes)
{
    size_t used = 0;

    if (memmem(path, *bytes, "%2F", 3) == NULL)
        return false;
    for (size_t at = 0; at < *bytes; at++) {
        bool is_slash = *bytes - at >= 3 && memcmp(path + at, "%2F", 3) == 0;

        path[used++] = is_slash ? '/' : path[at];
        at += is_slash ? 2 : 0;
    }
    *bytes = used;
    join(path, bytes);
    return true;
}

static struct field
find_segment(const char *path, size_t bytes, uint32_t n)
{
    size_t at = 0, end;

    for (uint32_t i = 1; at < bytes; i++, at = end) {
        end = segment_end(path, bytes, at);
        if (i == n && end > at + 1)
            return (struct field){.text = path + at + 1, .bytes = end - at - 1};
    }
    return (struct field){.text = NULL};
}

bool
path_segment(const char *path, size_t bytes, uint32_t n, struct field *segment)
{
    char other[PATH_BYTES_MAX];
    struct field decoded;

    assert(bytes <= sizeof(other));
    *segment = find_segment(path, bytes, n);
    if (memchr(path, '%', bytes) == NULL)
        return true;
    memcpy(other, path, bytes);
    if (!path_decode_slashes(other, &bytes))
        return true;
    decoded = find_segment(other, bytes, n);
    if (decoded.text == NULL || segment->text == NULL)
        return decoded.text == segment->text;
    return decoded.bytes == segment->bytes && memcmp(decoded.text, segment->text, decoded.bytes) == 0;
}
