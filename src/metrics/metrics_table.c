#include "metrics_table.h"

#include "metrics.h"

#define COUNTED(field)        .offset = offsetof(struct worker_counts, field)
#define COUNTED_BY(field, by) COUNTED(field), .values = (by), .value_count = sizeof(by) / sizeof((by)[0])
#define ELSEWHERE             .offset = METRIC_ELSEWHERE

/* clang-format off */
const struct metric metrics_table[METRIC_COUNT] = {
    [METRIC_DECISIONS] = {
        "ratelimitd_decisions", METRIC_COUNTER, {"rule", "result"},
        "Requests decided by each rule since it was first in force, by result.", ELSEWHERE},
    [METRIC_LIMIT_REFUSALS] = {
        "ratelimitd_limit_refusals", METRIC_COUNTER, {"rule", "limit"},
        "Requests refused or shadow_refused, by the limit that makes them wait longest.", ELSEWHERE},
    [METRIC_NEAR_LIMIT] = {
        "ratelimitd_near_limit_decisions", METRIC_COUNTER, {"rule"},
        "Allowed requests after which less than a fifth of a limit remained.", ELSEWHERE},
    [METRIC_DEGRADED] = {
        "ratelimitd_degraded_decisions", METRIC_COUNTER, {"rule", "mode"},
        "Requests decided by the rule's failure mode, because the store was unavailable.", ELSEWHERE},
    [METRIC_CANDIDATES] = {
        "ratelimitd_candidate_decisions", METRIC_COUNTER, {"rule", "result"},
        "Requests by what the candidates of rules would have done; missed: those not tried.", ELSEWHERE},
    [METRIC_UNMATCHED] = {
        "ratelimitd_unmatched_requests", METRIC_COUNTER, {NULL},
        "Requests that no rule limits.", COUNTED(decisions.unmatched)},
    [METRIC_DECISION_DURATION] = {
        "ratelimitd_decision_duration_seconds", METRIC_HISTOGRAM, {NULL},
        "From a request to its decision by the store, the denial cache or a failure mode.",
        COUNTED(decisions.duration)},

    [METRIC_STORE] = {
        "ratelimitd_store", METRIC_INFO, {"kind"},
        "Where the counters live.", ELSEWHERE},
    [METRIC_STORE_WORKERS] = {
        "ratelimitd_store_workers", METRIC_GAUGE, {"state"},
        "Workers, by the state of their store.", ELSEWHERE},
    [METRIC_STORE_INFLIGHT] = {
        "ratelimitd_store_inflight_requests", METRIC_GAUGE, {NULL},
        "Requests that wait for an answer of the store.", ELSEWHERE},
    [METRIC_REDIS_COMMANDS] = {
        "ratelimitd_redis_commands", METRIC_COUNTER, {NULL},
        "Commands sent to Redis.", COUNTED(redis.commands)},
    [METRIC_REDIS_DECISIONS] = {
        "ratelimitd_redis_decisions", METRIC_COUNTER, {NULL},
        "Requests that replies of Redis decided; divided by the commands: the size of a batch.",
        COUNTED(redis.decisions)},
    [METRIC_REDIS_COMMAND_DURATION] = {
        "ratelimitd_redis_command_duration_seconds", METRIC_HISTOGRAM, {NULL},
        "From sending a command to Redis to its reply.", COUNTED(redis.command_duration)},
    [METRIC_REDIS_SENT] = {
        "ratelimitd_redis_sent_bytes", METRIC_COUNTER, {NULL},
        "Bytes of the commands sent to Redis.", COUNTED(redis.sent_bytes)},
    [METRIC_REDIS_RECEIVED] = {
        "ratelimitd_redis_received_bytes", METRIC_COUNTER, {NULL},
        "Bytes of the texts in Redis' replies.", COUNTED(redis.received_bytes)},
    [METRIC_REDIS_ERRORS] = {
        "ratelimitd_redis_errors", METRIC_COUNTER, {"code"},
        "Error replies of Redis, by code.", ELSEWHERE},
    [METRIC_REDIS_CONNECTIONS] = {
        "ratelimitd_redis_connections", METRIC_COUNTER, {NULL},
        "Connections to Redis that became ready; each worker has one at a time.", COUNTED(redis.connections)},
    [METRIC_REDIS_CONNECTION_LOSSES] = {
        "ratelimitd_redis_connection_losses", METRIC_COUNTER, {NULL},
        "Connections to Redis that were ready and ended.", COUNTED(redis.connection_losses)},
    [METRIC_REDIS_CONNECTION_FAILURES] = {
        "ratelimitd_redis_connection_failures", METRIC_COUNTER, {NULL},
        "Attempts to connect to Redis that failed.", COUNTED(redis.connection_failures)},
    [METRIC_REDIS_STALLS] = {
        "ratelimitd_redis_stalls", METRIC_COUNTER, {NULL},
        "Times that Redis ceased to answer commands by their deadline.",
        COUNTED(redis.stalls)},
    [METRIC_REDIS_LATE] = {
        "ratelimitd_redis_late_decisions", METRIC_COUNTER, {NULL},
        "Decisions of Redis that were dropped: their request had been answered by its deadline, or had gone.",
        COUNTED(redis.late_decisions)},
    [METRIC_DENIAL_CACHE] = {
        "ratelimitd_denial_cache_answers", METRIC_COUNTER, {NULL},
        "Refusals repeated without asking Redis.", COUNTED(redis.denial_cache_answers)},

    [METRIC_MEMORY_ENTRIES] = {
        "ratelimitd_memory_entries", METRIC_GAUGE, {NULL},
        "Keys in the table of this process.", ELSEWHERE},
    [METRIC_MEMORY_ENTRIES_MAX] = {
        "ratelimitd_memory_entries_max", METRIC_GAUGE, {NULL},
        "Keys that the table always has room for: MEMORY_MAX_KEYS.", ELSEWHERE},
    [METRIC_MEMORY_BYTES] = {
        "ratelimitd_memory_bytes", METRIC_GAUGE, {NULL},
        "Memory taken for keys and the logs of sliding windows; it is reused, not given back.", ELSEWHERE},
    [METRIC_MEMORY_EVICTIONS] = {
        "ratelimitd_memory_evictions", METRIC_COUNTER, {NULL},
        "Keys forgotten before their quota was full again, because the table had no room.", ELSEWHERE},

    [METRIC_OBSERVED] = {
        "ratelimitd_observed_decisions", METRIC_COUNTER, {NULL},
        "Decisions of rules, for GET /v1/analytics and the log of refusals.", ELSEWHERE},
    [METRIC_OBSERVED_DROPPED] = {
        "ratelimitd_observed_decisions_dropped", METRIC_COUNTER, {NULL},
        "Of those, decisions lost because they came faster than they were read.", ELSEWHERE},
    [METRIC_ANALYTICS_BYTES] = {
        "ratelimitd_analytics_bytes", METRIC_GAUGE, {NULL},
        "Memory for the counts of GET /v1/analytics; it is bounded.", ELSEWHERE},

    [METRIC_RULES] = {
        "ratelimitd_rules", METRIC_GAUGE, {NULL},
        "Rules in force.", ELSEWHERE},
    [METRIC_RULES_LOADED] = {
        "ratelimitd_rules_loaded_timestamp_seconds", METRIC_GAUGE, {NULL},
        "When the rules in force were read.", ELSEWHERE},
    [METRIC_RELOADS] = {
        "ratelimitd_reloads", METRIC_COUNTER, {"result"},
        "Reloads of the rules: done, or refused for mistakes.", ELSEWHERE},
    [METRIC_RELOAD_SUCCESSFUL] = {
        "ratelimitd_last_reload_successful", METRIC_GAUGE, {NULL},
        "1: the files say what is in force; 0: they had mistakes, and the previous rules stay.", ELSEWHERE},

    [METRIC_CONNECTIONS] = {
        "ratelimitd_http_connections", METRIC_GAUGE, {NULL},
        "Open connections.", ELSEWHERE},
    [METRIC_CONNECTIONS_MAX] = {
        "ratelimitd_http_connections_max", METRIC_GAUGE, {NULL},
        "How many may be open: MAX_CONNECTIONS, or what the limit of open files allows.", ELSEWHERE},
    [METRIC_CONNECTIONS_ACCEPTED] = {
        "ratelimitd_http_connections_accepted", METRIC_COUNTER, {NULL},
        "Connections that were accepted.", COUNTED(http.connections_accepted)},
    [METRIC_CONNECTIONS_REFUSED] = {
        "ratelimitd_http_connections_refused", METRIC_COUNTER, {NULL},
        "Connections that were answered 503 and closed, because too many were open.",
        COUNTED(http.connections_refused)},
    [METRIC_ANSWERS] = {
        "ratelimitd_http_answers", METRIC_COUNTER, {"status"},
        "Answers, by status.", COUNTED_BY(http.answers, answer_statuses)},
    [METRIC_BODIES_REFUSED] = {
        "ratelimitd_http_bodies_refused", METRIC_COUNTER, {"reason"},
        "Requests refused for their body: it was too long, came too slowly, or too many came at a time.",
        COUNTED_BY(http.bodies_refused, body_refusals)},

    [METRIC_BUILD] = {
        "ratelimitd_build", METRIC_INFO, {"version"},
        "The program.", ELSEWHERE},
    [METRIC_PROCESS_CPU] = {
        "process_cpu_seconds", METRIC_COUNTER, {NULL},
        "CPU time of the process, user and system.", ELSEWHERE},
    [METRIC_PROCESS_START] = {
        "process_start_time_seconds", METRIC_GAUGE, {NULL},
        "When the process started.", ELSEWHERE},
    [METRIC_PROCESS_OPEN_FDS] = {
        "process_open_fds", METRIC_GAUGE, {NULL},
        "Open file descriptors.", ELSEWHERE},
    [METRIC_PROCESS_MAX_FDS] = {
        "process_max_fds", METRIC_GAUGE, {NULL},
        "File descriptors that may be open.", ELSEWHERE},
    [METRIC_PROCESS_RESIDENT] = {
        "process_resident_memory_bytes", METRIC_GAUGE, {NULL},
        "Memory of the process that is in RAM.", ELSEWHERE},
    [METRIC_PROCESS_VIRTUAL] = {
        "process_virtual_memory_bytes", METRIC_GAUGE, {NULL},
        "Address space of the process; the table in memory reserves much that it never touches.", ELSEWHERE},
};
/* clang-format on */
