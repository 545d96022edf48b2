/*
 * The mappings in a range as values, read from /proc/self/maps: for programs that write them in a form of their own.
 * log_maps() (program.h) writes the kernel's own lines.
 */
#pragma once

#include "tests/programs/library/program.h"

struct mapped {
    uint64_t start, end;
    uint64_t offset; /* in the file, bytes */
    char rights[4];  /* "rw-p" without an end */
};

/* A hexadecimal number; *@at is behind it then. */
static inline uint64_t mapped_number(const char **at)
{
    uint64_t value = 0;

    for (;; (*at)++) {
        if (**at >= '0' && **at <= '9')
            value = value * 16 + (uint64_t)(**at - '0');
        else if (**at >= 'a' && **at <= 'f')
            value = value * 16 + (uint64_t)(**at - 'a' + 10);
        else
            return value;
    }
}

/* "START-END RIGHTS OFFSET ...", up to its end of line; *@at is behind that then. */
static inline struct mapped mapped_line(const char **at)
{
    struct mapped mapped;

    mapped.start = mapped_number(at);
    (*at)++;
    mapped.end = mapped_number(at);
    (*at)++;
    for (unsigned i = 0; i < 4; i++)
        mapped.rights[i] = *(*at)++;
    (*at)++;
    mapped.offset = mapped_number(at);
    while (**at && *(*at)++ != '\n')
        ;
    return mapped;
}

/* Those that lie wholly in [@from, @to), in order; how many. Ends the program when there are more than @most. */
static inline unsigned mapped_list(uint64_t from, uint64_t to, struct mapped *list, unsigned most)
{
    static char maps[16384];
    unsigned long length = 0;
    unsigned count = 0;
    int file = (int)must("open /proc/self/maps", sys_open("/proc/self/maps", O_RDONLY));
    long got;

    while ((got = must("read /proc/self/maps",
                       sys_read(file, (uint64_t)maps + length, sizeof(maps) - 1 - length))) > 0)
        length += (unsigned long)got;
    maps[length] = 0;
    sys_close(file);
    for (const char *at = maps; *at;) {
        struct mapped mapped = mapped_line(&at);

        if (mapped.start < from || mapped.end > to)
            continue;
        if (count == most) {
            say("more than %u mappings, which was not planned", most);
            program_exit(1);
        }
        list[count++] = mapped;
    }
    return count;
}
