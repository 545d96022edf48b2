/*
 * fuzz_elf.c: any bytes as a program's file. Whatever it is, it is refused with one of execve's errors and
 * nothing is left of it, or it is a process like any other: audit and TLB are good, its entry and its stack
 * can be touched or are faults as usual, and all of it can be given back.
 *
 * An input is the file. A byte behind it says which of the allocations fails, so memory that runs out is seen, too.
 */
#include "tests/host/fuzz.h"

#include "tests/host/os_played.h"

#define FRAMES 300u

static bool finished;
static vaddr_t places[3]; /* that the program touches */

static uint64_t ring3_plays(struct trap_frame *user)
{
    static unsigned act;
    uint8_t bytes[16] = {0};

    if (!finished) {
        act = 0;
        finished = true;
        places[0] = user->rip;
        places[1] = user->rsp;
        places[2] = task_current()->mm->brk - 1;
    }
    os_played_good();
    while (act < 3 * ARRAY_COUNT(places)) {
        const vaddr_t at = places[act / 3];
        const unsigned how = act++ % 3;
        const enum bad_kind bad = how == 0   ? user_read(at, bytes, sizeof(bytes))
                                  : how == 1 ? user_write(at, bytes, sizeof(bytes))
                                             : user_fetch(at);
        os_played_good();
        /* One place is enough for a signal, which ends it. */
        FUZZ_ASSERT(bad == BAD_NONE || bad == BAD_SIGNAL || bad == BAD_OOM);
    }
    user->rax = 60;
    user->rdi = 0;
    return user->vector = VECTOR_SYSCALL;
}

/* What Linux's execve may say of a file that it was given. */
static bool is_execve_error(int error)
{
    return error == -ENOEXEC || error == -ENOMEM || error == -EINVAL || error == -EFAULT ||
           error == -E2BIG || error == -ENOENT || error == -EIO || error == -EEXIST ||
           error == -EPERM || error == -EOVERFLOW;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const arguments[] = {"program", "with", "arguments", NULL};
    static const char *const environment[] = {"A=b", NULL};
    uint8_t *file = NULL;
    unsigned fail_at = 0;

    if (size) {
        fail_at = data[size - 1] % 64;
        size--;
        /* A copy of its own size, so that a byte beyond it is noticed. */
        file = malloc(size ? size : 1);
        FUZZ_ASSERT(file);
        memcpy(file, data, size);
    }
    os_played_start(FRAMES);
    memory_fail_at(fail_at);
    const int error = os_program("/program", file, size, arguments, environment, NULL, UINT64_MAX);
    const bool failed = memory_failed();
    memory_fail_at(0);
    os_played_good();
    if (error == 0) {
        finished = false;
        FUZZ_ASSERT(os_run(UINT64_MAX) == OS_DONE);
    } else {
        if (!is_execve_error(error)) {
            fprintf(stderr, "error %d\n", error);
        }
        FUZZ_ASSERT(is_execve_error(error));
        FUZZ_ASSERT(error != -ENOMEM || failed || size);
    }
    os_played_stop();
    free(file);
    return 0;
}
