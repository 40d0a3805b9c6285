#include "admin_routes.h"

extern const struct endpoint analytics_endpoint, block_endpoint, client_quota_endpoint, dashboard_endpoint,
    dashboard_icon_endpoint, dashboard_script_endpoint, dashboard_style_endpoint, health_endpoint,
    history_endpoint, limit_endpoint, metrics_endpoint, metrics_public_endpoint, openapi_endpoint,
    overrides_endpoint, rates_endpoint, ready_endpoint, reset_endpoint, restore_endpoint, rules_endpoint,
    rules_reload_endpoint, status_endpoint;

/* clang-format off */
static const struct route routes[] = {
    {"/health",       false, ROUTE_READ, ACCESS_ANYONE,     &health_endpoint, NULL},
    {"/ready",        false, ROUTE_READ, ACCESS_ANYONE,     &ready_endpoint, NULL},
    {"/dashboard",    false, ROUTE_READ, ACCESS_ANYONE,     &dashboard_endpoint, NULL},
    {"/dashboard.css", false, ROUTE_READ, ACCESS_ANYONE,    &dashboard_style_endpoint, NULL},
    {"/dashboard.js", false, ROUTE_READ, ACCESS_ANYONE,     &dashboard_script_endpoint, NULL},
    {"/dashboard.svg", false, ROUTE_READ, ACCESS_ANYONE,    &dashboard_icon_endpoint, NULL},
    {"/metrics",      false, ROUTE_READ, ACCESS_ADMIN_READ, &metrics_endpoint, NULL},
    {"/openapi.yaml", false, ROUTE_READ, ACCESS_ADMIN_READ, &openapi_endpoint, NULL},
    {"/v1/rules",     false, ROUTE_READ, ACCESS_ADMIN_READ, &rules_endpoint, NULL},
    {"/v1/rules/reload", false, ROUTE_POST, ACCESS_ADMIN,   &rules_reload_endpoint, NULL},
    {"/v1/status",    false, ROUTE_READ, ACCESS_ADMIN_READ, &status_endpoint, NULL},
    {"/v1/rates",     false, ROUTE_READ, ACCESS_ADMIN_READ, &rates_endpoint, NULL},
    {"/v1/history",   false, ROUTE_READ, ACCESS_ADMIN_READ, &history_endpoint, NULL},
    {"/v1/analytics", false, ROUTE_READ, ACCESS_ADMIN_READ, &analytics_endpoint, NULL},
    {"/v1/clients",   false, ROUTE_READ, ACCESS_ADMIN_READ, &overrides_endpoint, NULL},
    {"/v1/clients/block", false, ROUTE_POST, ACCESS_ADMIN,  &block_endpoint, NULL},
    {"/v1/clients/limit", false, ROUTE_POST, ACCESS_ADMIN,  &limit_endpoint, NULL},
    {"/v1/clients/restore", false, ROUTE_POST, ACCESS_ADMIN, &restore_endpoint, NULL},
    {"/v1/clients",   true,  ROUTE_READ, ACCESS_ADMIN_READ, &client_quota_endpoint, NULL},
    {"/v1/reset",     false, ROUTE_POST, ACCESS_ADMIN,      &reset_endpoint, NULL},
};

static const struct route metrics_route = {
    "/metrics", false, ROUTE_READ, ACCESS_ANYONE, &metrics_public_endpoint, NULL};

/* For browsers: no page may frame, guess or keep an answer, and none of another site may read it. No CORS
   headers. */
static const struct route_header headers[] = {
    {"Cache-Control", "no-store"},
    {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Referrer-Policy", "no-referrer"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {NULL, NULL},
};
/* clang-format on */

const struct route_table admin_routes = {
    .routes = routes, .count = sizeof(routes) / sizeof(routes[0]), .headers = headers};
const struct route_table metrics_routes = {.routes = &metrics_route, .count = 1};
