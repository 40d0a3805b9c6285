/*
 * log: one line per event, on standard error, as text or as one JSON object.
 *
 *   text  2026-11-20T15:04:05.678Z WARN  redis: connection lost (...); trying again in 120 ms
 *   json  {"time":"2026-11-20T15:04:05.678Z","level":"warn","module":"redis","message":"connection lost ..."}
 *
 * A line is written in one piece, or lost where the reader of standard error has no room for it (log_output.h): no
 * caller waits. The next line that is written tells how many were lost. A message longer than LOG_LINE_BYTES is cut.
 * Control bytes and invalid UTF-8 never reach the output raw. Any thread.
 */
#ifndef LOG_H
#define LOG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_LINE_BYTES 2048

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_TEXT, LOG_JSON };

/* Before the first thread is started. Until then: LOG_INFO, LOG_TEXT. */
void log_init(enum log_level level, enum log_format format);

/* Passes each event at or above `level` to `sink` (NULL: drops it) instead of writing it; `message` is raw
   and borrowed. Also before the first thread is started. */
typedef void log_sink(void *arg, enum log_level level, const char *module, const char *message);
void log_init_sink(enum log_level level, log_sink *sink, void *arg);

/* `module` is the word before the colon: the name of the source file. */
void log_event(enum log_level level, const char *module, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * What a program may want of an event besides its sentence: members of the JSON object, or words after the
 * sentence.
 *
 *   text  ... INFO  refusals: refused rule=api client="ip=203.0.113.9" limit=10
 *   json  {..., "message":"refused","rule":"api","client":"ip=203.0.113.9","limit":10}
 *
 * A sink gets the words. Fields that do not fit into LOG_FIELDS_BYTES are cut.
 */
struct log_field {
    const char *name; /* as in JSON; written as it is */
    const char *text; /* NULL: the number is its value */
    int64_t number;
};
#define LOG_FIELDS_BYTES 1024
void log_event_fields(enum log_level level, const char *module, const struct log_field *fields, size_t count,
                      const char *format, ...) __attribute__((format(printf, 5, 6)));

#define log_debug(module, ...) log_event(LOG_DEBUG, module, __VA_ARGS__)
#define log_info(module, ...)  log_event(LOG_INFO, module, __VA_ARGS__)
#define log_warn(module, ...)  log_event(LOG_WARN, module, __VA_ARGS__)
#define log_error(module, ...) log_event(LOG_ERROR, module, __VA_ARGS__)

/*
 * For events that may repeat without end: true at most once per `interval_us`; `*suppressed` is then the
 * number of times it was false since. One static limiter per event, shared by the threads:
 *
 *     static struct log_limiter limiter;
 *     uint64_t suppressed;
 *     if (log_limiter_allows(&limiter, 10 * US_PER_S, &suppressed))
 *         log_warn("store", "... (%" PRIu64 " more since the last line)", suppressed);
 */
struct log_limiter {
    _Atomic int64_t next_us; /* monotonic */
    _Atomic uint64_t suppressed;
};
bool log_limiter_allows(struct log_limiter *limiter, int64_t interval_us, uint64_t *suppressed);

#endif
