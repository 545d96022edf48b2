/*
 * unit.h: what every tests/host/test_*.c includes first: cmocka, with the headers it wants.
 */
#ifndef HOST_UNIT_H
#define HOST_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#endif
