/*
 * admin_routes: the paths of the admin listener. Their endpoints have the face of all endpoints (endpoint.h),
 * and run in the loop of that listener's worker.
 */
#ifndef ADMIN_ROUTES_H
#define ADMIN_ROUTES_H

#include "routes.h"

extern const struct route_table admin_routes;

/* What the public listener has besides its own with METRICS_PUBLIC=on. */
extern const struct route_table metrics_routes;

#endif
