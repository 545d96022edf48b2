/*
 * core_image.S: core's ELF file, byte for byte, inside the application. efi/core.c loads it.
 */
    .section .rodata.core_image, "a"
    .balign 4096
    .globl core_image, core_image_end
    .hidden core_image, core_image_end
core_image:
    .incbin "core.stripped"
core_image_end:

    .section .note.GNU-stack, "", @progbits
