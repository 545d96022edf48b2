/*
 * answer.h: sets of outcomes. An outcome with masks is a set: everything that differs from it in bits
 * outside its masks only. An answer is the union of its outcomes.
 */
#ifndef MODEL_ANSWER_H
#define MODEL_ANSWER_H

#include "model.h"

/*
 * Allow @outcome too, with as few outcomes as it takes: what is there already is not added. Out: true
 * when the answer allows more than before. An answer that is full becomes laxer than it should be,
 * never stricter.
 */
bool answer_add(struct model_answer *answer, const struct model_outcome *outcome);

#endif
