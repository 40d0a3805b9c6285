#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "utf8.h"

static enum log_level threshold = LOG_INFO;
static enum log_format line_format = LOG_TEXT;

static const char *const level_names[] = {"debug", "info", "warn", "error"};
static const char *const level_labels[] = {"DEBUG", "INFO ", "WARN ", "ERROR"};

void
log_init(enum log_level level, enum log_format format)
{
    threshold = level;
    line_format = format;
}

/* RFC 3339 in UTC with milliseconds. */
static size_t
write_time(char *out, size_t bytes)
{
    int64_t now_us = clock_wall_us();
    time_t seconds = (time_t)(now_us / US_PER_S);
    struct tm utc;
    char date[32];

    gmtime_r(&seconds, &utc);
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &utc);
    return (size_t)snprintf(out, bytes, "%s.%03dZ", date, (int)(now_us % US_PER_S / US_PER_MS));
}

/* Appends `message` so that neither a terminal nor a JSON reader meets a byte that it could take for its own. */
static size_t
write_escaped(char *out, size_t room, const char *message)
{
    size_t rest = strlen(message), used = 0;

    while (rest > 0) {
        size_t length = utf8_sequence(message, rest);
        unsigned char byte = (unsigned char)*message;
        char escape[8];
        const char *piece = message;
        size_t piece_bytes = length;

        if (length == 0) {
            length = 1;
            piece_bytes = (size_t)snprintf(escape, sizeof(escape),
                                           line_format == LOG_JSON ? "\\ufffd" : "\\x%02x", byte);
            piece = escape;
        } else if (byte < ' ' || byte == 0x7f) {
            piece_bytes = (size_t)snprintf(escape, sizeof(escape),
                                           line_format == LOG_JSON ? "\\u%04x" : "\\x%02x", byte);
            piece = escape;
        } else if (line_format == LOG_JSON && (byte == '"' || byte == '\\')) {
            piece_bytes = (size_t)snprintf(escape, sizeof(escape), "\\%c", byte);
            piece = escape;
        }
        if (used + piece_bytes > room)
            break;
        memcpy(out + used, piece, piece_bytes);
        used += piece_bytes;
        message += length;
        rest -= length;
    }
    return used;
}

void
log_event(enum log_level level, const char *module, const char *format, ...)
{
    char message[LOG_LINE_BYTES];
    char line[LOG_LINE_BYTES + 128];
    size_t used;
    va_list arguments;

    if (level < threshold)
        return;
    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);

    if (line_format == LOG_JSON) {
        char when[40];
        write_time(when, sizeof(when));
        used = (size_t)snprintf(line, sizeof(line),
                                "{\"time\":\"%s\",\"level\":\"%s\",\"module\":\"%s\",\"message\":\"", when,
                                level_names[level], module);
    } else {
        used = write_time(line, sizeof(line));
        used += (size_t)snprintf(line + used, sizeof(line) - used, " %s %s: ", level_labels[level], module);
    }
    used += write_escaped(line + used, sizeof(line) - used - 4, message);
    if (line_format == LOG_JSON) {
        line[used++] = '"';
        line[used++] = '}';
    }
    line[used++] = '\n';
    /* A log that cannot be written must not stop the service that it is the log of. */
    if (write(STDERR_FILENO, line, used) < 0)
        return;
}

bool
log_limiter_allows(struct log_limiter *limiter, int64_t interval_us, uint64_t *suppressed)
{
    int64_t now = clock_mono_us();
    int64_t next = atomic_load_explicit(&limiter->next_us, memory_order_relaxed);

    if (now < next || !atomic_compare_exchange_strong(&limiter->next_us, &next, now + interval_us)) {
        atomic_fetch_add_explicit(&limiter->suppressed, 1, memory_order_relaxed);
        return false;
    }
    *suppressed = atomic_exchange(&limiter->suppressed, 0);
    return true;
}
