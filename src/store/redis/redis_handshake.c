#include "redis_handshake.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <hiredis/async.h>
#include <hiredis/hiredis.h>

#include "redis_error.h"

enum entry_step { STEP_MUST, STEP_SCRIPT, STEP_MAY };

/* Steps that the service can do without: a name in Redis' list of clients; and the script, which is sent again with the
   first command that does not find it. But who wants a password, or has no room for one more client, says so at the
   first step, whichever it is; to the script he would say no more than that it is too long for a stranger's. */
static bool
is_serious(const redisReply *reply, enum entry_step step)
{
    const struct redis_error *error = redis_error_of(reply->str, reply->len);

    switch (step) {
    case STEP_SCRIPT:
        return strcmp(error->code, "NOPERM") != 0;
    case STEP_MAY:
        return error->reaction == REACT_REENTER || error->reaction == REACT_RECONNECT;
    case STEP_MUST:
        break;
    }
    return true;
}

static void
on_reply(struct redis_handshake *entry, const redisReply *reply, enum entry_step step)
{
    if (reply == NULL || entry->left == 0)
        return; /* the connection is lost, or what came before was refused */
    if (reply->type == REDIS_REPLY_ERROR && is_serious(reply, step)) {
        entry->left = 0;
        entry->on_over(entry->arg, reply);
    } else if (--entry->left == 0) {
        entry->on_over(entry->arg, NULL);
    }
}

static void
on_must_reply(redisAsyncContext *context, void *reply, void *arg)
{
    (void)context;
    on_reply(arg, reply, STEP_MUST);
}

static void
on_script_reply(redisAsyncContext *context, void *reply, void *arg)
{
    (void)context;
    on_reply(arg, reply, STEP_SCRIPT);
}

static void
on_may_reply(redisAsyncContext *context, void *reply, void *arg)
{
    (void)context;
    on_reply(arg, reply, STEP_MAY);
}

static bool
send_words(struct redis_handshake *entry, redisAsyncContext *context, redisCallbackFn *callback, int count,
           const char **words, const size_t *sizes)
{
    entry->left++;
    return redisAsyncCommandArgv(context, callback, entry, count, words, sizes) == REDIS_OK;
}

bool
redis_handshake_begin(struct redis_handshake *entry, redisAsyncContext *context,
                      const struct redis_handshake_options *options)
{
    const struct redis_url *url = options->url;
    char db[12], name[32];
    bool ok = true;

    entry->left = 0;
    if (url->user || url->password) {
        const char *password = url->password ? url->password : ""; /* as a user with `nopass` may have it */
        const char *words[] = {"AUTH", url->user ? url->user : password, password};
        ok = ok && send_words(entry, context, on_must_reply, url->user ? 3 : 2, words, NULL);
    }
    if (url->db != 0) {
        snprintf(db, sizeof(db), "%d", url->db);
        ok = ok && send_words(entry, context, on_must_reply, 2, (const char *[]){"SELECT", db}, NULL);
    }
    snprintf(name, sizeof(name), "%s-%u", options->program, options->worker);
    return ok &&
           send_words(entry, context, on_may_reply, 3, (const char *[]){"CLIENT", "SETNAME", name}, NULL) &&
           send_words(entry, context, on_may_reply, 4,
                      (const char *[]){"CLIENT", "SETINFO", "LIB-NAME", options->program}, NULL) &&
           send_words(entry, context, on_script_reply, 3, (const char *[]){"SCRIPT", "LOAD", options->script},
                      (const size_t[]){6, 4, options->script_bytes});
}
