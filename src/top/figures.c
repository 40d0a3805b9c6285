#include "figures.h"

#include <math.h>
#include <stdio.h>

static struct figure
figure_of(int decimals, double number, const char *unit)
{
    struct figure figure;

    snprintf(figure.text, sizeof(figure.text), "%.*f%s", decimals, number, unit);
    return figure;
}

struct figure
figure_number(double number)
{
    double size = fabs(number);

    if (!isfinite(number) || size >= 1e15)
        return (struct figure){"-"};
    if (size < 99.95)
        return figure_of(number == floor(number) ? 0 : 1, number, "");
    if (size < 9999999.5)
        return figure_of(0, number, "");
    return size < 999.95e6 ? figure_of(1, number / 1e6, "M") : figure_of(1, number / 1e9, "G");
}

struct figure
figure_latency(double us)
{
    if (!isfinite(us) || us < 0 || us >= 1e12)
        return (struct figure){"-"};
    if (us < 999.5)
        return figure_of(0, us, "us");
    return us < 999950 ? figure_of(1, us / 1e3, "ms") : figure_of(1, us / 1e6, "s");
}

struct figure
figure_age(double seconds)
{
    struct figure figure;
    unsigned whole;

    if (!isfinite(seconds) || seconds >= 4e9)
        return (struct figure){"-"};
    whole = seconds > 0 ? (unsigned)seconds : 0;
    if (whole < 60)
        snprintf(figure.text, sizeof(figure.text), "%us", whole);
    else if (whole < 3600)
        snprintf(figure.text, sizeof(figure.text), "%um", whole / 60);
    else if (whole < 86400)
        snprintf(figure.text, sizeof(figure.text), "%uh%um", whole / 3600, whole / 60 % 60);
    else
        snprintf(figure.text, sizeof(figure.text), "%ud%uh", whole / 86400, whole / 3600 % 24);
    return figure;
}
