/*
 * container_of: from a member to the struct that embeds it, for callbacks that get only the member.
 *
 *     struct exchange *exchange = container_of(request, struct exchange, request);
 */
#ifndef CONTAINER_OF_H
#define CONTAINER_OF_H

#include <stddef.h>

#define container_of(member_pointer, type, member) \
    ((type *)(void *)((char *)(member_pointer)-offsetof(type, member)))

#endif
