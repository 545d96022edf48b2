/*
 * facts.h: what firmware says about itself and the machine. A fact that firmware does not tell
 * stays zero, empty or '?'.
 */
#ifndef EFI_FACTS_H
#define EFI_FACTS_H

#include "tests/harness/session.h"

void facts_read(struct machine_facts *facts);

/* A number that tells this machine from most others; 0 when SMBIOS has nothing to tell it by. */
uint32_t facts_fingerprint(void);

/* Ticks of the time-stamp counter in a second, measured against firmware's Stall: takes 5 ms. */
uint64_t facts_ticks_per_second(void);

/* Seconds since 1970; 0: unknown. */
uint64_t facts_wall_clock(void);

#endif
