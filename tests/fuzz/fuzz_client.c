/* Any value becomes a text of plain bytes that is read back to the value, or a digest; a part of it is
   another client. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

#define SOURCE "header:x"

static int
digit(char hex)
{
    return hex <= '9' ? hex - '0' : hex - 'a' + 10;
}

/* Takes the escapes back; returns the bytes. */
static size_t
unescape(const char *text, char *out)
{
    size_t bytes = 0;

    for (; *text != '\0'; text++) {
        if (*text == '%') {
            out[bytes++] = (char)(digit(text[1]) << 4 | digit(text[2]));
            text += 2;
        } else {
            out[bytes++] = *text;
        }
    }
    return bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct client client, shorter;
    char *value = malloc(bytes + 1), back[CLIENT_BYTES];

    assert(value);
    if (bytes > 0)
        memcpy(value, data, bytes);
    client_write(&client, SOURCE, value, bytes);
    assert(client.bytes >= 1 && client.bytes <= CLIENT_BYTES && client.text[client.bytes] == '\0');
    for (size_t i = 0; i < client.bytes; i++)
        assert(client.text[i] > ' ' && client.text[i] < 0x7f && client.text[i] != '{' &&
               client.text[i] != '}');
    if (strncmp(client.text, SOURCE "=", sizeof(SOURCE)) == 0) {
        assert(unescape(client.text + sizeof(SOURCE), back) == bytes);
        assert(memcmp(back, value, bytes) == 0);
    } else {
        assert(client.bytes == sizeof("sha256=") - 1 + 64);
    }
    if (bytes > 0) {
        client_write(&shorter, SOURCE, value, bytes - 1);
        assert(strcmp(shorter.text, client.text) != 0);
    }
    free(value);
    return 0;
}
