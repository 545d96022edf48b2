/*
 * screen.c: cells into pixels, by Blt alone: that works rotated, above 4 GiB and where there is no
 * frame buffer at all (PixelBltOnly). Each row's changed cells are composed into one strip. Without
 * graphics the cells go to a text console. UEFI specification, sections 12.4 and 12.9.
 */
#include "efi/screen.h"

#include "efi/console.h"
#include "efi/firmware.h"
#include "tests/report/sink.h"
#include "x86/memory.h"

#define COLUMNS_MIN 80u
#define ROWS_MIN    25u
/* What a font has to leave room for, where a smaller one exists: the notes beside the suites. */
#define COLUMNS_GOOD 100u
#define ROWS_GOOD    30u
#define SCALE_MAX    8u
#define FIRST_GLYPH  0x20
#define LAST_GLYPH   0x7e

/* font_image.S: one after the other, smallest first; width 0 ends the list. See font_trim.c. */
struct font_image {
    uint32_t width, height;
    uint8_t bitmap[];
};
extern const struct font_image font_images[] __attribute__((visibility("hidden")));

typedef uint32_t pixel_t; /* 0xRRGGBB: EFI_GRAPHICS_OUTPUT_BLT_PIXEL as one number */
_Static_assert(sizeof(pixel_t) == sizeof(EFI_GRAPHICS_OUTPUT_BLT_PIXEL), "a pixel is four bytes");

#define BACKGROUND 0x0b0e14

/* enum screen_colour on each kind of display. Verdicts are dark on bright: read at a glance, and by
 * programs that read pictures. */
static const struct {
    pixel_t ink, paper;
    uint8_t text; /* EFI_TEXT_ATTR */
} colours[COLOUR_COUNT] = {
    [COLOUR_NORMAL] = {0xd2d6dc, BACKGROUND, EFI_TEXT_ATTR(EFI_LIGHTGRAY,  EFI_BLACK)    },
    [COLOUR_DIM] = {0x8a929e, BACKGROUND, EFI_TEXT_ATTR(EFI_DARKGRAY,   EFI_BLACK)    },
    [COLOUR_BRIGHT] = {0xffffff, BACKGROUND, EFI_TEXT_ATTR(EFI_WHITE,      EFI_BLACK)    },
    [COLOUR_PASS] = {0x62d67a, BACKGROUND, EFI_TEXT_ATTR(EFI_LIGHTGREEN, EFI_BLACK)    },
    [COLOUR_FAIL] = {0xff6b6b, BACKGROUND, EFI_TEXT_ATTR(EFI_LIGHTRED,   EFI_BLACK)    },
    [COLOUR_KNOWN] = {0xf2c14e, BACKGROUND, EFI_TEXT_ATTR(EFI_YELLOW,     EFI_BLACK)    },
    [COLOUR_BAR] = {0x5fb3ff, BACKGROUND, EFI_TEXT_ATTR(EFI_LIGHTCYAN,  EFI_BLACK)    },
    [COLOUR_VERDICT_PASS] = {0x06130a, 0x4ade6e,   EFI_TEXT_ATTR(EFI_BLACK,      EFI_GREEN)    },
    [COLOUR_VERDICT_FAIL] = {0x180404, 0xff5c5c,   EFI_TEXT_ATTR(EFI_WHITE,      EFI_RED)      },
    [COLOUR_MAP_ZERO] = {0x0b0e14, 0x8a929e,   EFI_TEXT_ATTR(EFI_BLACK,      EFI_LIGHTGRAY)},
    [COLOUR_MAP_FILE] = {0x06101c, 0x5fb3ff,   EFI_TEXT_ATTR(EFI_WHITE,      EFI_BLUE)     },
    [COLOUR_MAP_RESIDENT] = {0x06130a, 0x62d67a,   EFI_TEXT_ATTR(EFI_BLACK,      EFI_GREEN)    },
    [COLOUR_MAP_COW] = {0x171002, 0xf2c14e,   EFI_TEXT_ATTR(EFI_BLACK,      EFI_BROWN)    },
    [COLOUR_MAP_DIRTY] = {0x180404, 0xff8f6b,   EFI_TEXT_ATTR(EFI_WHITE,      EFI_RED)      },
};

static EFI_GRAPHICS_OUTPUT_PROTOCOL *graphics; /* NULL: none */
static SIMPLE_TEXT_OUTPUT_INTERFACE *text;     /* where there are no graphics; NULL: none */
static uint32_t firmware_mode;
static bool mode_changed, begun; /* @begun: firmware's picture is gone, ours is there */

