/*
 * refusal: what a line of the log of refusals says, and how it is written.
 *
 *   text  ... INFO  refusals: client refused rule=api client="ip=203.0.113.9" result=refused limit=10 window=1m
 *         retry_after=6 suppressed=812
 *   json  {..., "message":"client refused","rule":"api","client":"ip=203.0.113.9","result":"refused","limit":10,
 *         "window":"1m","retry_after":6,"suppressed":812,"trace_id":"0af7651916cd43dd8448eb211c80319c"}
 *
 * Any thread.
 */
#ifndef REFUSAL_H
#define REFUSAL_H

#include <stdbool.h>
#include <stdint.h>

#include "client.h"
#include "decision_record.h"
#include "rule_name.h"
#include "siphash.h"
#include "traceparent.h"

/* How clients are shown. */
enum client_display {
    CLIENTS_ADDRESSES, /* addresses and hosts as they are; all else, which may be secret, hashed */
    CLIENTS_PLAIN,
    CLIENTS_HASH,
};

struct refusal {
    enum decision_result result;
    bool shadow; /* the request passed: the rule is a shadow */
    int64_t limit, window_us, retry_after_us;
    char rule[RULE_NAME_BYTES + 1];
    char client[CLIENT_BYTES + 1]; /* as keys have it; "": the store was unavailable, for all clients */
    struct trace_id_text trace_id; /* of one of the requests */
};

/* From a record whose result is not RESULT_ALLOWED. */
void refusal_init(struct refusal *refusal, const struct decision_record *record);

/* The client as shown. Hashed: the source of each part, "=#" and 64 bits of its keyed hash:
   header:x-api-key=#0123456789abcdef&ip=203.0.113.9 */
/* The shortest part, "=&", becomes 19 bytes, and there are 64 of it at most. */
#define SHOWN_CLIENT_BYTES 1280
struct shown_client {
    char text[SHOWN_CLIENT_BYTES];
};
struct shown_client shown_client(const char *client, enum client_display display, struct siphash_key key);

/* Writes the line. `suppressed`: how many more there were without a line. */
void refusal_tell(const struct refusal *refusal, const char *shown_client, uint64_t suppressed);

#endif
