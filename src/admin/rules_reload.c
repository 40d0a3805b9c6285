/*
 * rules_reload: POST /v1/rules/reload: reads the rules again, and answers when they are in force, or with
 * every mistake. The admin listener answers no other request meanwhile; the workers do.
 */
#include <inttypes.h>
#include <stdio.h>

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

static void
put_result(FILE *out, const struct reload_result *result, const struct field *trace_id)
{
    if (result->status == RELOAD_DONE)
        put_changes(out, &result->changes);
    else
        put_mistakes(out, &result->report, trace_id);
}

static enum endpoint_status
start(struct endpoint_request *request)
{
    struct reload_result result;
    struct response_body body;
    FILE *out = response_body_open(&body);
    bool is_done;

    reload_run(request->context->reload, RELOAD_CALL, &request->headers->trace_id, &result);
    is_done = result.status == RELOAD_DONE;
    if (out != NULL)
        put_result(out, &result, &request->headers->trace_id);
    request->response = response_body_close(&body, is_done ? 200 : 422,
                                            is_done ? RESPONSE_JSON : RESPONSE_PROBLEM, request->closing);
    reload_result_fini(&result);
    return ENDPOINT_ANSWERED;
}

const struct endpoint rules_reload_endpoint = {.start = start};
