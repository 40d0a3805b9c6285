/*
 * policy: the compiled rules of one file. Immutable once loaded: all workers share it without a lock.
 *
 *     struct policy *policy = policy_parse("rate_limits.json", text, bytes, &defaults, &report);
 *     if (!policy) ... print the report: one line for each error in the text
 *     const struct rule *rule = policy_match(policy, METHOD_GET, "/search/books", 13);
 */
#ifndef POLICY_H
#define POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "limit.h"
#include "report.h"
#include "rule_name.h"

#define RULE_SOURCES_MAX   8
#define POLICY_RULES_MAX   1024
#define POLICY_FILE_BYTES  1048576
#define POLICY_HEADERS_MAX 32 /* distinct header names over all rules */

/* Methods as a set. METHOD_OTHER is every method without its own bit. */
enum method {
    METHOD_GET = 1 << 0,
    METHOD_HEAD = 1 << 1,
    METHOD_POST = 1 << 2,
    METHOD_PUT = 1 << 3,
    METHOD_DELETE = 1 << 4,
    METHOD_PATCH = 1 << 5,
    METHOD_OPTIONS = 1 << 6,
    METHOD_OTHER = 1 << 7,
};
#define METHOD_ALL 0xffu

/* The bit of a method's name, case-sensitive as HTTP has it. */
enum method method_by_name(const char *name);

enum source_kind { SOURCE_HEADER, SOURCE_IP, SOURCE_GLOBAL };
struct source {
    enum source_kind kind;
    uint32_t header;  /* SOURCE_HEADER: its index in policy->headers */
    const char *text; /* as in `identify_by`, a header in lower case: "header:user_id", "ip", "global" */
};

enum failure_mode { FAILURE_CLOSED, FAILURE_OPEN, FAILURE_LOCAL };
const char *failure_mode_name(enum failure_mode mode);
/* -1 for an unknown word. */
int failure_mode_by_name(const char *name);

struct path_pattern; /* path.h */

struct rule {
    char name[RULE_NAME_BYTES + 1];
    struct path_pattern *path; /* NULL: no `match`; reached by name, or as the default */
    unsigned methods;          /* set of enum method; with GET comes HEAD */
    struct source sources[RULE_SOURCES_MAX];
    uint32_t source_count;
    struct limit_set limits;
    enum failure_mode on_store_failure;
    uint32_t index; /* its place in policy->rules */
};

struct policy {
    struct rule *rules; /* in file order */
    uint32_t rule_count;
    const struct rule *fallback; /* the rule named "default"; NULL: what no rule matches is not limited */
    /* Every header that some rule identifies by, once each, in lower case: "user_id". Each is the end of the text
       that its sources share, "header:user_id". */
    char *headers[POLICY_HEADERS_MAX];
    uint32_t header_count;
};

/* What applies to rules that do not say. */
struct policy_defaults {
    int64_t limit;     /* requests, for window algorithms */
    int64_t window_us; /* likewise */
    enum failure_mode failure_mode;
};

/* NULL with all errors in `report`, as "NAME: $.rule.key: VALUE: what is accepted"; `name` is the file's. What is
   valid but probably not intended is a warning there. */
struct policy *policy_parse(const char *name, const char *text, size_t bytes,
                            const struct policy_defaults *defaults, struct report *report);

void policy_free(struct policy *policy);

/* The first rule in file order whose path and methods match, else the default; NULL: none, the request is not
   limited. `path` is normalised (path_normalise), has no query and at most PATH_BYTES_MAX bytes. One with %2F in it
   matches in either spelling (path_decode_slashes), because the application may use either. Any thread. */
const struct rule *policy_match(const struct policy *policy, enum method method, const char *path,
                                size_t bytes);

/* The number of rules that fail closed, which need the store. */
uint32_t policy_closed_rules(const struct policy *policy);

/* NULL: no rule has that name. */
const struct rule *policy_rule(const struct policy *policy, const char *name);

#endif
