#include "top_clients.h"

#include <stdlib.h>
#include <string.h>

#include "counter.h"
#include "number.h"

#define KEPT_MAX 12

/* Each is a multiple of the one before. */
static const struct {
    int64_t span_us;
    unsigned kept; /* spans: the window */
} windows[TOP_WINDOWS] = {
    [TOP_MINUTE] = {10 * US_PER_S, 6},
    [TOP_HOUR] = {5 * 60 * US_PER_S, 12},
    [TOP_DAY] = {2 * 3600 * US_PER_S, 12},
};

/* The counts of one span of time. */
struct span {
    int64_t number; /* its start, in spans */
    uint64_t records, dropped;
    struct tally_packed tally;
};

struct window {
    int64_t number; /* of the span in progress */
    uint64_t records, dropped;
    struct tally tally;
    struct span kept[KEPT_MAX]; /* by number */
};

struct top_clients {
    const struct clock *clock;
    struct siphash_key key;
    int64_t since_us, now_us;
    uint64_t dropped; /* as of the last turn */
    counter bytes;
    struct window windows[TOP_WINDOWS];
    struct tally sum; /* of the last read */
};

struct top_clients *
top_clients_new(const struct clock *clock)
{
    struct top_clients *top = calloc(1, sizeof(*top));
    bool done;

    if (top == NULL)
        return NULL;
    top->clock = clock;
    top->key = siphash_random_key();
    top->since_us = top->now_us = clock_now_us(clock);
    done = tally_init(&top->sum);
    for (unsigned i = 0; i < TOP_WINDOWS; i++) {
        top->windows[i].number = top->now_us / windows[i].span_us;
        done &= tally_init(&top->windows[i].tally);
    }
    counter_add(&top->bytes, sizeof(*top) + (TOP_WINDOWS + 1) * TALLY_BYTES);
    if (done)
        return top;
    top_clients_free(top);
    return NULL;
}

void
top_clients_free(struct top_clients *top)
{
    if (top == NULL)
        return;
    for (unsigned i = 0; i < TOP_WINDOWS; i++) {
        tally_fini(&top->windows[i].tally);
        for (unsigned k = 0; k < KEPT_MAX; k++)
            tally_packed_fini(&top->windows[i].kept[k].tally);
    }
    tally_fini(&top->sum);
    free(top);
}

/* Keeps the span in progress in place of one that has left the window. */
static void
keep(struct top_clients *top, struct window *window, unsigned kept)
{
    struct span *span = &window->kept[window->number % kept];
    size_t before = span->tally.bytes;

    span->number = window->number;
    span->records = window->records;
    span->dropped = window->dropped;
    tally_cut(&window->tally);
    tally_pack(&window->tally, &span->tally);
    counter_add(&top->bytes, span->tally.bytes - before);
}

static void
add_span(struct window *to, const struct window *from)
{
    to->records += from->records;
    to->dropped += from->dropped;
    tally_merge(&to->tally, &from->tally);
}

static void
begin_span(struct window *window, int64_t number)
{
    window->number = number;
    window->records = window->dropped = 0;
    tally_clear(&window->tally);
}

void
top_clients_turn(struct top_clients *top, uint64_t dropped)
{
    top->now_us = clock_now_us(top->clock);
    top->windows[0].dropped += dropped - top->dropped;
    top->dropped = dropped;
    for (unsigned i = 0; i < TOP_WINDOWS; i++) {
        struct window *window = &top->windows[i];
        int64_t number = top->now_us / windows[i].span_us;
        if (number <= window->number)
            break;
        keep(top, window, windows[i].kept);
        if (i + 1 < TOP_WINDOWS)
            add_span(window + 1, window);
        begin_span(window, number);
    }
}

static struct siphash
key_of(const struct top_clients *top, const struct decision_record *record)
{
    char text[RULE_NAME_BYTES + 1 + CLIENT_BYTES];
    size_t rule_bytes = record->rule.bytes + 1; /* with its zero, which no name contains */

    memcpy(text, record->rule.text, rule_bytes);
    memcpy(text + rule_bytes, record->client.text, record->client.bytes);
    return siphash128(top->key, text, rule_bytes + record->client.bytes);
}

void
top_clients_add(struct top_clients *top, const struct decision_record *record)
{
    bool is_refused = record->result != RESULT_ALLOWED;
    const struct tally_entry entry = {
        .key = key_of(top, record),
        .rule = record->rule,
        .client = record->client,
        .counts = {[TALLY_REQUESTS] = 1,
                   [TALLY_REFUSALS] = is_refused,
                   [TALLY_COST] = is_refused ? 0 : record->cost},
    };

    top->windows[0].records++;
    tally_add(&top->windows[0].tally, &entry);
}

/* Reading. */

/* The kept part of the window. Returns when it begins. */
static int64_t
add_kept(struct tally *sum, const struct window *window, unsigned kept, struct span *records)
{
    int64_t first = window->number - kept;

    for (unsigned i = 0; i < kept; i++) {
        const struct span *span = &window->kept[i];
        if (span->number < first)
            continue;
        records->records += span->records;
        records->dropped += span->dropped;
        tally_merge_packed(sum, &span->tally);
    }
    return first;
}

void
top_clients_read(struct top_clients *top, enum top_window which, enum tally_measure by, struct top_list *list)
{
    struct tally *sum = &top->sum;
    struct span records = {0};
    int64_t first;

    tally_clear(sum);
    first = add_kept(sum, &top->windows[which], windows[which].kept, &records);
    for (unsigned i = 0; i <= which; i++) {
        records.records += top->windows[i].records;
        records.dropped += top->windows[i].dropped;
        tally_merge(sum, &top->windows[i].tally);
    }
    list->from_us = first * windows[which].span_us;
    if (list->from_us < top->since_us)
        list->from_us = top->since_us;
    list->until_us = top->now_us;
    list->total = sum->totals[by];
    list->error = sum->errors[by];
    list->sampled =
        records.dropped == 0 ? 1.0 : (double)records.records / (double)(records.records + records.dropped);
    list->count = tally_rank(sum, by, list->clients);
}

uint64_t
top_clients_bytes(const struct top_clients *top)
{
    return top != NULL ? counter_value(&top->bytes) : 0;
}
