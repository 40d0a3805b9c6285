/*
 * store_changes: when the store was lost and found again, lately. One thread.
 */
#ifndef STORE_CHANGES_H
#define STORE_CHANGES_H

#include <stdint.h>

#include "store.h"

#define STORE_CHANGES      20
#define STORE_REASON_BYTES 127 /* a longer one is cut */

struct store_change {
    int64_t at_us; /* Unix time */
    enum store_state state;
    char reason[STORE_REASON_BYTES + 1]; /* why it is not ready; "": it is, or that is not known */
};

/* Zeroed at first. */
struct store_changes {
    struct store_change list[STORE_CHANGES];
    uint64_t count; /* of all that there were; the list has the last ones */
};

/* That is its state now, and why. Nothing happens where that is known; that it connects at the start is no change. A
   reason that becomes known later is that of the change. */
void store_changes_note(struct store_changes *changes, enum store_state state, const char *reason,
                        int64_t now_us);

/* The last one is 0. NULL: there are no more. */
const struct store_change *store_changes_at(const struct store_changes *changes, unsigned index);

#endif
