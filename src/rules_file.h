/*
 * rules_file: from the settings to the policy: reads the file that RATE_LIMIT_RULES_PATH names, and compiles it.
 *
 * One thread at a time.
 */
#ifndef RULES_FILE_H
#define RULES_FILE_H

#include "policy.h"
#include "report.h"
#include "settings.h"

/* NULL with at least one mistake in `report`. Also after mistakes in the settings, so that those in the rules are told in the
   same run: a setting that was not understood is 0 then. */
struct policy *rules_file_load(const struct settings *settings, struct report *report);

#endif
