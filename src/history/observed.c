#include "observed.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "decision_stream.h"
#include "refusal_log.h"
#include "top_clients.h"

static bool
name_node(struct observed *observed, const char *version)
{
    char host[256] = "";
    uint64_t id;

    if (getrandom(&id, sizeof(id), 0) != sizeof(id))
        return false;
    snprintf(observed->node_id, sizeof(observed->node_id), "%016" PRIx64, id);
    gethostname(host, sizeof(host) - 1);
    node_set_host(&observed->node, host);
    snprintf(observed->node.version, sizeof(observed->node.version), "%s", version);
    return true;
}

static bool
open_top_clients(struct observed *observed, const struct observed_options *options)
{
    if (!options->analytics)
        return true;
    observed->clock = clock_steady();
    observed->top_clients = top_clients_new(&observed->clock);
    return observed->top_clients != NULL;
}

static bool
open_refusal_log(struct observed *observed, const struct refusal_log_options *options)
{
    if (options->mode == REFUSALS_OFF)
        return true;
    observed->refusal_log = refusal_log_new(options, clock_mono_us());
    return observed->refusal_log != NULL;
}

static bool
open_stream(struct observed *observed, unsigned workers)
{
    if (observed->top_clients == NULL && observed->refusal_log == NULL)
        return true;
    observed->stream = decision_stream_new(workers);
    return observed->stream != NULL;
}

bool
observed_init(struct observed *observed, const struct observed_options *options)
{
    *observed = (struct observed){.since_us = clock_wall_us(),
                                  .began_us = clock_mono_us(),
                                  .addresses_hidden = options->refusal_log->clients == CLIENTS_HASH};
    observed->history = history_new(options->metrics, observed->began_us, observed->since_us);
    return observed->history != NULL && name_node(observed, options->version) &&
           open_top_clients(observed, options) && open_refusal_log(observed, options->refusal_log) &&
           open_stream(observed, options->workers);
}

void
observed_fini(struct observed *observed)
{
    history_free(observed->history);
    top_clients_free(observed->top_clients);
    refusal_log_free(observed->refusal_log);
    decision_stream_free(observed->stream);
}

static int64_t
milli_per_s(uint64_t count, int64_t over_us)
{
    return over_us > 0 ? (int64_t)((double)count * 1e9 / (double)over_us + 0.5) : 0;
}

void
observed_sample(struct observed *observed, const struct generation *generation, enum store_state store,
                int64_t now_us)
{
    struct history_sum sum;

    history_sample(observed->history, generation, now_us);
    history_recent(observed->history, &sum);
    observed->node.up_ms = (now_us - observed->began_us) / US_PER_MS;
    observed->node.requests_milli = milli_per_s(history_requests(&sum), sum.over_us);
    observed->node.refused_milli = milli_per_s(sum.counts[HISTORY_REFUSED], sum.over_us);
    observed->node.store = store;
    nodes_forget(&observed->nodes, now_us);
}
