/*
 * fixed_window: asks whether each user named on the command line may go on: 100 requests a minute for each.
 *
 *     cc fixed_window.c $(pkg-config --cflags --libs ratelimit) -o fixed_window
 *     ./fixed_window memory alice bob
 *     ./fixed_window redis://localhost:6379 alice        shares its counts with every process that does the same
 */
#include <stdio.h>
#include <stdlib.h>

#include <ratelimit.h>

int
main(int argc, char **argv)
{
    struct ratelimit_error error;
    struct ratelimit_store *store = ratelimit_store_open(argc > 1 ? argv[1] : "memory", NULL, &error);
    struct ratelimit_limiter *api;

    if (store == NULL) {
        fprintf(stderr, "%s\n", error.text);
        return EXIT_FAILURE;
    }
    api = ratelimit_fixed_window(store, "api", 100, 60 * 1000, &error);
    if (api == NULL) {
        fprintf(stderr, "%s\n", error.text);
        return EXIT_FAILURE;
    }
    for (int i = 2; i < argc; i++) {
        if (ratelimit_is_allowed(api, argv[i], &error))
            printf("%s: go on\n", argv[i]);
        else if (error.status == RATELIMIT_OK)
            printf("%s: too many requests\n", argv[i]);
        else
            printf("%s: no decision: %s\n", argv[i], error.text);
    }
    ratelimit_limiter_free(api);
    ratelimit_store_close(store);
    return EXIT_SUCCESS;
}
