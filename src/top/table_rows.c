#include "table_rows.h"

#include <stdlib.h>
#include <string.h>

#include "top_json.h"

struct table_rows
table_rows_of(const cJSON *list, const char *name_key, const char *filter)
{
    struct table_rows rows = {.list = calloc((size_t)cJSON_GetArraySize(list) + 1, sizeof(*rows.list))};
    const cJSON *values;

    if (rows.list == NULL)
        return rows;
    cJSON_ArrayForEach(values, list)
    {
        const char *name = top_json_text(values, name_key);
        if (strstr(name, filter) != NULL) {
            rows.list[rows.count] = (struct table_row){.values = values, .name = name, .place = rows.count};
            rows.count++;
        }
    }
    return rows;
}

void
table_rows_fini(struct table_rows *rows)
{
    free(rows->list);
    *rows = (struct table_rows){0};
}

static int
compare_ranks(const void *left, const void *right)
{
    const struct table_row *a = left, *b = right;

    if (a->rank != b->rank)
        return a->rank > b->rank ? -1 : 1;
    return a->place < b->place ? -1 : 1;
}

static int
compare_names(const void *left, const void *right)
{
    const struct table_row *a = left, *b = right;
    int order = strcmp(a->name, b->name);

    return order != 0 ? order : compare_ranks(left, right);
}

/* What is no number comes last. */
void
table_rows_sort(struct table_rows *rows, const char *key)
{
    for (size_t i = 0; i < rows->count; i++) {
        double number = top_json_number(rows->list[i].values, key);
        rows->list[i].rank = isfinite(number) ? number : -1;
    }
    if (rows->count > 1)
        qsort(rows->list, rows->count, sizeof(*rows->list), compare_ranks);
}

void
table_rows_sort_by_name(struct table_rows *rows)
{
    if (rows->count > 1)
        qsort(rows->list, rows->count, sizeof(*rows->list), compare_names);
}
