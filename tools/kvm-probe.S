/*
 * kvm-probe.S: does an accelerator really run a guest that takes page faults?
 *
 * A 64-KiB BIOS image for tools/vm.py. A virtualization device that opens proves nothing: some nested
 * hypervisors run a real-mode guest and lose a long-mode one. So this guest uses the FPU, enters long
 * mode with EFER.NXE, takes 1,000 page faults of two kinds through its own IDT, compares error code and
 * CR2 of each, and writes the result to the debug-exit port: 0x10 all as expected, 0x12 anything else.
 *
 * Manual: SDM 3A 9.1.4 (first instruction), 9.8.5 (entering IA-32e mode), 6.14 (64-bit delivery).
 *
 * Memory: 0x1000 PML4, 0x2000 PDPT, 0x3000 PD; 0x7000 top of the stack. The image is linked at 0xf0000, its
 * alias below 1 MiB; table bits that the processor would set are set, because the image is read-only.
 */
#define DEBUG_EXIT_PORT 0xf4
#define RESULT_GOOD     0x10
#define RESULT_BAD      0x12
#define FAULTS          1000

#define ABSENT 0x40000000 /* no PDPTE: read gives error code 0 */
#define NO_EXECUTE 0x200000 /* second PDE, XD set: fetch gives error code 0x11 */

    .text
    .code16
    .globl start
start:

real_mode:
    cli
    cld
    fwait
    fninit
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw $0x7000, %sp

    movw $0x1000, %di /* clear the three tables */
    movw $0x1800, %cx
    rep stosw
    movl $0x2003, 0x1000
    movl $0x3003, 0x2000
    movl $0x000083, 0x3000          /* PDE 0: this image and its data */
    movl $0x200083, 0x3008          /* PDE 1: the same rights, no execution */
    movl $0x80000000, 0x300c

    lgdtl %cs:(gdt_pointer - start)
    movl $0x20, %eax /* CR4.PAE */
    movl %eax, %cr4
    movl $0x1000, %eax
    movl %eax, %cr3
    movl $0xc0000080, %ecx /* EFER: LME and NXE */
    rdmsr
    orl $0x900, %eax
    wrmsr
    movl $0x80010033, %eax /* CR0: PG WP NE ET MP PE */
    movl %eax, %cr0
    ljmpl $0x08, $long_mode

    .code64
long_mode:
    movl $0x10, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl $0x7000, %esp
    lidt idt_pointer
    xorl %ebp, %ebp /* faults taken */

next:
    movl $ABSENT, %ebx /* what the handler expects in CR2, */
    xorl %edx, %edx    /* as error code, */
    leaq after_read(%rip), %rsi /* and where it goes on */
    movb (%rbx), %al
    jmp bad
after_read:
    movl $NO_EXECUTE, %ebx
    movl $0x11, %edx
    leaq after_fetch(%rip), %rsi
    jmp *%rbx
after_fetch:
    cmpl $FAULTS, %ebp
    jb next
    movb $RESULT_GOOD, %al
    jmp finish
bad:
    movb $RESULT_BAD, %al
finish:
    outb %al, $DEBUG_EXIT_PORT
    hlt
    jmp finish

/*
 * In: RBX, EDX, RSI as above; the stack is error code, RIP, CS, RFLAGS, RSP, SS.
 * Out: EBP counted up, execution goes on at RSI. Clobbers RAX.
 */
page_fault:
    popq %rax
    cmpq %rdx, %rax
    jne bad
    movq %cr2, %rax
    cmpq %rbx, %rax
    jne bad
    movq %rsi, (%rsp)
    incl %ebp
    iretq

    .balign 8
gdt:
    .quad 0
    .quad 0x00af9b000000ffff /* 0x08: 64-bit code, accessed */
    .quad 0x00cf93000000ffff /* 0x10: data, accessed */
gdt_pointer:
    .word gdt_pointer - gdt - 1
    .long gdt

    /* One gate a vector; every exception but #PF is a failure. */
    .macro gate handler
    .word \handler - start, 0x08, 0x8e00, 0x000f
    .quad 0
    .endm
    .balign 16
idt:
    .rept 14
    gate bad
    .endr
    gate page_fault
    .rept 17
    gate bad
    .endr
idt_pointer:
    .word idt_pointer - idt - 1
    .quad idt

    .org 0xfff0
    .code16
    ljmpw $0xf000, $(real_mode - start) /* leaves the reset's CS base for the alias */
    .org 0x10000
