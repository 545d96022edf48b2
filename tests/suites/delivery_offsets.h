/*
 * delivery_offsets.h: what delivery.S and delivery.c both know; C asserts it.
 */
#ifndef SUITES_DELIVERY_OFFSETS_H
#define SUITES_DELIVERY_OFFSETS_H

/* Vectors with a handler that looks: #DF #TS #NP #SS #GP #PF, and the way out of a stretch. */
#define DELIVERY_VECTORS    8, 10, 11, 12, 13, 14, 128
#define DELIVERY_EXIT       128
#define DELIVERY_STUB_BYTES 32

/* In struct delivery, behind its trap frame. */
#define DELIVERY_RSP    176
#define DELIVERY_RFLAGS 184
#define DELIVERY_CS     192
#define DELIVERY_SS     200

#endif
