/* Any file is read without harm, and every value that was read is read back as it is from what is written of
   it. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dotenv.h"

static void
assert_reads_back(const char *value)
{
    struct dotenv dotenv;
    struct dotenv_entry entry;
    char *text;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);

    assert(out);
    fputs("A=", out);
    assert(dotenv_write_value(out, value) + 2 == (size_t)ftell(out));
    fclose(out);
    dotenv_init(&dotenv, text, bytes);
    assert(dotenv_next(&dotenv, &entry) == DOTENV_ENTRY);
    assert(strcmp(entry.name, "A") == 0);
    assert(strcmp(entry.value, value) == 0);
    assert(dotenv_next(&dotenv, &entry) == DOTENV_END);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct dotenv dotenv;
    struct dotenv_entry entry;
    enum dotenv_status status;
    unsigned line = 0;
    char *text = malloc(bytes + 1);

    assert(text);
    if (bytes > 0)
        memcpy(text, data, bytes);
    text[bytes] = '\0';
    dotenv_init(&dotenv, text, bytes);
    while ((status = dotenv_next(&dotenv, &entry)) != DOTENV_END) {
        assert(dotenv.line > line);
        line = dotenv.line;
        if (status == DOTENV_MALFORMED) {
            assert(entry.reason);
            continue;
        }
        assert(entry.name > text - 1 && entry.name[0] != '\0');
        assert(entry.value + strlen(entry.value) <= text + bytes);
        assert_reads_back(entry.value);
    }
    free(text);
    return 0;
}
