#include "routes.h"

#include <string.h>

const struct route *
route_find(const struct route_table *table, const char *path, size_t bytes)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct route *route = &table->routes[i];
        if (!route->is_subtree && strlen(route->path) == bytes && memcmp(route->path, path, bytes) == 0)
            return route;
    }
    return table->more != NULL ? route_find(table->more, path, bytes) : NULL;
}

const struct route *
route_find_subtree(const struct route_table *table, const char *path, const char **rest)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct route *route = &table->routes[i];
        size_t bytes = strlen(route->path);
        if (!route->is_subtree || strncmp(path, route->path, bytes) != 0)
            continue;
        *rest = path + bytes;
        if (**rest == '\0' || **rest == '/' || **rest == ':')
            return route;
    }
    return NULL;
}
