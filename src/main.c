/*
 * ratelimitd: in boot order: settings, rules, store, sockets, workers; then waits for a signal.
 *
 * Errors in settings and rules are all reported in one run, before anything listens; exit status 2.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "explain.h"
#include "generation.h"
#include "healthcheck.h"
#include "listener.h"
#include "log.h"
#include "log_output.h"
#include "memory_store.h"
#include "notify.h"
#include "policy.h"
#include "redis_tls.h"
#include "redis_url.h"
#include "reload.h"
#include "rules_file.h"
#include "settings.h"
#include "supervise.h"
#include "top_command.h"
#include "workers.h"

#define EXIT_OPERATOR 2

#define LARGE_BLOCK_BYTES (1024 * 1024)

extern char **environ;

struct service {
    struct settings settings;
    struct report report;
    struct file_set files; /* what the policy was read from */
    struct policy *policy; /* until `generations` has it */
    struct generations *generations;
    struct reload *reload;
    struct networks trusted;
    bool uses_redis;
    struct redis_url redis;
    struct redis_tls *tls;
    struct clock clock; /* what `memory` counts by */
    struct store *memory;
    struct listener listener, admin_listener;
    struct workers workers;
};

/* Configuration. */

static void
configure_tls(struct service *service)
{
    const struct settings *settings = &service->settings;

    service->tls = redis_tls_new(
        &(struct redis_tls_options){.ca_file = settings->redis_tls_ca_file,
                                    .ca_place = settings_place(settings, SETTING_REDIS_TLS_CA_FILE).text,
                                    .cert_file = settings->redis_tls_cert_file,
                                    .cert_place = settings_place(settings, SETTING_REDIS_TLS_CERT_FILE).text,
                                    .key_file = settings->redis_tls_key_file,
                                    .key_place = settings_place(settings, SETTING_REDIS_TLS_KEY_FILE).text,
                                    .skip_verify = settings->redis_tls_skip_verify != 0},
        &service->report);
}

/* Checks everything that needs no network and reports errors. Runs also after errors in the settings, so that one run
   reports them all. */
static void
configure(struct service *service)
{
    const struct settings *settings = &service->settings;
    bool understood = report_is_empty(&service->report);

    service->policy = rules_file_load(settings, &service->files, &service->report);
    networks_parse(&service->trusted, settings_place(settings, SETTING_TRUSTED_PROXIES).text,
                   settings->trusted_proxies, &service->report);
    service->uses_redis = strcmp(settings->store, "memory") != 0;
    if (understood && service->uses_redis &&
        redis_url_parse(&service->redis, settings_place(settings, SETTING_STORE).text, settings->store,
                        &service->report) &&
        service->redis.tls)
        configure_tls(service);
}

static unsigned
count_workers(const struct settings *settings)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);

    if (settings->workers > 0)
        return (unsigned)settings->workers;
    return cpus > 0 ? (unsigned)cpus : 1;
}

/* Serving. */

/* Also beside Redis, for rules that fail to `local`: a reload may add one. What is not used takes no memory. */
static bool
open_memory(struct service *service)
{
    service->memory = memory_store_new(&(struct memory_store_options){
        .max_keys = service->settings.memory_max_keys,
        .clock = &service->clock,
    });
    if (service->memory == NULL)
        settings_diagnostic(&service->settings, SETTING_MEMORY_MAX_KEYS, &service->report,
                            "not enough memory for this many keys; choose fewer");
    return service->memory != NULL;
}

static bool
open_generations(struct service *service)
{
    /* One for the admin listener's worker. */
    service->generations = generations_new(service->policy, service->listener.count + 1);
    if (service->generations == NULL)
        return false;
    service->policy = NULL;
    service->reload = reload_new(&service->settings, service->generations, &service->files);
    return service->reload != NULL;
}

/* Whether it is likely that this very process has the port. */
static bool
is_admin_port(const struct settings *settings, int64_t port)
{
    return settings->admin_host != NULL && settings->admin_port == port;
}

