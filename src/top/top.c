/*
 *     a second ──► survey: three questions ──► answers, or a sentence ─┐
 *     keys ──► view ───────────────────────────────────────────────────┼──► draw ──► the terminal
 *     SIGWINCH ────────────────────────────────────────────────────────┘
 */
#include "top.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "draw.h"
#include "survey.h"
#include "terminal.h"

#define TEXT_COLUMNS 250

static const struct timeval every = {.tv_sec = 1};

/* That it hears, besides SIGTSTP. */
static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCONT, SIGWINCH};
#define SIGNALS (sizeof(signals) / sizeof(signals[0]))

struct top {
    struct server server;
    struct event_base *base;
    struct event *signals[SIGNALS], *stops, *keys, *tick;
    struct top_view view;
    struct survey survey;
    bool is_drawn, is_coloured; /* on a terminal */
    bool is_under_way;          /* a round of the survey */
    bool has_begun;             /* the first round is over */
    bool is_gone;               /* the terminal */
    bool failed;
    int ended_by; /* a signal; 0: none */
};

static struct scene
scene_of(const struct top *top)
{
    return (struct scene){
        .view = &top->view,
        .url = top->server.url.text,
        .status = top->survey.status,
        .rates = top->survey.rates,
        .analytics = top->survey.analytics,
        .problem = top->survey.problem[0] != '\0' ? top->survey.problem : NULL,
        .clients_problem = top->survey.clients_problem[0] != '\0' ? top->survey.clients_problem : NULL,
    };
}

static void
leave_loop(struct top *top)
{
    event_base_loopbreak(top->base);
}

/* One write a picture, so that none is seen half. */
static void
draw_on_terminal(struct top *top)
{
    struct scene scene = scene_of(top);
    struct screen screen;
    unsigned rows, columns;
    size_t bytes;
    char *text;

    terminal_size(&rows, &columns);
    if (!screen_init(&screen, rows, columns))
        return;
    draw(&screen, &scene);
    text = screen_to_terminal(&screen, top->is_coloured, &bytes);
    screen_fini(&screen);
    if (text != NULL && !terminal_write(text, bytes)) {
        top->is_gone = true;
        leave_loop(top);
    }
    free(text);
}

/* As text, whole. */
static bool
print(struct top *top)
{
    struct scene scene = scene_of(top);
    struct screen screen;
    size_t bytes = 0;
    char *text = NULL;
    bool printed;

    scene.is_whole = true;
    if (screen_init(&screen, draw_rows(&scene), TEXT_COLUMNS)) {
        text = screen_to_text(&screen, draw(&screen, &scene), &bytes);
        screen_fini(&screen);
    }
    printed = text != NULL && fwrite(text, 1, bytes, stdout) == bytes && fflush(stdout) == 0;
    free(text);
    return printed;
}

/* Rounds. */

static void
ask(struct top *top)
{
    top->is_under_way = survey_begin(&top->survey);
}

static void
on_tick(evutil_socket_t fd, short what, void *argument)
{
    struct top *top = argument;

    (void)fd;
    (void)what;
    if (!top->view.is_paused && !top->is_under_way)
        ask(top);
}

/* What may pass by itself is waited for on a terminal; all else, at the start, is told at once. */
static bool
begin(struct top *top, enum survey_result result)
{
    top->has_begun = true;
    if (result == SURVEY_REFUSED || (result == SURVEY_AWAY && !top->is_drawn)) {
        fprintf(stderr, "ratelimitd: top: %s\n", top->survey.problem);
        top->failed = true;
    } else if (!top->is_drawn) {
        top->failed = !print(top);
    } else if (!terminal_enter()) {
        fprintf(stderr, "ratelimitd: top: the terminal: %s\n", strerror(errno));
        top->failed = true;
    }
    return top->is_drawn && !top->failed;
}

static void
on_round(void *owner, enum survey_result result)
{
    struct top *top = owner;

    top->is_under_way = false;
    if (!top->has_begun && !begin(top, result))
        leave_loop(top);
    else
        draw_on_terminal(top);
}

