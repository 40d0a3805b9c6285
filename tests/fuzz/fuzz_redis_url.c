/* Any text is a URL or a mistake; what is one is read back the same from how it is displayed, which shows no
   password. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "redis_url.h"

/* A Unix path is displayed as it is, not encoded: with one of these bytes it reads as something else. */
static bool
reads_back(const struct redis_url *url)
{
    return url->path == NULL || strpbrk(url->path, "%?") == NULL;
}

static void
check_display(const struct redis_url *url)
{
    struct report report;
    struct redis_url again;

    if (!reads_back(url))
        return;
    report_init(&report);
    assert(redis_url_parse(&again, "--store", url->display, &report));
    assert(again.user == NULL && again.password == NULL);
    assert(again.tls == url->tls && again.port == url->port && again.db == url->db);
    assert(strcmp(again.host ? again.host : "", url->host ? url->host : "") == 0);
    assert(strcmp(again.path ? again.path : "", url->path ? url->path : "") == 0);
    redis_url_fini(&again);
    report_fini(&report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    char *text = malloc(bytes + 1);
    struct report report;
    struct redis_url url;

    assert(text);
    if (bytes > 0)
        memcpy(text, data, bytes);
    text[bytes] = '\0';
    report_init(&report);
    if (redis_url_parse(&url, "--store", text, &report)) {
        assert(report_is_empty(&report));
        assert((url.host == NULL) != (url.path == NULL));
        assert(url.host == NULL || (url.host[0] != '\0' && url.port >= 1 && url.port <= 65535));
        assert(url.path == NULL || url.path[0] == '/');
        assert(url.db >= 0 && url.db <= 65535);
        check_display(&url);
    } else {
        assert(report.count == 1);
        assert(url.host == NULL && url.path == NULL && url.password == NULL);
    }
    redis_url_fini(&url);
    report_fini(&report);
    free(text);
    return 0;
}
