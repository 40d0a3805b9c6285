#include "host.h"

#include <arpa/inet.h>
#include <string.h>

/* The bytes before the port, if there is one; 0: what follows the last colon is no port. */
static size_t
bytes_without_port(const struct field *host)
{
    size_t at = host->bytes;

    while (at > 0 && host->text[at - 1] >= '0' && host->text[at - 1] <= '9')
        at--;
    if (at > 0 && host->text[at - 1] == ':')
        return at - 1;
    return memchr(host->text, ':', host->bytes) == NULL || host->text[host->bytes - 1] == ']' ? host->bytes
                                                                                              : 0;
}

/* "[2001:DB8::1]" */
static struct field
normalise_ipv6(const char *text, size_t bytes, char out[HOST_BYTES_MAX])
{
    char copy[INET6_ADDRSTRLEN];
    unsigned char address[16];

    if (bytes < 2 || text[bytes - 1] != ']' || bytes - 2 >= sizeof(copy) || memchr(text, '\0', bytes) != NULL)
        return (struct field){.text = NULL};
    memcpy(copy, text + 1, bytes - 2);
    copy[bytes - 2] = '\0';
    if (inet_pton(AF_INET6, copy, address) != 1)
        return (struct field){.text = NULL};
    out[0] = '[';
    inet_ntop(AF_INET6, address, out + 1, INET6_ADDRSTRLEN);
    bytes = strlen(out);
    out[bytes++] = ']';
    return (struct field){.text = out, .bytes = bytes};
}

/* The byte in lower case; 0: no name has it. */
static char
name_byte(char byte)
{
    if (byte >= 'A' && byte <= 'Z')
        return (char)(byte - 'A' + 'a');
    if ((byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' || byte == '_' ||
        byte == '.')
        return byte;
    return '\0';
}

struct field
host_normalise(const struct field *host, char out[HOST_BYTES_MAX])
{
    const struct field none = {.text = NULL};
    size_t bytes = host->text != NULL && host->bytes > 0 ? bytes_without_port(host) : 0;

    if (bytes > 0 && host->text[0] == '[')
        return normalise_ipv6(host->text, bytes, out);
    if (bytes > 1 && host->text[bytes - 1] == '.')
        bytes--;
    if (bytes == 0 || bytes > HOST_BYTES_MAX || host->text[bytes - 1] == '.')
        return none;
    for (size_t i = 0; i < bytes; i++) {
        out[i] = name_byte(host->text[i]);
        if (out[i] == '\0' || (out[i] == '.' && (i == 0 || out[i - 1] == '.')))
            return none;
    }
    return (struct field){.text = out, .bytes = bytes};
}

bool
host_pattern_matches(const char *pattern, const struct field *host)
{
    bool wild = pattern[0] == '*';
    const char *end = wild ? pattern + 1 : pattern; /* ".example.com" */
    size_t bytes = strlen(end);

    if (wild ? host->bytes <= bytes : host->bytes != bytes)
        return false;
    return memcmp(host->text + host->bytes - bytes, end, bytes) == 0;
}
