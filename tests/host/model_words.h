/*
 * model_words.h: questions to the reference model, and its answers, as one line of words, so that
 * examples of the rules can be written and read by people.
 *
 * A question says what differs from an 8-byte read by ring 3 of a 4-KiB page at 0x400000000800 that
 * everybody may do everything with; 4 levels, WP=1, NXE=1, 40 physical bits, 1-GiB pages, vendor Intel.
 *
 *   5 2m 1g                 levels of paging; size of the leaf
 *   pte-P pde+XD 2pml4e-W   an entry's bit cleared or set: P W U PWT PCD A D PS G XD, C (memory
 *                           encryption, bit 47), or a number; 2: of the second page's walk
 *   all+A pte+key=3         in every entry of both walks; the key field
 *   wp=0 nxe=0 smep smap ac pke pks cet pkru=c pkrs=c phys=52 gb=0 lam=48 c-bit intel amd unknown
 *   read write fetch lock rmw nothing sread swrite
 *   ring0 implicit frame wruss stack parts partial
 *   cross edge=4 bytes=16   an access that begins 4 (edge=N: N) bytes before the page's end; its size
 *   at=HEX                  the address
 *
 * An answer:
 *
 *   #PF PWU cr2+4 a=1x0. d=000.   or, when more is allowed, outcomes with " | " between them
 *   P W U R I K S        bits of the error code: present, write, user, reserved, instruction fetch,
 *                        key, shadow stack; [W]: either; 0: none
 *   cr2+4                relative to the first byte; cr2=HEX: far from it; cr2+0/8: anywhere in 8
 *                        bytes from there; without: it keeps its value
 *   a= d=                from the top level down: 1 set, 0 clear, x not judged, . no entry; a second
 *                        walk follows a slash
 */
#ifndef HOST_MODEL_WORDS_H
#define HOST_MODEL_WORDS_H

#include <stddef.h>

#include "tests/model/model.h"

#define MODEL_WORDS_CR2 UINT64_C(0x123456789abcdef0) /* of every question */

/* Out: NULL, or the word that is none. */
const char *model_words_question(const char *words, struct model_question *question);

#define MODEL_WORDS_ANSWER 512
void model_words_answer(const struct model_question *question, const struct model_answer *answer,
                        char text[MODEL_WORDS_ANSWER]);

#endif
