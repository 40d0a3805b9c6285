/*
 * redis_worst: how long the worst command of each algorithm holds Redis.
 *
 *      redis_worst [--each]
 *
 * It fills batches as the service does (store/redis/redis_batch.h), over every combination of limits a rule,
 * rules, clients, costs and stored states below, and sends them to a redis-server of its own; and the service's
 * other commands at their worst: SCRIPT LOAD after SCRIPT FLUSH, and a page of overrides. The time is that for
 * which Redis' thread had a CPU because of the command: to read it, run it and answer, on a machine that may be
 * busy with something else. Each combination counts with the best of several runs. `--each` prints every
 * combination, not only the worst.
 *
 * The last lines, which do not count, are the worst commands with the text of the script (EVAL) after SCRIPT
 * FLUSH: the service sends that where the ACL forbids SCRIPT LOAD.
 *
 * Exits with 1 where one takes longer than HOLD_US.
 */
#include <assert.h>
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "limit.h"
#include "number.h"
#include "override.h"
#include "overrides_script.h"
#include "penalty.h"
#include "redis_batch.h"
#include "redis_process.h"
#include "take_script.h"

#define HOLD_US    2000
#define RUNS       3
#define RUNS_AGAIN 15 /* for the worst of each algorithm */
#define WINDOW_US  INT64_C(3600000000)
#define MIXED      ALGORITHM_COUNT
#define PENALTY    (ALGORITHM_COUNT + 1) /* fixed windows, and a penalty */

/* What is stored for every key before the command. A list has as many entries as it can; `expired` of them no
   longer count. */
struct stored {
    const char *name;
    int64_t expired; /* below 0: nothing is stored */
    int64_t limit;   /* that is asked by */
    int64_t used;
};
static const struct stored lists[] = {
    {"new", -1, SLIDING_WINDOW_ENTRIES, 0},
    {"roomy", 0, INT64_C(1) << 40, SLIDING_WINDOW_ENTRIES},
    {"full", 0, SLIDING_WINDOW_ENTRIES, SLIDING_WINDOW_ENTRIES},
    {"lowered", 0, 500, 100000},
    {"5 expired", 5, SLIDING_WINDOW_ENTRIES, SLIDING_WINDOW_ENTRIES},
    {"342 expired", 342, SLIDING_WINDOW_ENTRIES, SLIDING_WINDOW_ENTRIES},
    {"342 expired, lowered", 342, 20, 100000},
    {"683 expired, roomy", 683, INT64_C(1) << 40, 100000},
    {"1022 expired", SLIDING_WINDOW_ENTRIES - 2, SLIDING_WINDOW_ENTRIES, SLIDING_WINDOW_ENTRIES},
};
static const struct stored counts[] = {
    {"new", -1, 300, 0}, {"full", 0, 300, 300}, {"roomy", 0, 1000000, 300}};

enum costs { PEEK, ONE, TWO, DISTINCT, ABOVE, COSTS };
static const char *const cost_names[COSTS] = {"0", "1", "2", "distinct, down from the limit",
                                              "above the limit"};

struct combination {
    int algorithm; /* enum algorithm, MIXED or PENALTY */
    uint32_t limits;
    bool many_rules, many_clients, by_eval;
    enum costs costs;
    const struct stored *stored;
};

struct result {
    struct combination combination;
    unsigned requests, groups;
    size_t bytes;
    int64_t us;
};

static struct redis_process server;
static redisContext *redis;
static struct store_request requests[BATCH_REQUESTS];
static struct client clients[BATCH_REQUESTS];
static struct limit_set rules[BATCH_RULES]; /* equal but for the id */

/* One refusal of each client has been counted; every further one is, too. */
static const struct penalty penalty = {.after = PENALTY_AFTER_MAX,
                                       .within_us = WINDOW_US,
                                       .for_us = WINDOW_US,
                                       .growth = PENALTY_GROWTH_MAX,
                                       .up_to_us = DURATION_MAX_US};

