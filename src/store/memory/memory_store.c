#include "memory_store.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "algorithm.h"
#include "fingerprint.h"
#include "table.h"

/* Enough shards that workers seldom contend; few enough that small tables are not fragmented. */
#define SHARDS_MAX         64
#define KEYS_PER_SHARD_MIN 1024

/* Room for logs: chunks per key on average; and in every shard room for more of the largest logs than one
   request can have, so that room for one more moment can always be made. */
#define CHUNKS_PER_KEY 4
#define LARGEST_LOGS   (LIMIT_SET_MAX + 1)

struct shard {
    pthread_mutex_t lock;
    struct table table;
} __attribute__((aligned(64)));

struct memory_store {
    struct store store;
    struct memory_store_options options;
    struct siphash_key hash_key;
    uint32_t shard_count; /* a power of two */
    struct shard *shards;
};

/* One limit of the request being decided. */
struct limit_slot {
    struct table_entry *entry;   /* NULL: the client is not in the table */
    union algorithm_state fresh; /* the state of a new client */
    union algorithm_state *state;
};

static struct memory_store *
memory_store_of(struct store *store)
{
    return (struct memory_store *)store;
}

/* The fingerprint of the client under the rule, from which those of its limits derive. */
static struct siphash
subject_fingerprint(const struct memory_store *memory, const struct store_subject *subject)
{
    char text[SUBJECT_BYTES];

    return siphash128(memory->hash_key, text, subject_write(text, subject));
}

/* The fingerprint of a limit. Limits that cannot read each other's states, after a change of the rule, have
   different ones. */
static struct siphash
state_fingerprint(struct siphash fingerprint, uint32_t index, const struct limit *limit)
{
    bool is_bucket = limit->algorithm == TOKEN_BUCKET;
    uint64_t period = (uint64_t)(is_bucket ? limit->units_per_token : limit->window_us);

    fingerprint = limit_fingerprint(fingerprint, index);
    fingerprint.high += (period * ALGORITHM_COUNT + limit->algorithm) * UINT64_C(0x9e3779b97f4a7c15);
    fingerprint.high ^= (uint64_t)limit->units_per_us;
    return fingerprint;
}

static struct siphash
penalty_fingerprint(struct siphash fingerprint)
{
    return limit_fingerprint(fingerprint, LIMIT_SET_MAX); /* which is no limit's index */
}

/* Finds the state, or makes a new one, and advances it to `now_us`. */
static void
slot_load(struct limit_slot *slot, struct table *table, struct siphash fingerprint, const struct limit *limit,
          int64_t now_us)
{
    slot->entry = table_find(table, fingerprint);
    if (slot->entry != NULL) {
        slot->entry->full_at_us = TABLE_PINNED;
        slot->state = &slot->entry->state;
    } else {
        slot->state = &slot->fresh;
        algorithm_init(limit, slot->state, now_us);
    }
    algorithm_advance(limit, slot->state, &table->pool, now_us);
}

static void
slot_spend(struct limit_slot *slot, struct table *table, struct siphash fingerprint,
           const struct limit *limit, int64_t now_us, int64_t cost)
{
    if (slot->entry == NULL) {
        slot->entry = table_insert(table, fingerprint, limit->algorithm == SLIDING_WINDOW, now_us);
        slot->entry->state = slot->fresh;
        slot->state = &slot->entry->state;
    }
    algorithm_spend(limit, slot->state, &table->pool, now_us, cost);
}

/* Unpins the entry, or removes it if its quota is full. */
static void
slot_release(struct limit_slot *slot, struct table *table, const struct decision *decision, int64_t now_us)
{
    if (slot->entry == NULL)
        return;
    if (decision->reset_after_us == 0)
        table_remove(table, slot->entry);
    else
        table_touch(table, slot->entry, decision->allowed ? TABLE_IDLE : TABLE_REFUSED,
                    now_us + decision->reset_after_us);
}

/* Counts a refusal by the limits, and refuses a penalised client. Clients that were never refused have no
   entry. */
