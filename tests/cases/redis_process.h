/*
 * redis_process: a redis-server for one test, on a socket in a temporary directory. redis_process_stop stops
 * it; otherwise the kernel kills it when the test's process ends.
 */
#ifndef REDIS_PROCESS_H
#define REDIS_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

struct redis_process {
    pid_t pid;
    char directory[64];
    char socket[96];
};

/* Returns when the server answers. False: it could not be started; the reason is on standard error. */
bool redis_process_start(struct redis_process *process);
void redis_process_stop(struct redis_process *process);

#endif
