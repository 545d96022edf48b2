/*
 * signal_number.h: Linux's numbers of signals and of their causes. Floor: mm, as faults end in some of
 * them; os/signal.h delivers them.
 */
#ifndef MM_SIGNAL_NUMBER_H
#define MM_SIGNAL_NUMBER_H

#define SIGNALS 64

#define SIGILL  4
#define SIGTRAP 5
#define SIGBUS  7
#define SIGFPE  8
#define SIGKILL 9
#define SIGUSR1 10
#define SIGSEGV 11
#define SIGUSR2 12
#define SIGPIPE 13
#define SIGTERM 15
#define SIGCHLD 17
#define SIGCONT 18
#define SIGSTOP 19

#define SI_USER   0
#define SI_KERNEL 0x80

#define SEGV_MAPERR 1
#define SEGV_ACCERR 2
#define SEGV_PKUERR 4
#define BUS_ADRALN  1
#define BUS_ADRERR  2

#endif
