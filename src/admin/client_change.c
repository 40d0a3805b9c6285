/*
 * client_change: POST /v1/clients/block, /v1/clients/limit and /v1/clients/restore: what is done with a
 * client at run time.
 *
 *      the body ──► client_change_read ──► the keeper ──► the store of all nodes ──► in force here ──► 200
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "client_body.h"
#include "endpoint.h"
#include "log.h"
#include "number.h"
#include "observed.h"
#include "override_keeper.h"
#include "render.h"
#include "stringify.h"

/* A change from its body to its answer. */
struct client_change {
    struct client_body body;
    struct endpoint_request *request;
    struct override_change *pending; /* NULL: none */
    enum override_outcome outcome;
};

static const char *const done[] = {
    [CLIENT_BLOCK] = "blocked", [CLIENT_LIMIT] = "limited", [CLIENT_RESTORE] = "restored"};

static struct override_keeper *
keeper_of(const struct client_change *change)
{
    return change->request->context->limiter->keeper;
}

/* The next override to remove: the client's, under whatever rule, if the body names none. NULL: no more. */
static const char *
next_of_client(const struct client_change *change)
{
    const struct override_list *list = override_keeper_list(keeper_of(change));
    const char *client = strchr(change->body.id, ' ');

    for (uint32_t i = 0; change->body.rule[0] == '\0' && i < list->count; i++)
        if (strcmp(strchr(list->items[i]->id, ' '), client) == 0)
            return list->items[i]->id;
    return NULL;
}

static void on_changed(void *arg, enum override_outcome outcome);

static void
remove_rest(struct client_change *change)
{
    char id[OVERRIDE_ID_BYTES + 1];

    for (const char *next; change->outcome == OVERRIDE_CHANGED && (next = next_of_client(change)) != NULL;) {
        memcpy(id, next, strlen(next) + 1); /* it is freed with the list */
        change->outcome = override_keeper_remove(keeper_of(change), id, on_changed, change, &change->pending);
    }
}

static void
on_changed(void *arg, enum override_outcome outcome)
{
    struct client_change *change = arg;

    change->pending = NULL;
    change->outcome = outcome;
    if (change->body.kind == CLIENT_RESTORE)
        remove_rest(change);
    if (change->outcome != OVERRIDE_PENDING)
        change->request->resume(change->request);
}

static void
begin(struct client_change *change)
{
    struct client_body *body = &change->body;
    struct override *override = body->override;

    body->override = NULL; /* the keeper's */
    if (body->kind != CLIENT_RESTORE) {
        change->outcome = override_keeper_put(keeper_of(change), override, body->for_us, on_changed, change,
                                              &change->pending);
        return;
    }
    change->outcome =
        override_keeper_remove(keeper_of(change), body->id, on_changed, change, &change->pending);
    remove_rest(change);
}

static enum endpoint_status
start(struct endpoint_request *request)
{
    struct client_change *change = request->state = calloc(1, sizeof(*change));

    if (change == NULL)
        return ENDPOINT_ANSWERED;
    change->request = request;
    change->body.kind = *(const enum client_change_kind *)request->endpoint->kind;
    if (!client_body_read(&change->body, request)) {
        request->response = client_body_problem(&change->body, request);
        return ENDPOINT_ANSWERED;
    }
    begin(change);
    return change->outcome == OVERRIDE_PENDING ? ENDPOINT_PENDING : ENDPOINT_DONE;
}

static struct response
answer(const struct client_body *body, bool closing)
{
    char buffer[RULE_NAME_BYTES + 128];
    struct text text = {.start = buffer, .room = sizeof(buffer)};

    text_put(&text, "{\"%s\": true", done[body->kind]);
    if (body->rule[0] != '\0')
        text_put(&text, ", \"rule\": \"%s\"", body->rule);
    if (body->kind != CLIENT_RESTORE)
        text_put(&text, ", \"ends_after_ms\": %" PRId64, body->for_us / 1000);
    text_put(&text, "}\n");
    return response_new(200, &text, RESPONSE_JSON, closing);
}

/* Of a name only its source is told, as a name may be a secret, such as an API key; of an address, too, where the log
   may show none. */
static void
tell(const struct client_body *body, const struct field *trace_id, bool addresses_hidden)
{
    const char *named = strchr(body->id, ' ') + 1;
    bool is_address = strchr(named, '=') == NULL, is_hidden = !is_address || addresses_hidden;
    const char *client = is_address && is_hidden ? "ip" : named;
    size_t shown = strcspn(client, "=");
    struct duration_text within = {""};
    struct trace_id_text trace = trace_id_text(trace_id);
    const struct log_field field = {.name = "trace_id", .text = trace.text};

    if (body->kind != CLIENT_RESTORE)
        within = duration_text(body->for_us);
    log_event_fields(LOG_INFO, "overrides", &field, trace_id->bytes > 0, "%s %s%.*s%s under %s%s%s%s",
                     done[body->kind], shown == 0 ? "name" : "", (int)shown, client, is_hidden ? "=..." : "",
                     body->rule[0] != '\0' ? "rule " : "every rule", body->rule,
                     within.text[0] != '\0' ? " for " : "", within.text);
}

static struct response
finish(struct endpoint_request *request)
{
    const struct client_change *change = request->state;

    switch (change->outcome) {
    case OVERRIDE_CHANGED:
        tell(&change->body, &request->headers->trace_id, request->context->observed->addresses_hidden);
        return answer(&change->body, request->closing);
    case OVERRIDE_TOO_MANY:
        return endpoint_problem_about(
            request, 409, "client",
            "There are " STRINGIFY(
                OVERRIDES_MAX) " clients that are blocked or limited at "
                               "run time, which is as many as may be; restore some first.");
    case OVERRIDE_AWAY:
        return render_unavailable(&request->headers->trace_id, request->closing);
    case OVERRIDE_NO_MEMORY:
    case OVERRIDE_PENDING:
        break;
    }
    return (struct response){0};
}

static void
free_change(struct endpoint_request *request, bool pending)
{
    struct client_change *change = request->state;

    (void)pending; /* the change knows */
    if (change == NULL)
        return;
    if (change->pending != NULL)
        override_change_forget(change->pending);
    client_body_fini(&change->body);
    free(change);
    request->state = NULL;
}

#define CHANGE_ENDPOINT(change)                                                                      \
    {                                                                                                \
        .reads_body = true, .kind = &(change), .start = start, .finish = finish, .free = free_change \
    }
static const enum client_change_kind block = CLIENT_BLOCK, limit = CLIENT_LIMIT, restore = CLIENT_RESTORE;
const struct endpoint block_endpoint = CHANGE_ENDPOINT(block);
const struct endpoint limit_endpoint = CHANGE_ENDPOINT(limit);
const struct endpoint restore_endpoint = CHANGE_ENDPOINT(restore);
