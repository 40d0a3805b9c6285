#include "routes.h"

#include <string.h>

#define READ_METHODS (METHOD_GET | METHOD_HEAD)

const struct route routes[] = {
    {"/", READ_METHODS, "GET, HEAD", ENDPOINT_RESOURCE, ACCESS_ANYONE,
     "ratelimitd is up; this page is limited like any other."},
    {"/limited-resource", READ_METHODS, "GET, HEAD", ENDPOINT_RESOURCE, ACCESS_ANYONE,
     "This is a limited resource."},
    {"/api/resource", METHOD_POST, "POST", ENDPOINT_RESOURCE, ACCESS_ANYONE, "The request was accepted."},
    {"/api/data", READ_METHODS, "GET, HEAD", ENDPOINT_RESOURCE, ACCESS_ANYONE, "This is the data."},
    {"/api/submit", METHOD_POST, "POST", ENDPOINT_RESOURCE, ACCESS_ANYONE, "The submission was accepted."},
    {"/check", METHOD_ALL, "", ENDPOINT_CHECK, ACCESS_ANYONE, "The request is allowed."},
    {"/v1/check", METHOD_POST, "POST", ENDPOINT_API_CHECK, ACCESS_API, NULL},
    {"/v1/check/batch", METHOD_POST, "POST", ENDPOINT_API_BATCH, ACCESS_API, NULL},
    {"/v1/reset", METHOD_POST, "POST", ENDPOINT_API_RESET, ACCESS_ADMIN, NULL},
    {"/json", METHOD_POST, "POST", ENDPOINT_ENVOY, ACCESS_API, NULL},
    {"/health", READ_METHODS, "GET, HEAD", ENDPOINT_HEALTH, ACCESS_ANYONE, NULL},
    {"/ready", READ_METHODS, "GET, HEAD", ENDPOINT_READY, ACCESS_ANYONE, NULL},
    {"/openapi.yaml", READ_METHODS, "GET, HEAD", ENDPOINT_OPENAPI, ACCESS_ANYONE, NULL},
};
const size_t route_count = sizeof(routes) / sizeof(routes[0]);

const struct route *
route_find(const char *path, size_t bytes)
{
    for (size_t i = 0; i < route_count; i++)
        if (routes[i].endpoint != ENDPOINT_CHECK && strlen(routes[i].path) == bytes &&
            memcmp(routes[i].path, path, bytes) == 0)
            return &routes[i];
    return NULL;
}

const struct route *
route_find_check(const char *path, const char **rest)
{
    for (size_t i = 0; i < route_count; i++) {
        size_t bytes = strlen(routes[i].path);
        if (routes[i].endpoint != ENDPOINT_CHECK || strncmp(path, routes[i].path, bytes) != 0)
            continue;
        *rest = path + bytes;
        if (**rest == '\0' || **rest == '/' || **rest == ':')
            return &routes[i];
    }
    return NULL;
}
