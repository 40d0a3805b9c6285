/*
 * decision_stream: carries records of decisions from the workers to one reader.
 *
 *      worker 0 ──► its ring ─┐
 *      worker 1 ──► its ring ─┼──► decision_stream_drain ──► a function, once a record
 *      ...                    ┘
 *
 * A ring has one writer and one reader, so it needs no lock: the writer alone moves `written`, the reader
 * alone moves `read`, and both only grow. Records differ in size, and may wrap around the end of the ring. A
 * record that does not fit is dropped and counted: no decision waits for the reader.
 */
#ifndef DECISION_STREAM_H
#define DECISION_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decision_record.h"

#define DECISION_RING_BYTES (1024 * 1024) /* of each worker; a power of two */

struct decision_ring;
struct decision_stream;

/* With a ring for each worker. NULL with errno. */
struct decision_stream *decision_stream_new(unsigned workers);
void decision_stream_free(struct decision_stream *stream); /* NULL is allowed */

/* The ring of a worker, by its number. */
struct decision_ring *decision_stream_ring(struct decision_stream *stream, unsigned worker);

/* Only by the ring's worker. The texts are copied. */
void decision_ring_write(struct decision_ring *ring, const struct decision_record *record);

/* The rest is for the reader. */

/* Becomes readable when a ring is half full, and stays so until the next drain. */
int decision_stream_fd(const struct decision_stream *stream);

/* Calls `take` for each record, at most `max` of each ring; its texts are valid until `take` returns. True:
   there may be more. */
bool decision_stream_drain(struct decision_stream *stream, unsigned max,
                           void (*take)(void *arg, const struct decision_record *record), void *arg);

/* Records since the start; any thread. Of NULL: none. */
struct decision_stream_counts {
    uint64_t seen, dropped; /* dropped ones are seen, too */
};
struct decision_stream_counts decision_stream_counts(const struct decision_stream *stream);

#endif
