/*
 * peek: what Redis knows of a client at this moment, for a program that has no event loop: what is set for
 * clients at run time, and what is left of their limits, by a check of cost 0. It counts and changes nothing.
 *
 *     peek = peek_open(url, tls, timeout_us);                       waits PEEK_CONNECT_US at most
 *     policy = peek_policy(peek, policy);                           timeout_us
 *     if (peek_ask(peek, &subject, &request)) ...                   timeout_us
 *     peek_close(peek);
 *
 * After something has failed, what follows fails at once, and peek_why says what it was. One thread.
 */
#ifndef PEEK_H
#define PEEK_H

#include <stdbool.h>

#include "clock.h"
#include "policy.h"
#include "redis_store.h"

#define PEEK_CONNECT_US (2 * US_PER_S)

struct peek;

/* `url` and `tls` (NULL where the URL does not ask for TLS) are borrowed. NULL when out of memory. */
struct peek *peek_open(const struct redis_url *url, const struct redis_tls *tls, int64_t timeout_us);
void peek_close(struct peek *peek); /* NULL is allowed */

/* The policy with what is set for clients at run time, until peek_close; NULL: it is not known. */
const struct policy *peek_policy(struct peek *peek, const struct policy *policy);

/* False: there is no answer. */
bool peek_ask(struct peek *peek, const struct store_subject *subject, struct store_request *request);

/* A clause: "Connection refused". */
const char *peek_why(const struct peek *peek);

#endif
