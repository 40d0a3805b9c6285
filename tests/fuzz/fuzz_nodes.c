/* Whatever is said to be by a node: what is read of it has no byte that JSON or a page would escape, and says the same
   when it is written again. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "nodes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void
check(const struct node_state *state)
{
    char text[NODE_TEXT_BYTES + 1];
    struct node_state again = {0};
    bool is_read;

    assert(strpbrk(state->host, "\"\\<>&'") == NULL && strpbrk(state->version, "\"\\<>&'") == NULL);
    node_write(state, text);
    is_read = node_read(text, &again);
    assert(is_read && strcmp(again.host, state->host) == 0 && strcmp(again.version, state->version) == 0);
    assert(again.up_ms == state->up_ms && again.requests_milli == state->requests_milli);
    assert(again.refused_milli == state->refused_milli && again.store == state->store);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    char *text = strndup((const char *)data, bytes);
    struct node_state state = {0};

    if (text != NULL && node_read(text, &state))
        check(&state);
    node_set_host(&state, text != NULL ? text : "");
    assert(state.host[0] != '\0');
    free(text);
    return 0;
}
