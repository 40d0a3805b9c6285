/*
 * redis_name: the addresses of a host, without stopping the event loop.
 *
 * The system's resolver is the one that knows what the operator configured (hosts file, search domains, every kind of name
 * service), and it only knows how to block; so it is asked on a thread of its own, one for each look-up, which ends with it.
 */
#ifndef REDIS_NAME_H
#define REDIS_NAME_H

struct event_base;
struct redis_name_lookup;

/* Exactly once, on the loop's thread and after redis_name_resolve has returned: an address in numbers, borrowed, or NULL
   and why. When a name has several addresses, `attempt` modulo their number picks the one. */
typedef void redis_name_callback(void *arg, const char *address, const char *trouble);

/* NULL when a thread or memory cannot be had. */
struct redis_name_lookup *redis_name_resolve(struct event_base *base, const char *host, unsigned attempt,
                                             redis_name_callback *callback, void *arg);

/* The callback will not come. The thread ends by itself. */
void redis_name_cancel(struct redis_name_lookup *lookup);

#endif