static bool
open_listener(struct service *service)
{
    const struct settings *settings = &service->settings;

    return listener_open(
        &service->listener,
        &(struct listener_options){.listen = settings->listen,
                                   .listen_place = settings_place(settings, SETTING_LISTEN).text,
                                   .host = settings->host,
                                   .host_place = settings_place(settings, SETTING_HOST).text,
                                   .port = (int)settings->port,
                                   .port_place = settings_place(settings, SETTING_PORT).text,
                                   .other_port = is_admin_port(settings, settings->port)
                                                     ? "choose another port, or another ADMIN_LISTEN: the "
                                                       "admin listener has this one"
                                                     : "choose another port, or stop the service that has it",
                                   .workers = count_workers(settings),
                                   .by_systemd = true},
        &service->report);
}

static bool
open_admin_listener(struct service *service)
{
    const struct settings *settings = &service->settings;
    struct setting_place place = settings_place(settings, SETTING_ADMIN_LISTEN);

    return strcmp(settings->admin_listen, "off") == 0 ||
           listener_open(&service->admin_listener,
                         &(struct listener_options){.listen = settings->admin_listen,
                                                    .listen_place = place.text,
                                                    .host = settings->admin_host,
                                                    .host_place = place.text,
                                                    .port = (int)settings->admin_port,
                                                    .port_place = place.text,
                                                    .other_port =
                                                        "choose another address, such as 127.0.0.1:8003, or "
                                                        "off for no admin listener",
                                                    .workers = 1},
                         &service->report);
}

/* Both, so that one run reports what is wrong with either. */
static bool
open_listeners(struct service *service)
{
    bool opened = open_admin_listener(service); /* a program that waits for the public one finds it, too */

    return open_listener(service) && opened;
}

static bool
start_workers(struct service *service)
{
    return workers_start(&service->workers,
                         &(struct workers_options){.settings = &service->settings,
                                                   .generations = service->generations,
                                                   .reload = service->reload,
                                                   .trusted = &service->trusted,
                                                   .redis = service->uses_redis ? &service->redis : NULL,
                                                   .tls = service->tls,
                                                   .memory = service->memory},
                         &service->listener, &service->admin_listener);
}

static void
tell_admin_listener(const struct service *service)
{
    const struct listener *listener = &service->admin_listener;

    if (listener->count == 0)
        return;
    log_info("main", "admin listener on %s", listener->display);
    if (!listener->is_local && service->settings.admin_token[0] == '\0')
        log_warn("main",
                 "%s: other machines reach %s, and without ADMIN_TOKEN they may read the rules and what each "
                 "client has left",
                 settings_place(&service->settings, SETTING_ADMIN_LISTEN).text, listener->display);
}

