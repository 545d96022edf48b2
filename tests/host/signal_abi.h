/*
 * signal_abi.h: the layouts of signal frames as the build machine's kernel headers have them. They and os/ both call
 * things by Linux's names, so only numbers pass between them.
 */
#ifndef HOST_SIGNAL_ABI_H
#define HOST_SIGNAL_ABI_H

#include <stddef.h>
#include <stdint.h>

/* Numbers in the order of signal_abi.c; the test has the same list in its own words. */
extern const uint64_t signal_abi[];
extern const size_t signal_abi_count;

/*
 * Raise SIGSEGV by reading address 16, catch it, and copy what the kernel wrote: the frame from its restorer on, up to
 * FP_XSTATE_MAGIC2's end. Out: bytes, 0 when they do not fit; @rsp: where the frame was.
 */
size_t signal_abi_frame(uint8_t *bytes, size_t size, uint64_t *rsp);

#endif
