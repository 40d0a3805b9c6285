/*
 * supervise: what the main thread does while the workers serve: it hears signals, sees when the rules
 * change, and logs what shadow rules and candidates would have refused.
 *
 *      SIGHUP                      reloads at once
 *      a file of the rules changes reloads once none has changed for QUIET_US: editors write more than once
 *      SIGUSR1, SIGUSR2            are logged
 *      SIGTERM, SIGINT             end it
 */
#ifndef SUPERVISE_H
#define SUPERVISE_H

#include "clock.h"
#include "reload.h"
#include "shadow_log.h"

#define SUPERVISE_QUIET_US (150 * US_PER_MS)
#define SUPERVISE_LATE_US  (2 * US_PER_S) /* a reload waits no longer, though the changes go on */
#define SUPERVISE_LOOK_US \
    (10 * US_PER_S) /* files are looked at so often, where inotify is silent (watch.h) */

/* Blocks the signals above, for this thread and all that it starts. Before the first is started. */
void supervise_block_signals(void);

/* Returns the signal that ended it, SIGTERM or SIGINT; a second one then ends the process at once. 0: signals
   cannot be heard, which is logged. */
int supervise(struct reload *reload, struct shadow_log *shadow_log);

#endif
