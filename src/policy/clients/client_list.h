/*
 * client_list: one list of clients that differ, as written in a rule or in a file. What is written for a
 * client, its *treatment*, is the same for many, so each different one is kept once and has a number. What it
 * means is for each rule that uses the list to say (clients_reader.c).
 *
 *     {"gold-key": {"limit": 1000}, "10.0.0.0/8": "unlimited"}        in a rule, or in a file
 *
 *     # a file may also have a line for each
 *     gold-key      {"limit": 1000}
 *     10.0.0.0/8    unlimited
 *
 * Filled by one thread, and immutable from then on.
 */
#ifndef CLIENT_LIST_H
#define CLIENT_LIST_H

#include <cjson/cJSON.h>

#include "client_table.h"
#include "stringify.h"

#define LIST_CLIENTS_MAX    4000000
#define LIST_TREATMENTS_MAX 65536     /* different ones */
#define LIST_FILE_BYTES     268435456 /* of a file of lines */
#define LIST_JSON_BYTES     4194304   /* of a file in JSON, which is in memory as a tree while it is read */
#define LIST_MISTAKES_MAX   20        /* reported of one list; then reading ends */

struct written_treatment {
    cJSON *json;  /* "unlimited", "blocked", or an object with limits */
    char *client; /* the first that has it, */
    size_t line;  /* and where: of a file of lines; else 0 */
};

struct client_list {
    char *file;                           /* NULL: it is in a rule */
    uint64_t version;                     /* of the file: of what was read, where it was read; else 0 */
    struct client_table *table;           /* its values are numbers of treatments, from 1 */
    struct written_treatment *treatments; /* by number - 1 */
    uint32_t treatment_count, treatment_capacity;
    struct client_table *numbers; /* of treatments, by their text; only while the list is read */
    char *longest;                /* the longest name without a source; NULL: none */
    size_t longest_bytes;         /* in a client's text, from the `=` on */
};

/* Empty; NULL when out of memory. */
struct client_list *client_list_new(void);
void client_list_free(struct client_list *list); /* NULL is allowed */

#endif
