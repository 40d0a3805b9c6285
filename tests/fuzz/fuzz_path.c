/*
 * Any bytes as a path and, after the first newline, two patterns: what comes out of path_normalise is the
 * one spelling, the other one has no encoded slash, patterns agree with a naive reading of theirs, and a
 * pattern that covers another matches what it matches.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static char *
copy(const char *text, size_t bytes, size_t room)
{
    char *copied = malloc(bytes + room);

    assert(copied != NULL || bytes + room == 0);
    if (bytes > 0)
        memcpy(copied, text, bytes);
    return copied;
}

static void
check_normal(const char *path, size_t bytes)
{
    size_t again_bytes = bytes;
    char *again = copy(path, bytes, 1);

    assert(bytes > 0 && path[0] == '/');
    assert(memmem(path, bytes, "//", 2) == NULL);
    assert(memmem(path, bytes, "/./", 3) == NULL && memmem(path, bytes, "/../", 4) == NULL);
    assert(bytes < 2 || memcmp(path + bytes - 2, "/.", 2) != 0);
    assert(bytes < 3 || memcmp(path + bytes - 3, "/..", 3) != 0);
    for (size_t i = 0; i < bytes; i++)
        assert((unsigned char)path[i] >= ' ' && path[i] != 0x7f);
    assert(path_normalise(again, &again_bytes));
    assert(again_bytes == bytes && memcmp(again, path, bytes) == 0);
    free(again);
}

static void
check_slashes(const char *path, size_t bytes)
{
    size_t other_bytes = bytes;
    char *other = copy(path, bytes, 0);

    if (path_decode_slashes(other, &other_bytes)) {
        assert(other_bytes < bytes);
        assert(memmem(other, other_bytes, "%2F", 3) == NULL);
        check_normal(other, other_bytes);
    } else {
        assert(memmem(path, bytes, "%2F", 3) == NULL && memcmp(other, path, bytes) == 0);
    }
    free(other);
}

/* What a pattern means, said as plainly as possible: one segment of each, then the rest of both. */
static bool
naive_match(const char *pattern, const char *path)
{
    size_t wanted, given;

    if (strcmp(pattern, "/**") == 0)
        return true;
    if (*pattern == '\0' || *path == '\0')
        return *pattern == *path;
    wanted = strcspn(pattern + 1, "/");
    given = strcspn(path + 1, "/");
    if (wanted == 1 && pattern[1] == '*' ? given == 0
                                         : given != wanted || memcmp(pattern, path, given + 1) != 0)
        return false;
    return naive_match(pattern + 1 + wanted, path + 1 + given);
}

static void
check_patterns(const char *path, size_t bytes, const char *first, const char *second)
{
    const char *why;
    struct path_pattern *a = path_pattern_new(first, &why), *b = path_pattern_new(second, &why);
    char *ended = copy(path, bytes, 1);

    ended[bytes] = '\0';
    if (a != NULL)
        assert(path_pattern_matches(a, path, bytes) == naive_match(first, ended));
    if (a != NULL && b != NULL) {
        assert(path_pattern_covers(a, a));
        if (path_pattern_covers(a, b) && path_pattern_matches(b, path, bytes))
            assert(path_pattern_matches(a, path, bytes));
    }
    free(ended);
    path_pattern_free(a);
    path_pattern_free(b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    const char *text = (const char *)data;
    const char *end = bytes > 0 ? memchr(text, '\n', bytes) : NULL;
    size_t path_bytes = end != NULL ? (size_t)(end - text) : bytes, before = path_bytes;
    char *path = copy(text, path_bytes, 0);

    if (path_normalise(path, &path_bytes)) {
        assert(path_bytes <= before);
        check_normal(path, path_bytes);
        check_slashes(path, path_bytes);
        if (end != NULL) {
            char *first = copy(end + 1, bytes - before - 1, 1);
            char *second;

            first[bytes - before - 1] = '\0';
            second = strchr(first, '\n');
            if (second != NULL)
                *second++ = '\0';
            check_patterns(path, path_bytes, first, second != NULL ? second : "/**");
            free(first);
        }
    }
    free(path);
    return 0;
}
