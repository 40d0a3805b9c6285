/*
 * Any bytes as a host, as a Cookie header and as a path: a host has one spelling, which is its own; a cookie's
 * value lies within the header; a segment lies within the path.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cookie.h"
#include "host.h"
#include "path.h"

#define SEGMENTS 5

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static bool
is_within(const struct field *part, const char *text, size_t bytes)
{
    return part->text >= text && part->bytes <= bytes &&
           part->text - text <= (ptrdiff_t)(bytes - part->bytes);
}

static void
check_host(const struct field *text)
{
    char out[HOST_BYTES_MAX], again[HOST_BYTES_MAX];
    struct field host = host_normalise(text, out), same;

    if (host.text == NULL)
        return;
    assert(host.bytes > 0 && host.bytes <= HOST_BYTES_MAX);
    assert(host.bytes <= text->bytes || host.text[0] == '[');
    for (size_t i = 0; i < host.bytes; i++)
        assert(host.text[i] > ' ' && (unsigned char)host.text[i] < 0x7f &&
               !(host.text[i] >= 'A' && host.text[i] <= 'Z'));
    same = host_normalise(&host, again);
    assert(same.bytes == host.bytes && memcmp(same.text, host.text, host.bytes) == 0);
}

static void
check_cookie(const struct field *text)
{
    struct field value = cookie_find(text, "s");

    if (value.text == NULL)
        return;
    assert(value.bytes > 0 && is_within(&value, text->text, text->bytes));
    assert(memchr(value.text, ';', value.bytes) == NULL);
}

static void
check_segments(const struct field *text)
{
    size_t bytes = text->bytes;
    char *path = malloc(bytes + 1);

    assert(path != NULL);
    memcpy(path, text->text, bytes);
    if (path_normalise(path, &bytes) && bytes <= PATH_BYTES_MAX) {
        for (uint32_t n = 1; n <= SEGMENTS; n++) {
            struct field segment;
            bool is_clear = path_segment(path, bytes, n, &segment);
            assert(is_clear || memmem(path, bytes, "%2F", 3) != NULL);
            assert(segment.text == NULL || (segment.bytes > 0 && is_within(&segment, path, bytes)));
            assert(segment.text == NULL || memchr(segment.text, '/', segment.bytes) == NULL);
        }
    }
    free(path);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    char *exact = malloc(bytes > 0 ? bytes : 1); /* which ends where it ends: no zero byte follows */
    struct field text = {.text = exact, .bytes = bytes};

    assert(exact != NULL);
    if (bytes > 0)
        memcpy(exact, data, bytes);
    check_host(&text);
    check_cookie(&text);
    check_segments(&text);
    free(exact);
    return 0;
}
