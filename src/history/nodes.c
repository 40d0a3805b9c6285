#include "nodes.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "limiter.h"
#include "number.h"

#define FORMAT    "1"
#define PLAIN     "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
#define UP_MAX_MS (INT64_C(1000) * 366 * 86400 * US_PER_MS) /* a thousand years */

/* Reports. */

void
node_set_host(struct node_state *state, const char *name)
{
    snprintf(state->host, sizeof(state->host), "%s", name[0] != '\0' ? name : "_");
    for (char *at = state->host + strspn(state->host, PLAIN); *at != '\0'; at += strspn(at, PLAIN))
        *at = '_';
}

void
node_write(const struct node_state *state, char out[NODE_TEXT_BYTES + 1])
{
    snprintf(out, NODE_TEXT_BYTES + 1, FORMAT " %s %" PRId64 " %" PRId64 " %" PRId64 " %s %s", state->version,
             state->up_ms, state->requests_milli, state->refused_milli, store_state_name(state->store),
             state->host);
}

/* Reads the next word. False at the end, or if the word is too long. */
static bool
next_word(const char **rest, char *word, size_t room)
{
    size_t bytes = strcspn(*rest, " ");

    if (bytes == 0 || bytes >= room)
        return false;
    memcpy(word, *rest, bytes);
    word[bytes] = '\0';
    *rest += bytes + ((*rest)[bytes] == ' ');
    return true;
}

static bool
read_name(const char **rest, const char *more, char *out, size_t room)
{
    char accepted[sizeof(PLAIN) + 8];

    snprintf(accepted, sizeof(accepted), PLAIN "%s", more);
    return next_word(rest, out, room) && out[strspn(out, accepted)] == '\0';
}

static bool
read_number(const char **rest, int64_t max, int64_t *out)
{
    char digits[24];

    return next_word(rest, digits, sizeof(digits)) && number_parse(digits, 0, max, out);
}

static bool
read_store(const char **rest, enum store_state *out)
{
    char word[16];

    if (!next_word(rest, word, sizeof(word)))
        return false;
    for (*out = 0; *out <= STORE_LOST; (*out)++)
        if (strcmp(word, store_state_name(*out)) == 0)
            return true;
    return false;
}

bool
node_read(const char *text, struct node_state *out)
{
    char format[8];

    return next_word(&text, format, sizeof(format)) && strcmp(format, FORMAT) == 0 &&
           read_name(&text, "+~", out->version, sizeof(out->version)) &&
           read_number(&text, UP_MAX_MS, &out->up_ms) &&
           read_number(&text, NUMBER_EXACT_MAX, &out->requests_milli) &&
           read_number(&text, NUMBER_EXACT_MAX, &out->refused_milli) && read_store(&text, &out->store) &&
           read_name(&text, "", out->host, sizeof(out->host));
}

/* The others. */

/* NULL: there is no room. */
static struct node *
place_of(struct nodes *nodes, const char *id)
{
    for (unsigned i = 0; i < nodes->count; i++)
        if (strcmp(nodes->list[i].id, id) == 0)
            return &nodes->list[i];
    if (nodes->count == NODES_MAX)
        return NULL;
    return &nodes->list[nodes->count++];
}

void
nodes_hear(struct nodes *nodes, const char *id, const char *text, int64_t said_us)
{
    struct node heard = {.said_us = said_us};
    struct node *place;

    if (strlen(id) > NODE_ID_BYTES || !node_read(text, &heard.state))
        return;
    memcpy(heard.id, id, strlen(id));
    place = place_of(nodes, id);
    if (place != NULL)
        *place = heard;
}

void
nodes_forget(struct nodes *nodes, int64_t now_us)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < nodes->count; i++)
        if (now_us - nodes->list[i].said_us < NODES_FORGET_US)
            nodes->list[kept++] = nodes->list[i];
    nodes->count = kept;
}
