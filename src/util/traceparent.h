/*
 * traceparent: the trace that a request belongs to, from the header of that name (W3C Trace Context, section
 * 3.2).
 *
 *     00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
 *     version, trace-id, parent-id and flags: lower-case hexadecimal; neither id is all zeros
 *
 * Of a version above 00 that much is read, and what a later standard appends after another "-" is ignored;
 * there is no version ff. Pure; any thread.
 */
#ifndef TRACEPARENT_H
#define TRACEPARENT_H

#include "field.h"

#define TRACE_ID_BYTES 32

/* The trace-id, which lies in the value; text NULL: the value is no traceparent. */
struct field traceparent_trace_id(const struct field *value);

/* A trace-id, or none (0 bytes), as a string. */
struct trace_id_text {
    char text[TRACE_ID_BYTES + 1];
};
struct trace_id_text trace_id_text(const struct field *trace_id);

#endif
