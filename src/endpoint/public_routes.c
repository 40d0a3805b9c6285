#include "public_routes.h"

extern const struct endpoint check_batch_endpoint, check_endpoint, envoy_json_endpoint, forward_auth_endpoint,
    health_endpoint, openapi_endpoint, ready_endpoint, reset_endpoint, resource_endpoint;

/* clang-format off */
static const struct route routes[] = {
    {"/",                 false, ROUTE_READ, ACCESS_ANYONE, &resource_endpoint,
     "ratelimitd is up; this page is limited like any other."},
    {"/limited-resource", false, ROUTE_READ, ACCESS_ANYONE, &resource_endpoint, "This is a limited resource."},
    {"/api/resource",     false, ROUTE_POST, ACCESS_ANYONE, &resource_endpoint, "The request was accepted."},
    {"/api/data",         false, ROUTE_READ, ACCESS_ANYONE, &resource_endpoint, "This is the data."},
    {"/api/submit",       false, ROUTE_POST, ACCESS_ANYONE, &resource_endpoint, "The submission was accepted."},
    {"/check",            true,  ROUTE_ANY,  ACCESS_ANYONE, &forward_auth_endpoint, "The request is allowed."},
    {"/v1/check",         false, ROUTE_POST, ACCESS_API,    &check_endpoint, NULL},
    {"/v1/check/batch",   false, ROUTE_POST, ACCESS_API,    &check_batch_endpoint, NULL},
    {"/v1/reset",         false, ROUTE_POST, ACCESS_ADMIN,  &reset_endpoint, NULL},
    {"/json",             false, ROUTE_POST, ACCESS_API,    &envoy_json_endpoint, NULL},
    {"/health",           false, ROUTE_READ, ACCESS_ANYONE, &health_endpoint, NULL},
    {"/ready",            false, ROUTE_READ, ACCESS_ANYONE, &ready_endpoint, NULL},
    {"/openapi.yaml",     false, ROUTE_READ, ACCESS_ANYONE, &openapi_endpoint, NULL},
};
/* clang-format on */

const struct route_table public_routes = {.routes = routes, .count = sizeof(routes) / sizeof(routes[0])};
