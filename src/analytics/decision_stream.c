#include "decision_stream.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "clock.h"
#include "counter.h"

#define HALF (DECISION_RING_BYTES / 2)

struct decision_ring {
    /* The worker's. */
    _Atomic uint64_t written; /* bytes since the start */
    uint64_t known_read;      /* `read`, when it was last looked at */
    counter seen, dropped;
    int wake;

    _Atomic uint64_t read __attribute__((aligned(64))); /* the reader's */

    char bytes[DECISION_RING_BYTES] __attribute__((aligned(64)));
};

struct decision_stream {
    int wake; /* eventfd */
    unsigned count;
    struct decision_ring *rings;
};

struct decision_stream *
decision_stream_new(unsigned workers)
{
    struct decision_stream *stream = calloc(1, sizeof(*stream));

    if (stream == NULL)
        return NULL;
    stream->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    stream->rings = aligned_alloc(64, workers * sizeof(struct decision_ring));
    if (stream->wake < 0 || stream->rings == NULL) {
        decision_stream_free(stream);
        return NULL;
    }
    stream->count = workers;
    for (unsigned i = 0; i < workers; i++) {
        memset(&stream->rings[i], 0, offsetof(struct decision_ring, bytes));
        stream->rings[i].wake = stream->wake;
    }
    return stream;
}

void
decision_stream_free(struct decision_stream *stream)
{
    if (stream == NULL)
        return;
    if (stream->wake >= 0)
        close(stream->wake);
    free(stream->rings);
    free(stream);
}

struct decision_ring *
decision_stream_ring(struct decision_stream *stream, unsigned worker)
{
    assert(worker < stream->count);
    return &stream->rings[worker];
}

/* A record in a ring is the struct, whose pointers mean nothing there, and its texts with their zeros. */
static size_t
text_bytes(const struct decision_record *record)
{
    return record->rule.bytes + record->client.bytes + record->trace_id.bytes + 3;
}

/* Few wrap around the end of the ring. Returns where the next bytes go. */
static inline uint64_t
put(struct decision_ring *ring, uint64_t at, const void *bytes, size_t count)
{
    size_t start = at % DECISION_RING_BYTES, room = DECISION_RING_BYTES - start;

    if (count <= room) {
        memcpy(ring->bytes + start, bytes, count);
    } else {
        memcpy(ring->bytes + start, bytes, room);
        memcpy(ring->bytes, (const char *)bytes + room, count - room);
    }
    return at + count;
}

static inline uint64_t
get(const struct decision_ring *ring, uint64_t at, void *bytes, size_t count)
{
    size_t start = at % DECISION_RING_BYTES, room = DECISION_RING_BYTES - start;

    if (count <= room) {
        memcpy(bytes, ring->bytes + start, count);
    } else {
        memcpy(bytes, ring->bytes + start, room);
        memcpy((char *)bytes + room, ring->bytes, count - room);
    }
    return at + count;
}

/* How much of the ring is in use up to `end`; reads `read` again only if that may be more than `enough`. */
static uint64_t
used(struct decision_ring *ring, uint64_t end, uint64_t enough)
{
    if (end - ring->known_read > enough)
        ring->known_read = atomic_load_explicit(&ring->read, memory_order_acquire);
    return end - ring->known_read;
}

/* When a record fills the first half of the ring: the reader's own timer may be too late. */
static void
wake(struct decision_ring *ring, uint64_t before, uint64_t after)
{
    bool is_crossing = before - ring->known_read <= HALF && after - ring->known_read > HALF;

    if (is_crossing && used(ring, after, HALF) > HALF)
        eventfd_write(ring->wake, 1);
}

void
decision_ring_write(struct decision_ring *ring, const struct decision_record *record)
{
    uint64_t start = atomic_load_explicit(&ring->written, memory_order_relaxed), at = start;

    assert(record->rule.bytes <= RULE_NAME_BYTES && record->client.bytes <= CLIENT_BYTES &&
           record->trace_id.bytes <= TRACE_ID_BYTES);
    counter_add(&ring->seen, 1);
    if (used(ring, start + sizeof(*record) + text_bytes(record), DECISION_RING_BYTES) > DECISION_RING_BYTES) {
        counter_add(&ring->dropped, 1);
        return;
    }
    at = put(ring, at, record, sizeof(*record));
    at = put(ring, at, record->rule.text, record->rule.bytes + 1);
    at = put(ring, at, record->client.text, record->client.bytes + 1);
    at = put(ring, at, record->trace_id.text, record->trace_id.bytes + 1);
    atomic_store_explicit(&ring->written, at, memory_order_release);
    wake(ring, start, at);
}

int
decision_stream_fd(const struct decision_stream *stream)
{
    return stream->wake;
}

static uint64_t
read_record(const struct decision_ring *ring, uint64_t at, struct decision_record *record, char *texts)
{
    at = get(ring, at, record, sizeof(*record));
    at = get(ring, at, texts, text_bytes(record));
    record->rule.text = texts;
    record->client.text = record->rule.text + record->rule.bytes + 1;
    record->trace_id.text = record->client.text + record->client.bytes + 1;
    return at;
}

/* Frees the place of each record before it reads the next, so that the worker has room at once. */
static bool
drain_ring(struct decision_ring *ring, unsigned max, int64_t now_us,
           void (*take)(void *arg, const struct decision_record *record), void *arg)
{
    char texts[RULE_NAME_BYTES + CLIENT_BYTES + TRACE_ID_BYTES + 3];
    uint64_t at = atomic_load_explicit(&ring->read, memory_order_relaxed);
    uint64_t end = atomic_load_explicit(&ring->written, memory_order_acquire);
    struct decision_record record;

    while (at != end && max-- > 0) {
        at = read_record(ring, at, &record, texts);
        atomic_store_explicit(&ring->read, at, memory_order_release);
        record.at_us = now_us;
        take(arg, &record);
    }
    return at != end;
}

bool
decision_stream_drain(struct decision_stream *stream, unsigned max,
                      void (*take)(void *arg, const struct decision_record *record), void *arg)
{
    int64_t now_us = clock_wall_us();
    bool more = false;
    eventfd_t ignored;

    eventfd_read(stream->wake, &ignored);
    for (unsigned i = 0; i < stream->count; i++)
        more |= drain_ring(&stream->rings[i], max, now_us, take, arg);
    return more;
}

struct decision_stream_counts
decision_stream_counts(const struct decision_stream *stream)
{
    struct decision_stream_counts counts = {0};

    for (unsigned i = 0; stream != NULL && i < stream->count; i++) {
        counts.dropped += counter_value(&stream->rings[i].dropped);
        counts.seen += counter_value(&stream->rings[i].seen);
    }
    return counts;
}