static void
penalise(struct table *table, struct siphash fingerprint, struct store_request *request, int64_t now_us)
{
    const struct penalty *penalty = request->subject.penalty;
    struct table_entry *entry = table_find(table, fingerprint);
    int64_t reset_after_us;

    if (entry == NULL && request->allowed)
        return;
    if (entry == NULL) {
        entry = table_insert(table, fingerprint, false, now_us);
        entry->penalty = (struct penalty_state){0};
    }
    penalty_advance(penalty, &entry->penalty, now_us);
    if (!request->allowed && penalty_rest_us(&entry->penalty, now_us) == 0)
        penalty_refuse(penalty, &entry->penalty, now_us);
    request->penalty_us = penalty_rest_us(&entry->penalty, now_us);
    request->allowed &= request->penalty_us == 0;
    reset_after_us = penalty_reset_after_us(penalty, &entry->penalty, now_us);
    if (reset_after_us == 0)
        table_remove(table, entry);
    else
        table_touch(table, entry, request->allowed ? TABLE_IDLE : TABLE_REFUSED, now_us + reset_after_us);
}

/* Makes room in the pool for a spend on every limit. */
static void
make_log_room(struct table *table, const struct limit_set *limits, int64_t now_us)
{
    uint32_t chunks = 0;
    bool made;

    for (uint32_t i = 0; i < limits->count; i++)
        chunks += limits->limits[i].algorithm == SLIDING_WINDOW;
    if (chunks <= window_log_pool_room(&table->pool))
        return;
    made = table_make_log_room(table, chunks, now_us);
    assert(made); /* see LARGEST_LOGS */
}

/* Decides all limits under the shard's lock: the cost fits all of them and there is no penalty, or nothing is
   spent. */
static void
decide(struct table *table, struct siphash fingerprint, struct store_request *request, int64_t now_us)
{
    const uint32_t count = request->subject.limits->count;
    const struct limit *limits = request->subject.limits->limits;
    struct limit_slot slots[LIMIT_SET_MAX];
    bool fits[LIMIT_SET_MAX] = {false};

    request->allowed = true;
    request->penalty_us = 0;
    for (uint32_t i = 0; i < count; i++) {
        slot_load(&slots[i], table, state_fingerprint(fingerprint, i, &limits[i]), &limits[i], now_us);
        fits[i] = algorithm_fits(&limits[i], slots[i].state, now_us, request->cost);
        request->allowed &= fits[i];
    }
    if (request->subject.penalty != NULL)
        penalise(table, penalty_fingerprint(fingerprint), request, now_us);
    if (request->allowed && request->cost > 0) {
        make_log_room(table, request->subject.limits, now_us);
        for (uint32_t i = 0; i < count; i++)
            slot_spend(&slots[i], table, state_fingerprint(fingerprint, i, &limits[i]), &limits[i], now_us,
                       request->cost);
    }
    for (uint32_t i = 0; i < count; i++) {
        algorithm_report(&limits[i], slots[i].state, &table->pool, now_us, request->cost, fits[i],
                         &request->decisions[i]);
        slot_release(&slots[i], table, &request->decisions[i], now_us);
    }
    if (request->penalty_us > 0)
        penalty_apply(request->decisions, count, request->penalty_us);
}

static enum store_status
memory_store_take(struct store *store, struct store_request *request)
{
    struct memory_store *memory = memory_store_of(store);
    struct siphash fingerprint = subject_fingerprint(memory, &request->subject);
    struct shard *shard = &memory->shards[fingerprint.high & (memory->shard_count - 1)];

    assert(request->subject.limits->count >= 1 && request->subject.limits->count <= LIMIT_SET_MAX);
    table_prefetch(&shard->table, limit_fingerprint(fingerprint, 0)); /* loads while the lock is taken */
    pthread_mutex_lock(&shard->lock);
    decide(&shard->table, fingerprint, request, clock_now_us(memory->options.clock));
    pthread_mutex_unlock(&shard->lock);
    return STORE_DONE;
}

static void
forget(struct table *table, struct siphash fingerprint)
{
    struct table_entry *entry = table_find(table, fingerprint);

    if (entry != NULL)
        table_remove(table, entry);
}

