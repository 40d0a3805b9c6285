/*
 * token_bucket: four threads download pages for one customer, who is allowed 200 kB at once and 50 kB a
 * second after that. A page costs its size in bytes; a refused thread is told how long to wait.
 *
 *     cc token_bucket.c $(pkg-config --cflags --libs ratelimit) -pthread -o token_bucket
 *     ./token_bucket memory
 *     ./token_bucket redis://localhost:6379
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <ratelimit.h>

#define THREADS    4
#define PAGES      12 /* that each thread wants */
#define PAGE_BYTES 8000

struct downloader {
    struct ratelimit_limiter *bytes; /* shared by all */
    pthread_t thread;
    int64_t downloaded_bytes;
    int64_t wait_ms; /* as told when it was refused; 0: it was not */
};

static void *
download(void *arg)
{
    struct downloader *downloader = arg;

    for (int page = 0; page < PAGES; page++) {
        struct ratelimit_decision decision;
        struct ratelimit_error error;

        if (ratelimit_take(downloader->bytes, "customer_7", PAGE_BYTES, &decision, &error) != RATELIMIT_OK) {
            fprintf(stderr, "%s\n", error.text);
            return NULL;
        }
        if (!decision.allowed) {
            downloader->wait_ms = decision.retry_after_ms;
            return NULL;
        }
        downloader->downloaded_bytes += PAGE_BYTES;
    }
    return NULL;
}

static int64_t
download_all(struct ratelimit_limiter *bytes)
{
    struct downloader downloaders[THREADS] = {{.bytes = NULL}};
    int64_t downloaded_bytes = 0;

    for (int i = 0; i < THREADS; i++) {
        downloaders[i].bytes = bytes;
        if (pthread_create(&downloaders[i].thread, NULL, download, &downloaders[i]) != 0)
            abort();
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(downloaders[i].thread, NULL);
        downloaded_bytes += downloaders[i].downloaded_bytes;
        printf("thread %d: %" PRId64 " bytes", i, downloaders[i].downloaded_bytes);
        if (downloaders[i].wait_ms > 0)
            printf(", then told to wait %" PRId64 " ms", downloaders[i].wait_ms);
        printf("\n");
    }
    return downloaded_bytes;
}

int
main(int argc, char **argv)
{
    struct ratelimit_error error;
    struct ratelimit_store *store = ratelimit_store_open(argc > 1 ? argv[1] : "memory", NULL, &error);
    struct ratelimit_limiter *bytes = NULL;

    if (store != NULL)
        bytes = ratelimit_token_bucket(store, "download-bytes", 200000, 50000, 1000, &error);
    if (bytes == NULL) {
        fprintf(stderr, "%s\n", error.text);
        ratelimit_store_close(store);
        return EXIT_FAILURE;
    }
    printf("together: %" PRId64 " bytes\n", download_all(bytes));
    ratelimit_limiter_free(bytes);
    ratelimit_store_close(store);
    return EXIT_SUCCESS;
}
