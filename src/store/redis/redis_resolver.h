/*
 * redis_resolver: the addresses of a host, without stopping the event loop.
 *
 * The system's resolver is the one that knows what the operator configured (hosts file, search domains, every kind of name
 * service), and it only knows how to block; so it is asked on a thread of its own, one for each look-up, which ends with it.
 */
#ifndef REDIS_RESOLVER_H
#define REDIS_RESOLVER_H

struct event_base;
struct redis_resolver_lookup;

/* Exactly once, on the loop's thread and after redis_resolver_start has returned: an address in numbers, borrowed, or NULL
   and why. When a name has several addresses, `attempt` modulo their number picks the one. */
typedef void redis_resolver_callback(void *arg, const char *address, const char *reason);

/* NULL when a thread or memory cannot be had. */
struct redis_resolver_lookup *redis_resolver_start(struct event_base *base, const char *host,
                                                   unsigned attempt, redis_resolver_callback *callback,
                                                   void *arg);

/* The callback will not come. The thread ends by itself. */
void redis_resolver_cancel(struct redis_resolver_lookup *lookup);

#endif