static enum store_status
memory_store_reset(struct store *store, struct store_request *request)
{
    struct memory_store *memory = memory_store_of(store);
    struct siphash fingerprint = subject_fingerprint(memory, &request->subject);
    struct shard *shard = &memory->shards[fingerprint.high & (memory->shard_count - 1)];

    pthread_mutex_lock(&shard->lock);
    for (uint32_t i = 0; i < request->subject.limits->count; i++)
        forget(&shard->table, state_fingerprint(fingerprint, i, &request->subject.limits->limits[i]));
    forget(&shard->table, penalty_fingerprint(fingerprint));
    pthread_mutex_unlock(&shard->lock);
    return STORE_DONE;
}

static void
memory_store_cancel(struct store *store, struct store_request *request)
{
    (void)store;
    (void)request;
    abort(); /* a bug in the caller: no request is ever pending here */
}

static void
memory_store_flush(struct store *store)
{
    (void)store; /* nothing is queued */
}

static struct store_health
memory_store_health(const struct store *store)
{
    (void)store;
    return (struct store_health){.state = STORE_READY, .kind = "memory", .detail = ""};
}

static void
memory_store_free(struct store *store)
{
    struct memory_store *memory = memory_store_of(store);

    for (uint32_t i = 0; i < memory->shard_count; i++) {
        table_fini(&memory->shards[i].table);
        pthread_mutex_destroy(&memory->shards[i].lock);
    }
    free(memory->shards);
    free(memory);
}

static const struct store_ops memory_store_ops = {
    .take = memory_store_take,
    .reset = memory_store_reset,
    .cancel = memory_store_cancel,
    .flush = memory_store_flush,
    .health = memory_store_health,
    .free = memory_store_free,
};

/* Clients fall on shards at random, each with all keys of its rule, at worst STORE_KEYS_MAX. A shard gets the
   mean of such a sum (compound Poisson) and six standard deviations, so that max_keys fit. */
static uint32_t
shard_capacity(int64_t max_keys, uint32_t shard_count)
{
    double mean = (double)max_keys / shard_count;

    return shard_count == 1 ? (uint32_t)max_keys : (uint32_t)(mean + 6 * sqrt(STORE_KEYS_MAX * mean)) + 1;
}

static uint32_t
shard_log_chunks(uint32_t capacity)
{
    const uint64_t least = LARGEST_LOGS * (SLIDING_WINDOW_ENTRIES / CHUNK_ENTRIES + 2);
    uint64_t chunks = (uint64_t)capacity * CHUNKS_PER_KEY;

    if (chunks < least)
        chunks = least;
    return chunks < CHUNK_NONE ? (uint32_t)chunks : CHUNK_NONE - 1;
}

struct store *
memory_store_new(const struct memory_store_options *options)
{
    struct memory_store *memory = malloc(sizeof(*memory));
    uint32_t shard_count = 1, capacity;

    assert(options->max_keys >= 1 && options->max_keys <= 1000000000);
    if (memory == NULL)
        return NULL;
    while (shard_count < SHARDS_MAX && options->max_keys / (shard_count * 2) >= KEYS_PER_SHARD_MIN)
        shard_count *= 2;
    capacity = shard_capacity(options->max_keys < 2 * STORE_KEYS_MAX ? 2 * STORE_KEYS_MAX : options->max_keys,
                              shard_count);
    *memory = (struct memory_store){
        .store.ops = &memory_store_ops, .options = *options, .hash_key = siphash_random_key()};
    memory->shards = aligned_alloc(64, shard_count * sizeof(struct shard));
    if (memory->shards == NULL) {
        free(memory);
        return NULL;
    }
    while (memory->shard_count < shard_count) {
        struct shard *shard = &memory->shards[memory->shard_count];
        if (!table_init(&shard->table, capacity, shard_log_chunks(capacity))) {
            memory_store_free(&memory->store);
            return NULL;
        }
        pthread_mutex_init(&shard->lock, NULL);
        memory->shard_count++;
    }
    return &memory->store;
}

struct memory_store_counts
memory_store_counts(struct store *store)
{
    struct memory_store *memory = memory_store_of(store);
    struct memory_store_counts counts = {0};

    for (uint32_t i = 0; i < memory->shard_count; i++) {
        struct shard *shard = &memory->shards[i];
        pthread_mutex_lock(&shard->lock);
        counts.entries += shard->table.used;
        counts.bytes += table_bytes(&shard->table);
        counts.evicted += shard->table.evicted;
        pthread_mutex_unlock(&shard->lock);
    }
    return counts;
}
