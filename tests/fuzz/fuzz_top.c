/*
 * Any bytes as keys and, after the first newline, an answer of the service: whatever is drawn of it fits the screen, and
 * gives no orders to the terminal but those of screen.c.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "draw.h"
#include "http_reply.h"
#include "json_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

/* ESC [ digits and semicolons, H m or K. */
static void
check_orders(const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        assert(text[i] == '\033' || (text[i] >= ' ' && text[i] <= '~'));
        if (text[i] == '\033') {
            assert(text[i + 1] == '[');
            i += 2 + strspn(text + i + 2, "0123456789;");
            assert(strchr("HmK", text[i]) != NULL);
        }
    }
}

static void
check_picture(const struct top_view *view, const cJSON *answer, unsigned rows, unsigned columns)
{
    const struct scene scene = {.view = view,
                                .url = "http://here",
                                .status = answer,
                                .rates = answer,
                                .analytics = answer,
                                .problem = view->is_paused ? "away" : NULL};
    struct screen screen;
    size_t bytes;
    char *text;

    if (!screen_init(&screen, rows, columns))
        return;
    assert(draw(&screen, &scene) <= rows);
    text = screen_to_terminal(&screen, true, &bytes);
    assert(text != NULL);
    check_orders(text, bytes);
    free(text);
    screen_fini(&screen);
}

static cJSON *
parse(const char *data, size_t bytes)
{
    char *text = malloc(bytes + 1);
    struct http_reply reply;
    cJSON *answer = NULL;
    size_t at;

    assert(text != NULL);
    memcpy(text, data, bytes);
    if (http_reply_parse(&reply, text, bytes)) {
        assert(reply.status >= 100 && reply.status <= 599 && reply.bytes <= bytes);
        if (json_text_check(reply.body, reply.bytes, 10000, &at) == NULL)
            answer = cJSON_ParseWithLength(reply.body, reply.bytes);
    }
    free(text);
    return answer;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    const char *keys = (const char *)data, *end = bytes > 0 ? memchr(keys, '\n', bytes) : NULL;
    struct top_view view = top_view_of_start();
    cJSON *answer;

    if (end == NULL)
        return 0;
    top_view_take_keys(&view, keys, (size_t)(end - keys));
    answer = parse(end + 1, bytes - (size_t)(end + 1 - keys));
    check_picture(&view, answer, 24, 80);
    check_picture(&view, answer, (unsigned)bytes % 40, (unsigned)bytes % 97);
    cJSON_Delete(answer);
    return 0;
}
