#include "watch.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "log.h"

#define FOLDER_EVENTS (IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB)
#define FILE_EVENTS   IN_CLOSE_WRITE
#define PLACES        3 /* of one file: the folder of its path, that of the file itself, and the file */

struct watched {
    char *path;
    struct file_version version;
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

void
watch_set(struct watch *watch, const struct file_set *files)
{
    struct watched *before = watch->files, *list = calloc(files->count + 1, sizeof(*list));
    uint32_t before_count = watch->count;

    if (list == NULL)
        return;
    watch->files = list;
    watch->count = 0;
    for (uint32_t i = 0; i < files->count; i++) {
        struct watched *file = &list[watch->count];

        *file = (struct watched){.path = strdup(files->items[i].path), .version = files->items[i].version};
        if (file->path == NULL)
            continue;
        watch_places(watch, file);
        watch->count++;
    }
    unwatch(watch, before, before_count);
    free_files(before, before_count);
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

/* Reads all events. True: one speaks of a file, so it may be another although it has the same version. */
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
        struct file_version now = file_version_at(watch->files[i].path);

        is_any_other |= !file_version_equals(&now, &watch->files[i].version);
        watch->files[i].version = now;
    }
    return is_any_other;
}
