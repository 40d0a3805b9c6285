/*
 * Any bytes as a file of clients: either a policy whose lists keep their promises, or at least one line, and not too many.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "client_list.h"
#include "policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

/* Two rules share the list; one has a window, the other a bucket. */
static struct policy *
parse(int file, struct report *report)
{
    static const struct policy_defaults defaults = {
        .limit = 100, .window_us = 60000000, .failure_mode = FAILURE_CLOSED};
    char rules[300];
    int length = snprintf(rules, sizeof(rules),
                          "{\"a\": {\"algorithm\": \"fixed_window\", \"clients\": \"/proc/self/fd/%d\"},"
                          " \"b\": {\"capacity\": 5, \"refill_rate\": 1, \"clients\": \"/proc/self/fd/%d\"}}",
                          file, file);

    return policy_parse("rules", rules, (size_t)length, &defaults, report);
}

static void
check_rule(const struct rule *rule, const struct client_list *list)
{
    assert(rule->clients == list->table);
    for (uint32_t i = 0; i < list->treatment_count; i++) {
        const struct treatment *treatment = &rule->treatments[i];
        if (treatment->kind != TREATMENT_LIMITS)
            continue;
        assert(treatment->limits.id != 0 && treatment->limits.id != rule->limits.id);
        assert(treatment->limits.count >= 1 && treatment->limits.count <= LIMIT_SET_MAX);
        assert(treatment->limits.limits[0].limit >= 1);
    }
}

static void
find(const struct rule *rule, const char *source, const uint8_t *data, size_t bytes)
{
    struct address address = {.size = bytes % 3 == 0 ? 0 : bytes % 3 == 1 ? 4 : 16};
    struct client client;
    const struct treatment *treatment;

    memcpy(address.bytes, data, bytes < sizeof(address.bytes) ? bytes : sizeof(address.bytes));
    client_write(&client, source, (const char *)data, bytes);
    treatment = policy_treatment(rule, &client, &address);
    assert(treatment == NULL || treatment->kind <= TREATMENT_BLOCKED);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    int file = memfd_create("clients", MFD_CLOEXEC);
    struct policy *policy;
    struct report report;

    assert(file >= 0 && write(file, data, bytes) == (ssize_t)bytes);
    report_init(&report);
    policy = parse(file, &report);
    assert((policy == NULL) == (report.count > 0));
    assert(report.count <= 3 * (LIST_MISTAKES_MAX + 8));
    if (policy != NULL) {
        assert(policy->list_count == 1);
        for (uint32_t i = 0; i < policy->rule_count; i++) {
            check_rule(&policy->rules[i], policy->lists[0]);
            find(&policy->rules[i], "header:a", data, bytes);
            find(&policy->rules[i], "ip", data, bytes < 16 ? bytes : 16);
        }
    }
    policy_free(policy);
    report_fini(&report);
    close(file);
    return 0;
}
