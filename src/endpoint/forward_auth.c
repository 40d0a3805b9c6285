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

#define METHOD_BYTES 16 /* longer than every method with a name of its own */

/* The request that the proxy asks about. */
struct forwarded_request {
    struct policy_request asked;
    struct field host; /* as it came */
    char path[TARGET_BYTES_MAX];
};

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
    char name[METHOD_BYTES];

    if (field->text == NULL)
        return own;
    if (field->bytes >= sizeof(name))
        return METHOD_OTHER;
    memcpy(name, field->text, field->bytes);
    name[field->bytes] = '\0';
    return method_by_name(name);
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

/* What the proxy asks about: the method, the host, and the path, which is normalised in place. False with the
   reason in `*why`. */
static bool
read_forwarded(const struct endpoint_request *request, const struct forwarded *forwarded, const char *rest,
               struct forwarded_request *out, const char **why)
{
    struct field target = forwarded_target(forwarded, rest);
    const char *path;

    *why = "A header that describes the forwarded request appears twice.";
    if (forwarded->repeated)
        return false;
    path = target_path(target.text, target.bytes, &out->asked.path.bytes);
    *why = "The forwarded path is longer than " STRINGIFY(TARGET_BYTES_MAX) " bytes.";
    if (out->asked.path.bytes > sizeof(out->path))
        return false;
    memcpy(out->path, path, out->asked.path.bytes);
    out->asked.path.text = out->path;
    out->asked.method = forwarded_method(forwarded, request->method);
    out->host = target_host(target.text, target.bytes);
    if (out->host.text == NULL)
        out->host = forwarded->host.text != NULL ? forwarded->host : request->host;
    *why = "The forwarded path is not a path that a rule can match.";
    return path_normalise(out->path, &out->asked.path.bytes);
}

/* An unclear request is refused: to a proxy, every status but 2xx means no. */
static enum endpoint_status
start(struct endpoint_request *request)
{
    static const struct forwarded nothing = {0};
    bool trusted = request->peer->trusted;
    struct forwarded_request forwarded;
    const char *rest = request->rest, *why;

    if (!read_deny_status(&rest, &request->deny_403))
        return endpoint_problem(request, 404, "There is no such resource.");
    if (!read_forwarded(request, trusted ? &request->headers->forwarded : &nothing, rest, &forwarded, &why))
        return endpoint_problem(request, 400, why);
    if (trusted)
        take_forwarded_host(request->headers, request->policy);
    return decide_start(request, &forwarded.asked, forwarded.host);
}

const struct endpoint forward_auth_endpoint = {.start = start, .finish = decide_finish, .free = decide_free};
