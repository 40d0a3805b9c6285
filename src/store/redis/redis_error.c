#include "redis_error.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* In the order of the search: first the codes, then what only the text after the code tells. */
static const struct redis_error errors[REDIS_ERROR_COUNT] = {
    {"NOSCRIPT", REACT_SEND_SCRIPT, "the script cache was emptied; the script is sent again"},
    {"LOADING", REACT_DEGRADE, "it is reading its data set after a start; wait until it has"},
    {"READONLY", REACT_RECONNECT,
     "it is a replica; point REDIS_URL at the primary, or wait for the failover to end"},
    {"MASTERDOWN", REACT_RECONNECT, "it is a replica whose primary is away; point REDIS_URL at the primary"},
    {"OOM", REACT_DEGRADE, "it is full; raise maxmemory, or set maxmemory-policy volatile-ttl"},
    {"NOREPLICAS", REACT_DEGRADE, "it has fewer replicas than min-replicas-to-write asks for; start them"},
    {"MISCONF", REACT_DEGRADE,
     "it cannot save to disk and refuses writes; see its log, its disk, and stop-writes-on-bgsave-error"},
    {"BUSY", REACT_DEGRADE,
     "another client's script keeps it busy; SCRIPT KILL ends one that has written nothing"},
    {"NOAUTH", REACT_REENTER,
     "it requires a password; set REDIS_PASSWORD or REDIS_PASSWORD_FILE, or put it in REDIS_URL"},
    {"WRONGPASS", REACT_REENTER,
     "it rejects this user and password; check those in REDIS_URL, or REDIS_USERNAME and "
     "REDIS_PASSWORD"},
    {"NOPERM", REACT_DEGRADE,
     "its ACL denies this user a command or key that the service needs; docs/redis.md has the smallest ACL "
     "that works"},
    {"WRONGTYPE", REACT_DEGRADE,
     "a key that starts with rl: belongs to another program; delete it, or use another database (REDIS_DB)"},
    {"CLUSTERDOWN", REACT_DEGRADE,
     "it is a cluster node whose cluster is down; the service needs a Redis without cluster mode"},
    {"MOVED", REACT_DEGRADE, "it is a cluster node; the service needs a Redis without cluster mode"},
    {"CROSSSLOT", REACT_DEGRADE, "it is a cluster node; the service needs a Redis without cluster mode"},
    {"DENIED", REACT_REENTER,
     "it is in protected mode and accepts local clients only; give it a password, or set protected-mode no"},
    {"The user executing the script can't run this command", REACT_DEGRADE,
     "its ACL denies this user a command of the script; docs/redis.md has the smallest ACL that works"},
    {"ACL failure in script", REACT_DEGRADE, /* the same, by Redis 7.2 and later */
     "its ACL denies this user a command of the script; docs/redis.md has the smallest ACL that works"},
    {"max number of clients reached", REACT_RECONNECT,
     "it accepts no more connections; raise its maxclients"},
    {"unknown command", REACT_DEGRADE,
     "it lacks a command that the service needs; is it a Sentinel, or were commands renamed?"},
    {"without any password configured", REACT_REENTER,
     "it has no password for this user; take it out of REDIS_URL or REDIS_PASSWORD, or set one in Redis"},
    {"but no password is set", REACT_REENTER, /* the same, by Redis 5 */
     "it has no password for this user; take it out of REDIS_URL or REDIS_PASSWORD, or set one in Redis"},
    {"DB index is out of range", REACT_DEGRADE,
     "it has no database of that number; change REDIS_DB or the end of REDIS_URL, or raise its databases"},
    {"ERR", REACT_DEGRADE, "an error that the service does not know; see Redis' log, or INFO errorstats"},
};

/* Of the codes that are phrases. */
static const struct {
    const char *code, *word;
} words[] = {
    {"The user executing the script can't run this command", "NOPERM"},
    {"ACL failure in script", "NOPERM"},
    {"max number of clients reached", "MAXCLIENTS"},
    {"unknown command", "UNKNOWN_COMMAND"},
    {"without any password configured", "NO_PASSWORD"},
    {"but no password is set", "NO_PASSWORD"},
    {"DB index is out of range", "DB_RANGE"},
};

/* A phrase may be anywhere in the text; a code must be where Redis puts one. */
static int
says(const char *text, size_t bytes, const char *code)
{
    size_t length = strlen(code);

    for (const char *at = text; (at = memmem(at, bytes - (size_t)(at - text), code, length)) != NULL; at++) {
        const char *end = at + length;
        if (strchr(code, ' '))
            return 1;
        if ((at == text || at[-1] == '-') && (end == text + bytes || *end == ' '))
            return 1;
    }
    return 0;
}

const struct redis_error *
redis_error_of(const char *text, size_t bytes)
{
    size_t i = 0;

    while (i < REDIS_ERROR_COUNT - 1 && !says(text, bytes, errors[i].code))
        i++;
    return &errors[i];
}

size_t
redis_error_index(const struct redis_error *error)
{
    return (size_t)(error - errors);
}

const char *
redis_error_word(size_t index)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(words[i].code, errors[index].code) == 0)
            return words[i].word;
    return errors[index].code;
}

size_t
redis_error_first(const char *word)
{
    size_t i = 0;

    while (strcmp(redis_error_word(i), word) != 0)
        i++;
    return i;
}

const char *
redis_error_shown(char out[REDIS_ERROR_SHOWN_BYTES], const char *text, size_t bytes)
{
    const struct redis_error *error = redis_error_of(text, bytes);
    size_t length = 0;

    while (length < bytes && text[length] >= 'A' && text[length] <= 'Z')
        length++;
    if (strcmp(error->code, "ERR") != 0 || length == 0 || length > 20 ||
        (length < bytes && text[length] != ' ')) {
        text = error->code;
        length = strlen(text);
    }
    assert(length < REDIS_ERROR_SHOWN_BYTES);
    memcpy(out, text, length);
    out[length] = '\0';
    return out;
}

void
redis_error_refusal(char *out, size_t room, const char *text, size_t bytes)
{
    char shown[REDIS_ERROR_SHOWN_BYTES];

    snprintf(out, room, "%s (%s)", redis_error_shown(shown, text, bytes),
             redis_error_of(text, bytes)->advice);
}
