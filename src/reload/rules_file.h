/*
 * rules_file: reads and compiles the file that RATE_LIMIT_RULES_PATH names.
 *
 * One thread at a time.
 */
#ifndef RULES_FILE_H
#define RULES_FILE_H

#include "file_set.h"
#include "policy.h"
#include "report.h"
#include "settings.h"

/* Adds every file that it reads, or would, to `files`. NULL with at least one error in `report`. May be
   called after errors in the settings, so that one run reports those in the rules too: an invalid setting is
   then 0. */
struct policy *rules_file_load(const struct settings *settings, struct file_set *files,
                               struct report *report);

#endif
