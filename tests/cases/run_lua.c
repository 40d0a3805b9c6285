/* cases/lua: the tables through the Lua script in a real Redis; a step's requests folded into one. */
#include <string.h>

#include "cases.h"
#include "virtual_redis.h"

struct scripted {
    struct virtual_redis *redis;
    struct limit limits[CASES_LIMITS_MAX];
};

static bool
begin(void *context, const struct cases_case *c)
{
    struct scripted *scripted = context;

    for (size_t i = 0; i < c->limit_count; i++)
        scripted->limits[i] = c->limits[i].limit;
    return virtual_redis_clear(scripted->redis);
}

/* The client's number: that of the first step with its name. */
static size_t
client_number(const struct cases_case *c, const char *client)
{
    size_t i = 0;

    while (strcmp(c->steps[i].client, client) != 0)
        i++;
    return i;
}

static bool
take(void *context, const struct cases_case *c, const struct cases_step *step, struct decision *decisions,
     int64_t *penalties_us)
{
    struct scripted *scripted = context;
    const struct virtual_rule rule = {.limits = scripted->limits,
                                      .limit_count = c->limit_count,
                                      .penalty = c->penalty.after > 0 ? &c->penalty : NULL};
    const struct virtual_request request = {
        .client = client_number(c, step->client), .cost = step->cost, .count = step->count};
    const struct virtual_batch batch = {
        .now_us = step->now_us, .rules = &rule, .rule_count = 1, .requests = &request, .request_count = 1};

    return virtual_redis_send(scripted->redis, &batch) &&
           virtual_redis_receive(scripted->redis, &batch, decisions, penalties_us);
}

int
main(int count, char **arguments)
{
    struct scripted scripted = {.redis = virtual_redis_new()};
    const struct cases_runner runner = {.name = "Lua", .context = &scripted, .begin = begin, .take = take};
    int status;

    if (scripted.redis == NULL)
        return 1;
    status = cases_run(&runner, count - 1, arguments + 1);
    virtual_redis_free(scripted.redis);
    return status;
}
