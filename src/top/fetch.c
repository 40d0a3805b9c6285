#include "fetch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "stringify.h"

#define REPLY_BYTES_MAX (32 * 1024 * 1024)
#define READ_BYTES      (64 * 1024)

static const struct timeval timeout = {.tv_sec = FETCH_TIMEOUT_S};
static const struct timeval at_once = {0};

const char *
server_find(struct server *server)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    int status;

    if (server->url.path[0] != '\0') {
        server->unix_socket.sun_family = AF_UNIX;
        snprintf(server->unix_socket.sun_path, sizeof(server->unix_socket.sun_path), "%s", server->url.path);
        server->unix_address = (struct addrinfo){.ai_family = AF_UNIX,
                                                 .ai_socktype = SOCK_STREAM,
                                                 .ai_addr = (struct sockaddr *)&server->unix_socket,
                                                 .ai_addrlen = sizeof(server->unix_socket)};
        return NULL;
    }
    status = getaddrinfo(server->url.host, server->url.port, &hints, &server->found);
    return status == 0 ? NULL : gai_strerror(status);
}

void
server_fini(struct server *server)
{
    if (server->found != NULL)
        freeaddrinfo(server->found);
    *server = (struct server){0};
}

void
fetch_cancel(struct fetch *fetch)
{
    if (fetch->event != NULL)
        event_free(fetch->event);
    if (fetch->fd >= 0)
        close(fetch->fd);
    free(fetch->text);
    fetch->event = NULL;
    fetch->fd = -1;
    fetch->text = NULL;
    fetch->bytes = fetch->room = fetch->sent_bytes = 0;
}

/* `done` may begin the next one, so this one is over before. */
static void
end(struct fetch *fetch, const char *why)
{
    char *text = fetch->text;
    size_t bytes = fetch->bytes;
    struct http_reply reply = {0};

    fetch->text = NULL;
    fetch_cancel(fetch);
    if (why == NULL && (text == NULL || !http_reply_parse(&reply, text, bytes)))
        why = bytes == 0 ? "it closed the connection without an answer"
                         : "what it sent is no whole answer of HTTP";
    fetch->done(fetch->owner, why == NULL ? &reply : NULL, why);
    free(text);
}

static void on_event(evutil_socket_t fd, short what, void *argument);

/* Waits for the socket, or -1: for the next turn of the loop. */
static void
wait_for(struct fetch *fetch, short what)
{
    if (fetch->event != NULL)
        event_free(fetch->event);
    fetch->event = event_new(fetch->base, fetch->fd, what, on_event, fetch);
    if (fetch->event == NULL || event_add(fetch->event, fetch->fd >= 0 ? &timeout : &at_once) != 0)
        end(fetch, "out of memory");
}

/* The first of the addresses left that does not refuse at once; `error`: why there is none. */
static void
connect_next(struct fetch *fetch, int error)
{
    for (; fetch->address != NULL; fetch->address = fetch->address->ai_next) {
        if (fetch->fd >= 0)
            close(fetch->fd);
        fetch->fd = socket(fetch->address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fetch->fd >= 0 && (connect(fetch->fd, fetch->address->ai_addr, fetch->address->ai_addrlen) == 0 ||
                               errno == EINPROGRESS)) {
            fetch->address = fetch->address->ai_next;
            wait_for(fetch, EV_WRITE);
            return;
        }
        error = errno;
    }
    end(fetch, strerror(error));
}

static void
send_request(struct fetch *fetch)
{
    int error = 0;
    socklen_t size = sizeof(error);
    ssize_t sent;

    if (fetch->sent_bytes == 0 && getsockopt(fetch->fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 &&
        error != 0) {
        connect_next(fetch, error);
        return;
    }
    sent = send(fetch->fd, fetch->request + fetch->sent_bytes, fetch->request_bytes - fetch->sent_bytes,
                MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) {
        end(fetch, strerror(errno));
        return;
    }
    fetch->sent_bytes += sent > 0 ? (size_t)sent : 0;
    fetch->sent_us = clock_mono_us();
    wait_for(fetch, fetch->sent_bytes < fetch->request_bytes ? EV_WRITE : EV_READ);
}

static bool
make_room(struct fetch *fetch)
{
    size_t room = fetch->room == 0 ? READ_BYTES : 2 * fetch->room;
    char *text;

    if (fetch->room - fetch->bytes > READ_BYTES / 2)
        return true;
    text = room <= REPLY_BYTES_MAX ? realloc(fetch->text, room) : NULL;
    if (text == NULL)
        return false;
    fetch->text = text;
    fetch->room = room;
    return true;
}

/* One byte of the room is left for the end of the text. */
static void
receive(struct fetch *fetch)
{
    ssize_t received;

    if (!make_room(fetch)) {
        end(fetch, "its answer is too long");
        return;
    }
    received = recv(fetch->fd, fetch->text + fetch->bytes, fetch->room - fetch->bytes - 1, 0);
    if (received == 0 || (received < 0 && errno != EAGAIN && errno != EINTR)) {
        end(fetch, received == 0 ? NULL : strerror(errno));
        return;
    }
    fetch->bytes += received > 0 ? (size_t)received : 0;
    if (clock_mono_us() - fetch->sent_us > FETCH_ANSWER_S * US_PER_S)
        end(fetch, "no whole answer within " STRINGIFY(FETCH_ANSWER_S) " s");
    else
        wait_for(fetch, EV_READ);
}

static void
on_event(evutil_socket_t fd, short what, void *argument)
{
    struct fetch *fetch = argument;

    if (fd < 0)
        connect_next(fetch, EADDRNOTAVAIL);
    else if ((what & EV_TIMEOUT) != 0 && fetch->sent_bytes == 0)
        connect_next(fetch, ETIMEDOUT);
    else if ((what & EV_TIMEOUT) != 0)
        end(fetch, "no answer within 5 s");
    else if (fetch->sent_bytes < fetch->request_bytes)
        send_request(fetch);
    else
        receive(fetch);
}

bool
fetch_begin(struct fetch *fetch, const char *path)
{
    const struct server *server = fetch->server;
    int bytes = snprintf(
        fetch->request, sizeof(fetch->request),
        "GET %s%s HTTP/1.1\r\nHost: %s\r\nAccept: application/json\r\nConnection: close\r\n%s%s%s\r\n",
        server->url.prefix, path, server->url.authority,
        server->token[0] != '\0' ? "Authorization: Bearer " : "", server->token,
        server->token[0] != '\0' ? "\r\n" : "");

    fetch_cancel(fetch);
    if (bytes < 0 || (size_t)bytes >= sizeof(fetch->request))
        return false;
    fetch->request_bytes = (size_t)bytes;
    fetch->address = server->found != NULL ? server->found : &server->unix_address;
    fetch->event = event_new(fetch->base, -1, 0, on_event, fetch);
    return fetch->event != NULL && event_add(fetch->event, &at_once) == 0;
}
