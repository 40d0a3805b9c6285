/*
 * overrides: GET /v1/clients: the clients that are blocked or limited at run time, one a line, with what is
 * left of it.
 */
#include <inttypes.h>
#include <stdio.h>

#include <cjson/cJSON.h>

#include "clock.h"
#include "endpoint.h"
#include "json_string.h"
#include "number.h"
#include "override_keeper.h"

static void
put_override(FILE *out, const struct override *override, int64_t now_us)
{
    char *treatment = cJSON_PrintUnformatted(override->treatment);

    fputs("{\"client\": ", out);
    json_string_put(out, cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(override->root, "client")));
    if (override->rule[0] != '\0')
        fprintf(out, ", \"rule\": \"%s\"", override->rule);
    fprintf(out, ", \"treatment\": %s, \"ends_after_ms\": %" PRId64 "}",
            treatment != NULL ? treatment : "null", us_to_ms_up(override->end_us - now_us));
    cJSON_free(treatment);
}

static void
put_list(FILE *out, const struct override_list *list)
{
    int64_t now_us = clock_mono_us();
    const char *separator = "\n";

    fputs("{\"clients\": [", out);
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->items[i]->end_us <= now_us)
            continue;
        fputs(separator, out);
        put_override(out, list->items[i], now_us);
        separator = ",\n";
    }
    fputs("\n]}\n", out);
}

static enum endpoint_status
start(struct endpoint_request *request)
{
    struct response_body body;
    FILE *out = response_body_open(&body);

    if (out != NULL)
        put_list(out, override_keeper_list(request->context->limiter->keeper));
    request->response = response_body_close(&body, 200, RESPONSE_JSON, request->closing);
    return ENDPOINT_ANSWERED;
}

const struct endpoint overrides_endpoint = {.start = start};
