/*
 * penalty: a client that goes on asking after refusals is penalised: refused for a while, longer each time.
 *
 *         refusals, counted            penalised: every request is refused       remembered: the next one is longer
 *      ──┬──┬─┬┬──────┬───┬───────────┬────────────────────────────────────────┬─────────────────────────────────┬──►
 *        ▲                ▲           ▲                                        ▲                                 ▲
 *        began_us         │           one more than `after`, within            until_us            until_us + up_to_us
 *                         count       `within_us` of the first
 *
 * The first penalty lasts for_us, each one after it `growth` times as long, up_to_us at most. A refusal
 * counts if the limits refuse a cost above 0, even one above the limit. A request that is refused by the
 * penalty does not count, spends nothing and prolongs nothing. The refusal that begins the penalty is part of
 * it. What is allowed between two refusals changes nothing. When the first refusal is within_us old, all are
 * forgotten together.
 *
 * A store calls these in this order, at one `now`, beside those of algorithm.h:
 *
 *      penalty_advance     applies the time that has passed
 *      penalty_rest_us     above 0: penalised. The request is refused, and nothing is spent
 *      penalty_refuse      the limits refuse the request: counts it, and may begin a penalty
 *      penalty_apply       penalised, by now or before: what the limits' decisions become
 *
 * Time is as in algorithm.h. A state never goes back: with a clock behind it, refusals stay counted, and a
 * penalty that was over stays over once a refusal has been counted after it. Refusals more than within_us
 * ahead of the clock, or a penalty that ends more than up_to_us from now, can only come from a clock that was
 * set back (or from a rule with other numbers). They are brought back to now, and to up_to_us from now.
 *
 * The twin is lua/penalty.lua. Lua is exact below 2^53. The largest numbers here are a moment plus up_to_us,
 * and up_to_us * growth, at most 366 days * 10. Pure; any thread, one at a time for each state.
 */
#ifndef PENALTY_H
#define PENALTY_H

#include <stdint.h>

#include "decision.h"

/* Of a rule. `after` 0: it has none. Immutable once made. */
struct penalty {
    int64_t after;     /* refusals that are tolerated: 1 .. PENALTY_AFTER_MAX */
    int64_t within_us; /* the time, from the first of them on, in which they are counted */
    int64_t for_us;    /* the first penalty */
    int64_t growth;    /* 1 .. PENALTY_GROWTH_MAX */
    int64_t up_to_us;  /* the longest one, at least for_us; and how long after its end one is remembered */
};

#define PENALTY_AFTER_MAX  1000000
#define PENALTY_GROWTH_MAX 10

/* All zero: nothing is counted or remembered. It means the same as no state. */
struct penalty_state {
    int64_t began_us;   /* the first refusal of `count` */
    int64_t until_us;   /* the end of the last penalty; 0: none is remembered */
    int32_t count;      /* refusals since began_us. 0 while penalised; above 0, the last penalty is over */
    int32_t repetition; /* penalties remembered, up to PENALTY_REPETITION_MAX */
};

/* More than it takes to grow from a microsecond to 366 days. */
#define PENALTY_REPETITION_MAX 45

/* What a penalty adds to the work of a decision in Redis, in the unit of limit_work (limit.h). */
#define PENALTY_WORK 4

void penalty_advance(const struct penalty *penalty, struct penalty_state *state, int64_t now_us);

/* The rest of the penalty; 0: not penalised. */
int64_t penalty_rest_us(const struct penalty_state *state, int64_t now_us);

/* Not while penalised. */
void penalty_refuse(const struct penalty *penalty, struct penalty_state *state, int64_t now_us);

/* The time until the state means the same as none; 0: it does. */
int64_t penalty_reset_after_us(const struct penalty *penalty, const struct penalty_state *state,
                               int64_t now_us);

/* None of the limits lets anything pass, or is full again, before the penalty ends. */
void penalty_apply(struct decision *decisions, uint32_t count, int64_t rest_us);

#endif
