/*
 * model_examples.h: what docs/rules.md says of single accesses, worked out by hand.
 */
#ifndef HOST_MODEL_EXAMPLES_H
#define HOST_MODEL_EXAMPLES_H

#include <stdint.h>

/* Words as model_words.h explains them. */
struct model_example {
    /*
     * The row of the model that it shows: it takes effect, and of an "either" the choice is open. "!"
     * before the name: it must not.
     */
    const char *row;
    const char *question;
    const char *answer;
};
extern const struct model_example model_examples[];
extern const uint32_t model_example_count;

#endif
