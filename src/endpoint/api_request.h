/*
 * api_request: a request of the JSON API, from body to answer.
 *
 *      SCAN ──► ROOT ──► PARSE ──► ASK ──► WAIT ──► WRITE ──► ENDED
 *        │ the text       │ an element     │ until the last   │ a check's part of the answer of a list
 *        │ is checked     │ becomes a      │ check is
 *        └► ENDED, for    │ check          │ answered
 *           an error      └► ENDED         └─ the checks go to the store
 *
 * A stage is made of steps that are short. Those of a small request follow at once; a long one gives other
 * requests room between two of them (turns.h).
 */
#ifndef API_REQUEST_H
#define API_REQUEST_H

#include "checks.h"
#include "endpoint.h"
#include "json_body.h"
#include "text.h"
#include "turns.h"

/* Up to this, a body is small: at worst it takes as long as some ten plain requests. */
#define API_SMALL_BYTES 256

/* Up to this, checks need not wait for others, in limit_work. Nor need a single one of a cost up to 1, which
   is what a plain request asks. */
#define API_SMALL_WORK 64

struct api_request;

/* What differs between the endpoints. `api` is their state, to be read and written. */
struct api {
    bool is_list;  /* the checks are the elements of a list; otherwise the body is the only one */
    bool is_reset; /* forget the clients instead of deciding */

    /* Reads the root that has the list. NULL without one. False: api->error ends the
       request; without a status, it is out of memory. */
    bool (*read_root)(struct api_request *api, const cJSON *root);
    bool (*read_check)(struct api_request *api, const cJSON *object, struct check *check);

    /* The answer of a list: what it begins with, unless it needs no list, and each check's part of it. */
    size_t (*answer_bytes)(const struct api_request *api);
    void (*write_check)(struct api_request *api, uint32_t index);

    /* The answer to a request without errors. */
    struct response (*finish)(struct api_request *api);
};

enum api_stage { API_SCAN, API_ROOT, API_PARSE, API_ASK, API_WAIT, API_WRITE, API_ENDED };

struct api_request {
    const struct api *api;
    struct endpoint_request *request;
    struct turn turn;
    enum api_stage stage;
    bool out_of_memory;
    bool abandoned; /* the service ends */
    struct json_error error;
    struct json_body body;
    cJSON *root; /* of a list; the list's elements are not in it */
    struct checks *checks;
    uint32_t parsed, written; /* of the checks */
    uint32_t work;            /* of all checks */
    struct text text;         /* of the answer; NULL unless it is a list's */
    const char *domain;       /* envoy_json's; of the root */
    int64_t hits;             /* likewise; 0: none */
};

/* An endpoint of the JSON API; its `kind` is its struct api. */
#define API_ENDPOINT(...)                                                             \
    {                                                                                 \
        .reads_body = true, .start = api_request_start, .finish = api_request_finish, \
        .free = api_request_free, __VA_ARGS__                                         \
    }
enum endpoint_status api_request_start(struct endpoint_request *request);
struct response api_request_finish(struct endpoint_request *request);
void api_request_free(struct endpoint_request *request, bool pending);

#endif
