/*
 * client_body: what a request says is to be done with a client: {"client": "10.0.0.0/8", "rule": "api", "for": "10m"},
 * and for a limit the keys of a limit, or "limits", as in the rules file.
 *
 * Pure but for the keeper's list; the worker's thread.
 */
#ifndef CLIENT_BODY_H
#define CLIENT_BODY_H

#include "endpoint.h"
#include "json_body.h"
#include "override.h"
#include "report.h"

enum client_change_kind { CLIENT_BLOCK, CLIENT_LIMIT, CLIENT_RESTORE };

struct client_body {
    enum client_change_kind kind; /* set by the caller */
    char id[OVERRIDE_ID_BYTES + 1];
    char rule[RULE_NAME_BYTES + 1]; /* "": every rule */
    int64_t for_us;                 /* block, limit */
    struct override *override;      /* likewise; its end is not set. NULL: the caller has taken it */
    struct json_error error;
    struct report mistakes; /* of the limits */
};

/* False: client_body_problem says why. Either way to be given to client_body_fini. */
bool client_body_read(struct client_body *body, const struct endpoint_request *request);
struct response client_body_problem(const struct client_body *body, const struct endpoint_request *request);
void client_body_fini(struct client_body *body);

#endif