static redisReply *
ask(const char *command, const char *const *words, size_t count)
{
    const char *all[8] = {command};
    redisReply *reply;

    for (size_t i = 0; i < count; i++)
        all[i + 1] = words[i];
    reply = redisCommandArgv(redis, (int)count + 1, all, NULL);
    if (reply == NULL || reply->type == REDIS_REPLY_ERROR) {
        fprintf(stderr, "redis_worst: %s: %s\n", command, reply ? reply->str : redis->errstr);
        exit(2);
    }
    return reply;
}
#define ASK(command, ...) \
    ask(command, (const char *[]){__VA_ARGS__}, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *))

static int64_t
redis_now_us(void)
{
    redisReply *reply = ask("TIME", NULL, 0);
    int64_t now_us =
        strtoll(reply->element[0]->str, NULL, 10) * 1000000 + strtoll(reply->element[1]->str, NULL, 10);

    freeReplyObject(reply);
    return now_us;
}

/* Stored states: one template for each algorithm, which is copied to every key of the command. */

static void
put_list(const struct stored *stored)
{
    const int64_t entries = SLIDING_WINDOW_ENTRIES, now_us = redis_now_us();

    for (int64_t i = 0; i <= entries; i++) {
        int64_t at_us = i <= stored->expired ? now_us - WINDOW_US - (stored->expired - i + 1) * 1000
                                             : now_us - (entries - i + 1) * 1000;
        double entry[2] = {(double)at_us, (double)(1000000 + i * (stored->used / entries))};

        freeReplyObject(
            redisCommand(redis, "RPUSH template:%d %b", (int)SLIDING_WINDOW, entry, sizeof(entry)));
    }
}

static void
make_limit(struct limit *limit, enum algorithm algorithm, const struct stored *stored)
{
    int64_t most = algorithm == SLIDING_WINDOW ? stored->limit : stored->limit % 1000007;
    enum limit_error error = algorithm == TOKEN_BUCKET ? limit_init_token_bucket(limit, most, 1, US_PER_S)
                                                       : limit_init_window(limit, algorithm, most, WINDOW_US);

    assert(error == LIMIT_OK);
}

/* A letter, the one that the state's name begins with, and numbers. */
static void
put_string(enum algorithm algorithm, const struct stored *stored)
{
    const int64_t now_us = redis_now_us();
    const size_t count = algorithm == SLIDING_WINDOW_COUNTER ? 3 : 2;
    double numbers[3] = {(double)(now_us / WINDOW_US), (double)stored->used, 1};
    char state[LIMIT_STATE_NAME_BYTES + sizeof(numbers)], name[16];
    struct limit limit;

    make_limit(&limit, algorithm, stored);
    limit_state_name(&limit, state);
    if (algorithm == TOKEN_BUCKET) {
        numbers[0] = stored->limit == stored->used ? 0 : 1e12;
        numbers[1] = (double)now_us;
    }
    memcpy(state + 1, numbers, sizeof(numbers));
    snprintf(name, sizeof(name), "template:%d", (int)algorithm);
    freeReplyObject(redisCommand(redis, "SET %s %b", name, state, 1 + count * sizeof(numbers[0])));
}

static void
put_penalty(void)
{
    const double numbers[4] = {(double)redis_now_us(), 0, 1, 0};
    char state[1 + sizeof(numbers)] = "p";

    memcpy(state + 1, numbers, sizeof(numbers));
    freeReplyObject(redisCommand(redis, "SET template:%d %b", PENALTY, state, sizeof(state)));
}

static void
put_templates(const struct stored *stored)
{
    freeReplyObject(ask("FLUSHALL", NULL, 0));
    if (stored->expired < 0)
        return;
    put_list(stored);
    put_string(TOKEN_BUCKET, stored);
    put_string(SLIDING_WINDOW_COUNTER, stored);
    put_string(FIXED_WINDOW, stored);
    put_penalty();
}

