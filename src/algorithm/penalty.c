#include "penalty.h"

/* Refusals that were counted say that the last penalty was over before them: until_us <= began_us. */
static void
advance_count(const struct penalty *penalty, struct penalty_state *state, int64_t now_us)
{
    if (state->count > penalty->after)
        state->count = (int32_t)penalty->after; /* counted under a larger number */
    if (now_us - state->began_us >= penalty->within_us) {
        state->count = 0;
    } else if (state->began_us - now_us > penalty->within_us) {
        state->began_us = now_us; /* the clock was set back */
        if (state->until_us > now_us)
            state->until_us = now_us;
    }
}

void
penalty_advance(const struct penalty *penalty, struct penalty_state *state, int64_t now_us)
{
    if (state->count > 0)
        advance_count(penalty, state, now_us);
    if (state->until_us - now_us > penalty->up_to_us)
        state->until_us = now_us + penalty->up_to_us;
    if (now_us - state->until_us >= penalty->up_to_us)
        state->until_us = state->repetition = 0;
}

int64_t
penalty_rest_us(const struct penalty_state *state, int64_t now_us)
{
    return state->count == 0 && state->until_us > now_us ? state->until_us - now_us : 0;
}

/* for_us * growth^repetition, as far as up_to_us. */
static int64_t
length_us(const struct penalty *penalty, int32_t repetition)
{
    int64_t us = penalty->for_us;

    for (; repetition > 0 && us < penalty->up_to_us; repetition--)
        us *= penalty->growth;
    return us < penalty->up_to_us ? us : penalty->up_to_us;
}

void
penalty_refuse(const struct penalty *penalty, struct penalty_state *state, int64_t now_us)
{
    if (state->count == 0)
        state->began_us = now_us;
    if (state->count < penalty->after) {
        state->count++;
        return;
    }
    state->count = 0;
    state->until_us = now_us + length_us(penalty, state->repetition);
    if (state->repetition < PENALTY_REPETITION_MAX)
        state->repetition++;
}

static int64_t
larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int64_t
penalty_reset_after_us(const struct penalty *penalty, const struct penalty_state *state, int64_t now_us)
{
    int64_t counted_us = state->count > 0 ? state->began_us + penalty->within_us - now_us : 0;
    int64_t remembered_us = state->until_us > 0 ? state->until_us + penalty->up_to_us - now_us : 0;

    return larger(counted_us, remembered_us);
}

void
penalty_apply(struct decision *decisions, uint32_t count, int64_t rest_us)
{
    for (uint32_t i = 0; i < count; i++) {
        struct decision *decision = &decisions[i];

        decision->allowed = false;
        decision->remaining = 0;
        if (decision->retry_after_us != RETRY_NEVER)
            decision->retry_after_us = larger(decision->retry_after_us, rest_us);
        decision->reset_after_us = larger(decision->reset_after_us, rest_us);
    }
}
