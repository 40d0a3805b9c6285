/*
 * policy: the compiled rules of one file. Immutable once loaded: all workers share it without a lock.
 *
 *     struct policy *policy = policy_parse("rate_limits.json", text, bytes, &defaults, &report);
 *     if (!policy) ... print the report: one line for each error in the text
 *     const struct policy_request request = {.method = METHOD_GET, .path = {"/search/books", 13}, ...};
 *     const struct rule *rule = policy_match(policy, &request);
 */
#ifndef POLICY_H
#define POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"
#include "client.h"
#include "field.h"
#include "limit.h"
#include "penalty.h"
#include "report.h"
#include "rule_name.h"

#define RULE_IDENTIFIERS_MAX   8
#define IDENTIFIER_SOURCES_MAX 4
#define RULE_WRITTEN_KEYS      6
#define POLICY_RULES_MAX       1024
#define POLICY_FILE_BYTES      1048576
#define POLICY_HEADERS_MAX     32 /* distinct header names over all rules */
#define POLICY_COOKIES_MAX     8  /* likewise */

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

/* Their names, in the order of their bits; METHOD_OTHER has none. */
#define METHOD_WORD_COUNT 7
extern const char *const method_words[METHOD_WORD_COUNT];

/* The bit of a method's name, case-sensitive as HTTP has it. */
enum method method_by_name(const char *name, size_t bytes);

enum source_kind { SOURCE_HEADER, SOURCE_COOKIE, SOURCE_HOST, SOURCE_PATH, SOURCE_IP, SOURCE_GLOBAL };

struct source {
    enum source_kind kind;
    uint32_t index; /* SOURCE_HEADER, SOURCE_COOKIE: in policy->headers, ->cookies; SOURCE_PATH: from 1 */
    uint8_t ipv4_bits, ipv6_bits; /* SOURCE_IP: of an address, as many bits are one client */
    char *text; /* as in `identify_by`, a header in lower case: "header:user_id", "ip/24", "global"; owned */
};

/* An element of `identify_by`: the sources that name a client together. */
struct identifier {
    struct source sources[IDENTIFIER_SOURCES_MAX];
    uint32_t count;
};

enum failure_mode { FAILURE_CLOSED, FAILURE_OPEN, FAILURE_LOCAL };
#define FAILURE_MODE_COUNT 3
extern const char *const failure_mode_words[FAILURE_MODE_COUNT];
const char *failure_mode_name(enum failure_mode mode);
/* -1 for an unknown word. */
int failure_mode_by_name(const char *name);

struct file_set;     /* file_set.h */
struct path_pattern; /* path.h */
struct conditions;   /* conditions.h */
struct client_list;  /* client_list.h */
struct client_table; /* client_table.h */
struct rule_counts;  /* rule_counts.h */
struct overrides;    /* overrides.h */

/* What is done with a client that differs. */
struct treatment {
    enum { TREATMENT_LIMITS, TREATMENT_UNLIMITED, TREATMENT_BLOCKED } kind;
    struct limit_set limits; /* TREATMENT_LIMITS: instead of the rule's */
};

/* A rule's name and this is the name under which its candidate counts. No rule is named so (rule_name.h). */
#define CANDIDATE_SUFFIX "+candidate"

struct rule {
    char name[RULE_NAME_BYTES + 1];
    struct path_pattern *path;     /* NULL: no `match`; reached by name, or as the default */
    unsigned methods;              /* set of enum method; with GET comes HEAD */
    struct conditions *conditions; /* on host and headers; NULL: none */
    struct identifier identifiers[RULE_IDENTIFIERS_MAX];
    uint32_t identifier_count;
    struct limit_set limits;
    struct penalty penalty;             /* `after` 0: none */
    const struct client_table *clients; /* those that differ: to the number of their treatment; NULL: none */
    struct treatment *treatments;       /* by number - 1 */
    uint64_t clients_version;           /* of the file with the clients (client_list.h); 0: there is none */
    int64_t cost;                       /* of a request; at least 1 */
    uint32_t cost_header;       /* trusted peers say another: in policy->headers; NO_HEADER: none does */
    struct limit_set candidate; /* limits that are only tried, beside `limits`; count 0: none */
    char candidate_name[RULE_NAME_BYTES + sizeof(CANDIDATE_SUFFIX)];
    bool shadow; /* it decides and is counted, but never refuses */
    enum failure_mode on_store_failure;
    uint64_t
        written[RULE_WRITTEN_KEYS];    /* of each of rule_written_keys: a digest of what it says; 0: absent */
    uint32_t index;                    /* its place in policy->rules */
    struct rule_counts *counts;        /* set when the policy is published; NULL: not counted */
    const struct overrides *overrides; /* at run time (overrides.h), before `clients`; NULL: none */
};

