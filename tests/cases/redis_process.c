#include "redis_process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define START_MS 20000

static void __attribute__((noreturn)) run_server(const struct redis_process *process, pid_t parent)
{
    char log[96];

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* it ended before the kernel was told */
        _exit(1);
    snprintf(log, sizeof(log), "%s/log", process->directory);
    execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", process->socket, "--dir",
           process->directory, "--logfile", log, "--save", "", "--appendonly", "no", "--daemonize", "no",
           (char *)NULL);
    fprintf(stderr, "redis-server: %s\n", strerror(errno));
    _exit(127);
}

static bool
accepts(const struct redis_process *process)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool connected;

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", process->socket);
    connected = fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
    if (fd >= 0)
        close(fd);
    return connected;
}

bool
redis_process_start(struct redis_process *process)
{
    const char *temporary = getenv("TMPDIR");
    pid_t parent = getpid();

    if (temporary == NULL || strlen(temporary) > 30) /* a socket's path is short */
        temporary = "/tmp";
    *process = (struct redis_process){.pid = -1};
    snprintf(process->directory, sizeof(process->directory), "%s/ratelimitd-XXXXXX", temporary);
    if (mkdtemp(process->directory) == NULL) {
        fprintf(stderr, "%s: %s\n", process->directory, strerror(errno));
        return false;
    }
    snprintf(process->socket, sizeof(process->socket), "%s/redis", process->directory);
    process->pid = fork();
    if (process->pid == 0)
        run_server(process, parent);
    for (int ms = 0; process->pid > 0 && ms < START_MS; ms++) {
        if (accepts(process))
            return true;
        if (waitpid(process->pid, NULL, WNOHANG) != 0) {
            process->pid = -1;
            break;
        }
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    fprintf(stderr, "redis-server did not start\n");
    redis_process_stop(process);
    return false;
}

void
redis_process_stop(struct redis_process *process)
{
    char log[96];

    if (process->pid > 0) {
        kill(process->pid, SIGKILL);
        waitpid(process->pid, NULL, 0);
    }
    snprintf(log, sizeof(log), "%s/log", process->directory);
    unlink(log);
    unlink(process->socket);
    rmdir(process->directory);
    process->pid = -1;
}
