/*
 * uaccess_raw.h: uaccess.S, for uaccess.c, for who has looked already, and for tests that show what the range checks are for.
 * Addresses are not checked: a fault on one outside the lower half is not fixed up.
 */
#ifndef FAULT_UACCESS_RAW_H
#define FAULT_UACCESS_RAW_H

#include "x86/types.h"

uint64_t raw_copy_from_user(void *to, const void *from, uint64_t bytes) MUST_CHECK;
uint64_t raw_copy_to_user(void *to, const void *from, uint64_t bytes) MUST_CHECK;
uint64_t raw_clear_user(void *to, uint64_t bytes) MUST_CHECK;
bool raw_get_user(uint64_t *value, const void *from, uint64_t bytes) MUST_CHECK;
bool raw_put_user(uint64_t value, void *to, uint64_t bytes) MUST_CHECK;

/* EX_FAULT at work: read one byte of @from. Out: the vector, or -1 and nothing else written. */
int64_t read_reporting(const void *from, uint64_t *error, uint64_t *address) MUST_CHECK;

#endif
