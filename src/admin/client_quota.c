/*
 * client_quota: GET /v1/clients/{client}, what every rule that can have this client leaves it.
 *
 * The client is in the form that logs and keys have (client.h), or an address, percent-encoded as a path needs
 * it. Each rule is peeked at, by a check of cost 0, and counts nothing.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "checks.h"
#include "clock.h"
#include "endpoint.h"
#include "number.h"
#include "overrides.h"
#include "render.h"

/* Percent-decodes what follows "/v1/clients/". Returns its length; 0: it cannot be a client. */
static size_t
decode(char text[CLIENT_BYTES], const char *rest)
{
    size_t bytes = 0;

    if (*rest++ != '/')
        return 0;
    for (; *rest != '\0' && bytes < CLIENT_BYTES; rest++) {
        bool escaped = *rest == '%';
        int byte = escaped ? hex_byte(rest + 1) : *rest;
        if (escaped && byte < 0)
            return 0;
        text[bytes++] = (char)byte;
        rest += escaped ? 2 : 0;
    }
    return *rest == '\0' ? bytes : 0;
}

static bool
is_address(const char *value, size_t bytes, struct network *network)
{
    return network_parse(network, value, bytes) && network_is_first(network);
}

/* The peers of a Unix socket have no address, and are `ip=unix`. */
static bool
has_good_addresses(const struct client *client)
{
    struct network network;

    for (const char *part = client->text; *part != '\0'; part += *part == '&') {
        size_t bytes = strcspn(part, "&");
        if (strncmp(part, "ip=", 3) == 0 && (bytes != 7 || strncmp(part + 3, "unix", 4) != 0) &&
            !is_address(part + 3, bytes - 3, &network))
            return false;
        part += bytes;
    }
    return true;
}

/* False: it is no client in the form that keys have, and no address. */
static bool
read_client(struct client *client, const char *rest)
{
    char text[CLIENT_BYTES], address[ADDRESS_TEXT_BYTES];
    size_t bytes = decode(text, rest);
    struct network network;

    if (!is_address(text, bytes, &network))
        return client_parse(client, text, bytes) && has_good_addresses(client);
    bytes = address_write_network(&network.address, network.prefix, network.prefix, address);
    client_write(client, "ip", address, bytes);
    return true;
}

/* The names of headers, of which case does not matter, as identities have them. Elsewhere it does. */
static void
lower_header_names(struct client *client)
{
    for (char *part = client->text; part != NULL; part = strchr(part + 1, '&')) {
        part += *part == '&';
        if (strncmp(part, "header:", strlen("header:")) == 0)
            for (; *part != '=' && *part != '\0'; part++)
                *part = (char)tolower((unsigned char)*part);
    }
}

/* By a name that the JSON API was given, or by one that is too long to be shown: any rule can have counted
   that one. */
static bool
is_of_any_rule(const struct client *client)
{
    return strncmp(client->text, "client=", strlen("client=")) == 0 ||
           strncmp(client->text, "sha256=", strlen("sha256=")) == 0;
}

/* Whether the client's parts are of the sources of the identifier, in their order. */
static bool
is_named_by(const struct client *client, const struct identifier *identifier)
{
    const char *text = client->text;

    for (uint32_t i = 0; i < identifier->count; i++) {
        const struct source *source = &identifier->sources[i];
        const char *name = source->kind == SOURCE_IP ? "ip" : source->text;
        if (i > 0 && *text++ != '&')
            return false;
        if (strncmp(text, name, strlen(name)) != 0)
            return false;
        text += strlen(name);
        if (source->kind == SOURCE_GLOBAL)
            continue;
        if (*text++ != '=')
            return false;
        text += strcspn(text, "&");
    }
    return *text == '\0';
}

/* The network that an address is a client of, under a rule that says how large one is. False: it is another
   network. */
static bool
set_network(struct limiter_take *take, const struct source *source)
{
    const char *value = take->client.text + strlen("ip=");
    char network[ADDRESS_TEXT_BYTES];
    size_t bytes;

    if (strcmp(value, "unix") == 0) /* the peers of a Unix socket, which have no address */
        return true;
    if (!address_parse(&take->address, value, strcspn(value, "/")))
        return false;
    bytes = address_write_network(&take->address, source->ipv4_bits, source->ipv6_bits, network);
    if (strchr(value, '/') != NULL && strcmp(value, network) != 0)
        return false;
    client_write(&take->client, "ip", network, bytes);
    return true;
}

/* Makes it a take of the client, if a request can be of this client under the rule. */
static bool
set_client(struct limiter_take *take, const struct client *client)
{
    const struct rule *rule = take->rule;

    take->client = *client;
    take->address.size = 0;
    for (uint32_t i = 0; i < rule->identifier_count; i++) {
        const struct identifier *identifier = &rule->identifiers[i];
        if (is_named_by(client, identifier))
            return identifier->count > 1 || identifier->sources[0].kind != SOURCE_IP ||
                   set_network(take, &identifier->sources[0]);
    }
    return is_of_any_rule(client);
}

