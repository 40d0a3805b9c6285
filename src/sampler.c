#include "sampler.h"

#include <stdlib.h>

#include <event2/event.h>

#include "clock.h"

struct sampler {
    struct sampler_options options;
    struct event *timer;
};

static void
sample(struct sampler *sampler)
{
    const struct generation *generation = generation_current(sampler->options.generations);

    history_sample(sampler->options.observed->history, generation->policy, clock_mono_us());
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    sample(arg);
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
    if (sampler->timer != NULL && event_add(sampler->timer, &interval) == 0)
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
    free(sampler);
}
