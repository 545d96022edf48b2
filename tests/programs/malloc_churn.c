/*
 * What malloc does to a kernel: a small allocator over brk and mmap, and a fixed sequence of allocations, checks and
 * releases over it. Every block is filled and checked; the log has checksums, counts and where the break went.
 */
#include "tests/programs/library/program.h"
#include "tests/programs/library/random.h"

#define BLOCKS  512UL
#define LARGE   0x20000UL /* from here on a block is a mapping of its own */
#define CLASSES 13        /* of 32 bytes to 128 KiB */
#define STEPS   20000UL

/* In front of each block. */
struct header {
    uint64_t size; /* with the header; of a mapping: a multiple of a page */
    struct header *next;
};

static struct header *free_lists[CLASSES];
static uint64_t heap_begin;
static uint64_t heap_end;
static uint64_t heap_used;
static unsigned long mappings;

static unsigned class_of(uint64_t size)
{
    unsigned class = 0;

    while ((32UL << class) < size)
        class ++;
    return class;
}

static void *allocate(uint64_t wanted)
{
    uint64_t size = wanted + sizeof(struct header);
    struct header *header;

    if (size > LARGE) {
        size = (size + PAGE - 1) & ~(PAGE - 1);
        header = (struct header *)must(
            "mmap", sys_mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        header->size = size;
        mappings++;
        return header + 1;
    }
    unsigned class = class_of(size);
    header = free_lists[class];
    if (header) {
        free_lists[class] = header->next;
        return header + 1;
    }
    size = 32UL << class;
    if (heap_used + size > heap_end) {
        uint64_t end = (heap_used + size + 0x20000 - 1) & ~0xffffUL;
        if ((uint64_t)sys_brk(end) != end) {
            say("brk failed");
            program_exit(1);
        }
        heap_end = end;
    }
    header = (struct header *)heap_used;
    heap_used += size;
    header->size = size;
    return header + 1;
}

static void release(void *block)
{
    struct header *header = (struct header *)block - 1;

    if (header->size > LARGE) {
        must("munmap", sys_munmap((uint64_t)header, header->size));
        mappings--;
        return;
    }
    unsigned class = class_of(header->size);
    header->next = free_lists[class];
    free_lists[class] = header;
}

static struct {
    uint8_t *bytes;
    uint64_t size;
    uint8_t value;
} blocks[BLOCKS];

static uint64_t checksum = 14695981039346656037UL;

static void check_block(unsigned long i)
{
    for (uint64_t at = 0; at < blocks[i].size; at += at % PAGE == 0 ? 61 : 509) {
        if (blocks[i].bytes[at] != blocks[i].value) {
            say("block %lu has 0x%x at %lu and not 0x%x", i, blocks[i].bytes[at], at,
                blocks[i].value);
            program_exit(1);
        }
        checksum = (checksum ^ blocks[i].bytes[at]) * 1099511628211UL;
    }
}

static uint64_t random_size(void)
{
    uint64_t kind = random_next() % 100;

    if (kind < 70)
        return 1 + random_next() % 500;
    if (kind < 95)
        return 1 + random_next() % 20000;
    return LARGE + random_next() % 300000;
}

static void churn(unsigned long steps)
{
    for (unsigned long step = 0; step < steps; step++) {
        unsigned long i = random_next() % BLOCKS;

        if (blocks[i].bytes) {
            check_block(i);
            release(blocks[i].bytes);
            blocks[i].bytes = NULL;
        } else {
            blocks[i].size = random_size();
            blocks[i].value = (uint8_t)random_next();
            blocks[i].bytes = allocate(blocks[i].size);
            __builtin_memset(blocks[i].bytes, blocks[i].value, blocks[i].size);
        }
    }
}

static void log_state(const char *what)
{
    unsigned long live = 0;
    uint64_t bytes = 0;

    for (unsigned long i = 0; i < BLOCKS; i++) {
        if (blocks[i].bytes) {
            live++;
            bytes += blocks[i].size;
            check_block(i);
        }
    }
    say("%s: %lu blocks of %lu bytes, %lu mappings, heap %lu KiB of %lu, checksum 0x%lx", what,
        live, bytes, mappings, (heap_used - heap_begin) / 1024, (heap_end - heap_begin) / 1024,
        checksum);
}

int program(const struct program_start *start)
{
    long before;
    long child;

    (void)start;
    heap_begin = heap_end = heap_used = ((uint64_t)sys_brk(0) + 15) & ~15UL;
    before = minor_faults();
    for (unsigned i = 0; i < 4; i++) {
        churn(STEPS / 4);
        log_state("churned");
    }
    log_faults("all of it", before);

    /* A child goes on from the same state in its own way; the parent does not notice. */
    child = program_fork();
    if (child == 0) {
        random_state ^= 0x5555555555555555UL;
        churn(STEPS / 8);
        log_state("child");
        program_exit(0);
    }
    log_wait("child", wait_for(child));
    log_state("parent");
    churn(STEPS / 8);
    log_state("churned again");

    for (unsigned long i = 0; i < BLOCKS; i++) {
        if (blocks[i].bytes)
            release(blocks[i].bytes);
        blocks[i].bytes = NULL;
    }
    log_state("all released");
    say("brk back: %s", (uint64_t)sys_brk(heap_begin) == heap_begin ? "yes" : "no");
    return 0;
}
