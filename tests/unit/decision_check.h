/*
 * decision_check: one line to say what a decision ought to be. `row` is the text that a failure shows.
 */
#ifndef DECISION_CHECK_H
#define DECISION_CHECK_H

#include <check.h>
#include <inttypes.h>

#include "decision.h"
#include "suite.h"

static inline void
check_decision(const char *row, const struct decision *decision, bool allowed, int64_t remaining,
               int64_t retry_after_us, int64_t reset_after_us)
{
    ck_assert_msg(decision->allowed == allowed && decision->remaining == remaining &&
                      decision->retry_after_us == retry_after_us &&
                      decision->reset_after_us == reset_after_us,
                  "%s: allowed %d remaining %" PRId64 " retry_after %" PRId64 " reset_after %" PRId64
                  "; expected %d, %" PRId64 ", %" PRId64 ", %" PRId64,
                  row, decision->allowed, decision->remaining, decision->retry_after_us,
                  decision->reset_after_us, allowed, remaining, retry_after_us, reset_after_us);
}

#endif
