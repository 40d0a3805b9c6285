/*
 * log_output: where lines of the log go: standard error, whose reader is never waited for.
 *
 * A reader that has stopped reading (a pipe to a collector that hangs, a terminal after Ctrl-S) would hold the writer in
 * write(2), and with it a worker's requests. So the descriptor of a pipe or a terminal is opened once more, without
 * waiting; a socket's lines are sent without waiting; where neither can be, it is asked first whether there is room.
 * The descriptor that was inherited stays as it is, because other processes share it. A line that finds no room is
 * lost, and counted.
 */
#ifndef LOG_OUTPUT_H
#define LOG_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

/* Before the first thread is started. Until then, lines are written to standard error, and waited for. */
void log_output_init(void);

/* Writes a line in one piece. False: it is lost. Any thread. */
bool log_output_write(const char *line, size_t bytes);

#endif
