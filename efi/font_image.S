/*
 * font_image.S: the glyphs of each font that font_trim.c prepared, smallest first. Font: Spleen by
 * Frederic Cambus, BSD 2-clause.
 */
    .section .rodata.fonts, "a"
    .balign 4
    .globl font_images
    .hidden font_images
font_images:
    .incbin "spleen-8x16.font"
    .incbin "spleen-12x24.font"
    .incbin "spleen-16x32.font"
    .incbin "spleen-32x64.font"
    .long 0, 0 /* ends the list: a font that is zero pixels wide */

    .section .note.GNU-stack, "", @progbits
