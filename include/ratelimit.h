/*
 * libratelimit: rate limits inside a program, in the memory of the process or in a Redis that it shares with
 * others.
 *
 *     struct ratelimit_error error;
 *     struct ratelimit_store *store = ratelimit_store_open("redis://localhost:6379", NULL, &error);
 *     if (!store)
 *         errx(1, "%s", error.text);
 *     struct ratelimit_limiter *api = ratelimit_fixed_window(store, "api", 100, 60 * 1000, &error);
 *     if (!api)
 *         errx(1, "%s", error.text);
 *
 *     if (ratelimit_is_allowed(api, "user_123", &error))
 *         ...
 *     ratelimit_limiter_free(api);
 *     ratelimit_store_close(store);
 *
 * A store keeps counts. A limiter is a name and what it allows; it uses a store. A key is what a decision is
 * about: a user, an address, a customer. Limiters of the same name in the same store count together.
 *
 * THE SERVICE. ratelimitd keeps the same counts under the same keys, by the same script. A limiter "api"
 * here, and there a rule "api" with the same limits and `{"rule": "api", "client": "user_123"}`, spend from
 * one quota.
 *
 * UNITS. Every duration is a number of milliseconds. Durations passed in are exact; durations returned are
 * rounded up, so that a client that waits as long as it was told has waited long enough. Limits, costs and
 * what remains are numbers of requests, or of anything else that is counted: bytes, pages, cents. All numbers
 * stay below 2^53.
 *
 * ERRORS. No argument, URL or network failure ends the process. A function that can fail takes a struct
 * ratelimit_error and fills it with a code for programs and a text for people; it may be NULL. On failure a
 * function that returns a pointer returns NULL, and ratelimit_is_allowed returns false. So no failure ever
 * lets a request pass: a program that would rather let requests pass when Redis is unavailable must do so
 * itself (RATELIMIT_UNAVAILABLE). No text holds a password. No call changes or needs errno.
 *
 * OWNERSHIP. Arguments are read before the call returns, and not kept. What ..._open, ..._new and the four
 * constructors return is freed with ..._close or ..._free, which allow NULL. A limiter keeps its store alive:
 * the two may be freed in any order.
 *
 * THREADS. Any number of threads may use a store and its limiters at once. Freeing one that another thread is
 * using is a bug, as with free(). Once every call on a limiter has returned it may be freed, even if a call
 * timed out and its answer is still to come. No call may be made in a signal handler. Calls that decide or
 * reset are not cancellation points; in the others a thread must not be cancelled.
 *
 * A store in memory has no thread of its own. A decision takes one lock of many and allocates nothing, unless
 * the key is longer than about a hundred bytes and has to be digested.
 *
 * A store in Redis has one thread, which blocks all signals, and one connection, which is restored
 * automatically. Calls wait for its answer, no longer than the store's timeout; concurrent calls go to Redis
 * in one command. What Redis refused is refused again from memory until it could pass, for a second at most.
 *
 * FORK. A store in Redis does not work in a child of the process that opened it: its calls fail there with
 * RATELIMIT_FORKED, and closing it there leaves it to the parent. A store in memory is copied by a fork and
 * counts separately from then on; do not fork while other threads are in a call.
 */
#ifndef RATELIMIT_H
#define RATELIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define RATELIMIT_API __attribute__((visibility("default")))
#else
#define RATELIMIT_API
#endif

/* Bounds of what is accepted. */
#define RATELIMIT_KEY_BYTES          4096 /* of a key, at least 1; any byte but zero */
#define RATELIMIT_NAME_BYTES         64   /* of a limiter's name, at least 1: A-Z a-z 0-9 _ . - */
#define RATELIMIT_LIMITS             8    /* limits of one limiter */
#define RATELIMIT_NUMBER_MAX         INT64_C(9007199254740991)         /* 2^53 - 1 */
#define RATELIMIT_PERIOD_MS_MAX      (INT64_C(366) * 24 * 3600 * 1000) /* a year */
#define RATELIMIT_SLIDING_WINDOW_MAX RATELIMIT_NUMBER_MAX /* sliding windows no longer have their own bound */

/* Errors. */

enum ratelimit_status {
    RATELIMIT_OK = 0,

