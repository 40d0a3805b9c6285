/*
 * cookie: one cookie of a Cookie header (RFC 6265, section 4.2). Pure; any thread.
 */
#ifndef COOKIE_H
#define COOKIE_H

#include "field.h"

/* The value of the first cookie of that name that is not empty, without the quotes around it; text NULL:
   there is none. Names are compared byte for byte. */
struct field cookie_find(const struct field *header, const char *name);

#endif
