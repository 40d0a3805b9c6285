/*
 * sampler: once a second, looks at what the service counts and how it is, and keeps that in a struct observed, for the
 * endpoints of the admin listener to show.
 *
 * On the loop of that listener's worker, also where nobody can ask.
 */
#ifndef SAMPLER_H
#define SAMPLER_H

#include "generation.h"
#include "observed.h"

struct event_base;
struct sampler;

/* All is borrowed, and must outlive it. */
struct sampler_options {
    struct event_base *base;
    struct observed *observed;
    struct generation_reader *generations; /* the worker's */
};

/* NULL: out of memory. */
struct sampler *sampler_new(const struct sampler_options *options);
void sampler_free(struct sampler *sampler); /* NULL is allowed */

#endif
