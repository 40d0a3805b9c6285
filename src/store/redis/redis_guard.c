#include "redis_guard.h"

#include <stddef.h>

/* The service asks for no arrays, and the script's reply is a text of some hundred kilobytes where the batch is full. */
#define ELEMENTS_MAX 64
#define REPLY_BYTES  (4 * 1024 * 1024)

/* A reader to whom NULL is returned has run out of memory, as far as it knows, and its connection ends. */
static const redisReplyObjectFunctions *
inner_for(const redisReadTask *task)
{
    struct redis_guard *guard = task->privdata;
    bool asked = guard->context->replies.head != NULL;

    /* The parts of an array are as welcome as the array was. */
    if (task->parent != NULL || asked)
        return guard->inner;
    if (task->type == REDIS_REPLY_ERROR) {
        guard->has_unasked_error = true;
        return guard->inner;
    }
    guard->reason = "it says what nobody asked for";
    return NULL;
}

static void *
create_string(const redisReadTask *task, char *text, size_t bytes)
{
    const redisReplyObjectFunctions *inner = inner_for(task);

    return inner ? inner->createString(task, text, bytes) : NULL;
}

/* Also an empty one: no command of ours is answered by an array, and its parts would be kept until it ends. */
static void *
refuse_array(const redisReadTask *task)
{
    struct redis_guard *guard = task->privdata;

    guard->reason = "it sends an array";
    return NULL;
}

#if HIREDIS_MAJOR >= 1
static void *
create_array(const redisReadTask *task, size_t elements)
{
    (void)elements;
    return refuse_array(task);
}
#else
static void *
create_array(const redisReadTask *task, int elements)
{
    (void)elements;
    return refuse_array(task);
}
#endif

static void *
create_integer(const redisReadTask *task, long long value)
{
    const redisReplyObjectFunctions *inner = inner_for(task);

    return inner ? inner->createInteger(task, value) : NULL;
}

static void *
create_nil(const redisReadTask *task)
{
    const redisReplyObjectFunctions *inner = inner_for(task);

    return inner ? inner->createNil(task) : NULL;
}

#if HIREDIS_MAJOR >= 1
static void *
create_double(const redisReadTask *task, double value, char *text, size_t bytes)
{
    const redisReplyObjectFunctions *inner = inner_for(task);

    return inner ? inner->createDouble(task, value, text, bytes) : NULL;
}

static void *
create_bool(const redisReadTask *task, int value)
{
    const redisReplyObjectFunctions *inner = inner_for(task);

    return inner ? inner->createBool(task, value) : NULL;
}
#endif

void
redis_guard_attach(struct redis_guard *guard, redisAsyncContext *context)
{
    redisReader *reader = context->c.reader;

    *guard = (struct redis_guard){.own = *reader->fn, .inner = reader->fn, .context = context};
    guard->own.createString = create_string;
    guard->own.createArray = create_array;
    guard->own.createInteger = create_integer;
    guard->own.createNil = create_nil;
#if HIREDIS_MAJOR >= 1
    guard->own.createDouble = create_double;
    guard->own.createBool = create_bool;
#endif
    reader->fn = &guard->own;
    reader->privdata = guard;
}

bool
redis_guard_is_flooded(struct redis_guard *guard)
{
    const redisReader *reader = guard->context->c.reader;

    if (reader->len - reader->pos <= REPLY_BYTES)
        return false;
    guard->reason = "it sends a reply that does not end";
    return true;
}
