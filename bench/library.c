/*
 * What a decision of libratelimit costs a program, on the store in memory: for each algorithm, by one thread
 * and by two, on one key and on a million. Each line is the best of several rounds, for what disturbs a round
 * only ever makes it slower.
 *
 *     bench_library [ROUNDS]        200
 *
 * A round is 20000 decisions a thread, all of them allowed, on keys in random order; their text
 * ("user_0123456") is written anew for each and is part of the time. `B/key` is what the process has grown
 * by, with all keys in the table, divided by their number; for sliding_window the entry of one request
 * included.
 */
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <ratelimit.h>

#define DECISIONS   20000 /* a thread and round */
#define MANY_KEYS   1000000
#define THREADS_MAX 2
#define HOUR_MS     (INT64_C(3600) * 1000)

struct variant {
    const char *name;
    struct ratelimit_limit one, many; /* for one key and for many: such that nothing is ever refused */
};

static const struct variant variants[] = {
    {"token_bucket",
     {RATELIMIT_TOKEN_BUCKET, 1000000, 1, 1000000},
     {RATELIMIT_TOKEN_BUCKET, 1000000, HOUR_MS, 1000}},
    {"fixed_window",
     {RATELIMIT_FIXED_WINDOW, INT64_C(1000000000000), HOUR_MS, 0},
     {RATELIMIT_FIXED_WINDOW, 1000000, HOUR_MS, 0}},
    {"sliding_window_counter",
     {RATELIMIT_SLIDING_WINDOW_COUNTER, INT64_C(1000000000), HOUR_MS, 0},
     {RATELIMIT_SLIDING_WINDOW_COUNTER, 1000000, HOUR_MS, 0}},
    {"sliding_window",
     {RATELIMIT_SLIDING_WINDOW, 1000000, 1, 0},
     {RATELIMIT_SLIDING_WINDOW, 1000000, HOUR_MS, 0}},
};

struct thread {
    pthread_t id;
    struct ratelimit_limiter *limiter;
    pthread_barrier_t *start;
    uint64_t random;
    uint32_t keys, decisions;
    double began_ns, ended_ns;
};

static double
now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* xorshift64*: Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled" (2016). */
static uint32_t
random_below(uint64_t *state, uint32_t bound)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (uint32_t)((*state * UINT64_C(2685821657736338717) >> 32) * bound >> 32);
}

static void
decide(struct ratelimit_limiter *limiter, uint32_t number)
{
    char key[] = "user_0000000";
    struct ratelimit_decision decision;

    for (char *digit = key + sizeof(key) - 2; number > 0; number /= 10)
        *digit-- = (char)('0' + number % 10);
    if (ratelimit_take(limiter, key, 1, &decision, NULL) != RATELIMIT_OK || !decision.allowed) {
        fprintf(stderr, "bench_library: %s was refused\n", key);
        exit(EXIT_FAILURE);
    }
}

static void *
run_thread(void *arg)
{
    struct thread *thread = arg;

    pthread_barrier_wait(thread->start);
    thread->began_ns = now_ns();
    for (uint32_t i = 0; i < thread->decisions; i++)
        decide(thread->limiter, random_below(&thread->random, thread->keys));
    thread->ended_ns = now_ns();
    return NULL;
}

/* One round; the nanoseconds that a decision took, from the first thread's start to the last one's end: so
   threads that ran one after the other gain nothing. Every thread of every round has a seed of its own: the
   same keys again would be in the cache. */
static double
measure(struct ratelimit_limiter *limiter, uint32_t keys, int threads, uint64_t *seed)
{
    struct thread all[THREADS_MAX];
    pthread_barrier_t start;
    double began_ns = HUGE_VAL, ended_ns = 0;

    pthread_barrier_init(&start, NULL, (unsigned)threads);
    for (int i = 0; i < threads; i++) {
        all[i] = (struct thread){.limiter = limiter,
                                 .start = &start,
                                 .random = ++*seed * UINT64_C(0x9e3779b97f4a7c15),
                                 .keys = keys,
                                 .decisions = DECISIONS};
        if (pthread_create(&all[i].id, NULL, run_thread, &all[i]) != 0)
            abort();
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(all[i].id, NULL);
        began_ns = fmin(began_ns, all[i].began_ns);
        ended_ns = fmax(ended_ns, all[i].ended_ns);
    }
    pthread_barrier_destroy(&start);
    return (ended_ns - began_ns) / DECISIONS;
}

static double
resident_bytes(void)
{
    FILE *statm = fopen("/proc/self/statm", "r");
    long pages = 0;

    if (statm == NULL || fscanf(statm, "%*d %ld", &pages) != 1)
        perror("/proc/self/statm");
    if (statm != NULL)
        fclose(statm);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static void
run(const struct variant *variant, uint32_t keys, int threads, int rounds)
{
    const struct ratelimit_store_options options = {.max_keys = MANY_KEYS};
    double before_bytes = resident_bytes(), best_ns = 0, grown_bytes;
    uint64_t seed = 0;
    struct ratelimit_error error;
    struct ratelimit_store *store = ratelimit_store_open("memory", &options, &error);
    struct ratelimit_limiter *limiter = NULL;

    if (store != NULL)
        limiter =
            ratelimit_limiter_new(store, "bench", keys == 1 ? &variant->one : &variant->many, 1, &error);
    if (limiter == NULL) {
        fprintf(stderr, "bench_library: %s\n", error.text);
        exit(EXIT_FAILURE);
    }
    for (uint32_t key = 0; key < keys; key++)
        decide(limiter, key);
    grown_bytes = resident_bytes() - before_bytes;
    for (int round = 0; round < rounds; round++) {
        double ns = measure(limiter, keys, threads, &seed);
        if (round == 0 || ns < best_ns)
            best_ns = ns;
    }
    printf("%-24s %7d %8" PRIu32 " %8.0f %14.0f", variant->name, threads, keys, best_ns,
           1e9 / best_ns * threads);
    if (keys > 1)
        printf(" %8.0f", grown_bytes / keys);
    printf("\n");
    fflush(stdout);
    ratelimit_limiter_free(limiter);
    ratelimit_store_close(store);
}

int
main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 200;

    printf("%-24s %7s %8s %8s %14s %8s\n", "algorithm", "threads", "keys", "ns each", "decisions/s", "B/key");
    for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++)
        for (uint32_t keys = 1; keys <= MANY_KEYS; keys *= MANY_KEYS)
            for (int threads = 1; threads <= THREADS_MAX; threads++)
                run(&variants[i], keys, threads, rounds > 0 ? rounds : 1);
    return EXIT_SUCCESS;
}
