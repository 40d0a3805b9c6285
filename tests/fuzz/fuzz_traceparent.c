/* Of any value there is no trace-id, or one of lower-case hexadecimal digits, not all zero, at its place. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "traceparent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct field value = {.text = (const char *)data, .bytes = bytes};
    struct field trace_id = traceparent_trace_id(&value);

    if (trace_id.text == NULL) {
        assert(trace_id.bytes == 0);
        return 0;
    }
    assert(trace_id.text == value.text + 3 && trace_id.bytes == TRACE_ID_BYTES && bytes >= 55);
    for (size_t i = 0; i < trace_id.bytes; i++)
        assert(memchr("0123456789abcdef", trace_id.text[i], 16) != NULL);
    assert(memcmp(trace_id.text, "00000000000000000000000000000000", TRACE_ID_BYTES) != 0);
    assert(data[0] != 'f' || data[1] != 'f');
    return 0;
}
