/*
 * redis_resolver: the addresses of a host, without blocking the event loop.
 *
 * Only the system's resolver knows what the operator configured (hosts file, search domains, name services),
 * and it blocks. So each lookup runs on a thread of its own, which ends with it.
 */
#ifndef REDIS_RESOLVER_H
#define REDIS_RESOLVER_H

struct event_base;
struct redis_resolver_lookup;

/* Runs exactly once, on the loop's thread, after redis_resolver_start has returned: a numeric address,
   borrowed, or NULL and the reason. If the name has several addresses, `attempt` modulo their number selects
   one. */
typedef void redis_resolver_callback(void *arg, const char *address, const char *reason);

/* NULL: out of memory or threads. */
struct redis_resolver_lookup *redis_resolver_start(struct event_base *base, const char *host,
                                                   unsigned attempt, redis_resolver_callback *callback,
                                                   void *arg);

/* The callback will not run. The thread ends by itself. */
void redis_resolver_cancel(struct redis_resolver_lookup *lookup);

#endif
