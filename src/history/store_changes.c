#include "store_changes.h"

#include <stddef.h>
#include <stdio.h>

static void
set_reason(struct store_change *change, const char *reason)
{
    snprintf(change->reason, sizeof(change->reason), "%s", change->state == STORE_READY ? "" : reason);
}

void
store_changes_note(struct store_changes *changes, enum store_state state, const char *reason, int64_t now_us)
{
    struct store_change *change;

    if (changes->count == 0 && state == STORE_CONNECTING)
        return;
    change = &changes->list[(changes->count + STORE_CHANGES - 1) % STORE_CHANGES];
    if (changes->count == 0 || change->state != state) {
        change = &changes->list[changes->count++ % STORE_CHANGES];
        *change = (struct store_change){.at_us = now_us, .state = state};
    }
    if (change->reason[0] == '\0')
        set_reason(change, reason);
}

const struct store_change *
store_changes_at(const struct store_changes *changes, unsigned index)
{
    if (index >= changes->count || index >= STORE_CHANGES)
        return NULL;
    return &changes->list[(changes->count - 1 - index) % STORE_CHANGES];
}
