/*
 * What every program in tests/programs/ stands on: start and end, a log, single accesses whose outcome is a value,
 * counts of faults, children. Freestanding: raw system calls and nothing else (tests/programs/README.md).
 *
 * A log must come out the same on every kernel and machine: no RIPs, no times, and addresses only where the program
 * chose them, or relative to a base (address_base()).
 */
#pragma once

#include <stdbool.h>
#include "tests/programs/library/syscalls.h"

/* ---- start and end ------------------------------------------------------------------------------------ */

struct program_start {
    long argument_count;
    char **arguments;
    char **environment;
    const struct auxiliary *auxiliary; /* ends with AT_NULL */
    uint64_t stack_pointer;            /* at the first instruction */
    const uint64_t *registers;         /* then as well: 15, as syscall_registers() has them */
};

/*
 * The program. Its first stack frame begins at a page boundary, so that what is on one stack page does not depend
 * on the sizes of environment and auxiliary vector. Returns the exit status: 0 when it ran as planned.
 */
int program(const struct program_start *start);

/* The value of entry @type of the auxiliary vector; @found (may be null): whether there is one. */
uint64_t auxiliary_value(uint64_t type, bool *found);

/* Write the log out and end all of the process. */
_Noreturn void program_exit(int status);

/* @result of a step that the scenario needs: unless it is negative it is handed on, else the program ends with 1. */
long must(const char *step, long result);

/* What the processor or kernel lacks for this program: says "lacks @feature", and the program ends with 0. */
_Noreturn void program_lacks(const char *feature);

/*
 * Lacks it, if so, the shared zero page: some virtual machines' kernels give a frame of its own to a page that is
 * read first, and then count no fault at the first write. For programs whose counts are about that page.
 */
void need_zero_page(void);

/*
 * Touch every page of the program's own segments (write those that can be written) and the 16 stack pages below, so
 * that later counts of faults show the subject alone. Done before program() and by program_fork(); it must be
 * called again after anything else that write-protects or drops the program's own memory.
 */
void warm_up(void);

/*
 * A system call with every register chosen, and all as they are after it; in the order RAX RBX RCX RDX RSI RDI RBP R8
 * ... R15. RCX and R11 are not loaded: the instruction itself takes them.
 */
void syscall_registers(uint64_t registers[15]);

/* ---- log ---------------------------------------------------------------------------------------------- */

/*
 * Append a line. Of printf's conversions: %s %c %d %u %x %%, the last three also with l, with 0, - and a width.
 * Lines stay in memory until log_flush(), program_exit(), program_fork() or until there are 8 KiB of them.
 */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_flush(void);

/* Text of a result: "-EFAULT", or the value in decimal (hexadecimal: _hex). Good until 8 later calls of any _text(). */
const char *result_text(long result);
const char *result_hex(long result);

/* "0x10000000", or "area+0x1000" when it lies in the 1 GiB from a base that address_base() named. */
const char *address_text(uint64_t address);
/* Name the place of something whose address the kernel chose; at most 8. The same @name again moves it. */
void address_base(const char *name, uint64_t base);

const char *signal_text(int number);
/* "SEGV_MAPERR", "BUS_ADRERR", "SI_KERNEL" ... */
const char *code_text(int signal, int code);

/* ---- memory ------------------------------------------------------------------------------------------- */

/* Map @pages anonymous pages at exactly @address, where nothing may be; @flags: MAP_PRIVATE or MAP_SHARED and more. */
uint64_t map_at(uint64_t address, unsigned long pages, int protection, int flags);

/* Plain accesses, for memory that is known to be there. */
static inline uint8_t load8(uint64_t address)
{
    return *(volatile uint8_t *)address;
}

static inline void store8(uint64_t address, uint8_t value)
{
    *(volatile uint8_t *)address = value;
}

static inline uint64_t load64(uint64_t address)
{
    return *(volatile uint64_t *)address;
}

