/*
 * rules_reload: POST /v1/rules/reload: reads the rules again, and answers when they are in force, or with
 * every mistake. The admin listener answers nobody else meanwhile; the workers do.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "endpoint.h"
#include "json_string.h"
#include "reload.h"

static void
put_changes(FILE *out, const struct policy_diff *changes)
{
    fprintf(out,
            "{\"reloaded\": true, \"changed\": %" PRIu32 ", \"added\": %" PRIu32 ", \"removed\": %" PRIu32
            ", \"unchanged\": %" PRIu32 ", \"summary\": \"%s\"}\n",
            changes->changed, changes->added, changes->removed, changes->same, changes->text);
}

static void
put_mistakes(FILE *out, const struct report *report, const struct field *trace_id)
{
    fprintf(out,
            "{\"detail\": \"The rules have mistakes; the previous rules stay in force.\", \"type\": "
            "\"about:blank\", "
            "\"title\": \"%s\", \"status\": 422, \"mistakes\": [",
            response_title(422));
    for (size_t i = 0; i < report->count; i++) {
        fputs(i > 0 ? ",\n" : "\n", out);
        json_string_put(out, report->lines[i]);
    }
    fputs("\n]", out);
    json_trace_id_put(out, trace_id);
    fputs("}\n", out);
}

static bool
write_body(struct text *body, const struct reload_result *result, const struct field *trace_id)
{
    FILE *out = open_memstream(&body->start, &body->used);
    bool is_written;

    if (out == NULL)
        return false;
    if (result->status == RELOAD_DONE)
        put_changes(out, &result->changes);
    else
        put_mistakes(out, &result->report, trace_id);
    is_written = !ferror(out);
    return fclose(out) == 0 && is_written;
}

static enum endpoint_status
start(struct endpoint_request *request)
{
    struct reload_result result;
    struct text body = {0};

    reload_run(request->context->reload, RELOAD_CALL, &result);
    request->response = (struct response){0};
    if (!write_body(&body, &result, &request->headers->trace_id))
        free(body.start);
    else if (result.status == RELOAD_DONE)
        request->response = response_owning(200, &body, RESPONSE_JSON, request->closing);
    else
        request->response = response_owning(422, &body, RESPONSE_PROBLEM, request->closing);
    reload_result_fini(&result);
    return ENDPOINT_ANSWERED;
}

const struct endpoint rules_reload_endpoint = {.start = start};
