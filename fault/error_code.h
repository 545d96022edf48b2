/*
 * error_code.h: the page-fault error code in words. SDM vol. 3A section 4.7; RULES section 4.
 */
#ifndef FAULT_ERROR_CODE_H
#define FAULT_ERROR_CODE_H

#include "x86/types.h"

/* Room for every error code: all words, and a rest of 64 bits in hexadecimal. */
#define ERROR_CODE_TEXT 80

/*
 * Write @error in words, the lowest bit first, separated by blanks:
 *   0 "not-present"   7 "P W U"   0x14 "not-present U I"   0x80000001 "P RMP"
 * Only P has a word for 0, because a fault without it is another kind of fault; a read, a
 * supervisor access and a data access are what W, U and I leave unsaid. Bits that no manual names
 * follow as one hexadecimal number: 0x10003 "P W 0x10000".
 * Out: @text holds as much of it as fits into @size bytes, NUL-terminated when @size is not 0;
 * returns the whole text's length without the NUL.
 */
size_t error_code_words(uint64_t error, char *text, size_t size);

#endif
