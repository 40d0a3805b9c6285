#include "redis_nodes.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "clock.h"
#include "container_of.h"
#include "log.h"
#include "nodes_script.h"
#include "number.h"
#include "redis_connection.h"
#include "redis_error.h"
#include "redis_url.h"
#include "stringify.h"

#define KEY        "rl:{nodes}"
#define DIGITS_MAX 20
#define AGE_MAX_MS 60000
#define LOG_US     (600 * US_PER_S)

struct redis_nodes {
    struct redis_nodes_options options;
    struct redis_call call;
    bool is_waiting; /* for the answer */
    char cursor[DIGITS_MAX + 1];
};

/* What is before the end, which is cut off. NULL: there is no end. */
static char *
take_word(char **rest, char end)
{
    char *word = *rest, *at = strchr(word, end);

    if (at == NULL)
        return NULL;
    *at = '\0';
    *rest = at + 1;
    return word;
}

static bool
is_id(const char *text)
{
    return strlen(text) == REDIS_NODES_ID_BYTES && strspn(text, "0123456789abcdef") == REDIS_NODES_ID_BYTES;
}

/* One line. False: it is none of the script's. */
static bool
hear_node(const struct redis_nodes *nodes, char *line)
{
    char *age = take_word(&line, ' '), *id = age != NULL ? take_word(&line, ' ') : NULL;
    int64_t age_ms;

    if (id == NULL || !number_parse(age, 0, AGE_MAX_MS, &age_ms) || !is_id(id) ||
        strlen(line) > REDIS_NODES_TEXT_BYTES)
        return false;
    nodes->options.on_node(nodes->options.arg, id, line, clock_mono_us() - age_ms * US_PER_MS);
    return true;
}

/* The next page, or the first one again. */
static void
set_cursor(struct redis_nodes *nodes, const char *cursor)
{
    size_t bytes = cursor != NULL ? strlen(cursor) : 0;
    bool is_good = bytes > 0 && bytes <= DIGITS_MAX && strspn(cursor, "0123456789") == bytes;

    snprintf(nodes->cursor, sizeof(nodes->cursor), "%s", is_good ? cursor : "0");
}

static void
hear(struct redis_nodes *nodes, const redisReply *reply)
{
    char *text = strndup(reply->str, reply->len), *rest = text, *line;

    if (text == NULL)
        return;
    set_cursor(nodes, take_word(&rest, '\n'));
    do
        line = take_word(&rest, '\n');
    while (line != NULL && hear_node(nodes, line));
    free(text);
}

/* The others are those of all commands, and are said by those that decide by Redis. */
static bool
is_of_nodes_alone(const struct redis_error *error)
{
    const char *word = redis_error_word(redis_error_index(error));

    return strcmp(word, "NOPERM") == 0 || strcmp(word, "WRONGTYPE") == 0;
}

static void
on_error(const struct redis_nodes *nodes, const redisReply *reply)
{
    static struct log_limiter limiter;
    const struct redis_error *error = redis_error_of(reply->str, reply->len);
    char shown[REDIS_ERROR_SHOWN_BYTES];
    uint64_t suppressed;

    if (is_of_nodes_alone(error) && log_limiter_allows(&limiter, LOG_US, &suppressed))
        log_warn(
            "nodes", "%s replies \"%s\" about the nodes that share it: %s; /v1/status shows this node alone",
            nodes->options.url->display, redis_error_shown(shown, reply->str, reply->len), error->advice);
}

static void
on_reply(struct redis_call *call, const struct redisReply *reply)
{
    struct redis_nodes *nodes = container_of(call, struct redis_nodes, call);

    nodes->is_waiting = false;
    if (reply != NULL && reply->type == REDIS_REPLY_STRING)
        hear(nodes, reply);
    else
        set_cursor(nodes, NULL);
    if (reply != NULL && reply->type == REDIS_REPLY_ERROR)
        on_error(nodes, reply);
}

void
redis_nodes_say(struct redis_nodes *nodes, const char *text)
{
    const char *words[] = {
        "EVAL",       nodes_script_text, "1", KEY, nodes->options.id, text, STRINGIFY(REDIS_NODES_TEXT_BYTES),
        nodes->cursor};
    char *command = NULL;
    long long bytes;

    if (nodes->is_waiting || !redis_connection_is_ready(nodes->options.connection))
        return;
    bytes = redisFormatCommandArgv(&command, sizeof(words) / sizeof(words[0]), words, NULL);
    if (bytes > 0)
        nodes->is_waiting =
            redis_connection_send(nodes->options.connection, command, (size_t)bytes, &nodes->call);
    redisFreeCommand(command);
}

struct redis_nodes *
redis_nodes_new(const struct redis_nodes_options *options)
{
    struct redis_nodes *nodes = calloc(1, sizeof(*nodes));

    if (nodes == NULL)
        return NULL;
    nodes->options = *options;
    nodes->call.callback = on_reply;
    set_cursor(nodes, NULL);
    return nodes;
}

void
redis_nodes_free(struct redis_nodes *nodes)
{
    assert(nodes == NULL || !nodes->is_waiting);
    free(nodes);
}
