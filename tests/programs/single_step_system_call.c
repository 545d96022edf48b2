/*
 * A program that steps through a system call: what the kernel's own flags are is not seen, and the step's end is the
 * call's. In a child, as a machine that stops in the kernel instead costs the one that stepped.
 */
#include "tests/programs/library/step.h"

int program(const struct program_start *start)
{
    long child;

    (void)start;
    step_begin();
    child = program_fork();
    if (child == 0) {
        uint64_t from = STEP("movl $39, %%eax\n syscall\n nop\n nop\n", "rax", "rcx", "r11");
        log_steps("a system call among instructions", from);
        program_exit(0);
    }
    log_wait("the child that stepped", wait_for(child));
    return 0;
}
