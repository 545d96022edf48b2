/*
 * core_image.h: core's ELF file as it lies in the application (core_image.S).
 */
#ifndef EFI_CORE_IMAGE_H
#define EFI_CORE_IMAGE_H

#include "x86/types.h"

extern const uint8_t core_image[], core_image_end[];

#endif
