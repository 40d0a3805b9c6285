/*
 * process_usage: what this process takes of the machine, as the kernel tells.
 */
#ifndef PROCESS_USAGE_H
#define PROCESS_USAGE_H

#include <stdint.h>

/* -1: the kernel does not tell. */
struct process_usage {
    int64_t cpu_us;
    int64_t start_us; /* Unix time */
    int64_t open_fds, max_fds;
    int64_t resident_bytes, virtual_bytes;
};

/* Reads some files of /proc. Any thread. */
struct process_usage process_usage(void);

#endif
