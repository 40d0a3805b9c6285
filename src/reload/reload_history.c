#include "reload_history.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"

struct reload_history {
    pthread_mutex_t lock;
    struct reload_record records[RELOADS_KEPT];
    uint64_t count; /* of all that there were */
};

struct reload_history *
reload_history_new(void)
{
    struct reload_history *history = calloc(1, sizeof(*history));

    if (history != NULL)
        pthread_mutex_init(&history->lock, NULL);
    return history;
}

void
reload_history_free(struct reload_history *history)
{
    if (history == NULL)
        return;
    pthread_mutex_destroy(&history->lock);
    free(history);
}

static void
keep_mistakes(struct reload_record *record, const struct report *report)
{
    for (size_t i = 0; i < report->count && i < RELOAD_MISTAKES_KEPT; i++)
        snprintf(record->mistakes[record->mistake_count++], RELOAD_MISTAKE_BYTES + 1, "%s", report->lines[i]);
}

void
reload_history_add(struct reload_history *history, bool is_done, const char *text,
                   const struct report *report)
{
    struct reload_record *record;

    pthread_mutex_lock(&history->lock);
    record = &history->records[history->count++ % RELOADS_KEPT];
    *record = (struct reload_record){.at_us = clock_wall_us(), .is_done = is_done};
    snprintf(record->text, sizeof(record->text), "%s", text);
    if (!is_done)
        keep_mistakes(record, report);
    pthread_mutex_unlock(&history->lock);
}

void
reload_history_each(struct reload_history *history,
                    void (*each)(void *arg, const struct reload_record *record), void *arg)
{
    pthread_mutex_lock(&history->lock);
    for (uint64_t i = 0; i < history->count && i < RELOADS_KEPT; i++)
        each(arg, &history->records[(history->count - 1 - i) % RELOADS_KEPT]);
    pthread_mutex_unlock(&history->lock);
}
