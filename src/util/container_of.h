/*
 * container_of: from a member to the struct that embeds it, which is how a callback finds its way back.
 *
 *     struct exchange *exchange = container_of(request, struct exchange, request);
 */
#ifndef CONTAINER_OF_H
#define CONTAINER_OF_H

#include <stddef.h>

#define container_of(member_pointer, type, member) \
    ((type *)(void *)((char *)(member_pointer)-offsetof(type, member)))

#endif
