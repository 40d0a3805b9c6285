/*
 * stringify: a bound as text, so that a message states the bound that the code keeps.
 *
 *     #define TARGET_BYTES_MAX 8192
 *     "The request target is longer than " STRINGIFY(TARGET_BYTES_MAX) " bytes."
 *
 * The bound must be a plain number: an expression would appear in the text as it is written.
 */
#ifndef STRINGIFY_H
#define STRINGIFY_H

#define STRINGIFY_UNEXPANDED(text) #text
#define STRINGIFY(bound)           STRINGIFY_UNEXPANDED(bound)

#endif
