/*
 * policy_text: the policy of a text that has no errors, for tests of what uses one.
 */
#ifndef POLICY_TEXT_H
#define POLICY_TEXT_H

#include <check.h>
#include <string.h>

#include "policy.h"

/* The caller frees it. */
static inline struct policy *
policy_of_text(const char *text)
{
    static const struct policy_defaults defaults = {.limit = 1, .window_us = 1000000};
    struct report report;
    struct policy *policy;

    report_init(&report);
    policy = policy_parse("test", text, strlen(text), &defaults, &report);
    ck_assert_msg(policy != NULL, "%s", report.count > 0 ? report.lines[0] : "");
    report_fini(&report);
    return policy;
}

#endif
