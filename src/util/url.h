/*
 * url: percent-encoding, and a URL as it may be shown. Any thread.
 */
#ifndef URL_H
#define URL_H

#include <stdbool.h>

/* Writes `text` with everything but RFC 3986's unreserved characters as %XX: at most three bytes for each of
   its own, and no terminating zero. Returns the end of what was written. */
char *url_encode(char *out, const char *text);

/* Percent-decodes in place. False on an invalid encoding or an encoded zero byte; the text is then
   undefined. */
bool url_decode(char *text);

/* The URL, valid or not, with its password replaced by "***": everything between the user's colon and the
   last `@`. A user without a colon is replaced too, because some clients take it for the password, and so is
   anything in the place of the port that is not a port: a password whose `@` was forgotten. The caller frees
   it; NULL: out of memory. */
char *url_redact(const char *url);

#endif
