/*
 * head: the request line and the headers of one request, judged before anything of them is believed.
 *
 * Three questions: is it within the bounds, was it sent as libmicrohttpd shows it, and would every party read
 * it in the same way? A request that fails one is refused by a raw answer (raw_answer.h), and its connection
 * ends.
 *
 * The second is asked because libmicrohttpd 0.9.75 appends a folded header line to the name of the header
 * before it, cuts targets and values at a NUL, and takes a line that begins with one for the end of the
 * headers. But all that it shows points into its buffer. So a request that was sent as shown lies there
 * without a gap: the method, a blank, the target, a blank, the version; then each header's name, a colon,
 * blanks and its value, each line ended by CRLF, and an empty line.
 */
#ifndef HEAD_H
#define HEAD_H

#include <stdbool.h>

#include "headers.h"
#include "raw_answer.h"
#include "rule_name.h"
#include "store.h"
#include "target.h"

struct MHD_Connection;

/* Bounds, in bytes as they were sent; that of the target is TARGET_BYTES_MAX. */
#define METHOD_BYTES_MAX 64
#define HEAD_BYTES_MAX   12288

/*
 * The memory of libmicrohttpd for one request and its answer's header. Every connection holds it, and it is
 * wiped for each request, which takes longer (nearly 1 us for 21 KiB) than all that this service does for
 * one. So it has room for the largest request that is accepted, and little more.
 */
#define CONNECTION_MEMORY_BYTES (21 * 1024)
#define HEADER_NODE_BYTES       64 /* libmicrohttpd's own of each header: of 0.9.75 48, of 1.0 56 in steps of 16 */
#define ANSWER_HEADER_BYTES     2304 /* the longest: all limits of a rule with the longest name */
_Static_assert(LIMIT_SET_MAX == 8 && RULE_NAME_BYTES == 64, "ANSWER_HEADER_BYTES was measured with these");
_Static_assert(CONNECTION_MEMORY_BYTES >=
                   HEAD_BYTES_MAX + (HEADERS_MAX + 3) * HEADER_NODE_BYTES + ANSWER_HEADER_BYTES,
               "every request that is accepted leaves room for its answer's header");
_Static_assert(CONNECTION_MEMORY_BYTES <= 32 * 1024, "above, libmicrohttpd maps it instead of allocating it");

/* What the access handler is called with. */
struct request_line {
    const char *method, *target, *version;
    size_t target_bytes; /* with the query that first_line_read cut off */
    bool is_clean;       /* as that has it */
};

/* The request line, the headers and the empty line; 0 as long as their end has not been found, also while
   libmicrohttpd sends a page about that. */
size_t head_bytes(struct MHD_Connection *connection);

/* At the first call of the access handler. False with the refusal's status and detail. */
bool head_read(struct headers *headers, const struct header_index *index, struct MHD_Connection *connection,
               const struct request_line *line, struct raw_answer *refusal);

#endif