static void
put_states(const struct combination *combination, const struct redis_batch *batch)
{
    unsigned asked = 0;

    if (combination->stored->expired < 0)
        return;
    for (uint32_t r = 0; r < batch->request_count; r++) {
        const struct store_subject *subject = &requests[r].subject;
        for (uint32_t i = 0; i < subject->limits->count; i++) {
            char state[LIMIT_STATE_NAME_BYTES];
            size_t bytes = limit_state_name(&subject->limits->limits[i], state);

            redisAppendCommand(redis, "COPY template:%d rl:{%b}:%s:%u:%b REPLACE",
                               (int)subject->limits->limits[i].algorithm, subject->client->text,
                               subject->client->bytes, subject->rule, i, state, bytes);
            asked++;
        }
        if (subject->penalty != NULL) {
            redisAppendCommand(redis, "COPY template:%d rl:{%b}:%s:p REPLACE", PENALTY, subject->client->text,
                               subject->client->bytes, subject->rule);
            asked++;
        }
        if (!combination->many_clients)
            break; /* all requests have the same keys */
    }
    for (; asked > 0; asked--) {
        void *reply;

        if (redisGetReply(redis, &reply) != REDIS_OK || ((redisReply *)reply)->integer != 1) {
            fprintf(stderr, "redis_worst: a state cannot be put\n");
            exit(2);
        }
        freeReplyObject(reply);
    }
}

/* The batch. */

static void
make_rules(const struct combination *combination)
{
    const uint32_t algorithm =
        combination->algorithm == PENALTY ? FIXED_WINDOW : (uint32_t)combination->algorithm;

    rules[0].count = combination->limits;
    for (uint32_t i = 0; i < combination->limits; i++)
        make_limit(&rules[0].limits[i],
                   (enum algorithm)(algorithm == MIXED ? i % ALGORITHM_COUNT : algorithm),
                   combination->stored);
    for (uint32_t rule = 0; rule < BATCH_RULES; rule++) {
        rules[rule] = rules[0];
        rules[rule].id = rule + 1;
    }
}

static int64_t
cost_of(const struct combination *combination, int64_t number)
{
    int64_t limit = combination->stored->limit;

    switch (combination->costs) {
    case PEEK:
        return 0;
    case ONE:
        return 1;
    case TWO:
        return 2;
    case DISTINCT:
        return limit > 2 * number + 2 ? limit - number : 2 + number;
    default:
        return limit + 1 + number % 2;
    }
}

static void
answered(struct store_request *request, enum store_status status)
{
    (void)request;
    (void)status;
}

static void
fill(struct redis_batch *batch, const struct combination *combination)
{
    redis_batch_clear(batch);
    for (uint32_t i = 0; i < BATCH_REQUESTS; i++) {
        uint32_t rule = combination->many_rules ? i % BATCH_RULES : 0;
        struct client *client = &clients[combination->many_clients ? i : 0];

        client->bytes =
            (size_t)snprintf(client->text, sizeof(client->text), "header:x-a-rather-long-name=%090d",
                             combination->many_clients ? i : 0);
        requests[i] = (struct store_request){
            .subject = {.client = client,
                        .rule = "rule",
                        .limits = &rules[rule],
                        .penalty = combination->algorithm == PENALTY ? &penalty : NULL},
            .cost = cost_of(combination, i),
            .callback = answered};
        if (!redis_batch_add(batch, &requests[i], 0))
            break;
    }
}

/* Measuring. */

static redisReply *
send_command(const char *command, size_t bytes)
{
    void *reply;

    if (redisAppendFormattedCommand(redis, command, bytes) != REDIS_OK ||
        redisGetReply(redis, &reply) != REDIS_OK || ((redisReply *)reply)->type != REDIS_REPLY_STRING) {
        fprintf(stderr, "redis_worst: the script fails\n");
        exit(2);
    }
    return reply;
}

/* The time that Redis' thread has had a CPU since its start, looked at when it sleeps again: until then the
   kernel's figure lags behind. */