static const struct font_image *font;
static uint32_t scale;         /* screen pixels per font pixel */
static uint32_t left, top;     /* margins that centre the grid, pixels */
static uint32_t columns, rows; /* of cells that fit on the display */
static pixel_t *strip;         /* one row of cells */
static struct cell drawn[SCREEN_ROWS_MAX][SCREEN_COLUMNS_MAX];

static size_t glyph_bytes(const struct font_image *image)
{
    return (image->width + 7) / 8 * image->height;
}

static const struct font_image *next_font(const struct font_image *image)
{
    size_t bitmap = ALIGN_UP((LAST_GLYPH - FIRST_GLYPH + 1) * glyph_bytes(image), 4u);
    return (const struct font_image *)((const uint8_t *)image + sizeof(*image) + bitmap);
}

static uint32_t at_most(uint32_t value, uint32_t limit)
{
    return value < limit ? value : limit;
}

/* The largest letters of which @wide x @high fit the display. Out: false: none do. */
static bool largest_font(uint32_t width, uint32_t height, uint32_t wide, uint32_t high)
{
    bool found = false;
    for (const struct font_image *image = font_images; image->width; image = next_font(image))
        for (uint32_t by = 1; by <= SCALE_MAX; by++)
            /* >=: of two equally tall, the later font has the finer glyphs */
            if (width / (image->width * by) >= wide && height / (image->height * by) >= high &&
                image->height * by >= font->height * scale) {
                font = image;
                scale = by;
                found = true;
            }
    return found;
}

/* Large letters with room for the notes, else 80 x 25; on a tiny display, the smallest letters. */
static bool choose_font(void)
{
    uint32_t width = graphics->Mode->Info->HorizontalResolution;
    uint32_t height = graphics->Mode->Info->VerticalResolution;
    font = font_images;
    scale = 1;
    if (!largest_font(width, height, COLUMNS_GOOD, ROWS_GOOD))
        (void)largest_font(width, height, COLUMNS_MIN, ROWS_MIN);
    columns = at_most(width / (font->width * scale), SCREEN_COLUMNS_MAX);
    rows = at_most(height / (font->height * scale), SCREEN_ROWS_MAX);
    left = (width - columns * font->width * scale) / 2;
    top = (height - rows * font->height * scale) / 2;

    pool_free(strip);
    strip = pool_allocate(sizeof(pixel_t) * columns * font->width * font->height * scale * scale);
    return strip != NULL;
}

bool screen_start(void)
{
    static const EFI_GUID graphics_guid = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;
    graphics = firmware_protocol(system_table->ConsoleOutHandle, &graphics_guid);
    if (!graphics)
        graphics = firmware_any_protocol(&graphics_guid);
    if (graphics && graphics->Mode && graphics->Mode->Info && choose_font()) {
        firmware_mode = graphics->Mode->Mode;
        return true;
    }
    graphics = NULL;

    UINTN wide = COLUMNS_MIN, high = ROWS_MIN;
    text = console_local();
    if (!text)
        return false;
    if (EFI_ERROR(text->QueryMode(text, (UINTN)text->Mode->Mode, &wide, &high)))
        wide = COLUMNS_MIN, high = ROWS_MIN; /* mode 0, which every text console has */
    columns = at_most((uint32_t)wide, SCREEN_COLUMNS_MAX);
    rows = at_most((uint32_t)high, SCREEN_ROWS_MAX);
    return true;
}

void screen_size(uint16_t *wide, uint16_t *high)
{
    *wide = (uint16_t)(columns > COLUMNS_MIN ? columns : COLUMNS_MIN);
    *high = (uint16_t)(rows > ROWS_MIN ? rows : ROWS_MIN);
}

/* What mode @number is like. Out: false when firmware does not say. */
static bool query_mode(uint32_t number, uint32_t *width, uint32_t *height)
{
    EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *info = NULL;
    UINTN bytes = 0;
    if (EFI_ERROR(graphics->QueryMode(graphics, number, &bytes, &info)) || !info)
        return false;
    *width = info->HorizontalResolution;
    *height = info->VerticalResolution;
    pool_free(info);
    return true;
}

bool screen_set_mode(uint32_t width, uint32_t height, char *modes, size_t room)
{
    struct buffer_sink names;
    uint32_t count = graphics ? graphics->Mode->MaxMode : 0;
    buffer_sink_init(&names, modes, room - 1);
    for (uint32_t number = 0; number < count; number++) {
        uint32_t wide, high;
        if (!query_mode(number, &wide, &high))
            continue;
        sink_printf(&names.sink, " %ux%u", wide, high);
        if (wide == width && high == height && !EFI_ERROR(graphics->SetMode(graphics, number))) {
            mode_changed = true;
            return choose_font();
        }
    }
    modes[names.length] = '\0';
    return false;
}

