/*
 * maps.c: the lines of /proc/self/maps. Floor: mm.
 *
 *   00400000-00401000 r--p 00000000 00:01 7                          /programs/anon_write
 *   |start   |end     |    |offset  |dev  |inode                     |name, in column 73
 *
 * Kept of Linux 6.1: widths, the blank behind the inode where there is no name, and the names: [heap] is
 * whatever anonymous VMA touches [brk_start, brk], also that of .bss when the heap begins right behind it.
 * There is one device, 00:01.
 */
#include "mm.h"

/* The text so far; what has no room is left out. */
struct line {
    char *text;
    size_t used;
};

static void put(struct line *line, char letter)
{
    if (line->used < MM_MAPS_LINE) {
        line->text[line->used++] = letter;
    }
}

static void put_text(struct line *line, const char *text)
{
    while (*text) {
        put(line, *text++);
    }
}

/* @number in @base, with @digits at least. */
static void put_number(struct line *line, uint64_t number, unsigned base, unsigned digits)
{
    char text[20];
    unsigned count = 0;

    do {
        text[count++] = "0123456789abcdef"[number % base];
        number /= base;
    } while (number || count < digits);
    while (count) {
        put(line, text[--count]);
    }
}

static const char *name_of(const struct vma *vma)
{
    const struct mm *mm = vma->mm;

    if (vma->cache) {
        return vma->cache->name;
    }
    if (vma->name) {
        return vma->name;
    }
    if (vma->start <= mm->brk && vma->end >= mm->brk_start) {
        return "[heap]";
    }
    return vma->start <= mm->stack_start && vma->end >= mm->stack_start ? "[stack]" : NULL;
}

#define NAME_COLUMN 72u /* counted from 0, the blank in front of it apart */

size_t mm_maps_line(const struct vma *vma, char *text)
{
    struct line line = {.text = text};
    const char *name = name_of(vma);

    put_number(&line, vma->start, 16, 8);
    put(&line, '-');
    put_number(&line, vma->end, 16, 8);
    put(&line, ' ');
    put(&line, vma->flags & VM_READ ? 'r' : '-');
    put(&line, vma->flags & VM_WRITE ? 'w' : '-');
    put(&line, vma->flags & VM_EXEC ? 'x' : '-');
    put(&line, vma->flags & VM_MAYSHARE ? 's' : 'p');
    put(&line, ' ');
    put_number(&line, vma->cache ? vma->page_offset * PAGE_SIZE : 0, 16, 8);
    put_text(&line, vma->cache ? " 00:01 " : " 00:00 ");
    put_number(&line, vma->cache ? vma->cache->inode : 0, 10, 1);
    put(&line, ' ');
    if (name) {
        while (line.used < NAME_COLUMN) {
            put(&line, ' ');
        }
        put(&line, ' ');
        put_text(&line, name);
    }
    if (line.used == MM_MAPS_LINE) {
        line.used--; /* a name beyond all measure is cut off */
    }
    put(&line, '\n');
    return line.used;
}
