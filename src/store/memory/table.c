#include "table.h"

#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>

/* Entries that the hand examines at each insertion. A full round takes capacity / 8 insertions, so expired
   entries are found long before the table is full. */
#define SWEEP_STEP 8

/* Entries that it examines before a live one is evicted. */
#define SWEEP_BEFORE_EVICTION 64

/* Marked entries that one eviction may pass over: the bound keeps it short. */
#define SECOND_CHANCES 64

static void *
reserve(size_t bytes)
{
    void *room =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return room == MAP_FAILED ? NULL : room;
}

static size_t
entries_bytes(const struct table *table)
{
    return ((size_t)table->capacity + 1) * sizeof(struct table_entry);
}

static size_t
buckets_bytes(const struct table *table)
{
    return ((size_t)table->bucket_mask + 1) * sizeof(uint32_t);
}

bool
table_init(struct table *table, uint32_t capacity, uint32_t log_chunks)
{
    uint32_t buckets = 16;

    while (buckets < capacity)
        buckets *= 2;
    *table = (struct table){.capacity = capacity, .bucket_mask = buckets - 1, .untouched = 1, .hand = 1};
    if (!window_log_pool_init(&table->pool, log_chunks))
        return false;
    table->entries = reserve(entries_bytes(table));
    table->buckets = reserve(buckets_bytes(table));
    if (table->entries == NULL || table->buckets == NULL) {
        table_fini(table);
        return false;
    }
    return true;
}

void
table_fini(struct table *table)
{
    if (table->entries)
        munmap(table->entries, entries_bytes(table));
    if (table->buckets)
        munmap(table->buckets, buckets_bytes(table));
    window_log_pool_fini(&table->pool);
    *table = (struct table){0};
}

size_t
table_bytes(const struct table *table)
{
    return (table->untouched - 1) * (sizeof(struct table_entry) + sizeof(uint32_t)) +
           table->pool.untouched * sizeof(struct window_log_chunk);
}

static uint32_t
number_of(const struct table *table, const struct table_entry *entry)
{
    return (uint32_t)(entry - table->entries);
}

static uint32_t *
bucket_of(struct table *table, struct siphash fingerprint)
{
    return &table->buckets[fingerprint.low & table->bucket_mask];
}

struct table_entry *
table_find(struct table *table, struct siphash fingerprint)
{
    for (uint32_t number = *bucket_of(table, fingerprint); number != 0;
         number = table->entries[number].chain) {
        struct table_entry *entry = &table->entries[number];
        if (siphash_equals(entry->fingerprint, fingerprint))
            return entry;
    }
    return NULL;
}

/* Recency lists. */

static void
list_detach(struct table *table, struct table_entry *entry)
{
    if (entry->newer != 0)
        table->entries[entry->newer].older = entry->older;
    else
        table->newest[entry->list] = entry->older;
    if (entry->older != 0)
        table->entries[entry->older].newer = entry->newer;
    else
        table->oldest[entry->list] = entry->newer;
}

static void
list_attach(struct table *table, struct table_entry *entry, enum table_list list)
{
    uint32_t number = number_of(table, entry);

    entry->list = (uint8_t)list;
    entry->recent = false;
    entry->newer = 0;
    entry->older = table->newest[list];
    if (entry->older != 0)
        table->entries[entry->older].newer = number;
    else
        table->oldest[list] = number;
    table->newest[list] = number;
}

void
table_touch(struct table *table, struct table_entry *entry, enum table_list list, int64_t full_at_us)
{
    entry->full_at_us = full_at_us;
    if (entry->list == list) {
        entry->recent = entry->newer != 0; /* the newest needs no mark */
        return;
    }
    list_detach(table, entry);
    list_attach(table, entry, list);
}

void
table_remove(struct table *table, struct table_entry *entry)
{
    uint32_t *link = bucket_of(table, entry->fingerprint);
    uint32_t number = number_of(table, entry);

    while (*link != number)
        link = &table->entries[*link].chain;
    *link = entry->chain;
    list_detach(table, entry);
    if (entry->has_log)
        window_log_clear(&entry->state.sliding_window.log, &table->pool);
    entry->list = TABLE_FREE;
    entry->chain = table->free_head;
    table->free_head = number;
    table->used--;
}

