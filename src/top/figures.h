/*
 * figures: numbers as an operator reads them, in few characters. Pure; any thread.
 */
#ifndef FIGURES_H
#define FIGURES_H

struct figure {
    char text[24];
};

/* "0", "0.3", "12", "345", "1234567", "12.3M"; what is not finite: "-". */
struct figure figure_number(double number);

/* "80us", "1.2ms", "3.4s". */
struct figure figure_latency(double us);

/* "12s", "3m", "2h13m", "5d3h"; below 0: "0s". */
struct figure figure_age(double seconds);

#endif
