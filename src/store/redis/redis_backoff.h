/*
 * redis_backoff: how long to wait before Redis is tried again. Pure but for a random part, so that the
 * workers of many nodes do not reconnect at the same moment.
 */
#ifndef REDIS_BACKOFF_H
#define REDIS_BACKOFF_H

/* The longest SHORT pause and one attempt take less than a second. LONG: where frequent attempts would change
   nothing, after a wrong password, say. */
enum redis_pause { REDIS_PAUSE_SHORT, REDIS_PAUSE_LONG };

/* After this number of failures in a row, from 1. */
unsigned redis_backoff_ms(unsigned failures, enum redis_pause pause);

#endif