static inline void store64(uint64_t address, uint64_t value)
{
    *(volatile uint64_t *)address = value;
}

/* Fill @pages whole pages with @value. */
void fill(uint64_t address, unsigned long pages, uint8_t value);

/* "WHAT: contents 00 5a mixed": a word for each page; reads all of them. */
void log_contents(const char *what, uint64_t address, unsigned long pages);
/* "WHAT: bytes 00 01 02 03" */
void log_bytes(const char *what, uint64_t address, unsigned long count);
/* "WHAT: residency 11.1" by mincore, or its error; at most 512 pages. */
void log_residency(const char *what, uint64_t address, unsigned long pages);
/* The lines of /proc/self/maps that have a byte in [@from, @to). */
void log_maps(const char *what, uint64_t from, uint64_t to);

/* ---- one access, and what became of it ------------------------------------------------------------------ */

struct access {
    int signal; /* 0: it went through, and everything but @value and @faults is 0 */
    int code;
    uint64_t address; /* si_addr */
    uint64_t error;   /* REG_ERR */
    uint64_t trap;    /* REG_TRAPNO */
    uint64_t cr2;     /* REG_CR2 */
    uint32_t pkey;    /* si_pkey, with SEGV_PKUERR */
    uint64_t value;   /* what the function returned */
    long faults;      /* minor faults meanwhile */
};

/*
 * Call @function(@a, @b) with handlers for SIGSEGV, SIGBUS, SIGILL, SIGTRAP and SIGFPE that bring it to an end; they
 * run on the alternate stack if there is one, and mask and earlier handlers are as before afterwards. The
 * function may be any instructions; what it had in registers is forgotten. Must not be nested.
 */
typedef uint64_t access_function(uint64_t a, uint64_t b);
struct access access_run(access_function *function, uint64_t a, uint64_t b);

struct access access_read(uint64_t address);                 /* one byte */
struct access access_write(uint64_t address, uint8_t value); /* one byte */
struct access access_execute(uint64_t address);              /* a call; @value is RAX */

/* Write code that returns 42 ("mov $42, %eax; ret") to writable memory at @address: what access_execute() calls. */
void put_code(uint64_t address);

/*
 * One line of an access. "read 0x10000000: 00, 1 fault", or
 * "read 0x10000000: SIGSEGV SEGV_MAPERR si_addr 0x10000000 err 0x4 trapno 14 cr2 0x10000000, 0 faults".
 */
void log_access(const char *kind, uint64_t address, const struct access *access);
/* The same without the count, where it is not the subject and may differ. */
void log_access_uncounted(const char *kind, uint64_t address, const struct access *access);

/* Make the access and log it. */
struct access log_read(uint64_t address);
struct access log_write(uint64_t address, uint8_t value);
struct access log_execute(uint64_t address);

/* ---- counting faults ------------------------------------------------------------------------------------ */

/* Minor faults of this process until now; makes none itself. */
long minor_faults(void);

/* Say "WHAT: N faults" for the faults since @before. */
void log_faults(const char *what, long before);

/* ---- signals and children ------------------------------------------------------------------------------- */

/* rt_sigaction with SA_SIGINFO and SA_RESTORER added; @mask: signals blocked meanwhile. Returns its result. */
long signal_install(int number, signal_handler *handler, uint64_t flags, uint64_t mask);
/* Where handlers return to: rt_sigreturn. */
void signal_restorer(void);

/* fork, after the log was written out; both processes warm_up(). Ends the program when it fails. */
long program_fork(void);

/* Wait for exactly @pid; its wait status. */
int wait_for(long pid);
/* "WHAT: exit status 0" or "WHAT: killed by SIGSEGV" */
void log_wait(const char *what, int status);

/* One byte through a pipe, to set the order of two processes: [0] reads, [1] writes. */
void pipe_make(int ends[2]);
void pipe_signal(const int ends[2]); /* writes out the log first */
void pipe_await(const int ends[2]);