#define NO_HEADER UINT32_MAX

/* What applies to rules that do not say. */
struct policy_defaults {
    int64_t limit;     /* requests, for window algorithms */
    int64_t window_us; /* likewise */
    enum failure_mode failure_mode;
};

struct policy {
    struct rule *rules; /* in file order */
    uint32_t rule_count;
    const struct rule *fallback; /* the rule named "default"; NULL: what no rule matches is not limited */
    /* Every header and cookie that some rule looks at, once each: "user_id". Headers are in lower case. */
    char *headers[POLICY_HEADERS_MAX];
    uint32_t header_count;
    char *cookies[POLICY_COOKIES_MAX];
    uint32_t cookie_count;
    bool reads_host; /* some rule looks at the host */
    /* Lists of clients that differ, in rules and in files: `file` of each (client_list.h) is what to watch. */
    struct client_list **lists;
    uint32_t list_count;
    struct policy_defaults defaults; /* that it was read with */
};

/* NULL with all errors in `report`, as "NAME: $.rule.key: VALUE: what is accepted"; `name` is the file's. What is
   valid but probably not intended is a warning there. */
struct policy *policy_parse(const char *name, const char *text, size_t bytes,
                            const struct policy_defaults *defaults, struct report *report);

/* The same; adds each file that the rules name to `files`, also with errors. */
struct policy *policy_parse_files(const char *name, const char *text, size_t bytes,
                                  const struct policy_defaults *defaults, struct file_set *files,
                                  struct report *report);

void policy_free(struct policy *policy);

/* The keys in which two rules are alike where they are written alike. In the others, those of limits, shadow and
   candidate, they are alike where they are compiled alike, however it is written. */
extern const char *const rule_written_keys[RULE_WRITTEN_KEYS];

/* What rules ask of a request. A field whose text is NULL is absent; an empty header or cookie counts as
   absent. */
struct policy_request {
    enum method method;
    struct field path; /* normalised (path_normalise), without a query, at most PATH_BYTES_MAX bytes */
    struct field host; /* normalised (host_normalise) */
    const struct field
        *headers; /* by index in policy->headers; of several lines the first that is not empty */
    const struct field *cookies; /* by index in policy->cookies; of several of one name likewise */
};

/* The first rule in file order that matches, else the default; NULL: none, the request is not limited. A path
   with %2F in it matches in either spelling (path_decode_slashes), because the application may use either. Any
   thread. */
const struct rule *policy_match(const struct policy *policy, const struct policy_request *request);

/* What keeps a rule from matching a request; of several the first here. MATCHES: nothing does, so
   policy_match returns this rule, or one before it in the file. */
enum mismatch {
    MATCHES,
    MISMATCH_NO_MATCH, /* the rule has no `match` */
    MISMATCH_PATH,
    MISMATCH_METHOD,
    MISMATCH_HOST,
    MISMATCH_HEADER,
};
enum mismatch rule_mismatch(const struct rule *rule, const struct policy_request *request);

/* What is done with the client under the rule; NULL: nothing but what the rule says. `address` as in client_table.h. */
const struct treatment *policy_treatment(const struct rule *rule, const struct client *client,
                                         const struct address *address);

/* The cost of a request whose headers, by index in policy->headers, are believed. False: the header that says it
   is no whole number from 0 to NUMBER_EXACT_MAX; the cost is undefined then. */
bool rule_cost(const struct rule *rule, const struct field *headers, int64_t *cost);

/* While the store is away, its requests are answered 503. */
static inline bool
rule_needs_store(const struct rule *rule)
{
    return rule->on_store_failure == FAILURE_CLOSED && !rule->shadow;
}

/* The number of such rules. */
uint32_t policy_closed_rules(const struct policy *policy);

/* NULL: the rule has none. */
static inline const struct penalty *
rule_penalty(const struct rule *rule)
{
    return rule->penalty.after > 0 ? &rule->penalty : NULL;
}

static inline bool
rule_has_candidate(const struct rule *rule)
{
    return rule->candidate.count > 0;
}

/* NULL: no rule has that name. */
const struct rule *policy_rule(const struct policy *policy, const char *name);

#endif
