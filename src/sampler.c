#include "sampler.h"

#include <stdlib.h>

#include <event2/event.h>

#include "clock.h"
#include "redis_nodes.h"

struct sampler {
    struct sampler_options options;
    struct event *timer;
    struct redis_nodes *nodes; /* NULL: the store is `memory` */
};

static void
sample(struct sampler *sampler)
{
    const struct sampler_options *options = &sampler->options;
    char text[NODE_TEXT_BYTES + 1];

    observed_sample(options->observed, generation_current(options->generations),
                    limiter_store_state(&options->service->counts), clock_mono_us());
    if (sampler->nodes == NULL)
        return;
    node_write(&options->observed->node, text);
    redis_nodes_say(sampler->nodes, text);
}

void
sampler_look(struct sampler *sampler)
{
    const struct sampler_options *options = &sampler->options;
    struct store_health own = store_health(options->store);

    store_changes_note(&options->observed->store_changes, limiter_store_state(&options->service->counts),
                       own.state != STORE_READY ? own.detail : "", clock_wall_us());
}

static void
on_node(void *arg, const char *id, const char *text, int64_t said_us)
{
    struct observed *observed = arg;

    nodes_hear(&observed->nodes, id, text, said_us);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    sample(arg);
}

_Static_assert(NODE_ID_BYTES == REDIS_NODES_ID_BYTES && NODE_TEXT_BYTES <= REDIS_NODES_TEXT_BYTES,
               "what is said");

/* False: out of memory. */
static bool
open_nodes(struct sampler *sampler)
{
    const struct sampler_options *options = &sampler->options;

    if (options->redis == NULL)
        return true;
    sampler->nodes = redis_nodes_new(&(struct redis_nodes_options){.connection = options->redis,
                                                                   .url = options->url,
                                                                   .id = options->observed->node_id,
                                                                   .on_node = on_node,
                                                                   .arg = options->observed});
    return sampler->nodes != NULL;
}

struct sampler *
sampler_new(const struct sampler_options *options)
{
    static const struct timeval interval = {.tv_sec = HISTORY_SAMPLE_US / US_PER_S};
    struct sampler *sampler = calloc(1, sizeof(*sampler));

    if (sampler == NULL)
        return NULL;
    sampler->options = *options;
    sample(sampler); /* the rules are known from the start */
    sampler->timer = event_new(options->base, -1, EV_PERSIST, on_timer, sampler);
    if (open_nodes(sampler) && sampler->timer != NULL && event_add(sampler->timer, &interval) == 0)
        return sampler;
    sampler_free(sampler);
    return NULL;
}

void
sampler_free(struct sampler *sampler)
{
    if (sampler == NULL)
        return;
    if (sampler->timer != NULL)
        event_free(sampler->timer);
    redis_nodes_free(sampler->nodes);
    free(sampler);
}