/* Eviction. */

static struct table_entry *
hand_advance(struct table *table)
{
    struct table_entry *entry = &table->entries[table->hand];

    if (++table->hand >= table->untouched)
        table->hand = 1;
    return entry;
}

/* Frees the entries whose quota is full among the next `steps` of the hand; stops when `enough` were
   freed. */
static void
sweep(struct table *table, uint32_t steps, uint32_t enough, int64_t now_us)
{
    uint32_t freed = 0;

    for (; steps > 0 && freed < enough && table->used > 0; steps--) {
        struct table_entry *entry = hand_advance(table);
        if (entry->list != TABLE_FREE && entry->full_at_us <= now_us) {
            table_remove(table, entry);
            freed++;
        }
    }
}

static bool
has_free_entry(const struct table *table)
{
    return table->free_head != 0 || table->untouched <= table->capacity;
}

/* The oldest entry that is neither marked nor pinned. Up to SECOND_CHANCES marked ones lose their mark and
   become the newest on the way. */
static struct table_entry *
find_victim(struct table *table, enum table_list list)
{
    uint32_t chances = SECOND_CHANCES, newer;

    for (uint32_t number = table->oldest[list]; number != 0; number = newer) {
        struct table_entry *entry = &table->entries[number];
        newer = entry->newer;
        if (entry->full_at_us == TABLE_PINNED)
            continue;
        if (!entry->recent || newer == 0 || chances == 0)
            return entry;
        list_detach(table, entry);
        list_attach(table, entry, list);
        chances--;
    }
    return NULL;
}

/* Evicts an entry, one that is not refused if there is any. */
static void
evict(struct table *table)
{
    struct table_entry *victim = find_victim(table, TABLE_IDLE);

    if (victim == NULL)
        victim = find_victim(table, TABLE_REFUSED);
    if (victim == NULL)
        abort(); /* a bug: every entry is pinned */
    table_remove(table, victim);
    table->evicted++;
}

static uint32_t
take_free_number(struct table *table)
{
    uint32_t number = table->free_head;

    if (number == 0)
        return table->untouched++;
    table->free_head = table->entries[number].chain;
    return number;
}

struct table_entry *
table_insert(struct table *table, struct siphash fingerprint, bool has_log, int64_t now_us)
{
    struct table_entry *entry;
    uint32_t *bucket = bucket_of(table, fingerprint);
    uint32_t number;

    sweep(table, SWEEP_STEP, SWEEP_STEP, now_us);
    if (!has_free_entry(table))
        sweep(table, SWEEP_BEFORE_EVICTION, 1, now_us);
    if (!has_free_entry(table))
        evict(table);

    number = take_free_number(table);
    entry = &table->entries[number];
    entry->fingerprint = fingerprint;
    entry->has_log = has_log;
    entry->full_at_us = TABLE_PINNED;
    entry->chain = *bucket;
    *bucket = number;
    list_attach(table, entry, TABLE_IDLE);
    table->used++;
    return entry;
}

/* One round of the hand over the sliding windows that are not pinned: those not refused, or all. */
static void
drop_logs(struct table *table, uint32_t chunks, bool refused_too, int64_t now_us)
{
    for (uint32_t steps = table->untouched; steps > 1 && table->used > 0; steps--) {
        struct table_entry *entry = hand_advance(table);
        if (window_log_pool_room(&table->pool) >= chunks)
            return;
        if (entry->list == TABLE_FREE || !entry->has_log || entry->full_at_us == TABLE_PINNED)
            continue;
        if (entry->list == TABLE_REFUSED && !refused_too && entry->full_at_us > now_us)
            continue;
        table->evicted += entry->full_at_us > now_us;
        table_remove(table, entry);
    }
}

bool
table_make_log_room(struct table *table, uint32_t chunks, int64_t now_us)
{
    for (int refused_too = 0; refused_too <= 1 && window_log_pool_room(&table->pool) < chunks; refused_too++)
        drop_logs(table, chunks, refused_too != 0, now_us);
    return window_log_pool_room(&table->pool) >= chunks;
}
