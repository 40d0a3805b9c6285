#include "arrivals.h"

#include <inttypes.h>
#include <unistd.h>

#include "clock.h"
#include "connections.h"
#include "linger.h"
#include "log.h"
#include "metrics.h"
#include "places.h"
#include "raw_answer.h"

#define FULL_WAIT_US (US_PER_S / 2) /* every worker has swept once by then, and closed idle connections */
#define FULL_LOG_US  (60 * US_PER_S)

static void
log_full(struct places *places)
{
    uint64_t suppressed;

    if (log_limiter_allows(&places->full_log, FULL_LOG_US, &suppressed))
        log_warn("http",
                 "all %u connections are in use: new ones are answered 503; see MAX_CONNECTIONS (%" PRIu64
                 " more were since the last message)",
                 places->max, suppressed);
}

void
arrivals_refuse(struct arrivals *arrivals, int fd)
{
    static const struct raw_answer answer = {
        .status = 503, .detail = "Too many connections are open.", .retry_after_s = 1};

    counter_add(&arrivals->counts->connections_refused, 1);
    if (raw_answer_send(&answer, fd))
        http_counts_answer(arrivals->counts, answer.status);
    linger_add(arrivals->linger, fd);
    close(fd);
}

enum arrival
arrivals_judge(struct arrivals *arrivals, int fd, const struct sockaddr *address, int64_t now_us,
               bool is_last)
{
    if (connections_find_place(arrivals->connections, fd, address, now_us)) {
        arrivals->full_since_us = 0;
        return ARRIVAL_ADMITTED;
    }
    if (arrivals->full_since_us == 0)
        arrivals->full_since_us = now_us;
    places_wish(arrivals->places, true);
    if (now_us - arrivals->full_since_us < FULL_WAIT_US && !is_last)
        return ARRIVAL_WAITING;
    log_full(arrivals->places);
    arrivals_refuse(arrivals, fd);
    return ARRIVAL_REFUSED;
}