static int
serve(struct service *service)
{
    const struct settings *settings = &service->settings;
    const uint32_t rules = service->policy->rule_count; /* a reload frees the policy */
    const bool has_default = service->policy->fallback != NULL;
    struct shadow_log shadow_log;
    bool started;

    if (!open_memory(service) || !open_listeners(service))
        return EXIT_OPERATOR;
    supervise_block_signals();
    started = open_generations(service) && start_workers(service);
    if (started && service->tls && settings->redis_tls_skip_verify)
        log_warn("main",
                 "REDIS_TLS_SKIP_VERIFY=yes: the certificate of %s is not verified; a man in the middle can "
                 "read the password and change replies",
                 service->redis.display);
    if (started) {
        tell_admin_listener(service);
        log_info("main", "ratelimitd %s serves on %s: %u rule%s from %s, store %s, %u worker%s",
                 RATELIMITD_VERSION, service->listener.display, rules, rules == 1 ? "" : "s", settings->rules,
                 service->uses_redis ? service->redis.display : "memory", service->workers.count,
                 service->workers.count == 1 ? "" : "s");
        if (!has_default)
            log_info("main", "no rule is named \"default\": requests that match no rule are not limited");
        notify_send("READY=1\nSTATUS=serves on %s, store %s", service->listener.display,
                    service->uses_redis ? service->redis.display : "memory");
        shadow_log = (struct shadow_log){.generations = service->generations, .told_us = clock_mono_us()};
        started = supervise(service->reload, &shadow_log) != 0;
        notify_send("STOPPING=1\nSTATUS=draining");
    }
    workers_stop(&service->workers);
    if (started) {
        shadow_log_tell(&shadow_log, clock_mono_us());
        log_info("main", "stopped");
    }
    return started ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* The commands. */

/* The warnings that --check and a failed start print are logged by a service that starts. */
static void
log_warnings(struct report *report)
{
    for (size_t i = 0; i < report->warning_count; i++)
        log_warn("main", "%s", report->warnings[i]);
    report_drop_warnings(report);
}

static int
explain(struct service *service)
{
    const struct explain_store store = {.redis = service->uses_redis ? &service->redis : NULL,
                                        .tls = service->tls};

    log_init_sink(LOG_ERROR, NULL, NULL); /* what the store has to say is in the explanation */
    switch (explain_request(stdout, service->policy, &service->settings, &service->trusted, &store,
                            &service->report)) {
    case EXPLAIN_TOLD:
        return EXIT_SUCCESS;
    case EXPLAIN_MISTAKEN:
        return EXIT_OPERATOR;
    case EXPLAIN_STORE_AWAY:
        break;
    }
    return EXIT_FAILURE;
}

static int
obey(struct service *service, enum settings_command command)
{
    switch (command) {
    case SETTINGS_VERSION:
        printf("ratelimitd %s\n", RATELIMITD_VERSION);
        return EXIT_SUCCESS;
    case SETTINGS_HELP:
        settings_help(stdout);
        return EXIT_SUCCESS;
    case SETTINGS_HELP_MARKDOWN:
        settings_help_markdown(stdout);
        return EXIT_SUCCESS;
    case SETTINGS_HELP_MAN:
        settings_help_man(stdout);
        return EXIT_SUCCESS;
    case SETTINGS_HELP_COMPLETION:
        settings_help_completion(stdout);
        return EXIT_SUCCESS;
    case SETTINGS_PRINT:
        if (!report_is_empty(&service->report))
            return EXIT_OPERATOR;
        settings_print(&service->settings, stdout);
        return EXIT_SUCCESS;
    case SETTINGS_HEALTHCHECK:
        report_drop_warnings(&service->report); /* the service itself has logged them */
        return report_is_empty(&service->report) ? healthcheck(&service->settings) : EXIT_OPERATOR;
    case SETTINGS_TOP:
        return top_command(&service->settings, &service->report);
    case SETTINGS_CHECK:
    case SETTINGS_EXPLAIN:
    case SETTINGS_SERVE:
        break;
    }
    configure(service);
    if (!report_is_empty(&service->report))
        return EXIT_OPERATOR;
    if (command == SETTINGS_EXPLAIN)
        return explain(service);
    if (command == SETTINGS_CHECK) {
        explain_rules(stdout, service->policy, &service->settings);
        return EXIT_SUCCESS;
    }
    log_init((enum log_level)service->settings.log_level, (enum log_format)service->settings.log_format);
    log_output_init();
    log_warnings(&service->report);
    return serve(service);
}

/* Lists of clients come and go with reloads. Once blocks of that size were freed, glibc would take those up to
   32 MiB from a heap that keeps the most it ever had. */
static void
return_large_blocks(void)
{
#ifdef M_MMAP_THRESHOLD
    mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES);
#endif
}

/* Where a standard stream is closed, the next file that is opened would take its place: a socket would get the log. */
static void
open_standard_streams(void)
{
    int null;

    do
        null = open("/dev/null", O_RDWR);
    while (null >= 0 && null <= STDERR_FILENO);
    if (null > STDERR_FILENO)
        close(null);
}

int
main(int argc, char **argv)
{
    struct service service = {.clock = clock_steady()};
    enum settings_command command;
    int status;

    open_standard_streams();
    return_large_blocks();
    report_init(&service.report);
    settings_read(&service.settings, &command, argc, argv, environ, ".env", &service.report);
    status = obey(&service, command);
    report_print(&service.report, stderr, "ratelimitd: ");

    listener_close(&service.listener);
    listener_close(&service.admin_listener);
    reload_free(service.reload);
    generations_free(service.generations);
    store_free(service.memory);
    redis_tls_free(service.tls);
    redis_url_fini(&service.redis);
    networks_fini(&service.trusted);
    policy_free(service.policy);
    file_set_fini(&service.files);
    settings_fini(&service.settings);
    report_fini(&service.report);
    return status;
}
