/* cases/c: the tables through the C functions. */
#include <stdlib.h>
#include <string.h>

#include "cases.h"
#include "counters.h"

struct direct {
    struct limit limits[CASES_LIMITS_MAX];
    struct penalty penalty;
    struct counters counters;
    bool begun;
    const char *clients[COUNTERS_CLIENTS_MAX];
};

static bool
begin(void *context, const struct cases_case *c)
{
    struct direct *direct = context;

    if (direct->begun)
        counters_fini(&direct->counters);
    memset(direct->clients, 0, sizeof(direct->clients));
    for (size_t i = 0; i < c->limit_count; i++)
        direct->limits[i] = c->limits[i].limit;
    counters_init(&direct->counters, direct->limits, c->limit_count);
    direct->penalty = c->penalty;
    direct->counters.penalty = c->penalty.after > 0 ? &direct->penalty : NULL;
    direct->begun = true;
    return true;
}

static size_t
client_number(struct direct *direct, const char *client)
{
    for (size_t i = 0; i < COUNTERS_CLIENTS_MAX; i++) {
        if (direct->clients[i] == NULL)
            direct->clients[i] = client;
        if (strcmp(direct->clients[i], client) == 0)
            return i;
    }
    abort(); /* too many clients in a case */
}

static bool
take(void *context, const struct cases_case *c, const struct cases_step *step, struct decision *decisions,
     int64_t *penalties_us)
{
    struct direct *direct = context;
    size_t client = client_number(direct, step->client);

    for (int64_t i = 0; i < step->count; i++)
        counters_take(&direct->counters, client, step->now_us, step->cost,
                      decisions + (size_t)i * c->limit_count, &penalties_us[i]);
    return true;
}

int
main(int count, char **arguments)
{
    static struct direct direct;
    const struct cases_runner runner = {.name = "C", .context = &direct, .begin = begin, .take = take};
    int status = cases_run(&runner, count - 1, arguments + 1);

    counters_fini(&direct.counters);
    return status;
}
