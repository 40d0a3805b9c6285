/*
 * health: what GET /health and GET /ready tell of the whole process, whichever worker is asked, without waiting for the
 * store.
 */
#ifndef HEALTH_H
#define HEALTH_H

#include <stdbool.h>

#include "answer.h"
#include "limiter.h"

/* 200 while the process serves. */
struct answer health_answer(const struct limiter *limiter, bool closing);

/* 503 while draining, or while the store of any worker is away and the failure mode is closed. */
struct answer ready_answer(const struct limiter *limiter, enum failure_mode mode, bool draining);

#endif
