#include "watch.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

#define FOLDER_EVENTS (IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB)
#define FILE_EVENTS   IN_CLOSE_WRITE
#define PLACES        3 /* of one file: the folder of its path, that of the file itself, and the file */

/* By what a file is told from another one, or from itself before it was written. All zero: there is none. */
struct likeness {
    dev_t device;
    ino_t inode;
    off_t bytes;
    struct timespec written, changed;
};

struct watched {
    char *path;
    struct likeness likeness;
    int descriptors[PLACES]; /* of inotify; -1: none */
};

struct watch {
    int fd; /* -1: there is no inotify */
    struct watched *files;
    uint32_t count;
};

struct watch *
watch_new(void)
{
    struct watch *watch = calloc(1, sizeof(*watch));

    if (watch == NULL)
        return NULL;
    watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (watch->fd < 0)
        log_warn("watch", "no inotify (%s): a change of the rules is found some seconds late",
                 strerror(errno));
    return watch;
}

int
watch_fd(const struct watch *watch)
{
    return watch->fd;
}

static struct likeness
likeness_of(const char *path)
{
    struct stat found;

    if (stat(path, &found) < 0)
        return (struct likeness){0};
    return (struct likeness){.device = found.st_dev,
                             .inode = found.st_ino,
                             .bytes = found.st_size,
                             .written = found.st_mtim,
                             .changed = found.st_ctim};
}

static bool
is_same_moment(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool
is_alike(const struct likeness *a, const struct likeness *b)
{
    return a->device == b->device && a->inode == b->inode && a->bytes == b->bytes &&
           is_same_moment(a->written, b->written) && is_same_moment(a->changed, b->changed);
}

/* Folders and files. */

static int
watch_folder_of(const struct watch *watch, const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash == NULL ? strdup(".") : strndup(path, slash == path ? 1 : (size_t)(slash - path));
    int descriptor = folder ? inotify_add_watch(watch->fd, folder, FOLDER_EVENTS | IN_ONLYDIR) : -1;

    free(folder);
    return descriptor;
}

static void
watch_places(const struct watch *watch, struct watched *file)
{
    char *real = realpath(file->path, NULL);

    file->descriptors[0] = watch_folder_of(watch, file->path);
    file->descriptors[1] = real ? watch_folder_of(watch, real) : -1;
    file->descriptors[2] = real ? inotify_add_watch(watch->fd, real, FILE_EVENTS) : -1;
    free(real);
}

static bool
is_in_use(const struct watch *watch, int descriptor)
{
    for (uint32_t i = 0; i < watch->count; i++)
        for (int j = 0; j < PLACES; j++)
            if (watch->files[i].descriptors[j] == descriptor)
                return true;
    return false;
}

/* inotify gives a folder one descriptor, however many files are in it. */
static void
unwatch(const struct watch *watch, const struct watched *files, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        for (int j = 0; j < PLACES; j++)
            if (files[i].descriptors[j] >= 0 && !is_in_use(watch, files[i].descriptors[j]))
                inotify_rm_watch(watch->fd,
                                 files[i].descriptors[j]); /* fails where the kernel has removed it */
}

static void
free_files(struct watched *files, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        free(files[i].path);
    free(files);
}

void
watch_free(struct watch *watch)
{
    if (watch == NULL)
        return;
    free_files(watch->files, watch->count);
    if (watch->fd >= 0)
        close(watch->fd);
    free(watch);
}

/* What is known of a path already; NULL: nothing. */
static const struct watched *
find(const struct watched *files, uint32_t count, const char *path)
{
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(files[i].path, path) == 0)
            return &files[i];
    return NULL;
}

bool
watch_set(struct watch *watch, const struct file_set *files)
{
    struct watched *before = watch->files, *list = calloc(files->count + 1, sizeof(*list));
    uint32_t before_count = watch->count;
    bool is_any_new = false;

    if (list == NULL)
        return false;
    watch->files = list;
    watch->count = 0;
    for (uint32_t i = 0; i < files->count; i++) {
        struct watched *file = &list[watch->count];
        const struct watched *known = find(before, before_count, files->items[i].path);

        file->path = strdup(files->items[i].path);
        if (file->path == NULL)
            continue;
        watch_places(watch, file);
        file->likeness = known ? known->likeness : likeness_of(file->path);
        is_any_new |= known == NULL;
        watch->count++;
    }
    unwatch(watch, before, before_count);
    free_files(before, before_count);
    return is_any_new;
}

static const char *
last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

/* Whether the event speaks of a file by its name, or was had for the file itself. */
static bool
is_of_a_file(const struct watch *watch, const struct inotify_event *event)
{
    for (uint32_t i = 0; i < watch->count; i++)
        if ((event->len > 0 && strcmp(event->name, last_part(watch->files[i].path)) == 0) ||
            (event->wd == watch->files[i].descriptors[PLACES - 1] && (event->mask & FILE_EVENTS) != 0))
            return true;
    return false;
}

/* Reads all events. True: one speaks of a file, so it may be another although it looks the same: the kernel's
   clock, which files are stamped by, ticks every few milliseconds only. */
static bool
hear(const struct watch *watch)
{
    _Alignas(struct inotify_event) char events[16 * (sizeof(struct inotify_event) + NAME_MAX + 1)];
    bool is_any = false;
    ssize_t bytes;

    while (watch->fd >= 0 && (bytes = read(watch->fd, events, sizeof(events))) > 0)
        for (ssize_t at = 0; at < bytes;) {
            const struct inotify_event *event = (const void *)(events + at);

            is_any |= is_of_a_file(watch, event);
            at += (ssize_t)(sizeof(*event) + event->len);
        }
    return is_any;
}

bool
watch_look(struct watch *watch)
{
    bool is_any_other = hear(watch);

    for (uint32_t i = 0; i < watch->count; i++) {
        struct likeness now = likeness_of(watch->files[i].path);

        is_any_other |= !is_alike(&now, &watch->files[i].likeness);
        watch->files[i].likeness = now;
    }
    return is_any_other;
}
