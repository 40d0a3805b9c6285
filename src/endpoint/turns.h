/*
 * turns: a worker's long requests, a step at a time, so that none holds up the requests of others.
 *
 * Long is what takes many times as long as a plain request: a large body, many checks, a check that keeps
 * Redis busy. Such a request has a turn and is in one of two queues, each of which goes round:
 *
 *      working     it has something to compute: it reads a piece of its body, or writes one of its answer
 *      asking      it has a check for the store, for which at most TURNS_STORE_WORK may wait there
 *
 * Once in each turn of the worker's loop they are run for about TURNS_SLICE_US. A step must be short: it is
 * not interrupted. All long requests share these bounds alike, whatever their number.
 *
 * The worker's thread only. A turn is embedded in what its owner allocates; nothing here does.
 */
#ifndef TURNS_H
#define TURNS_H

#include <stdbool.h>
#include <stdint.h>

/* Some ten plain requests: what one of those waits at most for all long ones, in this process. */
#define TURNS_SLICE_US 50

/* The same in Redis, in limit_work. A check that alone takes more goes when nothing else is asked. */
#define TURNS_STORE_WORK 256

struct turn {
    void (*step)(struct turn *turn); /* it may put the turn anywhere, and may free it once it has left */
    struct turn *next, *previous;    /* private; NULL: in no queue */
    uint32_t work;                   /* private: what it would ask */
};

struct turns {
    struct turn working, asking; /* heads of the queues */
    uint32_t asked_work;         /* under way in the store */
    bool ended;                  /* nothing may be asked any more: turns_end */
};

void turns_init(struct turns *turns);

/* Puts the turn at the end of a queue, wherever it was. */
void turns_work(struct turns *turns, struct turn *turn);
void turns_ask(struct turns *turns, struct turn *turn, uint32_t work);

/* Takes it out of its queue, if it is in one. */
void turns_leave(struct turn *turn);

/* What is asked of the store on a turn, until it is answered or cancelled. */
void turns_asked(struct turns *turns, uint32_t work);
void turns_answered(struct turns *turns, uint32_t work);

/* Runs steps for a while. True: more can be done at once. */
bool turns_run(struct turns *turns);

/* Runs steps with `ended` set until each turn has left: nothing may be asked any more, and one that asks may
   still work then. */
void turns_end(struct turns *turns);

#endif
