/* count_of: how many elements an array has, not a pointer. */
#ifndef COUNT_OF_H
#define COUNT_OF_H

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
