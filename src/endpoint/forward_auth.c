/*
 * forward_auth: /check, where a proxy asks about a request that it has received.
 *
 *      method   X-Forwarded-Method, else X-Original-Method, else the method of this request
 *      path     X-Forwarded-Uri, else X-Original-URI, else X-Original-URL, else what follows /check in this
 *               one's path
 *      host     the one in that target, if it is absolute, else X-Forwarded-Host, else that of this request
 *
 * Headers are believed from a trusted peer only. The query is ignored: proxies leave their client's in it.
 *
 *      /check/api/data                  refused requests are answered 429
 *      /check:deny=403/api/data         403: for nginx, which turns every other status into 500
 *
 * The status comes before the slash that begins any client's path: a client of a proxy that puts /check
 * before that path (Envoy) cannot choose it.
 */
#include "decide.h"

#include <string.h>

#include "path.h"
#include "stringify.h"
#include "target.h"

/* Removes ":deny=STATUS" from the start of `rest`. */
static bool
read_deny_status(const char **rest, bool *deny_403)
{
    static const char form[] = ":deny=";
    const char *status = *rest + sizeof(form) - 1;

    *deny_403 = false;
    if (strncmp(*rest, form, sizeof(form) - 1) == 0) {
        *deny_403 = strncmp(status, "403", 3) == 0;
        if (!*deny_403 && strncmp(status, "429", 3) != 0)
            return false;
        *rest = status + 3;
    }
    return **rest == '\0' || **rest == '/';
}

static enum method
forwarded_method(const struct forwarded *forwarded, enum method own)
{
    const struct field *field = forwarded->method.text ? &forwarded->method : &forwarded->original_method;

    return field->text != NULL ? method_by_name(field->text, field->bytes) : own;
}

static struct field
forwarded_target(const struct forwarded *forwarded, const char *rest)
{
    const struct field *const fields[] = {&forwarded->uri, &forwarded->original_uri,
                                          &forwarded->original_url};

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        if (fields[i]->text != NULL)
            return *fields[i];
    return (struct field){.text = rest[0] != '\0' ? rest : "/", .bytes = rest[0] != '\0' ? strlen(rest) : 1};
}

/* The header Host means the host that the client asked for, not the name by which the proxy reaches this
   service. */
static void
take_forwarded_host(struct headers *headers, const struct policy *policy)
{
    for (uint32_t i = 0; headers->forwarded.host.text != NULL && i < policy->header_count; i++)
        if (strcmp(policy->headers[i], "host") == 0)
            headers->identity.headers[i] = headers->forwarded.host;
}

/* What the proxy asks about: the path and the host. NULL, or what is wrong. */
static const char *
read_target(const struct endpoint_request *request, const struct forwarded *forwarded, const char *rest,
            struct target *target)
{
    struct field text = forwarded_target(forwarded, rest);
    enum target_status status;

    if (forwarded->repeated)
        return "A header that describes the forwarded request appears twice.";
    status = target_read(target, text.text, text.bytes);
    if (target->host.text == NULL)
        target->host = forwarded->host.text != NULL ? forwarded->host : request->host;
    return status == TARGET_TOO_LONG
               ? "The forwarded path is longer than " STRINGIFY(TARGET_BYTES_MAX) " bytes."
           : status == TARGET_BAD ? "The forwarded path is not a path that a rule can match."
                                  : NULL;
}

/* An unclear request is refused: to a proxy, every status but 2xx means no. */
static enum endpoint_status
start(struct endpoint_request *request)
{
    static const struct forwarded nothing = {0};
    const struct forwarded *forwarded = request->peer->trusted ? &request->headers->forwarded : &nothing;
    struct policy_request asked;
    struct target target;
    const char *rest = request->rest, *why;

    if (!read_deny_status(&rest, &request->deny_403))
        return endpoint_problem(request, 404, "There is no such resource.");
    why = read_target(request, forwarded, rest, &target);
    if (why != NULL)
        return endpoint_problem(request, 400, why);
    if (forwarded != &nothing)
        take_forwarded_host(request->headers, request->policy);
    asked.path = target.path;
    asked.method = forwarded_method(forwarded, request->method);
    return decide_start(request, &asked, target.host);
}

const struct endpoint forward_auth_endpoint = {.start = start, .finish = decide_finish, .free = decide_free};
