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

static log_sink write_line;
static log_sink *event_sink = write_line;
static void *event_sink_arg;

static const char *const level_names[] = {"debug", "info", "warn", "error"};
static const char *const level_labels[] = {"DEBUG", "INFO ", "WARN ", "ERROR"};

void
log_init(enum log_level level, enum log_format format)
{
    threshold = level;
    line_format = format;
}

void
log_init_sink(enum log_level level, log_sink *sink, void *arg)
{
    threshold = level;
    event_sink = sink;
    event_sink_arg = arg;
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

/* Escapes the sequence of `length` bytes (0: a byte that is not UTF-8) if it may not be written as it is;
   returns the length of the escape, 0 if it may. */
static size_t
escape(char *out, size_t bytes, const char *sequence, size_t length)
{
    unsigned char byte = (unsigned char)sequence[0];
    int written = 0;

    if (line_format == LOG_JSON) {
        if (length == 0)
            written = snprintf(out, bytes, "\\ufffd");
        else if (utf8_is_control(sequence))
            written = snprintf(out, bytes, "\\u%04x", length == 2 ? (unsigned char)sequence[1] : byte);
        else if (byte == '"' || byte == '\\')
            written = snprintf(out, bytes, "\\%c", byte);
    } else if (length == 0 || utf8_is_control(sequence)) {
        written = snprintf(out, bytes, "\\x%02x", byte);
        if (length == 2)
            written +=
                snprintf(out + written, bytes - (size_t)written, "\\x%02x", (unsigned char)sequence[1]);
    }
    return (size_t)written;
}

/* Appends `message` so that no byte of it controls a terminal or breaks the JSON. */
static size_t
write_escaped(char *out, size_t room, const char *message)
{
    size_t rest = strlen(message), used = 0;

    while (rest > 0) {
        size_t length = utf8_sequence(message, rest);
        char escaped[16];
        size_t escaped_bytes = escape(escaped, sizeof(escaped), message, length);
        size_t piece_bytes = escaped_bytes > 0 ? escaped_bytes : length;

        if (used + piece_bytes > room)
            break;
        memcpy(out + used, escaped_bytes > 0 ? escaped : message, piece_bytes);
        used += piece_bytes;
        length = length > 0 ? length : 1;
        message += length;
        rest -= length;
    }
    return used;
}

static void
write_line(void *arg, enum log_level level, const char *module, const char *message)
{
    char line[LOG_LINE_BYTES + 128];
    size_t used;

    (void)arg;
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
    /* A log that cannot be written must not stop the service. */
    if (write(STDERR_FILENO, line, used) < 0)
        return;
}

void
log_event(enum log_level level, const char *module, const char *format, ...)
{
    char message[LOG_LINE_BYTES];
    va_list arguments;

    if (level < threshold || event_sink == NULL)
        return;
    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    event_sink(event_sink_arg, level, module, message);
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