static int64_t
redis_cpu_ns(void)
{
    char path[64], state = 0;
    int64_t ns = 0;

    do {
        FILE *stat;

        snprintf(path, sizeof(path), "/proc/%d/stat", (int)server.pid);
        stat = fopen(path, "r");
        if (stat == NULL || fscanf(stat, "%*d (redis-server) %c", &state) != 1) {
            fprintf(stderr, "redis_worst: %s cannot be read\n", path);
            exit(2);
        }
        fclose(stat);
    } while (state != 'S');
    snprintf(path, sizeof(path), "/proc/%d/schedstat", (int)server.pid);
    FILE *schedstat = fopen(path, "r");
    if (schedstat == NULL || fscanf(schedstat, "%" SCNd64, &ns) != 1) {
        fprintf(stderr, "redis_worst: %s cannot be read\n", path);
        exit(2);
    }
    fclose(schedstat);
    return ns;
}

static int64_t
run_once(const struct combination *combination, struct redis_batch *batch)
{
    size_t bytes = batch->command_bytes;
    char *eval = NULL;
    int64_t before_ns;

    put_states(combination, batch);
    if (combination->by_eval) {
        freeReplyObject(ASK("SCRIPT", "FLUSH"));
        eval = redis_batch_encode_eval(batch, &bytes);
        assert(eval != NULL);
    }
    before_ns = redis_cpu_ns();
    freeReplyObject(send_command(eval ? eval : batch->command, bytes));
    free(eval);
    return (redis_cpu_ns() - before_ns) / 1000;
}

static struct result
measure(const struct combination *combination, struct redis_batch *batch, int runs)
{
    struct result result = {.combination = *combination, .us = INT64_MAX};
    redisReply *loaded = redisCommand(redis, "SCRIPT LOAD %b", take_script_text, take_script_bytes);

    freeReplyObject(loaded);
    put_templates(combination->stored);
    make_rules(combination);
    fill(batch, combination);
    if (!redis_batch_encode(batch)) {
        fprintf(stderr, "redis_worst: out of memory\n");
        exit(2);
    }
    result.requests = batch->request_count;
    result.groups = batch->group_count;
    result.bytes = batch->command_bytes;
    for (int i = 0; i < runs; i++) {
        int64_t us = run_once(combination, batch);

        if (us < result.us)
            result.us = us;
    }
    return result;
}

static void
print_result(const struct result *result)
{
    const struct combination *c = &result->combination;

    printf("%-22s %6" PRId64
           " us  %3u requests in %3u groups, %6zu bytes%s: %u limit%s, %s, %s, cost %s, stored: %s\n",
           c->algorithm == MIXED     ? "mixed"
           : c->algorithm == PENALTY ? "fixed_window, penalty"
                                     : algorithm_name((enum algorithm)c->algorithm),
           result->us, result->requests, result->groups, result->bytes, c->by_eval ? " (EVAL)" : "",
           c->limits, c->limits > 1 ? "s" : "", c->many_rules ? "32 rules" : "1 rule",
           c->many_clients ? "a client each" : "one client", cost_names[c->costs], c->stored->name);
}

/* The search. */

static struct result
worst_of(int algorithm, struct redis_batch *batch, bool each)
{
    static const uint32_t limit_counts[] = {1, 2, 8};
    const bool has_lists = algorithm == SLIDING_WINDOW || algorithm == MIXED;
    const struct stored *stored = has_lists ? lists : counts;
    const size_t stored_count =
        has_lists ? sizeof(lists) / sizeof(lists[0]) : sizeof(counts) / sizeof(counts[0]);
    struct result worst = {.us = -1};

    for (unsigned shape = 0; shape < 3 * 2 * 2 * COSTS * stored_count; shape++) {
        unsigned rest = shape;
        struct combination combination = {.algorithm = algorithm};
        struct result result;

        combination.limits = limit_counts[rest % 3];
        combination.many_rules = (rest /= 3) % 2;
        combination.many_clients = (rest /= 2) % 2;
        combination.costs = (enum costs)((rest /= 2) % COSTS);
        combination.stored = &stored[rest / COSTS];
        result = measure(&combination, batch, RUNS);
        if (each)
            print_result(&result);
        if (result.us > worst.us)
            result = measure(&combination, batch, RUNS_AGAIN);
        if (result.us > worst.us)
            worst = result;
    }
    return worst;
}

/* The other commands. */

