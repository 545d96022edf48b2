/*
 * fixup.h: hop c on the way of a fault: the exception table's handlers.
 */
#ifndef FAULT_FIXUP_H
#define FAULT_FIXUP_H

#include "trap_frame.h"

/* Sort the table. Once, before the first fault. */
void fixup_start(void);

/*
 * Does the exception table explain this ring-0 exception? Then the handler of its type has changed
 * @frame to continue at the fixup. @address is CR2, for #PF only.
 */
bool fixup_exception(struct trap_frame *frame, uint64_t address);

/* Has the instruction at @rip, of ours, an entry there? */
bool fixup_exists(uint64_t rip);

#endif
