/*
 * mm_model.h: what programs may expect of their memory, as naively as can be: an array of pages for each
 * process and each file, and what each page holds. No page tables, no VMAs, no sharing: fork copies.
 * It shares nothing with mm/: numbers are Linux's, written down once more.
 *
 * A process sees a window of MODEL_PAGES pages. Of each page the words at model_slot[] are looked at.
 */
#ifndef HOST_MM_MODEL_H
#define HOST_MM_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#define MODEL_PAGES      64
#define MODEL_PROCESSES  4
#define MODEL_FILES      24
#define MODEL_FILE_PAGES 24
#define MODEL_SLOTS      4
#define MODEL_NO_FILE    (-1)
#define MODEL_BRK_START  44 /* page of the window where the heap begins */

extern const unsigned model_slot[MODEL_SLOTS]; /* offsets in a page, multiples of 8 */

enum model_prot { MODEL_R = 1, MODEL_W = 2, MODEL_X = 4 };
enum model_access { MODEL_READ, MODEL_WRITE, MODEL_FETCH };

enum model_error {
    MODEL_ENOMEM = -12,
    MODEL_EACCES = -13,
    MODEL_EFAULT = -14,
    MODEL_EINVAL = -22,
    MODEL_EOPNOTSUPP = -95,
};

struct model_page {
    bool mapped, shared, locked, dont_fork, wipe_on_fork;
    bool own; /* private, and written: @value counts, not the file's */
    unsigned prot;
    int file;       /* or MODEL_NO_FILE */
    unsigned index; /* in @file */
    uint64_t value[MODEL_SLOTS];
};

struct model_file {
    bool used;
    bool tracked;  /* hears of first writes: dirty pages can be counted */
    bool constant; /* read from elsewhere; only mapped privately, keeps its size */
    uint64_t bytes;
    struct {
        bool present, dirty;
        uint64_t value[MODEL_SLOTS];
    } page[MODEL_FILE_PAGES];
};

struct model_process {
    bool used;
    uint64_t brk; /* bytes from the window's start */
    struct model_page page[MODEL_PAGES];
};

struct model {
    struct model_process process[MODEL_PROCESSES];
    struct model_file file[MODEL_FILES];
};

/* A file's constant content. */
uint64_t model_constant(unsigned index, unsigned slot);

/* One process, no memory; files are the caller's to set up. */
void model_start(struct model *model);

/* What process @p sees at @page, if it may read there. */
uint64_t model_value(const struct model *model, unsigned p, unsigned page, unsigned slot);

/* An access. Out: 0, or the signal; *@code. @value: read or written. */
int model_touch(struct model *model, unsigned p, unsigned page, enum model_access access,
                unsigned slot, uint64_t *value, int *code);

/* System calls: the results they must have. Ranges lie in the window. */
struct model_mapping {
    unsigned first, count, prot;
    bool shared, locked, populate;
    int file; /* MODEL_NO_FILE: anonymous */
    unsigned index;
};
/* False: the model has no room for another shared anonymous file, and nothing was done. */
bool model_can_map(struct model *model, const struct model_mapping *mapping);
void model_mmap(struct model *model, unsigned p, const struct model_mapping *mapping);
void model_munmap(struct model *model, unsigned p, unsigned first, unsigned count);
int model_mprotect(struct model *model, unsigned p, unsigned first, unsigned count, unsigned prot);
int model_madvise(struct model *model, unsigned p, unsigned first, unsigned count, int advice);
int model_mlock(struct model *model, unsigned p, unsigned first, unsigned count, bool lock);
uint64_t model_brk(struct model *model, unsigned p, uint64_t end);
void model_fork(struct model *model, unsigned from, unsigned to);
void model_exit(struct model *model, unsigned p);

/*
 * mremap: where VMAs decide, several results are right: @result is what came of it; pages, an error number,
 * or the new first page. Out: whether that may be; the model has gone along.
 */
struct model_remap {
    unsigned old, old_count, new_count, to;
    bool fixed, keep; /* MREMAP_MAYMOVE | MREMAP_FIXED to @to; MREMAP_DONTUNMAP with it */
};
bool model_mremap(struct model *model, unsigned p, const struct model_remap *remap, int result);

/* Files. @bytes, @from, @offset are multiples of 8. */
void model_truncate(struct model *model, int file, uint64_t bytes);
void model_punch(struct model *model, int file, uint64_t from, uint64_t bytes);
void model_pwrite(struct model *model, int file, unsigned index, unsigned slot, uint64_t value);
unsigned model_clean(struct model *model, int file, unsigned first, unsigned last);
unsigned model_file_pages(const struct model *model, int file); /* present */

#endif
