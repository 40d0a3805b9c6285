#include "observed.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "clock.h"

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

bool
observed_init(struct observed *observed, const struct metrics *metrics)
{
    *observed = (struct observed){.history = history_new(metrics, clock_mono_us(), clock_wall_us())};
    return observed->history != NULL && name_node(&observed->node);
}

void
observed_fini(struct observed *observed)
{
    history_free(observed->history);
}
