/*
 * number: text to integers, strictly.
 *
 * Every parser takes the whole text or nothing: leading or trailing blanks, signs where none are allowed,
 * and values out of range are refused. `*out` is written on success only. Any thread.
 */
#ifndef NUMBER_H
#define NUMBER_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clock.h"

/* The largest integer that a double, and so Lua and JSON, represents without loss: 2^53 - 1. */
#define NUMBER_EXACT_MAX 9007199254740991

/* A decimal integer within [min, max]. */
bool number_parse(const char *text, int64_t min, int64_t max, int64_t *out);

/* A duration: a whole number and one of `ms` `s` `m` `h` `d`, e.g. "500ms", "7d". In microseconds.
   Refused: no unit, zero, more than DURATION_MAX_US. */
#define DURATION_MAX_US (INT64_C(366) * 24 * 3600 * 1000000)
bool duration_parse(const char *text, int64_t *out_us);

/* Writes a duration of at least 1 us in the largest of the units above, or `us`, that it is a whole number
   of: "90s", "1h", "1500us". Without a terminating zero; returns the bytes written, at most 22. */
size_t duration_write(char *out, int64_t us);

/* The same as a string, for a format: duration_text(us).text. */
struct duration_text {
    char text[23];
};
struct duration_text duration_text(int64_t us);

/* a / b rounded up; `a` must not be negative. */
static inline int64_t
divide_up(int64_t a, int64_t b)
{
    assert(a >= 0);
    return a / b + (a % b != 0);
}

#define us_to_ms_up(us) divide_up(us, US_PER_MS)
#define us_to_s_up(us)  divide_up(us, US_PER_S)

/* a * b, or false if the product is above NUMBER_EXACT_MAX. Both must be at least 0. */
bool number_product(int64_t a, int64_t b, int64_t *out);

int64_t number_gcd(int64_t a, int64_t b);

/* The value of one hexadecimal digit; -1: not a digit. */
int hex_digit(char digit);

/* The byte of two hexadecimal digits; -1: they are none. The second is not read where the first is none. */
int hex_byte(const char *digits);

/* Writes `value` in decimal, without a terminating zero; returns the bytes written, at most 20. */
size_t number_write(char *out, int64_t value);

#endif
