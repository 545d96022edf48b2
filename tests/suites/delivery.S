/*
 * delivery.S: handlers that look before anything has changed, and stretches of code that fault.
 */
#include "delivery_offsets.h"
#include "fault/trap_frame_offsets.h"

    .text

/*
 * delivery_go: In: rdi struct trap_frame. Starts with every register as the frame says, in either
 * ring. Comes back through a handler below.
 */
    .globl delivery_go
    .type delivery_go, @function
delivery_go:
    lea FRAME_RIP(%rdi), %rsp
    mov FRAME_R15(%rdi), %r15
    mov FRAME_R14(%rdi), %r14
    mov FRAME_R13(%rdi), %r13
    mov FRAME_R12(%rdi), %r12
    mov FRAME_RBP(%rdi), %rbp
    mov FRAME_RBX(%rdi), %rbx
    mov FRAME_R11(%rdi), %r11
    mov FRAME_R10(%rdi), %r10
    mov FRAME_R9(%rdi), %r9
    mov FRAME_R8(%rdi), %r8
    mov FRAME_RAX(%rdi), %rax
    mov FRAME_RCX(%rdi), %rcx
    mov FRAME_RDX(%rdi), %rdx
    mov FRAME_RSI(%rdi), %rsi
    mov FRAME_RDI(%rdi), %rdi
    iretq
    .size delivery_go, . - delivery_go

/*
 * In: what the processor left: its frame, and every register. Out: all of it in delivery_seen;
 * continues at delivery_context. A vector without error code gets one, as entry.S does it.
 */
    .balign DELIVERY_STUB_BYTES
    .globl delivery_stubs
delivery_stubs:
    .irp vector, DELIVERY_VECTORS
    .balign DELIVERY_STUB_BYTES
    .if \vector == DELIVERY_EXIT
    pushq $0
    .endif
    pushfq
    cli /* a trap gate may have left interrupts on */
    popq delivery_seen + DELIVERY_RFLAGS
    movq $\vector, delivery_seen + FRAME_VECTOR
    jmp delivery_handler
    .endr

    .type delivery_handler, @function
delivery_handler:
    mov %r15, delivery_seen + FRAME_R15
    mov %r14, delivery_seen + FRAME_R14
    mov %r13, delivery_seen + FRAME_R13
    mov %r12, delivery_seen + FRAME_R12
    mov %rbp, delivery_seen + FRAME_RBP
    mov %rbx, delivery_seen + FRAME_RBX
    mov %r11, delivery_seen + FRAME_R11
    mov %r10, delivery_seen + FRAME_R10
    mov %r9, delivery_seen + FRAME_R9
    mov %r8, delivery_seen + FRAME_R8
    mov %rax, delivery_seen + FRAME_RAX
    mov %rcx, delivery_seen + FRAME_RCX
    mov %rdx, delivery_seen + FRAME_RDX
    mov %rsi, delivery_seen + FRAME_RSI
    mov %rdi, delivery_seen + FRAME_RDI
    mov %rsp, delivery_seen + DELIVERY_RSP
    mov %cs, delivery_seen + DELIVERY_CS
    mov %ss, delivery_seen + DELIVERY_SS
    /* error rip cs rflags rsp ss */
    cld
    mov %rsp, %rsi
    mov $delivery_seen + FRAME_ERROR, %rdi
    mov $6, %ecx
    rep movsq
    mov $delivery_context, %rdi
    mov $1, %esi
    jmp context_resume
    .size delivery_handler, . - delivery_handler

/* delivery_interruptible: IF=1 for one instruction behind the shadow of STI. Called with IF=0. */
    .globl delivery_interruptible
    .type delivery_interruptible, @function
delivery_interruptible:
    sti
    nop
    nop
    cli
    ret
    .size delivery_interruptible, . - delivery_interruptible

/* The handler of an interrupt that is not looked at. */
    .globl delivery_ignored
delivery_ignored:
    iretq

/*
 * One page of stretches for both rings, position-independent: the first instruction (or the one
 * that has a label of its own) is the one that may fault; INT 0x80 says that none did.
 */
    .section .user_page, "ax", @progbits
    .balign 4096
    .globl delivery_page
delivery_page:

.macro stretch name, body:vararg
    .globl delivery_\name
    .balign 16
delivery_\name:
    \body
    int $DELIVERY_EXIT
.endm

/* Four in a row, for 1, 2, 4 and 8 bytes. */
.macro stretches name, one, two, four, eight
    stretch \name, \one
    .balign 16
    \two
    int $DELIVERY_EXIT
    .balign 16
    \four
    int $DELIVERY_EXIT
    .balign 16
    \eight
    int $DELIVERY_EXIT
.endm

stretches load, "mov (%rdi), %al", "mov (%rdi), %ax", "mov (%rdi), %eax", "mov (%rdi), %rax"
stretches store, "mov %sil, (%rdi)", "mov %si, (%rdi)", "mov %esi, (%rdi)", "mov %rsi, (%rdi)"
stretches movs, "rep movsb", "rep movsw", "rep movsl", "rep movsq"
stretches stos, "rep stosb", "rep stosw", "rep stosl", "rep stosq"
stretches lods, "rep lodsb", "rep lodsw", "rep lodsl", "rep lodsq"
stretches cmps, "repe cmpsb", "repe cmpsw", "repe cmpsl", "repe cmpsq"
stretches scas, "repe scasb", "repe scasw", "repe scasl", "repe scasq"
stretch xadd, lock xadd %rsi, (%rdi)
stretch cmpxchg, lock cmpxchg %rsi, (%rdi)
stretch push, push %rsi
stretch pop, pop (%rdi)
stretch call, call *(%rdi)
stretch jump, jmp *%rdi
stretch hlt, hlt
stretch ud2, ud2
stretch exit
/* The shadow of STI reaches over the next instruction: no interrupt comes before the fault. */
    .globl delivery_sti_store
    .balign 16
delivery_sti_store:
    sti
    mov %rsi, (%rdi)
    int $DELIVERY_EXIT
    .balign 4096

    .section .note.GNU-stack, "", @progbits
