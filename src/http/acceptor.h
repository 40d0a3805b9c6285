/*
 * acceptor: takes connections from a listening socket, for a worker's loop.
 *
 * libmicrohttpd could do this, but when it is full it silently leaves new connections in the socket's queue.
 * When there is no room for another connection, here or in the kernel, the acceptor rests until
 * acceptor_resume, so that the loop does not spin.
 *
 * The worker's thread only.
 */
#ifndef ACCEPTOR_H
#define ACCEPTOR_H

#include <stdbool.h>
#include <sys/socket.h>

struct event_base;
struct acceptor;

/* `fd` is non-blocking and closed on exec. True: the callback owns it from then on. False: not now; the
   acceptor rests and offers it again at acceptor_resume. Called from the loop, from acceptor_resume and from
   acceptor_free. */
typedef bool acceptor_callback(void *arg, int fd, const struct sockaddr *address, socklen_t bytes);

/* `socket` listens and does not block; the acceptor owns it, and closes it even when it returns NULL (out of
   memory). */
struct acceptor *acceptor_new(struct event_base *base, int socket, acceptor_callback *callback, void *arg);

/* Call this now and then: an acceptor that rests tries again. */
void acceptor_resume(struct acceptor *acceptor);

/* Accepts the connections that already wait, closes those that the callback does not take, then closes the
   socket. A client that connects within the microsecond between the last accept and the close is cut off.
   NULL is allowed. */
void acceptor_free(struct acceptor *acceptor);

#endif
