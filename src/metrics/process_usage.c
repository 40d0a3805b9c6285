#include "process_usage.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"

/* False: it cannot be read. */
static bool
read_file(const char *path, char *out, size_t room)
{
    FILE *file = fopen(path, "re");
    size_t bytes = file != NULL ? fread(out, 1, room - 1, file) : 0;

    if (file != NULL)
        fclose(file);
    out[bytes] = '\0';
    return bytes > 0;
}

/* The number that is the word of this index in the text, which has words and blanks between them; -1: there is
   none. */
static int64_t
number_at(const char *text, unsigned index)
{
    char *end;
    long long number;

    for (; index > 0 && text != NULL; index--)
        text = strchr(text + 1, ' ');
    if (text == NULL)
        return -1;
    number = strtoll(text, &end, 10);
    return end != text && number >= 0 ? number : -1;
}

/* Since the machine's start, in ticks of the kernel's clock: the 22nd word (proc(5)). The second is the name
   of the program, in brackets, and may hold blanks. */
static void
read_start(struct process_usage *usage)
{
    char text[1024];
    const char *at = read_file("/proc/self/stat", text, sizeof(text)) ? strrchr(text, ')') : NULL;
    int64_t ticks = at != NULL ? number_at(at, 22 - 2) : -1;
    struct timespec up;

    if (ticks < 0 || clock_gettime(CLOCK_BOOTTIME, &up) < 0)
        return;
    usage->start_us = clock_wall_us() - ((int64_t)up.tv_sec * US_PER_S + up.tv_nsec / 1000) +
                      ticks * (US_PER_S / sysconf(_SC_CLK_TCK));
}

static void
read_memory(struct process_usage *usage)
{
    const int64_t page_bytes = sysconf(_SC_PAGESIZE);
    char text[256];
    int64_t pages, resident;

    if (!read_file("/proc/self/statm", text, sizeof(text)))
        return;
    pages = number_at(text, 0);
    resident = number_at(text, 1);
    usage->virtual_bytes = pages < 0 ? -1 : pages * page_bytes;
    usage->resident_bytes = resident < 0 ? -1 : resident * page_bytes;
}

static void
read_cpu(struct process_usage *usage)
{
    struct timespec used;

    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) == 0)
        usage->cpu_us = (int64_t)used.tv_sec * US_PER_S + used.tv_nsec / 1000;
}

/* Without the one that looks, and "." and "..". */
static void
count_descriptors(struct process_usage *usage)
{
    DIR *open = opendir("/proc/self/fd");
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        usage->max_fds = (int64_t)limit.rlim_cur;
    if (open == NULL)
        return;
    for (usage->open_fds = -3; readdir(open) != NULL;)
        usage->open_fds++;
    closedir(open);
}

struct process_usage
process_usage(void)
{
    struct process_usage usage = {-1, -1, -1, -1, -1, -1};

    read_cpu(&usage);
    read_start(&usage);
    read_memory(&usage);
    count_descriptors(&usage);
    return usage;
}
