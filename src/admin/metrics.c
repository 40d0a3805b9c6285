/*
 * metrics: GET /metrics, for Prometheus: at once on the admin listener, on turns on the public one.
 */
#include <stdlib.h>

#include "clock.h"
#include "container_of.h"
#include "endpoint.h"
#include "render.h"
#include "scrape.h"
#include "turns.h"

static struct response
close_body(struct response_body *body, enum exposition_format format, bool closing)
{
    struct response response = response_body_close(body, 200, exposition_type(format), closing);

    response_header(&response, "Vary", "Accept");
    return response;
}

static enum endpoint_status
start(struct endpoint_request *request)
{
    enum exposition_format format = exposition_accepted(&request->headers->accept);
    struct response_body body;
    struct scrape scrape;

    if (response_body_open(&body) != NULL) {
        scrape = scrape_of(request, format, body.out);
        while (scrape_step(&scrape))
            ;
    }
    request->response = close_body(&body, format, request->closing);
    return ENDPOINT_ANSWERED;
}

const struct endpoint metrics_endpoint = {.start = start};

/* Of the public listener: any client may ask, and an answer about a thousand rules is long. So it is made once a
   second, on turns, and all who read share one copy. Before the first copy is ready, a few requests each make their
   own, so that one that hangs up does not spoil it for the others; the rest of a crowd is answered 503. */
#define FIRST_MAKERS 4

struct public_scrape {
    struct turn turn;
    struct endpoint_request *request;
    struct render_kept *kept; /* where the answer is kept */
    struct response_body body;
    struct scrape scrape;
};

static void
on_turn(struct turn *turn)
{
    struct public_scrape *public = container_of(turn, struct public_scrape, turn);

    if (scrape_step(&public->scrape))
        return;
    turns_leave(turn);
    public->request->resume(public->request);
}

static enum endpoint_status
start_public(struct endpoint_request *request)
{
    enum exposition_format format = exposition_accepted(&request->headers->accept);
    struct render_kept *kept = render_kept(request->context->renderer, 2 * format + request->closing);
    bool is_new = clock_mono_us() - kept->made_us < US_PER_S;
    struct public_scrape *public;

    request->response = kept->response;
    if (kept->response.response != NULL && (is_new || kept->makers > 0))
        return ENDPOINT_ANSWERED;
    if (kept->makers == FIRST_MAKERS)
        return endpoint_problem(request, 503, "The metrics are being written for the first time; ask again.");
    public = calloc(1, sizeof(*public));
    if (public == NULL || response_body_open(&public->body) == NULL) {
        free(public);
        request->response = (struct response){0};
        return ENDPOINT_ANSWERED;
    }
    public->turn.step = on_turn;
    public->request = request;
    public->kept = kept;
    public->scrape = scrape_of(request, format, public->body.out);
    kept->makers++;
    request->state = public;
    turns_work(request->context->turns, &public->turn);
    return ENDPOINT_PENDING;
}

/* What is written and in no answer yet goes, too. */
static void
free_public(struct endpoint_request *request, bool pending)
{
    struct public_scrape *public = request->state;
    struct response unsent;

    (void)pending; /* `body` knows */
    request->state = NULL;
    if (public == NULL)
        return;
    turns_leave(&public->turn);
    if (public->body.out != NULL) {
        unsent = close_body(&public->body, public->scrape.to.format, true);
        response_free(&unsent);
    }
    public->kept->makers--;
    free(public);
}

static struct response
finish_public(struct endpoint_request *request)
{
    struct public_scrape *public = request->state;
    struct render_kept *kept = public->kept;

    response_free(&kept->response);
    kept->response = close_body(&public->body, public->scrape.to.format, request->closing);
    kept->response.owned = false;
    kept->made_us = clock_mono_us();
    public->body.out = NULL;
    free_public(request, false);
    return kept->response;
}

const struct endpoint metrics_public_endpoint = {
    .start = start_public, .finish = finish_public, .free = free_public};