static void
on_checked(struct checks *checks)
{
    struct endpoint_request *request = checks->caller.arg;

    request->resume(request);
}

/* NULL when out of memory. */
static struct checks *
peeks_of(struct endpoint_request *request, const struct client *client)
{
    struct checks_caller caller = {
        .limiter = request->context->limiter,
        .share = request->share,
        .turns = request->context->turns,
        .callback = on_checked,
        .arg = request,
    };
    const struct policy *policy = request->policy;
    struct checks *checks = checks_new(&caller, policy->rule_count);

    if (checks == NULL)
        return NULL;
    checks->count = 0;
    for (uint32_t i = 0; i < policy->rule_count; i++) {
        struct limiter_take *take = &checks_begin(checks, checks->count)->take;
        take->rule = &policy->rules[i];
        take->cost = 0;
        if (set_client(take, client))
            checks->count++;
    }
    return checks;
}

static enum endpoint_status
start(struct endpoint_request *request)
{
    struct checks *checks;
    struct client client;

    if (!read_client(&client, request->rest))
        return endpoint_problem(request, 400,
                                "The path needs a client after /v1/clients/: an address, a network from its "
                                "first address on, or as the keys in Redis show it, such as "
                                "header:user_id=alice or global.");
    lower_header_names(&client);
    checks = request->state = peeks_of(request, &client);
    if (checks == NULL)
        return ENDPOINT_ANSWERED;
    if (checks->count == 0)
        return endpoint_problem(request, 404, "No rule identifies clients in that way.");
    return checks_start(checks) == LIMITER_DONE ? ENDPOINT_DONE : ENDPOINT_PENDING;
}

static uint32_t
limit_count(const struct limiter_take *take)
{
    return take->limits != NULL ? take->limits->count : 0;
}

/* A failure mode has decided some: that tells nothing about the client. */
static bool
is_any_unknown(const struct checks *checks)
{
    for (uint32_t i = 0; i < checks->count; i++)
        if (checks->list[i].take.degraded)
            return true;
    return false;
}

/* Also where a shadow rule lets it pass. */
static bool
is_blocked(const struct limiter_take *take)
{
    return take->verdict == VERDICT_BLOCKED || take->withheld == VERDICT_BLOCKED;
}

/* Of what is done with the client at run time. */
static void
put_end(FILE *out, const struct limiter_take *take)
{
    const struct overridden *overridden = overrides_find(take->rule, &take->client, &take->address);
    int64_t now_us = clock_mono_us();

    if (overridden != NULL)
        fprintf(out, ", \"override_ends_after_ms\": %" PRId64,
                overridden->end_us > now_us ? us_to_ms_up(overridden->end_us - now_us) : 0);
}

static void
put_rule(FILE *out, const struct limiter_take *take)
{
    fprintf(out, "{\"rule\": \"%s\", \"limits\": [", take->rule->name);
    for (uint32_t i = 0; i < limit_count(take); i++) {
        const struct decision *decision = &take->request.decisions[i];
        fprintf(
            out, "%s{\"limit\": %" PRId64 ", \"remaining\": %" PRId64 ", \"reset_after_ms\": %" PRId64 "}",
            i > 0 ? ", " : "", decision->limit, decision->remaining, us_to_ms_up(decision->reset_after_us));
    }
    fputs("]", out);
    if (take->decided && take->request.penalty_us > 0)
        fprintf(out, ", \"penalty_ms\": %" PRId64, us_to_ms_up(take->request.penalty_us));
    fprintf(out, "%s",
            take->limits != NULL ? ""
            : is_blocked(take)   ? ", \"blocked\": true"
                                 : ", \"unlimited\": true");
    put_end(out, take);
    fputs("}", out);
}

static void
put_rules(FILE *out, const struct checks *checks)
{
    fputs("{\"rules\": [", out);
    for (uint32_t i = 0; i < checks->count; i++) {
        fputs(i > 0 ? ",\n" : "\n", out);
        put_rule(out, &checks->list[i].take);
    }
    fputs("\n]}\n", out);
}

static struct response
finish(struct endpoint_request *request)
{
    const struct checks *checks = request->state;
    struct response_body body;
    FILE *out;

    if (is_any_unknown(checks))
        return render_unavailable(&request->headers->trace_id, request->closing);
    out = response_body_open(&body);
    if (out != NULL)
        put_rules(out, checks);
    return response_body_close(&body, 200, RESPONSE_JSON, request->closing);
}

static void
free_checks(struct endpoint_request *request, bool pending)
{
    (void)pending; /* the list knows */
    checks_free(request->state);
    request->state = NULL;
}

const struct endpoint client_quota_endpoint = {.start = start, .finish = finish, .free = free_checks};
