#include "tally.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"

bool
tally_init(struct tally *tally, enum tally_measure by)
{
    *tally = (struct tally){.by = by, .random = siphash_random_key().k0 | 1};
    tally->items = calloc(TALLY_ITEMS, sizeof(*tally->items));
    tally->places = calloc(TALLY_PLACES, sizeof(*tally->places));
    return tally->items != NULL && tally->places != NULL;
}

void
tally_fini(struct tally *tally)
{
    free(tally->items);
    free(tally->places);
}

void
tally_clear(struct tally *tally, enum tally_measure by)
{
    tally->by = by;
    tally->total = tally->error = 0;
    tally->count = 0;
    memset(tally->places, 0, TALLY_PLACES * sizeof(*tally->places));
}

static int64_t
sum(int64_t a, int64_t b)
{
    return a + b < NUMBER_EXACT_MAX ? a + b : NUMBER_EXACT_MAX;
}

/* The most that the true number of an item can be. Ranking by it is what keeps the bounds. */
static int64_t
upper(const struct tally *tally, const struct tally_item *item)
{
    return sum(item->counts[tally->by], item->error);
}

/* The place of the key, or the free one where it would be. */
static uint16_t *
find_place(const struct tally *tally, struct siphash key)
{
    size_t at = key.low % TALLY_PLACES;

    while (tally->places[at] != 0 && !siphash_equals(tally->items[tally->places[at] - 1].key, key))
        at = (at + 1) % TALLY_PLACES;
    return &tally->places[at];
}

/* The cut. */

static uint64_t
next_random(struct tally *tally)
{
    tally->random ^= tally->random << 13;
    tally->random ^= tally->random >> 7;
    tally->random ^= tally->random << 17;
    return tally->random;
}

/* The number that would be at `rank`, from 0, if the numbers were sorted, the largest first (Hoare's selection). */
static int64_t
select_rank(struct tally *tally, int64_t *numbers, uint32_t count, uint32_t rank)
{
    uint32_t begin = 0, end = count;

    while (end - begin > 1) {
        int64_t pivot = numbers[begin + next_random(tally) % (end - begin)];
        uint32_t larger = begin, at = begin, smaller = end;
        while (at < smaller) { /* the larger, the equal, what is not seen yet, the smaller */
            int64_t number = numbers[at];
            if (number > pivot) {
                numbers[at++] = numbers[larger];
                numbers[larger++] = number;
            } else if (number < pivot) {
                numbers[at] = numbers[--smaller];
                numbers[smaller] = number;
            } else {
                at++;
            }
        }
        if (rank >= larger && rank < smaller)
            return pivot;
        if (rank < larger)
            end = larger;
        else
            begin = smaller;
    }
    return numbers[begin];
}

static void
index_items(struct tally *tally)
{
    memset(tally->places, 0, TALLY_PLACES * sizeof(*tally->places));
    for (uint32_t i = 0; i < tally->count; i++)
        *find_place(tally, tally->items[i].key) = (uint16_t)(i + 1);
}

/* Those above the bound, and as many equal to it as there is room for. */
static void
keep_above(struct tally *tally, int64_t bound)
{
    uint32_t above = 0, kept = 0, equal;

    for (uint32_t i = 0; i < tally->count; i++)
        above += upper(tally, &tally->items[i]) > bound;
    equal = TALLY_KEPT - above;
    for (uint32_t i = 0; i < tally->count; i++) {
        int64_t number = upper(tally, &tally->items[i]);
        if (number < bound || (number == bound && equal == 0))
            continue;
        equal -= number == bound;
        if (kept != i)
            tally->items[kept] = tally->items[i];
        kept++;
    }
    tally->count = kept;
}

void
tally_cut(struct tally *tally)
{
    int64_t numbers[TALLY_ITEMS];

    if (tally->count <= TALLY_KEPT)
        return;
    for (uint32_t i = 0; i < tally->count; i++)
        numbers[i] = upper(tally, &tally->items[i]);
    tally->error = select_rank(tally, numbers, tally->count, TALLY_KEPT);
    keep_above(tally, tally->error);
    index_items(tally);
}

/* Counting. */

static void
count(struct tally_item *item, const int64_t counts[TALLY_MEASURES])
{
    for (unsigned i = 0; i < TALLY_MEASURES; i++)
        item->counts[i] = sum(item->counts[i], counts[i]);
}

/* A new item, which can have been counted before up to `error`. */
static struct tally_item *
insert(struct tally *tally, struct siphash key)
{
    struct tally_item *item;

    if (tally->count == TALLY_ITEMS)
        tally_cut(tally);
    item = &tally->items[tally->count++];
    *find_place(tally, key) = (uint16_t)tally->count;
    item->key = key;
    return item;
}

