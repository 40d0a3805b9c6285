#include "redis_resolver.h"

#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

/* Shared by the loop and the thread; the last of the two to let go frees it. So the thread of a cancelled
   lookup never writes to a descriptor that has been reused. */
struct redis_resolver_lookup {
    _Atomic int owners;
    int done; /* eventfd: written by the thread, read by the loop; orders their access to the fields below */
    struct event *event;
    redis_resolver_callback *callback;
    void *arg;
    unsigned attempt;
    char *host;
    char address[NI_MAXHOST]; /* "": none */
    const char *reason;
};

static void
let_go(struct redis_resolver_lookup *lookup)
{
    if (atomic_fetch_sub(&lookup->owners, 1) > 1)
        return;
    if (lookup->done >= 0)
        close(lookup->done);
    free(lookup->host);
    free(lookup);
}

static void
resolve(struct redis_resolver_lookup *lookup)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG}, *list = NULL, *item;
    unsigned count = 0, index;
    int status = getaddrinfo(lookup->host, NULL, &hints, &list);

    if (status != 0) {
        lookup->reason = gai_strerror(status);
        return;
    }
    for (item = list; item != NULL; item = item->ai_next)
        count++;
    index = count > 0 ? lookup->attempt % count : 0;
    for (item = list; index > 0 && item != NULL; index--)
        item = item->ai_next;
    if (item == NULL) {
        lookup->reason = "the name has no address";
        return;
    }
    status = getnameinfo(item->ai_addr, item->ai_addrlen, lookup->address, sizeof(lookup->address), NULL, 0,
                         NI_NUMERICHOST);
    if (status != 0) {
        lookup->address[0] = '\0';
        lookup->reason = gai_strerror(status);
    }
    freeaddrinfo(list);
}

static void *
run_thread(void *arg)
{
    struct redis_resolver_lookup *lookup = arg;
    uint64_t one = 1;

    resolve(lookup);
    /* The first write to an eventfd cannot fail. */
    if (write(lookup->done, &one, sizeof(one)) != (ssize_t)sizeof(one))
        abort();
    let_go(lookup);
    return NULL;
}

static void
on_done(evutil_socket_t fd, short what, void *arg)
{
    struct redis_resolver_lookup *lookup = arg;
    uint64_t count;

    (void)what;
    if (read(fd, &count, sizeof(count)) != (ssize_t)sizeof(count))
        return;
    event_free(lookup->event);
    if (lookup->address[0] != '\0')
        lookup->callback(lookup->arg, lookup->address, NULL);
    else
        lookup->callback(lookup->arg, NULL, lookup->reason);
    let_go(lookup);
}

/* The main thread handles signals: this one starts with all of them blocked. */
static int
start_thread(struct redis_resolver_lookup *lookup)
{
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all, before;
    int status;

    sigfillset(&all);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    status = pthread_create(&thread, &attributes, run_thread, lookup);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return status;
}

struct redis_resolver_lookup *
redis_resolver_start(struct event_base *base, const char *host, unsigned attempt,
                     redis_resolver_callback *callback, void *arg)
{
    struct redis_resolver_lookup *lookup = calloc(1, sizeof(*lookup));

    if (lookup == NULL)
        return NULL;
    atomic_init(&lookup->owners, 1);
    lookup->callback = callback;
    lookup->arg = arg;
    lookup->attempt = attempt;
    lookup->host = strdup(host);
    lookup->done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (lookup->host == NULL || lookup->done < 0)
        goto failed;
    lookup->event = event_new(base, lookup->done, EV_READ, on_done, lookup);
    if (lookup->event == NULL || event_add(lookup->event, NULL) < 0)
        goto failed;
    atomic_store(&lookup->owners, 2);
    if (start_thread(lookup) != 0) {
        atomic_store(&lookup->owners, 1);
        goto failed;
    }
    return lookup;

failed:
    if (lookup->event)
        event_free(lookup->event);
    let_go(lookup);
    return NULL;
}

void
redis_resolver_cancel(struct redis_resolver_lookup *lookup)
{
    event_free(lookup->event);
    let_go(lookup);
}