static int64_t
load_us(void)
{
    int64_t best_us = INT64_MAX;

    for (int i = 0; i < RUNS_AGAIN; i++) {
        int64_t before_ns, us;

        freeReplyObject(ASK("SCRIPT", "FLUSH"));
        before_ns = redis_cpu_ns();
        freeReplyObject(redisCommand(redis, "SCRIPT LOAD %b", take_script_text, take_script_bytes));
        us = (redis_cpu_ns() - before_ns) / 1000;
        if (us < best_us)
            best_us = us;
    }
    return best_us;
}

/* As many as there can be, as long as they can be. */
static void
put_overrides(void)
{
    static const char end[] = "9007199254740 "; /* in milliseconds */
    static char text[sizeof(end) - 1 + OVERRIDE_TEXT_BYTES];

    memset(text, 'x', sizeof(text));
    memcpy(text, end, sizeof(end) - 1);
    freeReplyObject(ask("FLUSHALL", NULL, 0));
    for (int i = 0; i < OVERRIDES_MAX; i++)
        freeReplyObject(redisCommand(redis, "HSET rl:{overrides} id%d %b", i, text, sizeof(text)));
}

#define PAGES 64 /* of some 1250 */

/* Of one page, which begins with two numbers and the next cursor. */
static int64_t
page_us(char cursor[24])
{
    int64_t best_us = INT64_MAX;
    char next[24] = "";

    for (int i = 0; i < RUNS_AGAIN; i++) {
        int64_t before_ns, us;
        redisReply *reply;
        char *command;
        int bytes =
            redisFormatCommand(&command, "EVAL %b 1 rl:{overrides} read - %s %d", overrides_script_text,
                               overrides_script_bytes, cursor, OVERRIDE_TEXT_BYTES);

        assert(bytes > 0);
        freeReplyObject(ASK("SCRIPT", "FLUSH"));
        before_ns = redis_cpu_ns();
        reply = send_command(command, (size_t)bytes);
        us = (redis_cpu_ns() - before_ns) / 1000;
        if (us < best_us)
            best_us = us;
        sscanf(reply->str, "%*s %*s %23s", next);
        freeReplyObject(reply);
        redisFreeCommand(command);
    }
    strcpy(cursor, next);
    return best_us;
}

static int64_t
worst_page_us(void)
{
    int64_t worst_us = 0;
    char cursor[24] = "0";

    put_overrides();
    for (int page = 0; page < PAGES; page++) {
        int64_t us = page_us(cursor);

        if (us > worst_us)
            worst_us = us;
    }
    return worst_us;
}

int
main(int count, char **arguments)
{
    bool each = count == 2 && strcmp(arguments[1], "--each") == 0;
    struct redis_batch *batch = redis_batch_new();
    struct result worst[PENALTY + 1];
    int64_t load, page, worst_us;

    if (count > 1 && !each) {
        fprintf(stderr, "usage: redis_worst [--each]\n");
        return 2;
    }
    if (batch == NULL || !redis_process_start(&server))
        return 2;
    redis = redisConnectUnix(server.socket);
    if (redis == NULL || redis->err != 0) {
        fprintf(stderr, "redis_worst: no connection\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    load = load_us();
    page = worst_page_us();
    printf("%-22s %6" PRId64 " us\n%-22s %6" PRId64 " us\n", "SCRIPT LOAD", load, "a page of overrides",
           page);
    worst_us = load > page ? load : page;
    for (int algorithm = 0; algorithm <= PENALTY; algorithm++) {
        worst[algorithm] = worst_of(algorithm, batch, each);
        print_result(&worst[algorithm]);
        if (worst[algorithm].us > worst_us)
            worst_us = worst[algorithm].us;
    }
    for (int algorithm = 0; algorithm <= PENALTY; algorithm++) {
        worst[algorithm].combination.by_eval = true;
        worst[algorithm] = measure(&worst[algorithm].combination, batch, RUNS_AGAIN);
        print_result(&worst[algorithm]);
    }
    redisFree(redis);
    redis_process_stop(&server);
    redis_batch_free(batch);
    return worst_us < HOLD_US ? 0 : 1;
}
