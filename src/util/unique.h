/*
 * unique: numbers that tell things apart for as long as the process lives. Unlike an address, none is ever given out
 * twice, so a thing that is gone cannot be taken for the one that has its memory now. Any thread.
 */
#ifndef UNIQUE_H
#define UNIQUE_H

#include <stdint.h>

/* Never 0. */
uint64_t unique_id(void);

#endif
