/*
 * public_routes: the paths of the public listener.
 */
#ifndef PUBLIC_ROUTES_H
#define PUBLIC_ROUTES_H

#include "routes.h"

extern const struct route_table public_routes;

#endif