    /* An invalid argument: the same call will fail again. */
    RATELIMIT_NULL,            /* a required pointer is NULL */
    RATELIMIT_BAD_URL,         /* not the URL of a store */
    RATELIMIT_BAD_TLS,         /* a certificate or key cannot be used, or this build has no TLS */
    RATELIMIT_BAD_OPTION,      /* an option is out of its range */
    RATELIMIT_BAD_NAME,        /* a limiter's name is empty, too long, or has a byte that is not allowed */
    RATELIMIT_BAD_ALGORITHM,   /* none of the four */
    RATELIMIT_BAD_LIMIT_COUNT, /* no limits, or more than RATELIMIT_LIMITS */
    RATELIMIT_NOT_POSITIVE,    /* a limit, a capacity, a refill or a period is below 1 */
    RATELIMIT_PERIOD_TOO_LONG, /* a window, or the time in which a bucket fills, above RATELIMIT_PERIOD_MS_MAX */
    RATELIMIT_TOO_LARGE,       /* a limit times its period cannot be counted exactly */
    RATELIMIT_TOO_MANY_ENTRIES, /* no longer returned: a sliding window may have any limit */
    RATELIMIT_EMPTY_KEY,        /* a key of no bytes */
    RATELIMIT_LONG_KEY,         /* a key above RATELIMIT_KEY_BYTES */
    RATELIMIT_BAD_COST,         /* a cost below 0 or above RATELIMIT_NUMBER_MAX */
    RATELIMIT_FORKED,           /* the store was opened by another process */

    /* A temporary failure: the same call may work later. */
    RATELIMIT_UNREACHABLE, /* ratelimit_store_open: no connection within connect_timeout_ms */
    RATELIMIT_UNAVAILABLE, /* no decision within the timeout, or no connection; the cost may have been spent */
    RATELIMIT_NO_RESOURCES, /* out of memory, threads or descriptors */
};

#define RATELIMIT_ERROR_BYTES 384

/* The caller's. Every call that is given one writes it: RATELIMIT_OK and "" on success. */
struct ratelimit_error {
    enum ratelimit_status status;
    char text[RATELIMIT_ERROR_BYTES]; /* one line that names what was given and what is accepted */
};

/* "RATELIMIT_BAD_URL" ...: static. */
RATELIMIT_API const char *ratelimit_status_name(enum ratelimit_status status);

/* "0.1.0": of the library that runs, static. */
RATELIMIT_API const char *ratelimit_version(void);

/* Stores. */

struct ratelimit_store;

/* A field that is 0, false or NULL has its default, so `{0}` means all defaults, as NULL does. */
struct ratelimit_store_options {
    /* In memory. */
    int64_t max_keys;           /* keys held for each limit; 1 to 1000000000, default 1000000. Beyond that the
                         least recently used are evicted first, refused ones last */
    int64_t sliding_window_max; /* no longer read: every sliding window has its room */

    /* In Redis. */
    int64_t timeout_ms;         /* a call waits no longer; 1 to 60000, default 100 */
    int64_t connect_timeout_ms; /* ratelimit_store_open waits no longer; 1 to 600000, default 2000 */
    bool lazy;                  /* ratelimit_store_open does not wait: until there is a connection, calls
                                   fail with RATELIMIT_UNAVAILABLE */
    const char *tls_ca_file;    /* rediss://: PEM files. Trusted authorities; default: the system's */
    const char *tls_cert_file;  /* our certificate; default: none */
    const char *tls_key_file;   /* its key; default: in tls_cert_file */
    bool tls_skip_verify;       /* accept any certificate: an attacker in between can read the password */
};

/*
 * `url` is one of
 *
 *     memory                                              this process alone
 *     redis://[[user]:password@]host[:port][/db]          user and password percent-encoded
 *     rediss://...                                        the same over TLS
 *     unix://[[user]:password@]/path/of.sock[?db=n]
 *
 * Redis must be version 6 or later, and not a cluster. Each "memory" that is opened is a store of its own.
 *
 * RATELIMIT_NULL, RATELIMIT_BAD_URL, RATELIMIT_BAD_TLS, RATELIMIT_BAD_OPTION, RATELIMIT_UNREACHABLE,
 * RATELIMIT_NO_RESOURCES.
 */
RATELIMIT_API struct ratelimit_store *ratelimit_store_open(const char *url,
                                                           const struct ratelimit_store_options *options,
                                                           struct ratelimit_error *error);

/* Waits for the store's thread to end, unless a limiter still needs it. */
RATELIMIT_API void ratelimit_store_close(struct ratelimit_store *store);

/* Limiters. */

struct ratelimit_limiter;

enum ratelimit_algorithm {
    RATELIMIT_TOKEN_BUCKET,
    RATELIMIT_SLIDING_WINDOW,
    RATELIMIT_SLIDING_WINDOW_COUNTER,
    RATELIMIT_FIXED_WINDOW,
};

struct ratelimit_limit {
    enum ratelimit_algorithm algorithm;
    int64_t limit;     /* requests: of a window, or the capacity of a bucket */
    int64_t period_ms; /* the window; of a bucket, the time in which `refill` tokens flow in */
    int64_t refill;    /* tokens; buckets only, not read for windows */
};

/* Starts full, refills evenly, allows bursts up to its capacity. The best choice for most purposes. */
RATELIMIT_API struct ratelimit_limiter *ratelimit_token_bucket(struct ratelimit_store *store,
                                                               const char *name, int64_t capacity,
                                                               int64_t refill, int64_t period_ms,
                                                               struct ratelimit_error *error);

