/*
 * Exceptions that are no page faults: which signal, code, trap number and error code Linux makes of what a program
 * may not do.
 */
#include "tests/programs/library/program.h"

#define PROBE(name, text, ...)                                                                     \
    static uint64_t name(uint64_t a, uint64_t b)                                                   \
    {                                                                                              \
        (void)b;                                                                                   \
        __asm__ volatile(text : "+a"(a) : : __VA_ARGS__);                                          \
        return 0;                                                                                  \
    }

PROBE(undefined, "ud2", "memory")
PROBE(divide_by_zero, "xorl %%edx, %%edx\n xorl %%ecx, %%ecx\n movl $1, %%eax\n divl %%ecx", "rcx",
      "rdx")
PROBE(divide_overflow, "movl $5, %%edx\n movl $2, %%ecx\n movl $1, %%eax\n divl %%ecx", "rcx",
      "rdx")
PROBE(breakpoint, "int3", "memory")
PROBE(halt, "hlt", "memory")
PROBE(disable_interrupts, "cli", "memory")
PROBE(read_cr3, "movq %%cr3, %%rax", "memory")
PROBE(read_msr, "movl $0xc0000080, %%ecx\n rdmsr", "rcx", "rdx")
PROBE(port, "movl $0x80, %%edx\n inb %%dx, %%al", "rdx")
PROBE(null_stack_segment, "xorl %%ecx, %%ecx\n movl %%ecx, %%ss", "rcx")
PROBE(kernel_data_segment, "movl $0x18, %%ecx\n movl %%ecx, %%ds", "rcx")
PROBE(no_such_segment, "movl $0x1234, %%ecx\n movl %%ecx, %%es", "rcx")
PROBE(privileged_flush, "invlpg (%%rsp)", "memory")

int program(const struct program_start *start)
{
    static const struct {
        const char *what;
        access_function *function;
    } probes[] = {
        {"ud2",                               undefined          },
        {"division by zero",                  divide_by_zero     },
        {"division with overflow",            divide_overflow    },
        {"int3",                              breakpoint         },
        {"hlt",                               halt               },
        {"cli",                               disable_interrupts },
        {"mov from CR3",                      read_cr3           },
        {"rdmsr",                             read_msr           },
        {"in",                                port               },
        {"invlpg",                            privileged_flush   },
        {"null into SS",                      null_stack_segment },
        {"the kernel's data segment into DS", kernel_data_segment},
        {"no such segment into ES",           no_such_segment    },
    };

    (void)start;
    for (unsigned i = 0; i < sizeof(probes) / sizeof(probes[0]); i++) {
        struct access access = access_run(probes[i].function, 0, 0);

        /* Some report where the instruction is: whether they do is the subject, where is not. */
        say("%s: %s %s err 0x%lx trapno %lu, si_addr %s", probes[i].what,
            signal_text(access.signal), code_text(access.signal, access.code), access.error,
            access.trap, access.address ? "set" : "0");
    }
    return 0;
}
