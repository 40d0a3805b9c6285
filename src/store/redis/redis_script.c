#include "redis_script.h"

#include <hiredis/hiredis.h>

#include "container_of.h"
#include "take_script.h"

static void
on_reply(struct redis_call *call, const struct redisReply *reply)
{
    (void)reply;
    container_of(call, struct redis_script, call)->is_loading = false;
}

bool
redis_script_load(struct redis_script *script, struct redis_connection *connection)
{
    char *command = NULL;
    int bytes;

    if (script->is_loading)
        return true;
    bytes = redisFormatCommand(&command, "SCRIPT LOAD %b", take_script_text, take_script_bytes);
    script->call.callback = on_reply;
    script->is_loading =
        bytes > 0 && redis_connection_send(connection, command, (size_t)bytes, &script->call);
    redisFreeCommand(command);
    return script->is_loading;
}
