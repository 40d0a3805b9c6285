#include "redis_news.h"

#define BIT(kind) (UINT32_C(1) << (kind))

_Static_assert(REDIS_NEWS_CONNECTED < 32, "each kind has a bit");

bool
redis_news_lost(struct redis_news *news, unsigned kind, bool was_of_use)
{
    uint32_t said = atomic_load(&news->said), now;

    do {
        now = was_of_use && (said & BIT(REDIS_NEWS_CONNECTED)) != 0 ? 0 : said;
        if ((now & BIT(kind)) != 0)
            return false;
        now = (now | BIT(kind)) & ~BIT(REDIS_NEWS_CONNECTED);
    } while (!atomic_compare_exchange_weak(&news->said, &said, now));
    return true;
}

bool
redis_news_connected(struct redis_news *news)
{
    return (atomic_fetch_or(&news->said, BIT(REDIS_NEWS_CONNECTED)) & BIT(REDIS_NEWS_CONNECTED)) == 0;
}
