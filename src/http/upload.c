#include "upload.h"

#include <stdlib.h>
#include <string.h>

#define IPV6_PREFIX_BYTES 8

void
uploads_init(struct uploads *uploads, struct siphash_key key)
{
    *uploads = (struct uploads){.key = key};
}

static size_t *
share_of(struct uploads *uploads, const struct address *peer)
{
    size_t bytes = peer->size > IPV6_PREFIX_BYTES ? IPV6_PREFIX_BYTES : peer->size;

    return &uploads->shares[siphash128(uploads->key, peer->bytes, bytes).low % UPLOAD_SHARES];
}

void
upload_init(struct upload *upload, struct uploads *uploads, const struct address *peer)
{
    upload->uploads = uploads;
    upload->share = share_of(uploads, peer);
    upload->bytes = upload->large_bytes = 0;
    upload->large = NULL;
    upload->refused = false;
}

/* Whether the share, with `more`, still holds no more than what is free. */
static bool
may_take(const struct upload *upload, size_t more)
{
    size_t taken = upload->uploads->bytes + more;

    return taken <= UPLOAD_BUDGET_BYTES && *upload->share + more <= UPLOAD_BUDGET_BYTES - taken;
}

static bool
grow(struct upload *upload, size_t wanted)
{
    size_t room = upload->large_bytes > 0 ? upload->large_bytes : UPLOAD_SMALL_BYTES, more;
    char *large;

    while (room < wanted)
        room *= 2;
    more = room - upload->large_bytes;
    large = may_take(upload, more) ? realloc(upload->large, room) : NULL;
    if (large == NULL)
        return false;
    if (upload->large == NULL)
        memcpy(large, upload->small, upload->bytes);
    upload->large = large;
    upload->large_bytes = room;
    upload->uploads->bytes += more;
    *upload->share += more;
    return true;
}

bool
upload_put(struct upload *upload, const char *bytes, size_t count)
{
    size_t room = upload->large != NULL ? upload->large_bytes : UPLOAD_SMALL_BYTES;

    if (!upload->refused && count > room - upload->bytes && !grow(upload, upload->bytes + count)) {
        upload_clear(upload);
        upload->refused = true;
    }
    if (upload->refused)
        return false;
    memcpy((upload->large != NULL ? upload->large : upload->small) + upload->bytes, bytes, count);
    upload->bytes += count;
    return true;
}

const char *
upload_text(const struct upload *upload)
{
    return upload->large != NULL ? upload->large : upload->small;
}

void
upload_clear(struct upload *upload)
{
    upload->uploads->bytes -= upload->large_bytes;
    *upload->share -= upload->large_bytes;
    free(upload->large);
    upload->large = NULL;
    upload->bytes = upload->large_bytes = 0;
}
