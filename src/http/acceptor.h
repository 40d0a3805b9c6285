/*
 * acceptor: takes connections from a listening socket, for a worker's loop.
 *
 * libmicrohttpd could do it, but when it is full it leaves who comes then in the socket's queue, without a word. Where
 * there is no room for one more, here or in the kernel, the acceptor rests until acceptor_resume, so that the loop does
 * not turn for nothing.
 *
 * The worker's thread only.
 */
#ifndef ACCEPTOR_H
#define ACCEPTOR_H

#include <stdbool.h>
#include <sys/socket.h>

struct event_base;
struct acceptor;

/* `fd` is non-blocking and closed on exec. True: it is the callback's from then on. False: not now; the acceptor rests,
   and offers it again at acceptor_resume. It comes from the loop, from acceptor_resume and from acceptor_free. */
typedef bool acceptor_callback(void *arg, int fd, const struct sockaddr *address, socklen_t bytes);

/* `socket` listens and does not block; it is the acceptor's from here on, also where NULL is returned: memory is out. */
struct acceptor *acceptor_new(struct event_base *base, int socket, acceptor_callback *callback, void *arg);

/* To be called now and then: where the acceptor rests, it tries again. */
void acceptor_resume(struct acceptor *acceptor);

/* Takes in who already waits, and cuts off who is not taken now; then closes the socket: between the last accept and the
   close a client has a microsecond to be cut off in. NULL is allowed. */
void acceptor_free(struct acceptor *acceptor);

#endif
