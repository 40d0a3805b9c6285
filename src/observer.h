/*
 * observer: what the admin listener's worker does about the decisions of the other workers: ten times a second, or
 * sooner under load, it reads their records, a bounded number a turn of its loop.
 *
 * The worker's thread.
 */
#ifndef OBSERVER_H
#define OBSERVER_H

struct decision_stream;
struct event_base;
struct observer;

/* The stream is borrowed. NULL: out of memory. */
struct observer *observer_new(struct event_base *base, struct decision_stream *stream);
void observer_free(struct observer *observer); /* NULL is allowed */

#endif
