#include "forward_auth.h"

#include <string.h>

#include "path.h"
#include "target.h"

#define METHOD_BYTES 16 /* longer than every method with a name of its own */

/* Cuts the status to deny by off `rest`. */
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

/* header:host is the host that the client asked for, not the one by which the proxy knows this service. */
static void
take_forwarded_host(struct headers *headers, const struct policy *policy)
{
    for (uint32_t i = 0; headers->forwarded.host.text != NULL && i < policy->header_count; i++)
        if (strcmp(policy->headers[i], "host") == 0)
            headers->values[i] = headers->forwarded.host;
}

enum forward_auth_status
forward_auth_match(const struct policy *policy, const char *rest, enum method own_method,
                   struct headers *headers, bool trusted, const struct rule **rule, bool *deny_403,
                   const char **why)
{
    static const struct forwarded nothing = {0};
    const struct forwarded *forwarded = trusted ? &headers->forwarded : &nothing;
    char normal[TARGET_BYTES_MAX];
    struct field target;
    const char *path;
    size_t bytes;

    if (!read_deny_status(&rest, deny_403))
        return FORWARD_AUTH_UNKNOWN;
    *why = "A header that says what was forwarded stands there twice.";
    if (forwarded->repeated)
        return FORWARD_AUTH_BAD;
    target = forwarded_target(forwarded, rest);
    path = target_path(target.text, target.bytes, &bytes);
    *why = "The forwarded path is longer than 8192 bytes.";
    if (bytes > sizeof(normal))
        return FORWARD_AUTH_BAD;
    memcpy(normal, path, bytes);
    *why = "The forwarded path is not one that a rule could be matched against.";
    if (!path_normalise(normal, &bytes))
        return FORWARD_AUTH_BAD;
    if (trusted)
        take_forwarded_host(headers, policy);
    *rule = policy_match(policy, forwarded_method(forwarded, own_method), normal, bytes);
    return FORWARD_AUTH_GOOD;
}
