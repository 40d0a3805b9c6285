#include "supervise.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "notify.h"

struct supervisor {
    struct reload *reload;
    struct shadow_log *shadow_log;
    int signals; /* signalfd; -1: there is none */
    int ending;  /* 0, or the signal that ends the service */
    int64_t
        changed_us; /* when the first change was seen that is not reloaded yet; monotonic, 0: there is none */
    int64_t quiet_us; /* when the last one will have been quiet for long enough */
    int64_t look_us;  /* when to look at the files next */
};

static sigset_t
awaited(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    /* By default these would end the process; operators send them to servers that handle them. */
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    return set;
}

void
supervise_block_signals(void)
{
    sigset_t set = awaited();

    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a log as large as a file may be: ulimit -f */
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void
reload(struct supervisor *supervisor, enum reload_cause cause)
{
    const struct field no_trace = {0};
    struct reload_result result;

    reload_run(supervisor->reload, cause, &no_trace, &result);
    reload_result_fini(&result);
    supervisor->changed_us = supervisor->look_us = 0;
}

/* The manager is told in the form that Type=notify-reload asks for. */
static void
on_hangup(struct supervisor *supervisor)
{
    notify_send("RELOADING=1\nMONOTONIC_USEC=%" PRId64, clock_mono_us());
    reload(supervisor, RELOAD_SIGNAL);
    notify_send("READY=1");
}

static void
on_signal(struct supervisor *supervisor, int number)
{
    if (number == SIGHUP)
        on_hangup(supervisor);
    else if (number == SIGTERM || number == SIGINT)
        supervisor->ending = number;
    else
        log_info("main", "SIG%s ignored: it has no effect", sigabbrev_np(number));
}

static void
read_signals(struct supervisor *supervisor)
{
    struct signalfd_siginfo found;

    while (supervisor->ending == 0 && read(supervisor->signals, &found, sizeof(found)) == sizeof(found))
        on_signal(supervisor, (int)found.ssi_signo);
}

/* Files. */

static void
look(struct supervisor *supervisor, int64_t now_us)
{
    supervisor->look_us = now_us + SUPERVISE_LOOK_US;
    if (!reload_look(supervisor->reload))
        return;
    if (supervisor->changed_us == 0)
        supervisor->changed_us = now_us;
    supervisor->quiet_us = now_us + SUPERVISE_QUIET_US;
}

static int64_t
reload_due_us(const struct supervisor *supervisor)
{
    int64_t late_us = supervisor->changed_us + SUPERVISE_LATE_US;

    return supervisor->quiet_us < late_us ? supervisor->quiet_us : late_us;
}

/* Rounded up, so that the moment has come when poll returns. */
static int
wait_ms(const struct supervisor *supervisor, int64_t now_us)
{
    int64_t due_us = supervisor->look_us;

    if (supervisor->changed_us != 0 && reload_due_us(supervisor) < due_us)
        due_us = reload_due_us(supervisor);
    if (shadow_log_due_us(supervisor->shadow_log) < due_us)
        due_us = shadow_log_due_us(supervisor->shadow_log);
    return due_us > now_us ? (int)((due_us - now_us + US_PER_MS - 1) / US_PER_MS) : 0;
}

static void
turn(struct supervisor *supervisor)
{
    struct pollfd ready[] = {{.fd = supervisor->signals, .events = POLLIN},
                             {.fd = reload_watch_fd(supervisor->reload), .events = POLLIN}};
    int64_t now_us;

    poll(ready, 2, wait_ms(supervisor, clock_mono_us()));
    now_us = clock_mono_us();
    if (ready[0].revents != 0)
        read_signals(supervisor);
    if (ready[1].revents != 0 || now_us >= supervisor->look_us)
        look(supervisor, now_us);
    if (supervisor->ending == 0 && supervisor->changed_us != 0 && now_us >= reload_due_us(supervisor))
        reload(supervisor, RELOAD_FILE);
    if (now_us >= shadow_log_due_us(supervisor->shadow_log))
        shadow_log_tell(supervisor->shadow_log, now_us);
}

static void
on_second_signal(int number)
{
    (void)number;
    _exit(EXIT_FAILURE);
}

static void
let_second_signal_end(void)
{
    sigset_t ending;

    signal(SIGTERM, on_second_signal);
    signal(SIGINT, on_second_signal);
    sigemptyset(&ending);
    sigaddset(&ending, SIGTERM);
    sigaddset(&ending, SIGINT);
    pthread_sigmask(SIG_UNBLOCK, &ending, NULL);
}

int
supervise(struct reload *reload, struct shadow_log *shadow_log)
{
    struct supervisor supervisor = {.reload = reload, .shadow_log = shadow_log};
    sigset_t set = awaited();

    supervisor.signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (supervisor.signals < 0) {
        log_error("main", "signals cannot be heard: %s", strerror(errno));
        return 0;
    }
    while (supervisor.ending == 0)
        turn(&supervisor);
    log_info("main", "SIG%s: draining; a second signal ends at once", sigabbrev_np(supervisor.ending));
    let_second_signal_end();
    close(supervisor.signals);
    return supervisor.ending;
}
