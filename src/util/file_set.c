#include "file_set.h"

#include <stdlib.h>
#include <string.h>

void
file_set_fini(struct file_set *set)
{
    for (uint32_t i = 0; i < set->count; i++)
        free(set->items[i].path);
    free(set->items);
    *set = (struct file_set){0};
}

bool
file_set_has(const struct file_set *set, const char *path)
{
    for (uint32_t i = 0; i < set->count; i++)
        if (strcmp(set->items[i].path, path) == 0)
            return true;
    return false;
}

bool
file_set_add(struct file_set *set, const char *path, const struct file_version *version, const char *text,
             size_t bytes)
{
    struct file_set_item item = {.path = strdup(path), .version = *version, .has_digest = text != NULL};
    struct file_set_item *items = NULL;

    if (text != NULL)
        item.digest = siphash128((struct siphash_key){0}, text, bytes);
    if (file_set_has(set, path)) {
        free(item.path);
        return true;
    }
    if (item.path != NULL)
        items = realloc(set->items, (set->count + 1) * sizeof(item));
    if (items == NULL) {
        free(item.path);
        return false;
    }
    set->items = items;
    set->items[set->count++] = item;
    return true;
}

static bool
says_the_same(const struct file_set_item *a, const struct file_set_item *b)
{
    if (a->has_digest && b->has_digest)
        return siphash_equals(a->digest, b->digest);
    return a->has_digest == b->has_digest && file_version_equals(&a->version, &b->version);
}

bool
file_set_equals(const struct file_set *a, const struct file_set *b)
{
    if (a->count != b->count)
        return false;
    for (uint32_t i = 0; i < a->count; i++)
        if (strcmp(a->items[i].path, b->items[i].path) != 0 || !says_the_same(&a->items[i], &b->items[i]))
            return false;
    return true;
}