/* Never more than `limit` in any window. Up to a limit of 1024 exact; above, a request counts up to a
   thousandth of the window longer, never shorter. Keeps up to 1024 entries for a key, some 19 KB. */
RATELIMIT_API struct ratelimit_limiter *ratelimit_sliding_window(struct ratelimit_store *store,
                                                                 const char *name, int64_t limit,
                                                                 int64_t window_ms,
                                                                 struct ratelimit_error *error);

/* The same estimated from two counts: the last window's weighted by how much of it still overlaps, and this
   one's. */
RATELIMIT_API struct ratelimit_limiter *ratelimit_sliding_window_counter(struct ratelimit_store *store,
                                                                         const char *name, int64_t limit,
                                                                         int64_t window_ms,
                                                                         struct ratelimit_error *error);

/* A count that restarts with every window; windows are aligned to the epoch, so that all processes agree on
   them. */
RATELIMIT_API struct ratelimit_limiter *ratelimit_fixed_window(struct ratelimit_store *store,
                                                               const char *name, int64_t limit,
                                                               int64_t window_ms,
                                                               struct ratelimit_error *error);

/*
 * Several limits at once, all or nothing: a request passes if every limit allows it, and otherwise spends
 * nothing. The four above are this with one limit.
 *
 * RATELIMIT_NULL, RATELIMIT_BAD_NAME, RATELIMIT_BAD_LIMIT_COUNT, RATELIMIT_BAD_ALGORITHM,
 * RATELIMIT_NOT_POSITIVE, RATELIMIT_PERIOD_TOO_LONG, RATELIMIT_TOO_LARGE, RATELIMIT_NO_RESOURCES. No network.
 */
RATELIMIT_API struct ratelimit_limiter *ratelimit_limiter_new(struct ratelimit_store *store, const char *name,
                                                              const struct ratelimit_limit *limits,
                                                              size_t limit_count,
                                                              struct ratelimit_error *error);

RATELIMIT_API void ratelimit_limiter_free(struct ratelimit_limiter *limiter);

/* Decisions. */

#define RATELIMIT_NEVER INT64_C(-1)

/* With several limits, what the tightest of them says: of those that refuse, the one that does so longest,
   else the one with the least remaining. */
struct ratelimit_decision {
    bool allowed;         /* the cost was spent, on every limit */
    uint32_t limit_index; /* which of the limiter's limits the rest is about; 0 where there is one */
    int64_t limit;        /* its limit, or the capacity of its bucket */
    int64_t remaining;    /* what would still pass now */
    int64_t
        retry_after_ms; /* until this cost would pass; 0: it did; RATELIMIT_NEVER: it is above the limit */
    int64_t reset_after_ms; /* until the quota is full again */
};

/*
 * Takes `cost` from the key's quota, or nothing if less than that is left. A cost of 0 takes nothing and is
 * always allowed: it tells what remains. RATELIMIT_OK if there is a decision, which may be a refusal;
 * otherwise `*decision` is all zero: not allowed.
 *
 * RATELIMIT_NULL, RATELIMIT_EMPTY_KEY, RATELIMIT_LONG_KEY, RATELIMIT_BAD_COST, RATELIMIT_FORKED,
 * RATELIMIT_UNAVAILABLE.
 */
RATELIMIT_API enum ratelimit_status ratelimit_take(struct ratelimit_limiter *limiter, const char *key,
                                                   int64_t cost, struct ratelimit_decision *decision,
                                                   struct ratelimit_error *error);

/* Takes 1. False if it is refused, and if ratelimit_take would fail: error->status tells them apart. */
RATELIMIT_API bool ratelimit_is_allowed(struct ratelimit_limiter *limiter, const char *key,
                                        struct ratelimit_error *error);

/*
 * Forgets what was counted for the key: its quota is full again. Other processes, and other stores of this
 * one, may go on refusing for a second if they refused the key just before.
 *
 * RATELIMIT_NULL, RATELIMIT_EMPTY_KEY, RATELIMIT_LONG_KEY, RATELIMIT_FORKED, RATELIMIT_UNAVAILABLE.
 */
RATELIMIT_API enum ratelimit_status ratelimit_reset(struct ratelimit_limiter *limiter, const char *key,
                                                    struct ratelimit_error *error);

/* The log. */

enum ratelimit_log_level { RATELIMIT_DEBUG, RATELIMIT_INFO, RATELIMIT_WARN, RATELIMIT_ERROR };

/*
 * The library writes nothing unless it is given a sink. It then reports that a connection was lost, why, and
 * that it is restored. `sink` gets one line without its end, borrowed, from any thread, including those of
 * the stores; it must not call the library. It is set for the whole process, before the first store is
 * opened.
 */
RATELIMIT_API void ratelimit_log_to(void (*sink)(void *arg, enum ratelimit_log_level level, const char *line),
                                    void *arg);

#ifdef __cplusplus
}
#endif

#endif
