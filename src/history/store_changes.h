/*
 * store_changes: when the store was lately lost and found again. One thread.
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
    char reason[STORE_REASON_BYTES + 1]; /* why it is not ready; "": it is, or not known */
};

/* Zeroed at first. */
struct store_changes {
    struct store_change list[STORE_CHANGES];
    uint64_t count; /* of all changes; the list has the last ones */
};

/* Notes its state, and why. A known state is not noted again; connecting at the start is no change. A reason
   that becomes known later is added to the change. */
void store_changes_note(struct store_changes *changes, enum store_state state, const char *reason,
                        int64_t now_us);

/* 0: the last one. NULL: there are no more. */
const struct store_change *store_changes_at(const struct store_changes *changes, unsigned index);

#endif
