/*
 * keys.h: what a person pressed.
 */
#ifndef EFI_KEYS_H
#define EFI_KEYS_H

#include "x86/types.h"

enum key_action {
    ACTION_NONE,
    ACTION_SCROLL, /* an enum session_key comes with it */
    ACTION_RUN_AGAIN,
    ACTION_LEAVE,
};

/* Find the keyboard and forget what was typed before. Out: false when there is none. */
bool keys_start(void);

/* The oldest key not yet read that means something; never waits. @key: enum session_key. */
enum key_action keys_read(uint32_t *key);

/* The same, but wait for a person: as long as it takes, for a person may be at lunch. */
enum key_action keys_wait(uint32_t *key);

#endif
