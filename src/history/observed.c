#include "observed.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "decision_stream.h"
#include "top_clients.h"

static bool
name_node(struct node *node)
{
    uint64_t id;

    if (getrandom(&id, sizeof(id), 0) != sizeof(id))
        return false;
    snprintf(node->id, sizeof(node->id), "%016" PRIx64, id);
    if (gethostname(node->host, sizeof(node->host)) < 0)
        strcpy(node->host, "?");
    node->host[NODE_HOST_BYTES] = '\0'; /* a longer name is cut, and may have no end */
    node->since_us = clock_wall_us();
    return true;
}

static bool
open_analytics(struct observed *observed, const struct observed_options *options)
{
    if (!options->analytics)
        return true;
    observed->clock = clock_steady();
    observed->stream = decision_stream_new(options->workers);
    observed->top_clients = top_clients_new(&observed->clock);
    return observed->stream != NULL && observed->top_clients != NULL;
}

bool
observed_init(struct observed *observed, const struct observed_options *options)
{
    *observed = (struct observed){.history = history_new(options->metrics, clock_mono_us(), clock_wall_us())};
    return observed->history != NULL && name_node(&observed->node) && open_analytics(observed, options);
}

void
observed_fini(struct observed *observed)
{
    history_free(observed->history);
    top_clients_free(observed->top_clients);
    decision_stream_free(observed->stream);
}
