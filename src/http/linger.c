#include "linger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#define READ_BYTES_MAX (256 * 1024) /* of one connection in one turn of the loop */

struct lingering {
    struct lingering *next, *previous;
    struct linger_list *linger;
    struct event *readable;
    int fd;
    int64_t until_us; /* monotonic */
    int64_t bytes_left;
};

/* All linger equally long, so the oldest ends first. */
struct linger_list {
    struct event_base *base;
    struct event *timer; /* for the end of the oldest */
    struct lingering *oldest, *newest;
    unsigned count;
    char dropped[16 * 1024];
};

/* The list. */

static void
append(struct linger_list *linger, struct lingering *lingering)
{
    lingering->previous = linger->newest;
    if (linger->newest)
        linger->newest->next = lingering;
    else
        linger->oldest = lingering;
    linger->newest = lingering;
    linger->count++;
}

/* After it was taken out of the list. */
static void
end(struct lingering *lingering)
{
    lingering->linger->count--;
    event_free(lingering->readable);
    close(lingering->fd);
    free(lingering);
}

static void
finish_oldest(struct linger_list *linger)
{
    struct lingering *oldest = linger->oldest;

    linger->oldest = oldest->next;
    if (linger->oldest)
        linger->oldest->previous = NULL;
    else
        linger->newest = NULL;
    end(oldest);
}

static void
finish(struct lingering *lingering)
{
    struct linger_list *linger = lingering->linger;

    if (lingering == linger->oldest) {
        finish_oldest(linger);
        return;
    }
    lingering->previous->next = lingering->next;
    if (lingering->next)
        lingering->next->previous = lingering->previous;
    else
        linger->newest = lingering->previous;
    end(lingering);
}

/* Time. */

static void
arm_timer(struct linger_list *linger)
{
    int64_t wait_us;
    struct timeval wait;

    if (linger->oldest == NULL) {
        event_del(linger->timer);
        return;
    }
    wait_us = linger->oldest->until_us - clock_mono_us();
    wait_us = wait_us > 0 ? wait_us : 0;
    wait = (struct timeval){.tv_sec = wait_us / US_PER_S, .tv_usec = wait_us % US_PER_S};
    if (evtimer_add(linger->timer, &wait) < 0)
        while (linger->oldest) /* without a timer nothing would bound their time */
            finish_oldest(linger);
}

static void
on_time(evutil_socket_t fd, short what, void *arg)
{
    struct linger_list *linger = arg;
    int64_t now_us = clock_mono_us();

    (void)fd;
    (void)what;
    while (linger->oldest && linger->oldest->until_us <= now_us)
        finish_oldest(linger);
    arm_timer(linger);
}

/* Reading. */

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
on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct lingering *lingering = arg;

    (void)fd;
    (void)what;
    if (!drop_some(lingering))
        finish(lingering); /* the timer may come for nothing then, and looks again */
}

/* Adding. */

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
        lingering->readable = event_new(linger->base, copy, EV_READ | EV_PERSIST, on_readable, lingering);
    if (lingering && lingering->readable && event_add(lingering->readable, NULL) == 0) {
        lingering->linger = linger;
        lingering->fd = copy;
        return lingering;
    }
    if (lingering && lingering->readable)
        event_free(lingering->readable);
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
        finish_oldest(linger);
    lingering = lingering_new(linger, fd);
    if (lingering == NULL)
        return;
    shutdown(fd, SHUT_WR);
    lingering->until_us = clock_mono_us() + LINGER_US;
    lingering->bytes_left = LINGER_BYTES;
    append(linger, lingering);
    if (linger->oldest == lingering)
        arm_timer(linger);
}

unsigned
linger_count(const struct linger_list *linger)
{
    return linger->count;
}

/* Life. */

struct linger_list *
linger_new(struct event_base *base)
{
    struct linger_list *linger = calloc(1, sizeof(*linger));

    if (linger == NULL)
        return NULL;
    linger->base = base;
    linger->timer = evtimer_new(base, on_time, linger);
    if (linger->timer)
        return linger;
    free(linger);
    return NULL;
}

void
linger_free(struct linger_list *linger)
{
    if (linger == NULL)
        return;
    while (linger->oldest)
        finish_oldest(linger);
    event_free(linger->timer);
    free(linger);
}
