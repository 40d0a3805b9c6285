/*
 * list_reader: the two files that read a list of clients that differ (client_list.h).
 *
 *     list_reader.c   object in a rule ─────────────► its entries ─┬─► name ──► client_table
 *     list_file.c     file in JSON ──► json_text ──────────┘        └─► treatment: seen before? its number
 *                     file of lines ───────────────────────┘
 *
 * Mistakes are collected, as by the other readers, up to LIST_MISTAKES_MAX.
 */
#ifndef LIST_READER_H
#define LIST_READER_H

#include "client_list.h"
#include "rules_reader.h"

/* Reads the object at the place, or the file that is named there. Its mistakes go to the report; the list is
   then incomplete. NULL when out of memory, which is in the report too. */
struct client_list *client_list_read(const struct place *at);
struct client_list *client_list_read_file(const struct place *at, const char *path);

struct list_reader {
    struct rules_reader rules; /* its file and line are those of the list */
    struct place place;        /* of the clients */
    struct client_list *list;  /* NULL: out of memory, which has been reported */
    size_t before;             /* lines of the report that were there before */
    bool ended;                /* nothing more is read */
};

void list_begin(struct list_reader *reader, const struct place *place);
struct client_list *list_end(struct list_reader *reader);

/* A mistake in a client, or in its place in the list; the second also ends the reading. */
void list_add_mistake(struct list_reader *reader, const char *client, const char *why);
void list_end_with(struct list_reader *reader, const char *client, const char *why);

/* Ends the reading once there are too many. */
void list_check_mistakes(struct list_reader *reader);

/* The number of a treatment by its text, JSON without blanks or a word; 0: it is new. `*name` is for
   list_add_treatment. */
uint32_t list_find_treatment(const struct list_reader *reader, const char *text, struct client_name *name);

/* The number of a new treatment; 0: a mistake, which has been reported. `json` is taken; NULL: out of
   memory. */
uint32_t list_add_treatment(struct list_reader *reader, const char *client, const struct client_name *text,
                            cJSON *json);

void list_add_client(struct list_reader *reader, const char *client, uint32_t treatment);

/* All clients of the object at the list's place. */
void list_read_object(struct list_reader *reader);

#endif
