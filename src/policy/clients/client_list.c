#include "client_list.h"

#include <stdlib.h>

struct client_list *
client_list_new(void)
{
    struct client_list *list = calloc(1, sizeof(*list));

    if (list == NULL)
        return NULL;
    list->table = client_table_new();
    list->numbers = client_table_new();
    if (list->table != NULL && list->numbers != NULL)
        return list;
    client_list_free(list);
    return NULL;
}

void
client_list_free(struct client_list *list)
{
    if (list == NULL)
        return;
    for (uint32_t i = 0; i < list->treatment_count; i++) {
        cJSON_Delete(list->treatments[i].json);
        free(list->treatments[i].client);
    }
    free(list->treatments);
    client_table_free(list->table);
    client_table_free(list->numbers);
    free(list->longest);
    free(list->file);
    free(list);
}
