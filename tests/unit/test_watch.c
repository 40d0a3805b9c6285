/*
 * watch: a file that is another is noticed, whatever made it so; one that is not, is not.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file_set.h"
#include "suite.h"
#include "watch.h"

#define PATIENCE_MS 10000

static char directory[64];
static struct watch *watch;

static void
write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
}

static void
set_up(void)
{
    snprintf(directory, sizeof(directory), "/tmp/ratelimitd-watch-XXXXXX");
    ck_assert(mkdtemp(directory) != NULL && chdir(directory) == 0);
    ck_assert_int_eq(mkdir("other", 0700), 0);
    write_file("file", "1");
    watch = watch_new();
    ck_assert_ptr_nonnull(watch);
    ck_assert_int_ge(watch_fd(watch), 0);
}

static void
tear_down(void)
{
    char command[128];

    watch_free(watch);
    snprintf(command, sizeof(command), "rm -rf %s", directory);
    ck_assert_int_eq(system(command), 0);
}

static void
add(struct file_set *files, const char *path)
{
    const struct file_version version = file_version_at(path);

    ck_assert(file_set_add(files, path, &version, NULL, 0));
}

/* As after they were read. `other` may be NULL. */
static void
watch_these(const char *one, const char *other)
{
    struct file_set files = {0};

    add(&files, one);
    if (other != NULL)
        add(&files, other);
    watch_set(watch, &files);
    file_set_fini(&files);
}

static bool
is_told(int patience_ms)
{
    struct pollfd ready = {.fd = watch_fd(watch), .events = POLLIN};

    return poll(&ready, 1, patience_ms) == 1;
}

START_TEST(file_that_is_written_is_told_and_found_once)
{
    watch_these("file", NULL);
    ck_assert(!watch_look(watch) && !is_told(0));
    for (int i = 0; i < 3; i++) {
        write_file("file", "1"); /* the same bytes, and perhaps within a tick of the kernel's clock */
        ck_assert(is_told(PATIENCE_MS));
        ck_assert(watch_look(watch));
        ck_assert(!watch_look(watch) && !is_told(0));
    }
}
END_TEST

START_TEST(file_that_is_replaced_is_told)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/file", directory);
    watch_these(path, NULL);
    for (int i = 0; i < 3; i++) {
        write_file("new", "2");
        ck_assert_int_eq(rename("new", "file"), 0);
        ck_assert(is_told(PATIENCE_MS) && watch_look(watch));
        watch_these(path, NULL); /* as after each reload */
    }
    ck_assert_int_eq(unlink("file"), 0);
    ck_assert(is_told(PATIENCE_MS) && watch_look(watch));
    write_file("file", "3");
    ck_assert(is_told(PATIENCE_MS) && watch_look(watch));
}
END_TEST

START_TEST(other_files_of_the_folder_are_nothing)
{
    watch_these("file", NULL);
    write_file("another", "2");
    ck_assert(is_told(PATIENCE_MS));
    ck_assert(!watch_look(watch));
}
END_TEST

START_TEST(link_that_leads_elsewhere_is_told)
{
    write_file("other/real", "2");
    ck_assert_int_eq(symlink("file", "link"), 0);
    watch_these("link", NULL);
    ck_assert_int_eq(symlink("other/real", "new"), 0);
    ck_assert_int_eq(rename("new", "link"), 0);
    ck_assert(is_told(PATIENCE_MS) && watch_look(watch));
    watch_these("link", NULL);
    write_file("other/real", "3");
    ck_assert(is_told(PATIENCE_MS) && watch_look(watch));
}
END_TEST

START_TEST(file_that_is_linked_elsewhere_is_told_when_it_is_written_there)
{
    ck_assert_int_eq(link("file", "other/file"), 0); /* as one that is mounted alone */
    watch_these("file", NULL);
    write_file("other/file", "2");
    ck_assert(is_told(PATIENCE_MS) && watch_look(watch));
}
END_TEST

START_TEST(files_may_come_and_go)
{
    write_file("other/second", "1");
    watch_these("file", NULL);
    watch_these("file", "other/second");
    watch_these("file", "other/second");
    write_file("other/second", "2");
    ck_assert(is_told(PATIENCE_MS) && watch_look(watch));
    watch_these("file", NULL);
    watch_look(watch);
    write_file("other/second", "3");
    ck_assert(!is_told(0)); /* the folder is not watched any more */
    write_file("file", "2");
    ck_assert(is_told(PATIENCE_MS) && watch_look(watch));
}
END_TEST

START_TEST(file_that_changed_since_it_was_read_is_found)
{
    struct file_set files = {0};

    add(&files, "file");
    write_file("file", "longer");
    watch_set(watch, &files);
    file_set_fini(&files);
    ck_assert(!is_told(0));
    ck_assert(watch_look(watch));
}
END_TEST

START_TEST(what_is_not_told_is_found_by_a_look)
{
    watch_these("none/file", NULL); /* there is no such folder */
    ck_assert_int_eq(mkdir("none", 0700), 0);
    write_file("none/file", "1");
    ck_assert(!is_told(0));
    ck_assert(watch_look(watch));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("watch");
    TCase *tests = tcase_create("watch");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, file_that_is_written_is_told_and_found_once);
    tcase_add_test(tests, file_that_is_replaced_is_told);
    tcase_add_test(tests, other_files_of_the_folder_are_nothing);
    tcase_add_test(tests, link_that_leads_elsewhere_is_told);
    tcase_add_test(tests, file_that_is_linked_elsewhere_is_told_when_it_is_written_there);
    tcase_add_test(tests, files_may_come_and_go);
    tcase_add_test(tests, file_that_changed_since_it_was_read_is_found);
    tcase_add_test(tests, what_is_not_told_is_found_by_a_look);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