/* One cell into the strip, @stride pixels a row, at the strip's pixel @x. */
static void compose(const struct cell *cell, uint32_t stride, uint32_t x)
{
    bool known = cell->glyph >= FIRST_GLYPH && cell->glyph <= LAST_GLYPH;
    const uint8_t *row = font->bitmap + (known ? cell->glyph - FIRST_GLYPH : 0) * glyph_bytes(font);
    pixel_t ink = colours[cell->colour % COLOUR_COUNT].ink;
    pixel_t paper = colours[cell->colour % COLOUR_COUNT].paper;
    for (uint32_t y = 0; y < font->height; y++, row += (font->width + 7) / 8) {
        pixel_t *first = strip + (size_t)y * scale * stride + x, *pixel = first;
        for (uint32_t bit = 0; bit < font->width; bit++)
            for (uint32_t i = 0; i < scale; i++)
                *pixel++ = row[bit / 8] & (0x80 >> bit % 8) ? ink : paper;
        for (uint32_t i = 1; i < scale; i++)
            memcpy(first + (size_t)i * stride, first, sizeof(pixel_t) * font->width * scale);
    }
}

static void draw_pixels(const struct cell *cells, uint32_t row, uint32_t from, uint32_t to)
{
    uint32_t wide = font->width * scale, high = font->height * scale, stride = (to - from) * wide;
    for (uint32_t column = from; column < to; column++)
        compose(&cells[column], stride, (column - from) * wide);
    (void)graphics->Blt(graphics, (EFI_GRAPHICS_OUTPUT_BLT_PIXEL *)strip, EfiBltBufferToVideo, 0, 0,
                        left + from * wide, top + row * high, stride, high, 0);
}

static void draw_text(const struct cell *cells, uint32_t row, uint32_t from, uint32_t to)
{
    CHAR16 run[SCREEN_COLUMNS_MAX + 1];
    /* A character in the last cell of all would scroll the console. */
    if (row + 1 == rows && to == columns)
        to--;
    (void)text->SetCursorPosition(text, from, row);
    while (from < to) {
        uint8_t colour = cells[from].colour;
        uint32_t used = 0;
        for (; from < to && cells[from].colour == colour; from++)
            run[used++] = cells[from].glyph < FIRST_GLYPH || cells[from].glyph > LAST_GLYPH
                              ? L' '
                              : (CHAR16)cells[from].glyph;
        run[used] = 0;
        (void)text->SetAttribute(text, colours[colour % COLOUR_COUNT].text);
        (void)text->OutputString(text, run);
    }
}

static void begin(void)
{
    pixel_t background = BACKGROUND;
    begun = true;
    memset(drawn, 0, sizeof(drawn));
    if (graphics) {
        (void)graphics->Blt(graphics, (EFI_GRAPHICS_OUTPUT_BLT_PIXEL *)&background, EfiBltVideoFill,
                            0, 0, 0, 0, graphics->Mode->Info->HorizontalResolution,
                            graphics->Mode->Info->VerticalResolution, 0);
    } else {
        (void)text->EnableCursor(text, FALSE);
        (void)text->SetAttribute(text, colours[COLOUR_NORMAL].text);
        (void)text->ClearScreen(text);
    }
}

static bool differs(const struct cell *a, const struct cell *b)
{
    return a->glyph != b->glyph || a->colour != b->colour;
}

void screen_draw(const struct session *session)
{
    if (!graphics && !text)
        return;
    if (!begun)
        begin();
    for (uint32_t row = 0; row < rows; row++) {
        const struct cell *cells = session->screen[row];
        uint32_t from = 0, to = columns;
        while (from < to && !differs(&cells[from], &drawn[row][from]))
            from++;
        while (to > from && !differs(&cells[to - 1], &drawn[row][to - 1]))
            to--;
        if (from == to)
            continue;
        if (graphics)
            draw_pixels(cells, row, from, to);
        else
            draw_text(cells, row, from, to);
        memcpy(&drawn[row][from], &cells[from], (to - from) * sizeof(struct cell));
    }
}

void screen_end(void)
{
    if (mode_changed)
        (void)graphics->SetMode(graphics, firmware_mode);
    if (mode_changed || begun)
        console_restore();
    mode_changed = begun = false;
    pool_free(strip);
    strip = NULL;
    graphics = NULL;
    text = NULL;
}
