/*
 * The pool's chunks are numbered, not pointed at: a number is half a pointer, and a log fits in 16 bytes.
 * Chunks past `untouched` have never been written, so the kernel has not given them memory yet.
 */
#include "window_log.h"

#include <assert.h>
#include <sys/mman.h>

bool
window_log_pool_init(struct window_log_pool *pool, uint32_t chunks)
{
    void *room = NULL;

    assert(chunks < CHUNK_NONE);
    if (chunks > 0) {
        room = mmap(NULL, (size_t)chunks * sizeof(struct window_log_chunk), PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (room == MAP_FAILED)
            return false;
    }
    *pool = (struct window_log_pool){.chunks = room, .capacity = chunks, .free_head = CHUNK_NONE};
    return true;
}

void
window_log_pool_fini(struct window_log_pool *pool)
{
    if (pool->chunks != NULL)
        munmap(pool->chunks, (size_t)pool->capacity * sizeof(struct window_log_chunk));
    *pool = (struct window_log_pool){.free_head = CHUNK_NONE};
}

uint32_t
window_log_pool_room(const struct window_log_pool *pool)
{
    return pool->free_count + (pool->capacity - pool->untouched);
}

/* Chunks that were used before come first: they have memory already. */
static uint32_t
chunk_take(struct window_log_pool *pool)
{
    uint32_t number = pool->free_head;

    assert(window_log_pool_room(pool) > 0);
    if (number != CHUNK_NONE) {
        pool->free_head = pool->chunks[number].next;
        pool->free_count--;
    } else {
        number = pool->untouched++;
    }
    pool->chunks[number].next = CHUNK_NONE;
    return number;
}

static void
chunk_give(struct window_log_pool *pool, uint32_t number)
{
    pool->chunks[number].next = pool->free_head;
    pool->free_head = number;
    pool->free_count++;
}

void
window_log_init(struct window_log *log)
{
    *log = (struct window_log){.head = CHUNK_NONE, .tail = CHUNK_NONE};
}

struct window_log_entry *
window_log_oldest(const struct window_log *log, const struct window_log_pool *pool)
{
    return log->head == CHUNK_NONE ? NULL : &pool->chunks[log->head].entries[log->first];
}

struct window_log_entry *
window_log_newest(const struct window_log *log, const struct window_log_pool *pool)
{
    return log->tail == CHUNK_NONE ? NULL : &pool->chunks[log->tail].entries[log->end - 1];
}

void
window_log_push(struct window_log *log, struct window_log_pool *pool, struct window_log_entry entry)
{
    if (log->tail == CHUNK_NONE || log->end == CHUNK_ENTRIES) {
        uint32_t number = chunk_take(pool);

        if (log->tail == CHUNK_NONE) {
            log->head = number;
            log->first = 0;
        } else {
            pool->chunks[log->tail].next = number;
        }
        log->tail = number;
        log->end = 0;
    }
    pool->chunks[log->tail].entries[log->end++] = entry;
    log->entry_count++;
}

void
window_log_pop(struct window_log *log, struct window_log_pool *pool)
{
    uint32_t head = log->head;

    assert(head != CHUNK_NONE);
    log->first++;
    log->entry_count--;
    if (head == log->tail && log->first == log->end) {
        chunk_give(pool, head);
        window_log_init(log);
    } else if (log->first == CHUNK_ENTRIES) {
        log->head = pool->chunks[head].next;
        log->first = 0;
        chunk_give(pool, head);
    }
}

void
window_log_clear(struct window_log *log, struct window_log_pool *pool)
{
    uint32_t number = log->head;

    while (number != CHUNK_NONE) {
        uint32_t next = pool->chunks[number].next;
        chunk_give(pool, number);
        number = next;
    }
    window_log_init(log);
}

struct window_log_cursor
window_log_begin(const struct window_log *log)
{
    return (struct window_log_cursor){.chunk = log->head, .index = log->first};
}

const struct window_log_entry *
window_log_next(const struct window_log *log, const struct window_log_pool *pool,
                struct window_log_cursor *cursor)
{
    if (cursor->chunk != CHUNK_NONE && cursor->chunk != log->tail && cursor->index == CHUNK_ENTRIES) {
        cursor->chunk = pool->chunks[cursor->chunk].next;
        cursor->index = 0;
    }
    if (cursor->chunk == CHUNK_NONE || (cursor->chunk == log->tail && cursor->index == log->end))
        return NULL;
    return &pool->chunks[cursor->chunk].entries[cursor->index++];
}
