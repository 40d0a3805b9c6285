#include "rules_file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "regular_file.h"
#include "small_file.h"

/* A relative path starts at the working directory, which the operator may not know. */
static void
report_unread(const struct settings *settings, int error, struct report *report)
{
    const char *reason = regular_file_why(error);
    char directory[PATH_MAX], why[PATH_MAX + 128];

    if (error == EFBIG)
        snprintf(why, sizeof(why), "larger than %d bytes", POLICY_FILE_BYTES);
    else if (settings->rules[0] != '/' && getcwd(directory, sizeof(directory)) != NULL)
        snprintf(why, sizeof(why), "cannot be read in %s: %s", directory, reason);
    else
        snprintf(why, sizeof(why), "cannot be read: %s", reason);
    settings_diagnostic(settings, SETTING_RULES, report, why);
}

static struct policy *
compile(const struct settings *settings, const char *text, size_t bytes, struct file_set *files,
        struct report *report)
{
    struct policy_defaults defaults = {
        .limit = settings->default_limit > 0 ? settings->default_limit : 1,
        .window_us = (settings->default_window_ms > 0 ? settings->default_window_ms : 1) * US_PER_MS,
        .failure_mode = (enum failure_mode)settings->failure_mode,
    };

    return policy_parse_files(settings->rules, text, bytes, &defaults, files, report);
}

struct policy *
rules_file_load(const struct settings *settings, struct file_set *files, struct report *report)
{
    struct policy *policy = NULL;
    const struct file_version version = file_version_at(settings->rules);
    size_t bytes = 0;
    char *text = small_file_read_open(regular_file_open(settings->rules), POLICY_FILE_BYTES, &bytes);
    int error = errno;

    if (!file_set_add(files, settings->rules, &version, text, bytes))
        report_add(report, "%s: out of memory", settings->rules);
    else if (text != NULL)
        policy = compile(settings, text, bytes, files, report);
    else
        report_unread(settings, error, report);
    free(text);
    return policy;
}
