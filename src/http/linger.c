#include "linger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#define READ_BYTES_MAX (256 * 1024) /* of one connection in one turn of the loop */

struct lingering {
    TAILQ_ENTRY(lingering) links;
    struct linger_list *linger;
    struct event *event; /* there is something to read, or the time is over */
    int fd;
    int64_t until_us; /* monotonic */
    int64_t bytes_left;
};

struct linger_list {
    struct event_base *base;
    TAILQ_HEAD(lingering_queue, lingering) list; /* oldest first */
    unsigned count;
    char dropped[16 * 1024];
};

static void
release(struct lingering *lingering)
{
    event_free(lingering->event);
    close(lingering->fd);
    free(lingering);
}

static void
finish(struct lingering *lingering)
{
    struct linger_list *linger = lingering->linger;

    TAILQ_REMOVE(&linger->list, lingering, links);
    linger->count--;
    release(lingering);
}

/* Without an event nothing would bound its time. */
static void
wait_for_more(struct lingering *lingering)
{
    int64_t wait_us = lingering->until_us - clock_mono_us();
    struct timeval wait = {.tv_sec = wait_us / US_PER_S, .tv_usec = wait_us % US_PER_S};

    if (wait_us <= 0 || event_add(lingering->event, &wait) < 0)
        finish(lingering);
}

/* True: there may be more another time. */
static bool
drop_some(struct lingering *lingering)
{
    struct linger_list *linger = lingering->linger;

    for (int64_t budget = READ_BYTES_MAX; budget > 0 && lingering->bytes_left > 0;) {
        ssize_t bytes = recv(lingering->fd, linger->dropped, sizeof(linger->dropped), MSG_DONTWAIT);
        if (bytes < 0)
            return errno == EAGAIN || errno == EINTR;
        if (bytes == 0)
            return false;
        lingering->bytes_left -= bytes;
        budget -= bytes;
    }
    return lingering->bytes_left > 0;
}

static void
on_event(evutil_socket_t fd, short what, void *arg)
{
    struct lingering *lingering = arg;

    (void)fd;
    if ((what & EV_READ) && drop_some(lingering))
        wait_for_more(lingering);
    else
        finish(lingering);
}

static bool
has_closed(int fd)
{
    char byte;
    ssize_t bytes = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

    return bytes == 0 || (bytes < 0 && errno != EAGAIN && errno != EINTR);
}

static struct lingering *
lingering_new(struct linger_list *linger, int fd)
{
    struct lingering *lingering = calloc(1, sizeof(*lingering));
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

    if (lingering && copy >= 0)
        lingering->event = event_new(linger->base, copy, EV_READ, on_event, lingering);
    if (lingering && lingering->event) {
        lingering->linger = linger;
        lingering->fd = copy;
        lingering->until_us = clock_mono_us() + LINGER_US;
        lingering->bytes_left = LINGER_BYTES;
        return lingering;
    }
    if (copy >= 0)
        close(copy);
    free(lingering);
    return NULL;
}

void
linger_add(struct linger_list *linger, int fd)
{
    struct lingering *lingering;

    if (has_closed(fd))
        return;
    if (linger->count == LINGER_MAX)
        finish(TAILQ_FIRST(&linger->list));
    lingering = lingering_new(linger, fd);
    if (lingering == NULL)
        return;
    shutdown(fd, SHUT_WR);
    TAILQ_INSERT_TAIL(&linger->list, lingering, links);
    linger->count++;
    wait_for_more(lingering);
}

unsigned
linger_count(const struct linger_list *linger)
{
    return linger->count;
}

struct linger_list *
linger_new(struct event_base *base)
{
    struct linger_list *linger = calloc(1, sizeof(*linger));

    if (linger == NULL)
        return NULL;
    linger->base = base;
    TAILQ_INIT(&linger->list);
    return linger;
}

void
linger_free(struct linger_list *linger)
{
    struct lingering *next;

    if (linger == NULL)
        return;
    for (struct lingering *lingering = TAILQ_FIRST(&linger->list); lingering != NULL; lingering = next) {
        next = TAILQ_NEXT(lingering, links);
        release(lingering);
    }
    free(linger);
}
