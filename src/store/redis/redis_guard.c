#include "redis_guard.h"

#include <stddef.h>

/* No command of the service is answered by an array, and the script's reply to a full batch is a string of
   some hundred kilobytes. */
#define ELEMENTS_MAX 64
#define REPLY_BYTES  (4 * 1024 * 1024)

/* The reader takes NULL for out of memory, and hiredis ends the connection. */
static const redisReplyObjectFunctions *
inner_for(const redisReadTask *task)
{
    struct redis_guard *guard = task->privdata;
    bool asked = guard->context->replies.head != NULL;

    /* Elements of an array are judged with the array. */
    if (task->parent != NULL || asked)
        return guard->inner;
    if (task->type == REDIS_REPLY_ERROR) {
        guard->has_unasked_error = true;
        return guard->inner;
    }
    guard->reason = "unexpected data from Redis";
    return NULL;
}

static void *
create_string(const redisReadTask *task, char *text, size_t bytes)
{
    const redisReplyObjectFunctions *inner = inner_for(task);

    return inner ? inner->createString(task, text, bytes) : NULL;
}

/* Even an empty one: no command of ours is answered by an array, and hiredis keeps the elements until it
   ends. */
static void *
refuse_array(const redisReadTask *task)
{
    struct redis_guard *guard = task->privdata;

    guard->reason = "unexpected array from Redis";
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
    guard->reason = "oversized reply from Redis";
    return true;
}
