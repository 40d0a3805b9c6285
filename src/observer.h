/*
 * observer: hands the records of decisions to the top clients and the log of refusals: ten times a second, or
 * sooner under load, a bounded number a turn of the loop.
 *
 * On the thread of the admin listener's worker.
 */
#ifndef OBSERVER_H
#define OBSERVER_H

struct event_base;
struct observed;
struct observer;

/* `observed` has a stream. All is borrowed. NULL: out of memory. */
struct observer *observer_new(struct event_base *base, struct observed *observed);
void observer_free(struct observer *observer); /* NULL is allowed */

#endif
