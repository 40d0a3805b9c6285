#include "routes.h"

#include <string.h>

#define READ       (METHOD_GET | METHOD_HEAD), "GET, HEAD"
#define POST       METHOD_POST, "POST"
#define ANY_METHOD METHOD_ALL, ""

extern const struct endpoint check_batch_endpoint, check_endpoint, envoy_json_endpoint, forward_auth_endpoint,
    health_endpoint, openapi_endpoint, ready_endpoint, reset_endpoint, resource_endpoint;

/* clang-format off */
static const struct route routes[] = {
    {"/",                 false, READ,       ACCESS_ANYONE, &resource_endpoint,
     "ratelimitd is up; this page is limited like any other."},
    {"/limited-resource", false, READ,       ACCESS_ANYONE, &resource_endpoint, "This is a limited resource."},
    {"/api/resource",     false, POST,       ACCESS_ANYONE, &resource_endpoint, "The request was accepted."},
    {"/api/data",         false, READ,       ACCESS_ANYONE, &resource_endpoint, "This is the data."},
    {"/api/submit",       false, POST,       ACCESS_ANYONE, &resource_endpoint, "The submission was accepted."},
    {"/check",            true,  ANY_METHOD, ACCESS_ANYONE, &forward_auth_endpoint, "The request is allowed."},
    {"/v1/check",         false, POST,       ACCESS_API,    &check_endpoint, NULL},
    {"/v1/check/batch",   false, POST,       ACCESS_API,    &check_batch_endpoint, NULL},
    {"/v1/reset",         false, POST,       ACCESS_ADMIN,  &reset_endpoint, NULL},
    {"/json",             false, POST,       ACCESS_API,    &envoy_json_endpoint, NULL},
    {"/health",           false, READ,       ACCESS_ANYONE, &health_endpoint, NULL},
    {"/ready",            false, READ,       ACCESS_ANYONE, &ready_endpoint, NULL},
    {"/openapi.yaml",     false, READ,       ACCESS_ANYONE, &openapi_endpoint, NULL},
};
/* clang-format on */
#define ROUTE_COUNT (sizeof(routes) / sizeof(routes[0]))

const struct route *
route_find(const char *path, size_t bytes)
{
    for (size_t i = 0; i < ROUTE_COUNT; i++)
        if (!routes[i].is_subtree && strlen(routes[i].path) == bytes &&
            memcmp(routes[i].path, path, bytes) == 0)
            return &routes[i];
    return NULL;
}

const struct route *
route_find_subtree(const char *path, const char **rest)
{
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        size_t bytes = strlen(routes[i].path);
        if (!routes[i].is_subtree || strncmp(path, routes[i].path, bytes) != 0)
            continue;
        *rest = path + bytes;
        if (**rest == '\0' || **rest == '/' || **rest == ':')
            return &routes[i];
    }
    return NULL;
}
