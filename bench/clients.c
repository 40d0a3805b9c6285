/*
 * bench_clients: what a file of clients that differ costs: to load, in memory, and in each decision.
 *
 *     build/bench/bench/bench_clients
 *
 * Each row is a process of its own. Memory is what the process has more than before the file was loaded; at the peak, while it
 * was loaded. A decision is limiter_take with the store in memory: by the rule with the file beside the same rule without it,
 * in turns, the median of the rounds.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "memory_store.h"
#include "or_abort.h"
#include "policy.h"
#include "takes.h"

#define ROUNDS 9

enum kind { NAMES, ADDRESSES, NETWORKS, KINDS };
static const char *const kind_names[] = {"names", "addresses", "networks"};

/* The Nth client of a list: spread over the space, so that networks do not lie side by side. */
static void
write_client(FILE *file, enum kind kind, uint32_t number)
{
    uint32_t bits = number * 2654435761u;

    if (kind == NAMES)
        fprintf(file, "client-%07u", number);
    else if (kind == ADDRESSES)
        fprintf(file, "%u.%u.%u.%u", bits >> 24, bits >> 16 & 255, bits >> 8 & 255, bits & 255);
    else
        fprintf(file, "2001:%x:%x::/48", bits >> 16, bits & 0xffff);
}

static int
make_file(enum kind kind, uint32_t count)
{
    static const char *const treatments[] = {"{\"capacity\": 700000}", "{\"capacity\": 800000}",
                                             "{\"capacity\": 900000}"};
    int descriptor = memfd_create("clients", 0);
    FILE *file = or_abort(fdopen(dup(descriptor), "w"));

    for (uint32_t i = 0; i < count; i++) {
        write_client(file, kind, i);
        fprintf(file, " %s\n", treatments[i % 3]);
    }
    fclose(file);
    return descriptor;
}

static struct policy *
load(int descriptor)
{
    char text[400];

    snprintf(
        text, sizeof(text),
        "{\"with\": {\"capacity\": 1000000, \"refill_rate\": \"2/1m\", \"clients\": \"/proc/self/fd/%d\"},"
        " \"less\": {\"capacity\": 1000000, \"refill_rate\": \"2/1m\"}}",
        descriptor);
    return load_rules(text);
}

/* In KiB; of /proc/self/status. */
static long
memory(const char *what)
{
    FILE *file = or_abort(fopen("/proc/self/status", "r"));
    char line[256];
    long kib = 0;

    while (fgets(line, sizeof(line), file) != NULL)
        if (strncmp(line, what, strlen(what)) == 0)
            kib = strtol(line + strlen(what), NULL, 10);
    fclose(file);
    return kib;
}

static struct limiter_take *
make_takes_of(enum kind kind)
{
    struct limiter_take *takes = or_abort(calloc(CLIENTS, sizeof(*takes)));
    char text[64];

    for (uint32_t i = 0; i < CLIENTS; i++) {
        FILE *out = or_abort(fmemopen(text, sizeof(text), "w"));
        size_t bytes;

        write_client(out, kind, i);
        bytes = (size_t)ftell(out);
        fclose(out);
        if (kind == NETWORKS)
            bytes -= strlen("/48"); /* an address within */
        if (kind == NAMES) {
            client_write(&takes[i].client, "header:x-api-key", text, bytes);
        } else {
            char name[ADDRESS_TEXT_BYTES];
            address_parse(&takes[i].address, text, bytes);
            client_write(&takes[i].client, "ip", name, address_write(&takes[i].address, name));
        }
        takes[i].cost = 1;
    }
    return takes;
}

static int
compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return left < right ? -1 : left > right;
}

static double
median(double *values)
{
    qsort(values, ROUNDS, sizeof(*values), compare);
    return values[ROUNDS / 2];
}

static void
measure(enum kind kind, uint32_t count)
{
    int descriptor = make_file(kind, count);
    long before = memory("VmRSS:"), after, peak;
    int64_t start_ns = cpu_ns(), loaded_ns;
    struct policy *policy = load(descriptor);
    struct clock clock = clock_steady();
    struct limiter limiter = {0};
    struct limiter_take *takes;
    double with[ROUNDS], less[ROUNDS];

    loaded_ns = cpu_ns() - start_ns;
    after = memory("VmRSS:");
    peak = memory("VmHWM:");
    limiter.store =
        or_abort(memory_store_new(&(struct memory_store_options){.max_keys = 1000000, .clock = &clock}));
    takes = make_takes_of(kind);
    round_ns(&limiter, takes, &policy->rules[0], NULL);
    round_ns(&limiter, takes, &policy->rules[1], NULL);
    for (int i = 0; i < ROUNDS; i++) {
        with[i] = round_ns(&limiter, takes, &policy->rules[0], NULL);
        less[i] = round_ns(&limiter, takes, &policy->rules[1], NULL);
    }
    printf("| %-9s | %9u | %6.2f | %6.1f | %6.1f | %5.0f | %7.0f |\n", kind_names[kind], count,
           (double)loaded_ns / 1e9, (double)(after - before) / 1024, (double)(peak - before) / 1024,
           median(with), median(less));
}

int
main(void)
{
    static const uint32_t counts[] = {100000, 1000000};

    printf("| %-9s | %9s | %6s | %6s | %6s | %5s | %7s |\n", "clients", "number", "load s", "MiB", "peak",
           "ns", "without");
    printf("| --------- | --------: | -----: | -----: | -----: | ----: | ------: |\n");
    for (int kind = NAMES; kind < KINDS; kind++) {
        for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
            pid_t child;

            fflush(stdout);
            child = fork();
            if (child == 0) {
                measure((enum kind)kind, counts[i]);
                return EXIT_SUCCESS;
            }
            if (child < 0 || waitpid(child, NULL, 0) < 0)
                return EXIT_FAILURE;
        }
    }
    return EXIT_SUCCESS;
}
