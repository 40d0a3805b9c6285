#include "reload.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "log.h"
#include "reload_history.h"
#include "rules_file.h"
#include "traceparent.h"
#include "watch.h"

#define OUTCOME_BYTES (POLICY_DIFF_BYTES + 128)

static const char *const causes[] = {
    [RELOAD_SIGNAL] = "SIGHUP",
    [RELOAD_FILE] = "a change of the file",
    [RELOAD_CALL] = "POST /v1/rules/reload",
};

struct reload {
    const struct settings *settings;
    struct generations *generations;
    pthread_mutex_t lock; /* for what follows */
    struct watch *watch;
    struct file_set files; /* of the last attempt */
    _Atomic uint64_t done, refused;
    _Atomic int64_t loaded_us;
    struct reload_history *history;
};

struct reload *
reload_new(const struct settings *settings, struct generations *generations, struct file_set *files)
{
    struct reload *reload = calloc(1, sizeof(*reload));

    if (reload == NULL)
        return NULL;
    reload->settings = settings;
    reload->generations = generations;
    reload->loaded_us = clock_wall_us();
    pthread_mutex_init(&reload->lock, NULL);
    reload->watch = watch_new();
    reload->history = reload_history_new();
    if (reload->watch == NULL || reload->history == NULL) {
        reload_free(reload);
        return NULL;
    }
    reload->files = *files;
    *files = (struct file_set){0};
    watch_set(reload->watch, &reload->files);
    return reload;
}

void
reload_free(struct reload *reload)
{
    if (reload == NULL)
        return;
    watch_free(reload->watch);
    reload_history_free(reload->history);
    file_set_fini(&reload->files);
    pthread_mutex_destroy(&reload->lock);
    free(reload);
}

int
reload_watch_fd(const struct reload *reload)
{
    return watch_fd(reload->watch);
}

bool
reload_look(struct reload *reload)
{
    bool is_other;

    pthread_mutex_lock(&reload->lock);
    is_other = watch_look(reload->watch);
    pthread_mutex_unlock(&reload->lock);
    return is_other;
}

/* NULL with mistakes. What has happened to the files until now is dealt with by this. */
static struct policy *
read_rules(struct reload *reload, struct file_set *files, struct report *report)
{
    struct policy *policy;

    watch_look(reload->watch);
    policy = rules_file_load(reload->settings, files, report);
    watch_set(reload->watch, files);
    return policy;
}

/* The policy is published or freed. */
static enum reload_status
publish(struct reload *reload, struct policy *policy, struct reload_result *result)
{
    const struct policy *before = generations_policy(reload->generations);

    if (policy == NULL)
        return RELOAD_REFUSED;
    policy_compare(&result->changes, before, policy);
    policy_keep_ids(policy, before);
    if (generations_publish(reload->generations, policy))
        return RELOAD_DONE;
    policy_free(policy);
    report_add(&result->report, "%s: out of memory", reload->settings->rules);
    return RELOAD_REFUSED;
}

static enum reload_status
attempt(struct reload *reload, enum reload_cause cause, struct reload_result *result)
{
    struct file_set files = {0};
    struct policy *policy = read_rules(reload, &files, &result->report);
    bool is_same = file_set_equals(&files, &reload->files);

    file_set_fini(&reload->files);
    reload->files = files;
    if (cause != RELOAD_FILE || !is_same)
        return publish(reload, policy, result);
    policy_free(policy);
    return RELOAD_UNCHANGED;
}

static void
tell_line(enum log_level level, const char *text, const struct trace_id_text *trace_id)
{
    const struct log_field field = {.name = "trace_id", .text = trace_id->text};

    log_event_fields(level, "reload", &field, trace_id->text[0] != '\0', "%s", text);
}

static void
tell_report(const struct report *report, const struct trace_id_text *trace_id)
{
    for (size_t i = 0; i < report->warning_count; i++)
        tell_line(LOG_WARN, report->warnings[i], trace_id);
    for (size_t i = 0; i < report->count; i++)
        tell_line(LOG_ERROR, report->lines[i], trace_id);
}

/* What came of it, as one line. */
static void
put_outcome(char text[OUTCOME_BYTES], const char *cause, const struct reload_result *result)
{
    size_t mistakes = result->report.count;

    if (result->status == RELOAD_DONE)
        snprintf(text, OUTCOME_BYTES, "rules reloaded: %s; after %s", result->changes.text, cause);
    else
        snprintf(text, OUTCOME_BYTES,
                 "rules not reloaded: %zu mistake%s; the previous rules stay in force; after %s", mistakes,
                 mistakes == 1 ? "" : "s", cause);
}

static void
tell(const struct reload *reload, const char *cause, const struct trace_id_text *trace_id,
     const struct reload_result *result)
{
    bool is_done = result->status == RELOAD_DONE;
    char text[OUTCOME_BYTES];

    if (result->status == RELOAD_UNCHANGED) {
        log_debug("reload", "rules unchanged, after %s", cause);
        return;
    }
    put_outcome(text, cause, result);
    tell_report(&result->report, trace_id);
    tell_line(is_done ? LOG_INFO : LOG_ERROR, text, trace_id);
    reload_history_add(reload->history, is_done, text, &result->report);
}

static void
count(struct reload *reload, const struct reload_result *result)
{
    if (result->status == RELOAD_UNCHANGED)
        return;
    if (result->status == RELOAD_DONE)
        atomic_store_explicit(&reload->loaded_us, clock_wall_us(), memory_order_relaxed);
    atomic_fetch_add_explicit(result->status == RELOAD_DONE ? &reload->done : &reload->refused, 1,
                              memory_order_relaxed);
    generations_set_mistakes(reload->generations, (unsigned)result->report.count);
}

struct reload_counts
reload_counts(const struct reload *reload)
{
    return (struct reload_counts){.done = atomic_load_explicit(&reload->done, memory_order_relaxed),
                                  .refused = atomic_load_explicit(&reload->refused, memory_order_relaxed),
                                  .loaded_us =
                                      atomic_load_explicit(&reload->loaded_us, memory_order_relaxed)};
}

void
reload_run(struct reload *reload, enum reload_cause cause, const struct field *trace_id,
           struct reload_result *result)
{
    const struct trace_id_text trace = trace_id_text(trace_id);

    *result = (struct reload_result){.status = RELOAD_UNCHANGED};
    report_init(&result->report);
    pthread_mutex_lock(&reload->lock);
    result->status = attempt(reload, cause, result);
    count(reload, result);
    tell(reload, causes[cause], &trace, result);
    pthread_mutex_unlock(&reload->lock);
}

void
reload_result_fini(struct reload_result *result)
{
    report_fini(&result->report);
}

struct reload_history *
reload_history(struct reload *reload)
{
    return reload->history;
}
