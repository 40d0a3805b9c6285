/*
 * generation: one version of what requests are decided by (the rules, and what is done with some clients at
 * run time), and how the next one takes its place while the workers serve.
 *
 * A generation is immutable. A new one is complete before it is published: each worker finds its share in its
 * reader and takes it there, at its next request or turn. A request is decided by the
 * generation that its worker has when it begins, and holds it until its answer is made:
 *
 *      generations_publish ───► offered ─────────► current ──────────────► left ─────────────────► freed
 *      a share for each         in the reader,     the worker has taken    a newer one is           with the last share,
 *      worker, and one          until the worker   it: its requests        current; requests        by whoever drops it
 *      for `generations`        looks; a newer     enter it                that entered it go on
 *                               one replaces it
 *                                     └──────────────────────────────────────────────────────────────────►
 *                                        the worker never saw it
 *
 * No two workers share anything on the way of a request. A worker looks at its own reader with a plain load,
 * and counts its requests in its own share with a plain counter. It drops a share once: when it has left the
 * generation and the last request in it has ended. Only that counts in an atomic that others touch.
 *
 * What the rules count (rule_counts.h) goes from one generation to the next, by the name of the rule.
 *
 * So a stream of reloads keeps alive: the newest generation, for each worker one that is current and one that
 * is offered, and those that some request is still in. A request is in one for no longer than the store takes
 * to answer, which is bounded; never while its body arrives or its answer is sent.
 */
#ifndef GENERATION_H
#define GENERATION_H

#include <stdbool.h>
#include <stdint.h>

#include "override.h"
#include "policy.h"

struct generation {
    uint64_t number;             /* 1, 2, ...: of all that were published */
    const struct policy *policy; /* with the overrides, where there are any */
};

/* What a worker has of one generation. */
struct generation_share {
    const struct generation *generation;
    uint32_t requests;                  /* that entered it, and have not left */
    bool is_left;                       /* the worker has a newer one */
    struct generation_version *version; /* private */
} __attribute__((aligned(64)));

struct generations;
struct generation_reader;

/* The first generation, with a reader for each of `readers` workers. It owns the policy from then on. NULL
   when out of memory: the policy remains the caller's. */
struct generations *generations_new(struct policy *policy, unsigned readers);

/* When every reader that was used has been closed. NULL is allowed. */
void generations_free(struct generations *generations);

/* Puts a new generation in the place of the current one, and owns the policy from then on. False when out of
   memory: nothing has changed, and the policy remains the caller's. Any thread. What is published by one
   thread is found by every request that begins after this returns. */
bool generations_publish(struct generations *generations, struct policy *policy);

/* The same with the current policy and another list of overrides, which it owns from then on. One thread
   alone calls it, the one that makes the lists. False: nothing has changed, and the list remains the caller's. */
bool generations_override(struct generations *generations, struct override_list *list);

/* The policy that was published last, without overrides. Until the next generations_publish; so the caller
   must be the only one that publishes, or exclude the others. */
const struct policy *generations_policy(struct generations *generations);

/* The newest one stays until the release, whatever is published meanwhile. For threads that are no readers. */
struct generation *generations_hold(struct generations *generations);
void generations_release(struct generation *generation);

/* What became of the last attempt to publish: the number of mistakes that kept it from being made; 0: it was
   published. Any thread. */
void generations_set_mistakes(struct generations *generations, unsigned mistakes);
unsigned generations_mistakes(const struct generations *generations);

/* Those not freed yet; for tests. Any thread. */
unsigned generations_alive(const struct generations *generations);

/* The reader of one worker, `index` below `readers`. */
struct generation_reader *generations_reader(struct generations *generations, unsigned index);

/* The functions below are for one thread, the worker's. */

/* The newest generation; until the next call. To be called at each turn of the loop, so that an idle worker
   lets go of what it has left. */
const struct generation *generation_current(struct generation_reader *reader);

/* A request begins: it is in the newest generation until generation_leave. Cannot fail. */
struct generation_share *generation_enter(struct generation_reader *reader);
void generation_leave(struct generation_share *share);

/* Something that outlives a request which is in the generation stays in it, until a generation_leave of its own. */
void generation_stay(struct generation_share *share);

/* The worker ends; no request is in any generation. */
void generation_reader_close(struct generation_reader *reader);

#endif
