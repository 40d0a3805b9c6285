/*
 * url_redact: a URL as it may be shown.
 */
#ifndef URL_REDACT_H
#define URL_REDACT_H

/* The URL, whole or broken, with "***" for its password: for all that stands between the user's colon and the last `@`. A
   user without a colon is hidden too, for some clients take it for the password, and so is what stands in the place of a port
   and is none: a password whose `@` was forgotten. The caller frees it; NULL when memory
   is out. Any thread. */
char *url_redact(const char *url);

#endif
