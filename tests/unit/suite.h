/*
 * suite: what every test program ends with.
 */
#ifndef SUITE_H
#define SUITE_H

#include <check.h>
#include <inttypes.h>

/* Rows of a table that a test loops over. */
#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

/* Runs the tests of one suite: the whole rest of main. */
static inline int
run_suite(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    int failed;

    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}

#endif
