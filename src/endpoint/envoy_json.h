/*
 * envoy: POST /json, as envoyproxy/ratelimit has it: the JSON of Envoy's RateLimitRequest and
 * RateLimitResponse.
 *
 *      {"domain": "shop",
 *       "descriptors": [{"entries": [{"key": "path", "value": "/cart"}, {"key": "user", "value": "u1"}]}]}
 *
 * A descriptor is counted by the rule that is named after the domain and as many of its first keys as there
 * is a rule for: shop.path.user, else shop.path, else shop. Its client is what the name covers:
 * path=/cart,user=u1 by the first of these, path=/cart by the second, and one client for all by the last. No
 * such rule: it is not limited.
 */
#ifndef ENVOY_JSON_H
#define ENVOY_JSON_H

#include "checks.h"
#include "json_body.h"
#include "policy.h"
#include "response.h"

#define ENVOY_DESCRIPTORS_MAX 1000

/* One check a descriptor, of a body of so many bytes; NULL with a mistake (status 0: memory is out). */
struct checks *envoy_json_parse(const struct policy *policy, const struct checks_caller *caller,
                                const cJSON *root, size_t body_bytes, struct json_error *mistake);

/* 200, 429 where any descriptor is over its limit. Not for answers with VERDICT_UNAVAILABLE among them. */
struct response envoy_json_response(const struct checks *checks, bool closing);

#endif