/* Keys and signals. */

static void
on_keys(evutil_socket_t fd, short what, void *argument)
{
    struct top *top = argument;
    char bytes[256];
    ssize_t count = read((int)fd, bytes, sizeof(bytes));
    enum top_action action = TOP_NOTHING;

    (void)what;
    if (count > 0)
        action = top_view_take_keys(&top->view, bytes, (size_t)count);
    else if (count == 0 || (errno != EAGAIN && errno != EINTR))
        top->is_gone = true;
    if (action == TOP_QUIT || top->is_gone)
        leave_loop(top);
    else if (action != TOP_NOTHING && top->has_begun)
        draw_on_terminal(top);
    if (action == TOP_ASK && !top->view.is_paused)
        ask(top);
}

/* Stops as if the signal had not been caught; what wakes it up is SIGCONT. */
static void
stop(struct event *heard)
{
    terminal_leave();
    event_del(heard);
    raise(SIGTSTP);
    event_add(heard, NULL);
}

static void
on_signal(evutil_socket_t number, short what, void *argument)
{
    struct top *top = argument;

    (void)what;
    if (number == SIGTSTP) {
        stop(top->stops);
    } else if (number != SIGCONT && number != SIGWINCH) {
        top->ended_by = (int)number;
        leave_loop(top);
    } else if (top->has_begun && terminal_enter()) {
        draw_on_terminal(top);
    }
}

/* From the start to the end. */

static bool
hear(struct top *top, struct event **event, int from, short what, event_callback_fn callback)
{
    *event = event_new(top->base, from, (short)(what | EV_PERSIST), callback, top);
    return *event != NULL && event_add(*event, what == 0 ? &every : NULL) == 0;
}

static bool
open_loop(struct top *top)
{
    bool opened = (top->base = event_base_new()) != NULL && hear(top, &top->tick, -1, 0, on_tick);

    for (size_t i = 0; opened && top->is_drawn && i < SIGNALS; i++)
        opened = hear(top, &top->signals[i], signals[i], EV_SIGNAL, on_signal);
    if (opened && top->is_drawn)
        opened = hear(top, &top->stops, SIGTSTP, EV_SIGNAL, on_signal) &&
                 hear(top, &top->keys, STDIN_FILENO, EV_READ, on_keys);
    return opened;
}

static void
close_loop(struct top *top)
{
    struct event *events[] = {top->tick, top->stops, top->keys};

    for (size_t i = 0; i < SIGNALS; i++)
        if (top->signals[i] != NULL)
            event_free(top->signals[i]);
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
        if (events[i] != NULL)
            event_free(events[i]);
    if (top->base != NULL)
        event_base_free(top->base);
}

static int
serve(struct top *top)
{
    survey_init(&top->survey, top->base, &top->server, &top->view, on_round, top);
    ask(top);
    event_base_dispatch(top->base);
    terminal_leave();
    survey_fini(&top->survey);
    return top->failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

static const char *
find_server(struct top *top, const struct top_options *options, struct report *report)
{
    const char *why = top_url_parse(&top->server.url, options->url);

    top->server.token = options->token;
    if (why != NULL)
        report_add(report, "top: the URL: %s; accepted: " TOP_URL_ACCEPTED, why);
    else if ((why = server_find(&top->server)) != NULL)
        report_add(report, "top: \"%s\": %s; accepted: " TOP_URL_ACCEPTED, top->server.url.text, why);
    return why;
}

int
top_run(const struct top_options *options, struct report *report)
{
    const char *no_color = getenv("NO_COLOR");
    struct top top = {.view = top_view_of_start(),
                      .is_drawn = terminal_can_draw(),
                      .is_coloured = no_color == NULL || no_color[0] == '\0'};
    int status = EXIT_FAILURE;

    if (find_server(&top, options, report) != NULL)
        return 2;
    if (open_loop(&top))
        status = serve(&top);
    else
        report_add(report, "top: out of memory");
    close_loop(&top);
    server_fini(&top.server);
    if (top.ended_by != 0)
        raise(top.ended_by);
    return status;
}
