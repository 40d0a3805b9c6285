/*
 * watch: tells when one of some files has become another: written in place, replaced by a rename, or led to
 * by a symbolic link that now leads elsewhere.
 *
 * inotify says that something has happened in a folder, and stat whether the path leads to another file
 * since. So it does not matter how the file was changed: an editor renames a new one into its place,
 * Kubernetes swaps the link `..data` that the path goes through. The folders are that of the path and that of
 * the file it leads to; the file itself is watched as well, since one that is mounted alone is written to
 * through another folder.
 *
 *      the kernel: something happened ──► watch_fd is readable ──► watch_look: is a file another one?
 *
 * Where inotify says nothing (a network file system, a folder that was replaced), watch_look finds the change
 * when it is next called; so call it now and then. One thread at a time; watch_fd is for any.
 */
#ifndef WATCH_H
#define WATCH_H

#include <stdbool.h>

#include "file_set.h"

struct watch;

/* Watches nothing yet. NULL when out of memory. Without inotify it logs why, and watch_look alone finds
   changes. */
struct watch *watch_new(void);
void watch_free(struct watch *watch);

/* Readable when there is a reason for watch_look; -1: there is no inotify. */
int watch_fd(const struct watch *watch);

/* The files from now on. One that has changed since it was read, by the version in `files`, is found by the
   next watch_look. */
void watch_set(struct watch *watch, const struct file_set *files);

/* True: a file is another than at the last call, or than when it was read, or may be. What it says
   is not looked at. */
bool watch_look(struct watch *watch);

#endif
