/* Any text is an override that is read again from its own text, or none; and none breaks a policy. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "overrides.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static const char rules[] =
    "{\"one\": {\"capacity\": 20, \"refill_rate\": 5}, \"two\": {\"limits\": "
    "[{\"capacity\": 2, \"refill_rate\": 1}, {\"capacity\": 9, \"refill_rate\": 1}]}}";

static const struct policy *
any_policy(void)
{
    static const struct policy_defaults defaults = {.limit = 1, .window_us = 1000000};
    static struct policy *policy;
    struct report report;

    if (policy == NULL) {
        report_init(&report);
        policy = policy_parse("fuzz", rules, strlen(rules), &defaults, &report);
        assert(policy != NULL);
        report_fini(&report);
    }
    return policy;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct override *override = override_parse((const char *)data, bytes, 0), *again;
    struct override_list *list;
    struct overrides *overrides;

    if (override == NULL)
        return 0;
    assert(strlen(override->id) <= OVERRIDE_ID_BYTES && strchr(override->id, ' ') != NULL);
    again = override_parse(override->text, strlen(override->text), 0);
    assert(again != NULL && strcmp(again->id, override->id) == 0);
    list = override_list_new((struct override *[]){override, again}, 2);
    assert(list != NULL && list->count == 1);
    overrides = overrides_compile(list, any_policy());
    assert(overrides != NULL);
    overrides_free(overrides);
    override_list_free(list);
    return 0;
}
