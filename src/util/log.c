#include "log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "log_output.h"
#include "utf8.h"

static enum log_level threshold = LOG_INFO;
static enum log_format line_format = LOG_TEXT;

static bool is_dropped;
static log_sink *event_sink; /* NULL: standard error */
static void *event_sink_arg;

static _Atomic uint64_t lost_lines; /* of which no line has told */

struct log_event {
    enum log_level level;
    const char *module, *message;
    const struct log_field *fields;
    size_t field_count;
};

#define LINE_HEAD_BYTES 124 /* time, level and module at most, with what JSON puts around them */
#define LINE_END_BYTES  4

struct line {
    size_t used;
    char bytes[LINE_HEAD_BYTES + LOG_LINE_BYTES + LOG_FIELDS_BYTES + LINE_END_BYTES];
};

static const char *const level_names[] = {"debug", "info", "warn", "error"};
static const char *const level_labels[] = {"DEBUG", "INFO ", "WARN ", "ERROR"};

void
log_init(enum log_level level, enum log_format format)
{
    threshold = level;
    line_format = format;
    is_dropped = false;
    event_sink = NULL;
}

void
log_init_sink(enum log_level level, log_sink *sink, void *arg)
{
    threshold = level;
    is_dropped = sink == NULL;
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
escape(char *out, size_t bytes, const char *sequence, size_t length, bool is_quoted)
{
    unsigned char byte = (unsigned char)sequence[0];
    int written = 0;

    if (is_quoted && (byte == '"' || byte == '\\')) {
        written = snprintf(out, bytes, "\\%c", byte);
    } else if (line_format == LOG_JSON) {
        if (length == 0)
            written = snprintf(out, bytes, "\\ufffd");
        else if (utf8_is_control(sequence))
            written = snprintf(out, bytes, "\\u%04x", length == 2 ? (unsigned char)sequence[1] : byte);
    } else if (length == 0 || utf8_is_control(sequence)) {
        written = snprintf(out, bytes, "\\x%02x", byte);
        if (length == 2)
            written +=
                snprintf(out + written, bytes - (size_t)written, "\\x%02x", (unsigned char)sequence[1]);
    }
    return (size_t)written;
}

/* Appends `text`, as far as there is room, so that no byte of it controls a terminal, ends its quotation or breaks
   the JSON. */
static void
put_escaped(struct line *line, size_t room, const char *text, bool is_quoted)
{
    size_t rest = strlen(text);

    while (rest > 0) {
        size_t length = utf8_sequence(text, rest);
        char escaped[16];
        size_t escaped_bytes = escape(escaped, sizeof(escaped), text, length, is_quoted);
        size_t piece_bytes = escaped_bytes > 0 ? escaped_bytes : length;

        if (line->used + piece_bytes > room)
            break;
        memcpy(line->bytes + line->used, escaped_bytes > 0 ? escaped : text, piece_bytes);
        line->used += piece_bytes;
        length = length > 0 ? length : 1;
        text += length;
        rest -= length;
    }
}

static void put(struct line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What is written by this program, whose length is bounded. */
static void
put(struct line *line, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    line->used +=
        (size_t)vsnprintf(line->bytes + line->used, sizeof(line->bytes) - line->used, format, arguments);
    va_end(arguments);
}

/* A word of the text format needs no quotation marks. */
static bool
is_word(const char *text)
{
    return text[0] != '\0' && text[strcspn(text, " =\"\\")] == '\0';
}

#define FIELD_END_BYTES 64 /* for the longest name and a number */

static void
put_field(struct line *line, const struct log_field *field, size_t room)
{
    bool is_quoted = line_format == LOG_JSON || !is_word(field->text != NULL ? field->text : "0");
    const char *quote = field->text != NULL && is_quoted ? "\"" : "";

    if (line->used + FIELD_END_BYTES > room)
        return;
    put(line, line_format == LOG_JSON ? ",\"%s\":" : " %s=", field->name);
    if (field->text == NULL) {
        put(line, "%" PRId64, field->number);
        return;
    }
    put(line, "%s", quote);
    put_escaped(line, room - 1, field->text, is_quoted);
    put(line, "%s", quote);
}

static void
put_fields(struct line *line, const struct log_event *event)
{
    size_t room = line->used + LOG_FIELDS_BYTES;

    for (size_t i = 0; i < event->field_count; i++)
        put_field(line, &event->fields[i], room);
}

static void
make_line(struct line *line, const struct log_event *event)
{
    char when[40];

    write_time(when, sizeof(when));
    if (line_format == LOG_JSON)
        put(line, "{\"time\":\"%s\",\"level\":\"%s\",\"module\":\"%s\",\"message\":\"", when,
            level_names[event->level], event->module);
    else
        put(line, "%s %s %s: ", when, level_labels[event->level], event->module);
    put_escaped(line, LOG_LINE_BYTES + LINE_HEAD_BYTES, event->message, line_format == LOG_JSON);
    put(line, line_format == LOG_JSON ? "\"" : "");
    put_fields(line, event);
    put(line, line_format == LOG_JSON ? "}\n" : "\n");
}

static bool
write_event(const struct log_event *event)
{
    struct line line = {.used = 0};

    make_line(&line, event);
    return log_output_write(line.bytes, line.used);
}

/* How many lines were lost since the last one that was written. */
static void
tell_lost(void)
{
    uint64_t lost = atomic_exchange(&lost_lines, 0);
    char message[128];

    if (lost == 0)
        return;
    snprintf(message, sizeof(message),
             "%" PRIu64 " line%s of the log %s lost here: standard error was not read fast enough", lost,
             lost == 1 ? "" : "s", lost == 1 ? "was" : "were");
    if (!write_event(&(struct log_event){.level = LOG_WARN, .module = "log", .message = message}))
        atomic_fetch_add(&lost_lines, lost);
}

/* A log that cannot be written must not stop the service. */
static void
write_or_lose(const struct log_event *event)
{
    if (atomic_load_explicit(&lost_lines, memory_order_relaxed) > 0)
        tell_lost();
    if (!write_event(event))
        atomic_fetch_add(&lost_lines, 1);
}

static void
hand_over(const struct log_event *event)
{
    struct line line = {.used = 0};

    put(&line, "%s", event->message);
    put_fields(&line, event);
    put(&line, "%c", '\0');
    event_sink(event_sink_arg, event->level, event->module, line.bytes);
}

static void tell(struct log_event event, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

static void
tell(struct log_event event, const char *format, va_list arguments)
{
    char message[LOG_LINE_BYTES];

    vsnprintf(message, sizeof(message), format, arguments);
    event.message = message;
    if (event_sink != NULL)
        hand_over(&event);
    else
        write_or_lose(&event);
}

static bool
is_wanted(enum log_level level)
{
    return level >= threshold && !is_dropped;
}

void
log_event(enum log_level level, const char *module, const char *format, ...)
{
    struct log_event event = {.level = level, .module = module};
    va_list arguments;

    if (!is_wanted(level))
        return;
    va_start(arguments, format);
    tell(event, format, arguments);
    va_end(arguments);
}

void
log_event_fields(enum log_level level, const char *module, const struct log_field *fields, size_t count,
                 const char *format, ...)
{
    struct log_event event = {.level = level, .module = module, .fields = fields, .field_count = count};
    va_list arguments;

    if (!is_wanted(level))
        return;
    va_start(arguments, format);
    tell(event, format, arguments);
    va_end(arguments);
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
