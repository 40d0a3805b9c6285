/*
 * dashboard: GET /dashboard: the page, its style, script and icon. They hold no data; the script asks for it,
 * with the token that the user of the page enters.
 *
 * Its policy lets the browser load nothing from elsewhere, run no inline script, and parse no text as
 * markup: a name that looks like markup stays text even if the script is wrong.
 */
#include "dashboard_icon.h"
#include "dashboard_page.h"
#include "dashboard_script.h"
#include "dashboard_style.h"

#include "endpoint.h"

#define POLICY                                                                                             \
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'; " \
    "require-trusted-types-for 'script'; trusted-types 'none'"

static enum endpoint_status
answer(struct endpoint_request *request, const char *text, size_t bytes, const char *type)
{
    request->response = response_static(200, text, bytes, type, request->closing);
    response_header(&request->response, "Content-Security-Policy", POLICY);
    return ENDPOINT_ANSWERED;
}

static enum endpoint_status
start_page(struct endpoint_request *request)
{
    return answer(request, dashboard_page_text, dashboard_page_bytes, "text/html; charset=utf-8");
}

static enum endpoint_status
start_style(struct endpoint_request *request)
{
    return answer(request, dashboard_style_text, dashboard_style_bytes, "text/css; charset=utf-8");
}

static enum endpoint_status
start_script(struct endpoint_request *request)
{
    return answer(request, dashboard_script_text, dashboard_script_bytes, "text/javascript; charset=utf-8");
}

static enum endpoint_status
start_icon(struct endpoint_request *request)
{
    return answer(request, dashboard_icon_text, dashboard_icon_bytes, "image/svg+xml");
}

const struct endpoint dashboard_endpoint = {.start = start_page};
const struct endpoint dashboard_style_endpoint = {.start = start_style};
const struct endpoint dashboard_script_endpoint = {.start = start_script};
const struct endpoint dashboard_icon_endpoint = {.start = start_icon};
