/*
 * log_output: writes lines of the log to standard error, and never waits for its reader.
 *
 * A reader that has stopped (a collector that hangs, a terminal after Ctrl-S) would block write(2), and with
 * it the requests of a worker. So a pipe or a terminal is opened again as non-blocking; lines to a socket are
 * sent without blocking; where neither is possible, poll(2) is asked for room first. The inherited descriptor
 * is not changed, because other processes share it. A line without room is lost, and counted. So is one of
 * which a full disk took a part; the next line then begins with a line end.
 */
#ifndef LOG_OUTPUT_H
#define LOG_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

/* Call it before the first thread starts. Until then, writes to standard error block. */
void log_output_init(void);

/* Writes a line in one piece. False: lost. Any thread. */
bool log_output_write(const char *line, size_t bytes);

#endif
