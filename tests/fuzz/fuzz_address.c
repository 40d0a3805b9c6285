/*
 * Any text is read without harm as an address, a list of networks and a line of X-Forwarded-For; what is read
 * is written and read back as the same client; and whatever is to the left of a stranger, the stranger is the
 * client.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"

static void
check_address(const char *text, size_t bytes)
{
    struct address address, again;
    char name[ADDRESS_TEXT_BYTES], name_again[ADDRESS_TEXT_BYTES];
    size_t name_bytes;

    if (!address_parse(&address, text, bytes))
        return;
    assert(address.size == 4 || address.size == 16);
    name_bytes = address_write(&address, name);
    assert(name_bytes == strlen(name) && name_bytes < sizeof(name));
    assert(address_parse(&again, name, strcspn(name, "/")));
    address_write(&again, name_again);
    assert(strcmp(name, name_again) == 0);
}

static void
check_networks(const char *text)
{
    struct networks networks;
    struct report report;

    report_init(&report);
    networks_parse(&networks, "TRUSTED_PROXIES", text, &report);
    for (size_t i = 0; i < networks.count; i++) {
        assert(networks.list[i].address.size == 4 || networks.list[i].address.size == 16);
        assert(networks.list[i].prefix <= networks.list[i].address.size * 8);
        assert(networks_contain(&networks, &networks.list[i].address));
    }
    networks_fini(&networks);
    report_fini(&report);
}

/* The proxy 10.0.0.2 got the request from 203.0.113.7, which sent a line of its own making. */
static void
check_forwarded(const char *text, size_t bytes)
{
    static const struct address peer = {.size = 4, .bytes = {10, 0, 0, 1}};
    struct network trusted = {.address = {.size = 4, .bytes = {10}}, .prefix = 8};
    struct networks networks = {.list = &trusted, .count = 1};
    struct field lines[2] = {{.text = text, .bytes = bytes}, {.text = "203.0.113.7, 10.0.0.2", .bytes = 21}};
    struct address client;
    char name[ADDRESS_TEXT_BYTES];

    client = forwarded_client(&networks, &peer, lines, 1);
    assert(address_write(&client, name) < sizeof(name));
    client = forwarded_client(&networks, &peer, lines, 2);
    address_write(&client, name);
    assert(strcmp(name, "203.0.113.7") == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    char *text = malloc(bytes + 1), *exact = malloc(bytes ? bytes : 1);

    assert(text && exact);
    if (bytes > 0) {
        memcpy(text, data, bytes);
        memcpy(exact, data, bytes);
    }
    text[bytes] = '\0';
    check_address(exact, bytes); /* which ends where it ends: no zero byte follows */
    check_forwarded(exact, bytes);
    check_networks(text);
    free(text);
    free(exact);
    return 0;
}
