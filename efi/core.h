/*
 * core.h: core in memory: load it, take steps in it, remove it. The only file of efi/ that knows
 * how our world is built.
 */
#ifndef EFI_CORE_H
#define EFI_CORE_H

#include <efi.h>

#include "tests/harness/session.h"

/* The memory type of everything we allocate for core: counted to prove that nothing leaks. */
#define CORE_MEMORY_TYPE 0x8000464c

/*
 * Allocate the block, load core into it and build its page tables.
 * Out: @session, filled with zeros but for its sizes, stream buffers, baseline buffer and journal
 * buffer (journal_in_offset and, as its capacity, journal_in_length). On an error nothing is left
 * allocated, and @problem says in one line what was wrong.
 */
EFI_STATUS core_load(struct session **session, const char **problem);

/*
 * Take one step (session->request) in our world. Before and after, the whole firmware world is
 * compared; session->hand_back holds the first step that left a difference.
 */
void core_step(struct session *session);

/* Give the block back. */
void core_unload(void);

/* For the debugger: core's link address, and where in physical memory its image lies. */
uint64_t core_image_base(void);

#endif
