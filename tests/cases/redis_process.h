/*
 * redis_process: a redis-server of the test's own, on a socket in a directory of its own, that dies with the
 * test: stopped by redis_process_stop, else killed by the kernel when the test's process ends, however it
 * does.
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
