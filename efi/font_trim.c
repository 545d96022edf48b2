/*
 * font_trim.c: on the build machine: cut a PSF console font (either version) down to what the
 * screen draws, the glyphs of 0x20 to 0x7e in this order. usage: font_trim FONT.psf OUT.font Out:
 * width and height as 32-bit little-endian numbers, then the glyphs' rows, each padded to whole
 * bytes, leftmost pixel in the highest bit; padded to four bytes in all.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define FIRST 0x20
#define LAST  0x7e

struct font {
    uint32_t width, height, glyphs, glyph_bytes;
    const uint8_t *bitmap, *names, *end; /* names: which characters each glyph stands for */
    bool wide_names;                     /* version 1: 16-bit characters instead of UTF-8 */
};

static _Noreturn void fail(const char *file, const char *reason)
{
    fprintf(stderr, "font_trim: %s: %s\n", file, reason);
    exit(1);
}

static uint32_t little_endian(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

static struct font font_read(const char *file, const uint8_t *bytes, size_t length)
{
    struct font font = {0};
    size_t header;
    if (length >= 4 && bytes[0] == 0x36 && bytes[1] == 0x04) {
        font.glyphs = bytes[2] & 1 ? 512 : 256;
        font.width = 8;
        font.height = font.glyph_bytes = bytes[3];
        font.wide_names = true;
        if (!(bytes[2] & 2))
            fail(file, "has no table of characters");
        header = 4;
    } else if (length >= 32 && little_endian(bytes) == 0x864ab572) {
        header = little_endian(bytes + 8);
        font.glyphs = little_endian(bytes + 16);
        font.glyph_bytes = little_endian(bytes + 20);
        font.height = little_endian(bytes + 24);
        font.width = little_endian(bytes + 28);
        if (!(little_endian(bytes + 12) & 1))
            fail(file, "has no table of characters");
    } else {
        fail(file, "is not a PSF font");
    }
    uint64_t bitmap_bytes = (uint64_t)font.glyphs * font.glyph_bytes;
    if (font.glyph_bytes != (font.width + 7) / 8 * font.height || header > length ||
        bitmap_bytes > length - header)
        fail(file, "is cut short or its header contradicts itself");
    font.bitmap = bytes + header;
    font.names = font.bitmap + bitmap_bytes;
    font.end = bytes + length;
    return font;
}

/* Which glyph stands for each ASCII character? */
static void font_index(const char *file, const struct font *font, const uint8_t *glyph[LAST + 1])
{
    size_t step = font->wide_names ? 2 : 1;
    uint32_t number = 0;
    for (const uint8_t *at = font->names; at + step <= font->end && number < font->glyphs;
         at += step) {
        uint32_t character = step == 2 ? (uint32_t)(at[0] | at[1] << 8) : at[0];
        if (character == (step == 2 ? 0xffff : 0xff))
            number++;
        else if (character <= LAST && !glyph[character])
            glyph[character] = font->bitmap + (size_t)number * font->glyph_bytes;
    }
    for (int character = FIRST; character <= LAST; character++)
        if (!glyph[character])
            fail(file, "lacks an ASCII character");
}

int main(int argc, char **argv)
{
    static uint8_t bytes[1 << 20];
    if (argc != 3)
        fail("usage", "font_trim FONT.psf OUT.font");
    FILE *in = fopen(argv[1], "rb");
    if (!in)
        fail(argv[1], "cannot be read");
    size_t length = fread(bytes, 1, sizeof(bytes), in);
    fclose(in);

    struct font font = font_read(argv[1], bytes, length);
    const uint8_t *glyph[LAST + 1] = {NULL};
    font_index(argv[1], &font, glyph);

    FILE *out = fopen(argv[2], "wb");
    if (!out)
        fail(argv[2], "cannot be written");
    for (int i = 0; i < 8; i++)
        fputc((int)((i < 4 ? font.width : font.height) >> (i % 4 * 8) & 0xff), out);
    for (int character = FIRST; character <= LAST; character++)
        fwrite(glyph[character], 1, font.glyph_bytes, out);
    for (uint32_t pad = (LAST - FIRST + 1) * font.glyph_bytes; pad % 4; pad++)
        fputc(0, out);
    if (fclose(out) != 0)
        fail(argv[2], "cannot be written");
    return 0;
}
