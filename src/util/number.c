#include "number.h"

#include <assert.h>
#include <string.h>

#include "clock.h"

bool
number_parse(const char *text, int64_t min, int64_t max, int64_t *out)
{
    const char *digit = text;
    int64_t value = 0;
    bool negative = *digit == '-';

    if (negative && min >= 0)
        return false; /* "-0" too: no sign is allowed */
    if (negative)
        digit++;
    if (*digit == '\0')
        return false;
    for (; *digit != '\0'; digit++) {
        if (*digit < '0' || *digit > '9')
            return false;
        /* Counted downwards, because INT64_MIN has no positive twin. */
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_sub_overflow(value, *digit - '0', &value))
            return false;
    }
    if (!negative && __builtin_sub_overflow((int64_t)0, value, &value))
        return false;
    if (value < min || value > max)
        return false;
    *out = value;
    return true;
}

static const struct {
    const char *name;
    int64_t us;
} units[] = {
    {"ms", US_PER_MS},           {"s", US_PER_S}, {"m", 60 * US_PER_S}, {"h", 3600 * US_PER_S},
    {"d", 24 * 3600 * US_PER_S},
};
#define UNIT_COUNT (sizeof(units) / sizeof(units[0]))

bool
duration_parse(const char *text, int64_t *out_us)
{
    size_t digits = strspn(text, "0123456789");
    char number[20];
    int64_t count;

    if (digits == 0 || digits >= sizeof(number))
        return false;
    memcpy(number, text, digits);
    number[digits] = '\0';
    if (!number_parse(number, 1, DURATION_MAX_US, &count))
        return false;
    for (size_t i = 0; i < UNIT_COUNT; i++) {
        if (strcmp(text + digits, units[i].name) != 0)
            continue;
        if (count > DURATION_MAX_US / units[i].us)
            return false;
        *out_us = count * units[i].us;
        return true;
    }
    return false;
}

bool
number_product(int64_t a, int64_t b, int64_t *out)
{
    int64_t product;

    assert(a >= 0 && b >= 0);
    if (__builtin_mul_overflow(a, b, &product) || product > NUMBER_EXACT_MAX)
        return false;
    *out = product;
    return true;
}

int64_t
number_gcd(int64_t a, int64_t b)
{
    assert(a >= 0 && b >= 0);
    while (b != 0) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

int
hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

int
hex_byte(const char *digits)
{
    int high = hex_digit(digits[0]), low = high >= 0 ? hex_digit(digits[1]) : -1;

    return low >= 0 ? high << 4 | low : -1;
}

size_t
number_write(char *out, int64_t value)
{
    char reversed[20];
    size_t digits = 0, bytes = 0;
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;

    do {
        reversed[digits++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest != 0);
    if (value < 0)
        out[bytes++] = '-';
    while (digits > 0)
        out[bytes++] = reversed[--digits];
    return bytes;
}

size_t
duration_write(char *out, int64_t us)
{
    const char *unit = "us";
    int64_t unit_us = 1;
    size_t bytes;

    assert(us > 0);
    for (size_t i = 0; i < UNIT_COUNT && us % units[i].us == 0;
         i++) { /* each is a multiple of the one before */
        unit = units[i].name;
        unit_us = units[i].us;
    }
    bytes = number_write(out, us / unit_us);
    while (*unit != '\0')
        out[bytes++] = *unit++;
    return bytes;
}

struct duration_text
duration_text(int64_t us)
{
    struct duration_text duration;

    duration.text[duration_write(duration.text, us)] = '\0';
    return duration;
}
