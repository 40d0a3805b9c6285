#include "reload.h"

#include <pthread.h>
#include <stdlib.h>

#include "log.h"
#include "rules_file.h"

struct reload {
    const struct settings *settings;
    struct generations *generations;
    pthread_mutex_t lock; /* held by the one that runs */
};

struct reload *
reload_new(const struct settings *settings, struct generations *generations)
{
    struct reload *reload = calloc(1, sizeof(*reload));

    if (reload == NULL)
        return NULL;
    reload->settings = settings;
    reload->generations = generations;
    pthread_mutex_init(&reload->lock, NULL);
    return reload;
}

void
reload_free(struct reload *reload)
{
    if (reload == NULL)
        return;
    pthread_mutex_destroy(&reload->lock);
    free(reload);
}

/* False with a mistake in the report. */
static bool
put_in_force(struct reload *reload, struct report *report)
{
    struct policy *policy = rules_file_load(reload->settings, report);

    if (policy == NULL)
        return false;
    if (generations_publish(reload->generations, policy))
        return true;
    policy_free(policy);
    report_add(report, "%s: out of memory", reload->settings->rules);
    return false;
}

static void
tell_mistakes(const struct reload *reload, const char *cause, const struct report *report)
{
    for (size_t i = 0; i < report->count; i++)
        log_error("rules", "%s", report->lines[i]);
    log_error("rules", "%s: %zu mistake%s in %s; the rules from before stay in force", cause, report->count,
              report->count == 1 ? "" : "s", reload->settings->rules);
}

bool
reload_run(struct reload *reload, const char *cause, struct report *mistakes)
{
    bool done;

    pthread_mutex_lock(&reload->lock);
    done = put_in_force(reload, mistakes);
    for (size_t i = 0; i < mistakes->warning_count; i++)
        log_warn("rules", "%s", mistakes->warnings[i]);
    if (done)
        log_info("rules", "%s: rules reloaded", cause);
    else
        tell_mistakes(reload, cause, mistakes);
    pthread_mutex_unlock(&reload->lock);
    return done;
}
