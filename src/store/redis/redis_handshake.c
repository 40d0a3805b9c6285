#include "redis_handshake.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

#include <hiredis/async.h>
#include <hiredis/hiredis.h>

#include "redis_error.h"
#include "take_script.h"

enum step { STEP_MUST, STEP_SCRIPT, STEP_MAY };

/* MAY steps can fail: the name in CLIENT LIST. So can the script where the ACL forbids it: it is then sent
   with the first command that misses it. But a Redis that wants a password, or has no room for another
   client, says so at the first step, whichever that is; to the script it would only say that it is too long
   for a client without authentication. */
static bool
is_serious(const redisReply *reply, enum step step)
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

/* Replies come in the order of the steps. */
static void
on_reply(redisAsyncContext *context, void *arg, void *cookie)
{
    struct redis_handshake *handshake = cookie;
    const redisReply *reply = arg;
    enum step step;

    (void)context;
    if (reply == NULL || handshake->answered == handshake->sent)
        return; /* the connection is lost, or an earlier step was refused */
    step = handshake->steps[handshake->answered++];
    if (reply->type == REDIS_REPLY_ERROR && is_serious(reply, step)) {
        handshake->answered = handshake->sent;
        handshake->on_over(handshake->arg, reply);
    } else if (handshake->answered == handshake->sent) {
        handshake->on_over(handshake->arg, NULL);
    }
}

/* `format` is hiredis': an argument is what is between two spaces of the format. */
static bool
send_step(struct redis_handshake *handshake, redisAsyncContext *context, enum step step, const char *format,
          ...)
{
    va_list arguments;
    int status;

    assert(handshake->sent < REDIS_HANDSHAKE_STEPS);
    handshake->steps[handshake->sent++] = (unsigned char)step;
    va_start(arguments, format);
    status = redisvAsyncCommand(context, on_reply, handshake, format, arguments);
    va_end(arguments);
    return status == REDIS_OK;
}

static bool
send_password(struct redis_handshake *handshake, redisAsyncContext *context, const struct redis_url *url)
{
    if (url->user) /* without a password: one with `nopass` */
        return send_step(handshake, context, STEP_MUST, "AUTH %s %s", url->user,
                         url->password ? url->password : "");
    return url->password == NULL || send_step(handshake, context, STEP_MUST, "AUTH %s", url->password);
}

bool
redis_handshake_begin(struct redis_handshake *handshake, redisAsyncContext *context,
                      const struct redis_handshake_options *options)
{
    int db = options->url->db;

    handshake->sent = handshake->answered = 0;
    return send_password(handshake, context, options->url) &&
           (db == 0 || send_step(handshake, context, STEP_MUST, "SELECT %d", db)) &&
           send_step(handshake, context, STEP_MAY, "CLIENT SETNAME %s-%u", options->program,
                     options->worker) &&
           send_step(handshake, context, STEP_MAY, "CLIENT SETINFO LIB-NAME %s", options->program) &&
           send_step(handshake, context, STEP_SCRIPT, "SCRIPT LOAD %b", take_script_text, take_script_bytes);
}
