#include "tally.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"

bool
tally_init(struct tally *tally)
{
    *tally = (struct tally){.random = siphash_random_key().k0 | 1};
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
tally_clear(struct tally *tally)
{
    memset(tally->totals, 0, sizeof(tally->totals));
    memset(tally->errors, 0, sizeof(tally->errors));
    memset(tally->places, 0, TALLY_PLACES * sizeof(*tally->places));
    tally->count = 0;
}

static int64_t
sum(int64_t a, int64_t b)
{
    return a + b < NUMBER_EXACT_MAX ? a + b : NUMBER_EXACT_MAX;
}

static void
add_each(int64_t to[TALLY_MEASURES], const int64_t more[TALLY_MEASURES])
{
    for (unsigned by = 0; by < TALLY_MEASURES; by++)
        to[by] = sum(to[by], more[by]);
}

/* The most that the true number of an item can be. Ranking by it keeps the bounds. */
static int64_t
upper(const struct tally_item *item, unsigned by)
{
    return sum(item->counts[by], item->errors[by]);
}

/* The place of the key, or the free one for it. */
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

/* The number at `rank`, from 0, as if sorted with the largest first (Hoare's selection). */
static int64_t
select_rank(struct tally *tally, int64_t *numbers, uint32_t count, uint32_t rank)
{
    uint32_t begin = 0, end = count;

    while (end - begin > 1) {
        int64_t pivot = numbers[begin + next_random(tally) % (end - begin)];
        uint32_t larger = begin, at = begin, smaller = end;
        while (at < smaller) { /* the larger, the equal, the unseen, the smaller */
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

/* Marks the first items by the measure: those above the TALLY_KEPT + 1st, and as many equal to it as there is
   room for. Items with 0 lose nothing. */
static void
mark_first(struct tally *tally, unsigned by, bool is_kept[TALLY_ITEMS])
{
    int64_t numbers[TALLY_ITEMS], bound;
    uint32_t above = 0, room;

    for (uint32_t i = 0; i < tally->count; i++)
        numbers[i] = upper(&tally->items[i], by);
    bound = select_rank(tally, numbers, tally->count, TALLY_KEPT);
    for (uint32_t i = 0; i < tally->count; i++)
        above += numbers[i] > bound;
    room = TALLY_KEPT - above;
    for (uint32_t i = 0; i < tally->count; i++) {
        const struct tally_item *item = &tally->items[i];
        int64_t number = upper(item, by);
        if (item->counts[by] == 0 || number < bound || (number == bound && room == 0))
            continue;
        room -= number == bound;
        is_kept[i] = true;
    }
}

static void
drop(struct tally *tally, const struct tally_item *item)
{
    for (unsigned by = 0; by < TALLY_MEASURES; by++)
        if (upper(item, by) > tally->errors[by])
            tally->errors[by] = upper(item, by);
}

static void
index_items(struct tally *tally)
{
    memset(tally->places, 0, TALLY_PLACES * sizeof(*tally->places));
    for (uint32_t i = 0; i < tally->count; i++)
        *find_place(tally, tally->items[i].key) = (uint16_t)(i + 1);
}

void
tally_cut(struct tally *tally)
{
    bool is_kept[TALLY_ITEMS] = {false};
    uint32_t kept = 0;

    if (tally->count <= TALLY_KEPT)
        return;
    for (unsigned by = 0; by < TALLY_MEASURES; by++)
        mark_first(tally, by, is_kept);
    for (uint32_t i = 0; i < tally->count; i++) {
        if (!is_kept[i])
            drop(tally, &tally->items[i]);
        else if (kept++ != i)
            tally->items[kept - 1] = tally->items[i];
    }
    tally->count = kept;
    index_items(tally);
}

/* Counting. */

/* A new item with its key; the caller sets the rest. */
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

void
tally_add(struct tally *tally, const struct tally_entry *entry)
{
    uint16_t place = *find_place(tally, entry->key);
    struct tally_item *item;

    add_each(tally->totals, entry->counts);
    if (place != 0) {
        add_each(tally->items[place - 1].counts, entry->counts);
        return;
    }
    assert(entry->rule.bytes <= RULE_NAME_BYTES && entry->client.bytes <= CLIENT_BYTES);
    item = insert(tally, entry->key);
    memcpy(item->counts, entry->counts, sizeof(item->counts));
    memcpy(item->errors, tally->errors, sizeof(item->errors));
    item->rule_bytes = (uint8_t)entry->rule.bytes;
    item->client_bytes = (uint8_t)entry->client.bytes;
    memcpy(item->text, entry->rule.text, entry->rule.bytes);
    memcpy(item->text + entry->rule.bytes, entry->client.text, entry->client.bytes);
}

/* Merging. */

/* Before the items: the other tally may have missed up to its error of each client without an item. */
static void
begin_merge(struct tally *tally, const int64_t totals[TALLY_MEASURES], const int64_t errors[TALLY_MEASURES])
{
    for (uint32_t i = 0; i < tally->count; i++)
        add_each(tally->items[i].errors, errors);
    add_each(tally->errors, errors);
    add_each(tally->totals, totals);
}

/* Of the texts, only the bytes in use. */
static size_t
item_bytes(const struct tally_item *item)
{
    enum { ALIGNED = _Alignof(struct tally_item) };
    size_t bytes = offsetof(struct tally_item, text) + item->rule_bytes + item->client_bytes;

    return (bytes + ALIGNED - 1) / ALIGNED * ALIGNED;
}

/* For its own items the other tally knows more than `errors`, with which the merge began. */
static void
merge_item(struct tally *tally, const struct tally_item *from, const int64_t errors[TALLY_MEASURES])
{
    uint16_t place = *find_place(tally, from->key);
    struct tally_item *item = place != 0 ? &tally->items[place - 1] : insert(tally, from->key);

    if (place != 0) {
        add_each(item->counts, from->counts);
    } else {
        memcpy(item, from, item_bytes(from));
        memcpy(item->errors, tally->errors, sizeof(item->errors));
    }
    for (unsigned by = 0; by < TALLY_MEASURES; by++)
        item->errors[by] -= errors[by] - from->errors[by];
}

void
tally_merge(struct tally *tally, const struct tally *from)
{
    begin_merge(tally, from->totals, from->errors);
    for (uint32_t i = 0; i < from->count; i++)
        merge_item(tally, &from->items[i], from->errors);
}

void
tally_merge_packed(struct tally *tally, const struct tally_packed *from)
{
    const char *at = from->items;

    begin_merge(tally, from->totals, from->errors);
    for (uint32_t i = 0; i < from->count; i++) {
        const struct tally_item *item = (const struct tally_item *)(const void *)at;
        merge_item(tally, item, from->errors);
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
    size_t bytes = 0;
    char *at;

    tally_packed_fini(packed);
    memcpy(packed->totals, tally->totals, sizeof(packed->totals));
    memcpy(packed->errors, tally->totals, sizeof(packed->errors));
    for (uint32_t i = 0; i < tally->count; i++)
        bytes += item_bytes(&tally->items[i]);
    at = packed->items = bytes > 0 ? malloc(bytes) : NULL;
    if (at == NULL)
        return;
    memcpy(packed->errors, tally->errors, sizeof(packed->errors));
    packed->count = tally->count;
    packed->bytes = bytes;
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
tally_rank(const struct tally *tally, enum tally_measure by, struct tally_ranked ranked[TALLY_ITEMS])
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < tally->count; i++)
        if (tally->items[i].counts[by] > 0)
            ranked[count++] = (struct tally_ranked){tally->items[i].counts[by], &tally->items[i]};
    qsort(ranked, count, sizeof(ranked[0]), compare);
    return count;
}
