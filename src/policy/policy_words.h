/* policy_words: the words that a rules file takes for methods and failure modes, for messages that list them.
   */
#ifndef POLICY_WORDS_H
#define POLICY_WORDS_H

#include "policy.h"

/* In the order of their bits in enum method, from bit 0 on; METHOD_OTHER has no word. */
#define METHOD_WORD_COUNT 7
extern const char *const method_words[METHOD_WORD_COUNT];

/* In the order of enum failure_mode. */
#define FAILURE_MODE_COUNT 3
extern const char *const failure_mode_words[FAILURE_MODE_COUNT];

#endif
