/*
 * unique: numbers that identify objects for the life of the process. Unlike an address, a number is never
 * reused, so an object that is gone is not mistaken for one at the same address. Any thread.
 */
#ifndef UNIQUE_H
#define UNIQUE_H

#include <stdint.h>

/* Never 0. */
uint64_t unique_id(void);

#endif
