#include "redis_backoff.h"

#include <sys/random.h>

/* Doubled from the first to the last; a random part of it, from a half up to all. */
#define FIRST_MS 25
#define LAST_MS  300
#define LONG_MS  3000

unsigned
redis_backoff_ms(unsigned failures, enum redis_pause pause)
{
    unsigned ms = FIRST_MS, random = 0;

    while (failures-- > 1 && ms < LAST_MS)
        ms *= 2;
    if (ms > LAST_MS)
        ms = LAST_MS;
    if (pause == REDIS_PAUSE_LONG)
        ms = LONG_MS;
    if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
        random = 0;
    return ms / 2 + random % (ms / 2 + 1);
}
