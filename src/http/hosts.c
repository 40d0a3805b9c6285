#include "hosts.h"

#include <string.h>
#include <strings.h>

const char hosts_refusal[] =
    "This listener does not answer to that Host: use an address, localhost or a name in ADMIN_HOSTS.";

/* Without the port, and without the dot that ends an absolute name. */
static struct field
name_of(struct field host)
{
    const char *colon = memchr(host.text, ':', host.bytes);

    if (colon != NULL)
        host.bytes = (size_t)(colon - host.text);
    if (host.bytes > 0 && host.text[host.bytes - 1] == '.')
        host.bytes--;
    return host;
}

static bool
is_name(const struct field *host, const char *name, size_t bytes)
{
    return host->bytes == bytes && strncasecmp(host->text, name, bytes) == 0;
}

static bool
is_listed(const struct field *host, const char *list)
{
    for (size_t bytes; *list != '\0'; list += bytes) {
        list += strspn(list, ", ");
        bytes = strcspn(list, ", ");
        if (bytes > 0 && is_name(host, list, bytes))
            return true;
    }
    return false;
}

bool
hosts_accept(const struct hosts *hosts, const struct field *host)
{
    struct address address;
    struct field name;

    if (hosts == NULL || host->text == NULL || address_parse(&address, host->text, host->bytes))
        return true;
    name = name_of(*host);
    return is_name(&name, "localhost", strlen("localhost")) ||
           (hosts->own != NULL && is_name(&name, hosts->own, strlen(hosts->own))) ||
           is_listed(&name, hosts->listed);
}
