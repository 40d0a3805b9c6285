#include "terminal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/* Of xterm, and of what has learnt from it: the other screen, no cursor, no wrapping at the last column. */
#define ENTER "\033[?1049h\033[?25l\033[?7l\033[2J"
#define LEAVE "\033[0m\033[?7h\033[?25h\033[?1049l"

static struct {
    struct termios before;
    volatile sig_atomic_t is_taken;
} terminal;

static const int faults[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV};

bool
terminal_can_draw(void)
{
    const char *kind = getenv("TERM");

    return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && kind != NULL && kind[0] != '\0' &&
           strcmp(kind, "dumb") != 0;
}

/* write(2), tcsetattr(3) and raise(3) are safe in a handler. The signal's own action is back, and ends the process. */
static void
on_fault(int number)
{
    terminal_leave();
    raise(number);
}

static void
watch_faults(void)
{
    struct sigaction action = {.sa_handler = on_fault, .sa_flags = (int)SA_RESETHAND};

    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
        sigaction(faults[i], &action, NULL);
}

bool
terminal_enter(void)
{
    struct termios wanted;

    if (!terminal.is_taken && tcgetattr(STDIN_FILENO, &terminal.before) != 0)
        return false;
    watch_faults();
    wanted = terminal.before;
    wanted.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    wanted.c_cc[VMIN] = 1;
    wanted.c_cc[VTIME] = 0;
    terminal.is_taken = 1;
    return tcsetattr(STDIN_FILENO, TCSADRAIN, &wanted) == 0 && terminal_write(ENTER, strlen(ENTER));
}

void
terminal_leave(void)
{
    if (!terminal.is_taken)
        return;
    terminal.is_taken = 0;
    terminal_write(LEAVE, strlen(LEAVE));
    tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal.before);
}

void
terminal_size(unsigned *rows, unsigned *columns)
{
    struct winsize size = {0};

    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    *rows = size.ws_row > 0 ? size.ws_row : 24;
    *columns = size.ws_col > 0 ? size.ws_col : 80;
}

bool
terminal_write(const char *text, size_t bytes)
{
    struct pollfd writable = {.fd = STDOUT_FILENO, .events = POLLOUT};

    while (bytes > 0) {
        ssize_t written = write(STDOUT_FILENO, text, bytes);
        if (written < 0 && errno != EINTR && (errno != EAGAIN || poll(&writable, 1, -1) < 0))
            return false;
        text += written > 0 ? written : 0;
        bytes -= written > 0 ? (size_t)written : 0;
    }
    return true;
}