static struct tally_item *
insert_entry(struct tally *tally, const struct tally_entry *entry)
{
    struct tally_item *item = insert(tally, entry->key);

    assert(entry->rule.bytes <= RULE_NAME_BYTES && entry->client.bytes <= CLIENT_BYTES);
    memcpy(item->counts, entry->known != NULL ? entry->known->counts : entry->counts, sizeof(item->counts));
    item->counts[tally->by] = entry->counts[tally->by];
    item->error = tally->error;
    item->rule_bytes = (uint8_t)entry->rule.bytes;
    item->client_bytes = (uint8_t)entry->client.bytes;
    memcpy(item->text, entry->rule.text, entry->rule.bytes);
    memcpy(item->text + entry->rule.bytes, entry->client.text, entry->client.bytes);
    return item;
}

const struct tally_item *
tally_add(struct tally *tally, const struct tally_entry *entry)
{
    uint16_t place = *find_place(tally, entry->key);

    tally->total = sum(tally->total, entry->counts[tally->by]);
    if (place != 0) {
        count(&tally->items[place - 1], entry->counts);
        return &tally->items[place - 1];
    }
    return entry->counts[tally->by] > 0 ? insert_entry(tally, entry) : NULL;
}

/* Merging. */

/* What the other tally has not counted of an item of this one: up to its error, until merge_item knows better. */
static void
begin_merge(struct tally *tally, int64_t total, int64_t error)
{
    for (uint32_t i = 0; i < tally->count; i++)
        tally->items[i].error = sum(tally->items[i].error, error);
    tally->error = sum(tally->error, error);
    tally->total = sum(tally->total, total);
}

/* Of its texts only what they have. */
static size_t
item_bytes(const struct tally_item *item)
{
    enum { ALIGNED = _Alignof(struct tally_item) };
    size_t bytes = offsetof(struct tally_item, text) + item->rule_bytes + item->client_bytes;

    return (bytes + ALIGNED - 1) / ALIGNED * ALIGNED;
}

static void
merge_item(struct tally *tally, const struct tally_item *from, int64_t error)
{
    uint16_t place = *find_place(tally, from->key);
    struct tally_item *item;

    if (place != 0) {
        item = &tally->items[place - 1];
        count(item, from->counts);
        item->error -= error - from->error;
        return;
    }
    item = insert(tally, from->key);
    memcpy(item, from, item_bytes(from));
    item->error = tally->error - (error - from->error);
}

void
tally_merge(struct tally *tally, const struct tally *from)
{
    assert(tally->by == from->by);
    begin_merge(tally, from->total, from->error);
    for (uint32_t i = 0; i < from->count; i++)
        merge_item(tally, &from->items[i], from->error);
}

void
tally_merge_packed(struct tally *tally, const struct tally_packed *from)
{
    const char *at = from->items;

    begin_merge(tally, from->total, from->error);
    for (uint32_t i = 0; i < from->count; i++) {
        const struct tally_item *item = (const struct tally_item *)(const void *)at;
        merge_item(tally, item, from->error);
        at += item_bytes(item);
    }
}

/* Packing. */

void
tally_packed_fini(struct tally_packed *packed)
{
    free(packed->items);
    *packed = (struct tally_packed){0};
}

void
tally_pack(const struct tally *tally, struct tally_packed *packed)
{
    char *at;

    tally_packed_fini(packed);
    *packed = (struct tally_packed){.total = tally->total, .error = tally->total};
    for (uint32_t i = 0; i < tally->count; i++)
        packed->bytes += item_bytes(&tally->items[i]);
    at = packed->items = malloc(packed->bytes);
    if (at == NULL) {
        packed->bytes = 0;
        return;
    }
    packed->error = tally->error;
    packed->count = tally->count;
    for (uint32_t i = 0; i < tally->count; i++) {
        memcpy(at, &tally->items[i], item_bytes(&tally->items[i]));
        at += item_bytes(&tally->items[i]);
    }
}

/* Ranking. */

static int
compare(const void *a, const void *b)
{
    const struct tally_ranked *left = a, *right = b;

    if (left->number != right->number)
        return left->number < right->number ? 1 : -1;
    return left->item->key.low < right->item->key.low ? 1 : -1;
}

uint32_t
tally_rank(const struct tally *tally, struct tally_ranked ranked[TALLY_ITEMS])
{
    for (uint32_t i = 0; i < tally->count; i++)
        ranked[i] = (struct tally_ranked){tally->items[i].counts[tally->by], &tally->items[i]};
    qsort(ranked, tally->count, sizeof(ranked[0]), compare);
    return tally->count;
}
