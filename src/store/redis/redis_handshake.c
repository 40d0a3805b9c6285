#include "redis_handshake.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <hiredis/async.h>
#include <hiredis/hiredis.h>

#include "redis_error.h"

enum handshake_step { STEP_MUST, STEP_SCRIPT, STEP_MAY };

/* MAY steps can fail: the name in CLIENT LIST. So can the script where the ACL forbids it: it is then sent with the first
   command that misses it. But a Redis that wants a password, or has no room for another client, says so at the first
   step, whichever that is; to the script it would only say that it is too long for a client without authentication. */
static bool
is_serious(const redisReply *reply, enum handshake_step step)
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
on_reply(struct redis_handshake *handshake, const redisReply *reply, enum handshake_step step)
{
    if (reply == NULL || handshake->left == 0)
        return; /* the connection is lost, or an earlier step was refused */
    if (reply->type == REDIS_REPLY_ERROR && is_serious(reply, step)) {
        handshake->left = 0;
        handshake->on_over(handshake->arg, reply);
    } else if (--handshake->left == 0) {
        handshake->on_over(handshake->arg, NULL);
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
send_words(struct redis_handshake *handshake, redisAsyncContext *context, redisCallbackFn *callback,
           int count, const char **words, const size_t *sizes)
{
    handshake->left++;
    return redisAsyncCommandArgv(context, callback, handshake, count, words, sizes) == REDIS_OK;
}

bool
redis_handshake_begin(struct redis_handshake *handshake, redisAsyncContext *context,
                      const struct redis_handshake_options *options)
{
    const struct redis_url *url = options->url;
    char db[12], name[32];
    bool ok = true;

    handshake->left = 0;
    if (url->user || url->password) {
        const char *password = url->password ? url->password : ""; /* a user with `nopass` has none */
        const char *words[] = {"AUTH", url->user ? url->user : password, password};
        ok = ok && send_words(handshake, context, on_must_reply, url->user ? 3 : 2, words, NULL);
    }
    if (url->db != 0) {
        snprintf(db, sizeof(db), "%d", url->db);
        ok = ok && send_words(handshake, context, on_must_reply, 2, (const char *[]){"SELECT", db}, NULL);
    }
    snprintf(name, sizeof(name), "%s-%u", options->program, options->worker);
    return ok &&
           send_words(handshake, context, on_may_reply, 3, (const char *[]){"CLIENT", "SETNAME", name},
                      NULL) &&
           send_words(handshake, context, on_may_reply, 4,
                      (const char *[]){"CLIENT", "SETINFO", "LIB-NAME", options->program}, NULL) &&
           send_words(handshake, context, on_script_reply, 3,
                      (const char *[]){"SCRIPT", "LOAD", options->script},
                      (const size_t[]){6, 4, options->script_bytes});
}
