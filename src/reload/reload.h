/*
 * reload: reads the rules once more and puts them in force, all of them or none.
 *
 *      read and compile ─┬─► no mistake: published to every worker (generation.h); one line says what changed
 *                        └─► mistakes: each is logged, the rules that are in force stay, and /health says so
 *
 * From any thread; one runs at a time, and others wait for it.
 */
#ifndef RELOAD_H
#define RELOAD_H

#include <stdbool.h>

#include "generation.h"
#include "report.h"
#include "settings.h"

struct reload;

/* Both are borrowed and must outlive it. NULL when out of memory. */
struct reload *reload_new(const struct settings *settings, struct generations *generations);
void reload_free(struct reload *reload);

/* `cause` begins the lines of the log, "SIGHUP". False: nothing has changed, and `mistakes`, an initialised report of the
   caller's, says why. */
bool reload_run(struct reload *reload, const char *cause, struct report *mistakes);

#endif
