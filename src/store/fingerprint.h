/*
 * fingerprint: the key of a subject in tables in memory: 128 bits of a keyed hash (util/siphash.h) of client
 * and rule, from which each limit of the rule derives its own. Pure; any thread.
 */
#ifndef FINGERPRINT_H
#define FINGERPRINT_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "client.h"
#include "siphash.h"
#include "store.h"

#define SUBJECT_BYTES (CLIENT_BYTES + 1 + 255)

/* Writes the part of the subject that is hashed; returns the number of bytes, at most SUBJECT_BYTES. */
static inline size_t
subject_write(char *out, const struct store_subject *subject)
{
    size_t client_bytes = subject->client->bytes, rule_bytes = strlen(subject->rule);

    assert(rule_bytes <= 255);
    memcpy(out, subject->client->text, client_bytes);
    out[client_bytes] = '\n'; /* in neither part, so the text is unambiguous */
    memcpy(out + client_bytes + 1, subject->rule, rule_bytes);
    return client_bytes + 1 + rule_bytes;
}

/* The fingerprint of a limit, by its index in the rule. */
static inline struct siphash
limit_fingerprint(struct siphash fingerprint, uint32_t index)
{
    fingerprint.low += index * UINT64_C(0x9e3779b97f4a7c15); /* odd: distinct for each index, far apart */
    return fingerprint;
}

#endif
