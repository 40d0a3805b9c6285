/*
 * observer: what the admin listener's worker does about the decisions of the other workers: ten times a second, or
 * sooner under load, it reads their records, a bounded number a turn of its loop.
 *
 * The worker's thread.
 */
#ifndef OBSERVER_H
#define OBSERVER_H

struct event_base;
struct observed;
struct observer;

/* Of `observed` it reads the stream, which is not NULL, and hands the records to the others. All is borrowed. NULL:
   out of memory. */
struct observer *observer_new(struct event_base *base, struct observed *observed);
void observer_free(struct observer *observer); /* NULL is allowed */

#endif
