#include "refusal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "limit.h"
#include "log.h"
#include "number.h"
#include "text.h"

static void
copy(char *out, size_t room, const struct field *field)
{
    size_t bytes = field->bytes < room ? field->bytes : room - 1;

    if (bytes > 0)
        memcpy(out, field->text, bytes);
    out[bytes] = '\0';
}

void
refusal_init(struct refusal *refusal, const struct decision_record *record)
{
    memset(refusal, 0, sizeof(*refusal));
    refusal->result = record->result;
    refusal->shadow = record->shadow;
    refusal->retry_after_us = record->retry_after_us;
    copy(refusal->rule, sizeof(refusal->rule), &record->rule);
    if (record->result != RESULT_UNAVAILABLE) { /* else it is neither of a client nor of a limit */
        refusal->limit = record->limit;
        refusal->window_us = record->window_us;
        copy(refusal->client, sizeof(refusal->client), &record->client);
    }
    copy(refusal->trace_id.text, sizeof(refusal->trace_id.text), &record->trace_id);
}

/* Whether the values of the source are public. */
static bool
is_address(const char *source, size_t bytes)
{
    return (bytes >= 2 && strncmp(source, "ip", 2) == 0 && (bytes == 2 || source[2] == '/')) ||
           (bytes == 4 && strncmp(source, "host", 4) == 0);
}

static void
put_part(struct text *out, const char *part, size_t bytes, enum client_display display,
         struct siphash_key key)
{
    const char *equals = memchr(part, '=', bytes);
    size_t source_bytes = equals != NULL ? (size_t)(equals - part) : bytes;
    bool is_plain = equals == NULL || display == CLIENTS_PLAIN ||
                    (display == CLIENTS_ADDRESSES && is_address(part, source_bytes));

    if (is_plain)
        text_put(out, "%.*s", (int)bytes, part);
    else
        text_put(out, "%.*s=#%016" PRIx64, (int)source_bytes, part, siphash128(key, part, bytes).low);
}

struct shown_client
shown_client(const char *client, enum client_display display, struct siphash_key key)
{
    struct shown_client shown;
    struct text out = {.start = shown.text, .room = sizeof(shown.text)};
    size_t bytes;

    shown.text[0] = '\0';
    for (const char *part = client; *part != '\0'; part += bytes) {
        bytes = strcspn(part, "&");
        put_part(&out, part, bytes, display, key);
        if (part[bytes] == '&') {
            text_put(&out, "&");
            bytes++;
        }
    }
    return shown;
}

static const char *
message_of(const struct refusal *refusal)
{
    static const char *const told[][2] = {
        [RESULT_REFUSED] = {"client refused", "client would be refused"},
        [RESULT_PENALISED] = {"client penalised", "client would be penalised"},
        [RESULT_BLOCKED] = {"client blocked", "client would be blocked"},
        [RESULT_UNAVAILABLE] = {"clients refused, as the store is unavailable",
                                "clients would be refused, as the store is unavailable"}};

    return told[refusal->result][refusal->shadow];
}

static const char *
result_name(const struct refusal *refusal)
{
    static const char *const names[][2] = {[RESULT_REFUSED] = {"refused", "shadow_refused"},
                                           [RESULT_PENALISED] = {"penalised", "shadow_penalised"},
                                           [RESULT_BLOCKED] = {"blocked", "shadow_blocked"},
                                           [RESULT_UNAVAILABLE] = {"unavailable", "shadow_unavailable"}};

    return names[refusal->result][refusal->shadow];
}

struct fields {
    size_t count;
    struct log_field list[8];
};

static void
add_text(struct fields *fields, const char *name, const char *text)
{
    if (text[0] != '\0')
        fields->list[fields->count++] = (struct log_field){.name = name, .text = text};
}

static void
add_number(struct fields *fields, const char *name, int64_t number)
{
    if (number > 0)
        fields->list[fields->count++] = (struct log_field){.name = name, .number = number};
}

void
refusal_tell(const struct refusal *refusal, const char *shown_client, uint64_t suppressed)
{
    struct duration_text window = {""};
    struct fields fields = {.count = 0};

    if (refusal->window_us > 0)
        window = duration_text(refusal->window_us);
    add_text(&fields, "rule", refusal->rule);
    add_text(&fields, "client", shown_client);
    add_text(&fields, "result", result_name(refusal));
    add_number(&fields, "limit", refusal->limit);
    add_text(&fields, "window", window.text);
    if (refusal->retry_after_us > 0)
        add_number(&fields, "retry_after", us_to_s_up(refusal->retry_after_us));
    add_number(&fields, "suppressed", (int64_t)suppressed);
    add_text(&fields, "trace_id", refusal->trace_id.text);
    log_event_fields(LOG_INFO, "refusals", fields.list, fields.count, "%s", message_of(refusal));
}
