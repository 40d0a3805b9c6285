/*
 * redis_url without memory: whichever allocation fails, the URL is refused as a whole. None is read without
 * its password, none without its host.
 */
#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "redis_url.h"
#include "suite.h"

/* Allocations that still succeed; -1: all do. The linker leads those of this program through here. */
static int left = -1;

static bool
may_allocate(void)
{
    if (left == 0)
        return false;
    left -= left > 0;
    return true;
}

void *__real_malloc(size_t bytes);
void *__wrap_malloc(size_t bytes);
char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text);
int __wrap_asprintf(char **out, const char *format, ...) __attribute__((format(printf, 2, 3)));
int __wrap___asprintf_chk(char **out, int flag, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void *
__wrap_malloc(size_t bytes)
{
    return may_allocate() ? __real_malloc(bytes) : NULL;
}

char *
__wrap_strdup(const char *text)
{
    return may_allocate() ? __real_strdup(text) : NULL;
}

__attribute__((format(printf, 2, 0))) static int
print(char **out, const char *format, va_list arguments)
{
    *out = (char *)0x5a; /* what a failed asprintf leaves there is not defined */
    return may_allocate() ? vasprintf(out, format, arguments) : -1;
}

int
__wrap_asprintf(char **out, const char *format, ...)
{
    va_list arguments;
    int bytes;

    va_start(arguments, format);
    bytes = print(out, format, arguments);
    va_end(arguments);
    return bytes;
}

int
__wrap___asprintf_chk(char **out, int flag, const char *format, ...)
{
    va_list arguments;
    int bytes;

    (void)flag;
    va_start(arguments, format);
    bytes = print(out, format, arguments);
    va_end(arguments);
    return bytes;
}

static const struct {
    const char *text;
    int allocations; /* the copy, each part, the URL that is shown */
} urls[] = {
    {"redis://us%65r:p%40ss@redis.example:6380/2", 5},
    {"redis://:secret@[::1]", 4},
    {"rediss://redis.example", 3},
    {"unix://user:secret@/run/redis.sock?db=1", 5},
};

static const char *
read_with(struct redis_url *url, const char *text, int allocations)
{
    const char *mistake;

    memset(url, 0x5a, sizeof(*url)); /* what was there before */
    left = allocations;
    mistake = redis_url_read(url, text);
    left = -1;
    return mistake;
}

START_TEST(url_without_memory_is_an_error_and_leaks_nothing)
{
    struct redis_url url;

    for (int allocations = 0; allocations < urls[_i].allocations; allocations++) {
        ck_assert_ptr_eq(read_with(&url, urls[_i].text, allocations), redis_url_no_memory);
        ck_assert(url.host == NULL && url.path == NULL && url.user == NULL && url.password == NULL &&
                  url.display == NULL);
    }
    ck_assert_ptr_null(read_with(&url, urls[_i].text, urls[_i].allocations));
    redis_url_fini(&url);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("redis_url_memory");
    TCase *tests = tcase_create("redis_url_memory");

    tcase_add_loop_test(tests, url_without_memory_is_an_error_and_leaks_nothing, 0, ROWS(urls));
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
