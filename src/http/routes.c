#include "routes.h"

#include <string.h>

#define READ_METHODS (METHOD_GET | METHOD_HEAD)

const struct route routes[] = {
    {"/", READ_METHODS, "GET, HEAD", ENDPOINT_RESOURCE,
     "ratelimitd is up; this page is limited like any other."},
    {"/limited-resource", READ_METHODS, "GET, HEAD", ENDPOINT_RESOURCE, "This is a limited resource."},
    {"/api/resource", METHOD_POST, "POST", ENDPOINT_RESOURCE, "The request was accepted."},
    {"/api/data", READ_METHODS, "GET, HEAD", ENDPOINT_RESOURCE, "This is the data."},
    {"/api/submit", METHOD_POST, "POST", ENDPOINT_RESOURCE, "The submission was accepted."},
    {"/health", READ_METHODS, "GET, HEAD", ENDPOINT_HEALTH, NULL},
    {"/ready", READ_METHODS, "GET, HEAD", ENDPOINT_READY, NULL},
};
const size_t route_count = sizeof(routes) / sizeof(routes[0]);

const struct route *
route_find(const char *path, size_t bytes)
{
    for (size_t i = 0; i < route_count; i++)
        if (strlen(routes[i].path) == bytes && memcmp(routes[i].path, path, bytes) == 0)
            return &routes[i];
    return NULL;
}
