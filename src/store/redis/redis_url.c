#include "redis_url.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "number.h"
#include "url.h"

#define DB_MAX 65535

const char redis_url_no_memory[] = "out of memory";

static const char *
take_copy(char **to, const char *text)
{
    *to = strdup(text);
    return *to != NULL ? NULL : redis_url_no_memory;
}

static const char *
take_decoded(char **to, const char *text)
{
    const char *error = take_copy(to, text);

    if (error != NULL || url_decode(*to))
        return error;
    return "a percent-encoding in the user or password is broken";
}

/* `[user[:password]@]` at the start of `*rest`, which is moved past it. */
static const char *
take_userinfo(struct redis_url *url, char **rest)
{
    char *userinfo = *rest, *at = memrchr(userinfo, '@', strcspn(userinfo, "/?")), *colon;
    const char *error = NULL;

    if (at == NULL)
        return NULL;
    *rest = at + 1;
    *at = '\0';
    colon = strchr(userinfo, ':');
    if (colon != NULL) {
        *colon = '\0';
        error = take_decoded(&url->password, colon + 1);
    }
    if (error == NULL && userinfo[0] != '\0')
        error = take_decoded(&url->user, userinfo);
    return error;
}

static bool
take_db(struct redis_url *url, const char *text)
{
    int64_t db;

    if (!number_parse(text, 0, DB_MAX, &db))
        return false;
    url->db = (int)db;
    return true;
}

/* host[:port][/db] */
static const char *
parse_tcp(struct redis_url *url, char *rest)
{
    char *slash = strchr(rest, '/');
    char *port = NULL;
    struct in6_addr address;
    int64_t number;

    if (strchr(rest, '?'))
        return "a redis:// URL takes no query";
    if (slash) {
        *slash++ = '\0';
        if (*slash != '\0' && !take_db(url, slash))
            return "the database must be an integer from 0 to 65535";
    }
    if (rest[0] == '[') {
        char *bracket = strchr(rest, ']');
        if (bracket == NULL || (bracket[1] != '\0' && bracket[1] != ':'))
            return "an IPv6 address is written in brackets, and only a port may follow it";
        *bracket = '\0';
        rest++;
        port = bracket[1] == ':' ? bracket + 2 : NULL;
    } else {
        port = strchr(rest, ':');
        if (port)
            *port++ = '\0';
    }
    if (rest[0] == '\0' ||
        strspn(rest, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:%") != strlen(rest))
        return "the host is missing or has a character that no host name has";
    url->port = REDIS_PORT;
    if (port) {
        if (!number_parse(port, 1, 65535, &number))
            return "the port must be an integer from 1 to 65535";
        url->port = (int)number;
    }
    url->host_is_address =
        inet_pton(AF_INET, rest, &address) == 1 || inet_pton(AF_INET6, rest, &address) == 1;
    return take_copy(&url->host, rest);
}

/* /path/of.sock[?db=n] */
static const char *
parse_unix(struct redis_url *url, char *rest)
{
    char *query = strchr(rest, '?');

    if (query) {
        *query++ = '\0';
        if (strncmp(query, "db=", 3) != 0)
            return "the only key that the query of a unix:// URL takes is db";
        if (!take_db(url, query + 3))
            return "the database must be an integer from 0 to 65535";
    }
    if (rest[0] != '/' || !url_decode(rest))
        return "a unix:// URL names an absolute path";
    if (strlen(rest) > 107)
        return "the path of a Unix socket has at most 107 bytes";
    return take_copy(&url->path, rest);
}

static bool
compose_display(struct redis_url *url)
{
    bool bracket = url->host && strchr(url->host, ':');
    int ok;

    if (url->path)
        ok = asprintf(&url->display, "unix://%s?db=%d", url->path, url->db);
    else
        ok = asprintf(&url->display, "%s://%s%s%s:%d/%d", url->tls ? "rediss" : "redis", bracket ? "[" : "",
                      url->host, bracket ? "]" : "", url->port, url->db);
    if (ok < 0)
        url->display = NULL;
    return ok >= 0;
}

const char *
redis_url_read(struct redis_url *url, const char *text)
{
    char *copy = strdup(text);
    const char *error = NULL;
    char *rest = NULL;
    bool is_unix = false;

    *url = (struct redis_url){0};
    if (copy == NULL)
        return redis_url_no_memory;
    if (strncasecmp(copy, "redis://", 8) == 0) {
        rest = copy + 8;
    } else if (strncasecmp(copy, "rediss://", 9) == 0) {
        rest = copy + 9;
        url->tls = true;
    } else if (strncasecmp(copy, "unix://", 7) == 0) {
        rest = copy + 7;
        is_unix = true;
    } else {
        error = "the scheme must be redis, rediss or unix";
    }
    if (!error) {
        error = take_userinfo(url, &rest);
        if (!error)
            error = is_unix ? parse_unix(url, rest) : parse_tcp(url, rest);
    }
    explicit_bzero(copy, strlen(text));
    free(copy);
    if (!error && !compose_display(url))
        error = redis_url_no_memory;
    if (error)
        redis_url_fini(url);
    return error;
}

bool
redis_url_parse(struct redis_url *url, const char *place, const char *text, struct report *report)
{
    const char *error = redis_url_read(url, text);

    if (error)
        report_add(report, "%s: %s; accepted: " REDIS_URL_ACCEPTED, place, error);
    return error == NULL;
}

void
redis_url_fini(struct redis_url *url)
{
    if (url->password)
        explicit_bzero(url->password, strlen(url->password));
    free(url->host);
    free(url->path);
    free(url->user);
    free(url->password);
    free(url->display);
    *url = (struct redis_url){0};
}
