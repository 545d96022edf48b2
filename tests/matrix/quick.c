/*
 * quick.c: see quick.h. Each point tells the model as it is from some slip of it: behind a rule's
 * number stand those that were found for its rows. tests/host/test_quick.c proves that together they show
 * every slip on a machine that the boot tests run; for one that they miss it looks for a point to add. A
 * few more are where emulators slipped.
 */
#include "quick.h"

const char *const quick_needed[] = {
    /* R5.1 */
    "matrix:default",
    "matrix:place=first",
    "matrix:place=end",
    /* R1.1 */
    "matrix:place=hole",
    "matrix:place=over",
    "matrix:place=over,access=pop",
    /* R2.6 */
    "matrix:pte.p=0",
    "matrix:pdpte.p=0,pml4e.p=0",
    "matrix:pde.xd=1,pdpte.us=0,nxe=0",
    /* R2.1 */
    "matrix:rsvd=pte,pte.p=0",
    /* R2.2 */
    "matrix:rsvd=pml4e,pml4e.us=0",
    /* R2.4 */
    "matrix:levels=5,rsvd=pml5e,rbit=7",
    "matrix:rsvd=pml4e,rbit=7",
    "matrix:levels=5,rsvd=pml4e,rbit=7",
    "matrix:rsvd=pml4e,rbit=8",
    "matrix:levels=5,rsvd=pml4e,rbit=8",
    "matrix:ignored=8",
    "matrix:rsvd=pdpte,rbit=7",
    "matrix:size=1g,rsvd=pdpte,rbit=21",
    "matrix:size=2m,rsvd=pde,rbit=17",
    "matrix:size=2m,pat=1",
    /* R2.5 */
    "matrix:ignored=58",
    "matrix:key=2",
    "matrix:pat=1",
    /* R3.7 */
    "matrix:access=gdt,pde.p=0",
    /* R3.1 */
    "matrix:pml4e.us=0",
    /* R3.2 */
    "matrix:access=write",
    "matrix:access=write,pml4e.rw=0",
    /* R3.4 */
    "matrix:access=fetch",
    "matrix:access=fetch,pdpte.xd=1",
    "matrix:access=fetch,pdpte.us=0",
    "matrix:access=fetch,pdpte.us=0,nxe=0",
    /* R3.2 */
    "matrix:access=write,pdpte.rw=0,wp=0",
    /* R3.3 */
    "matrix:access=write,ring=0,pde.rw=0",
    "matrix:access=write,ring=0,pml4e.rw=0,wp=0",
    /* R3.4 */
    "matrix:access=fetch,ring=0,pdpte.xd=1",
    /* R3.5 */
    "matrix:access=fetch,ring=0,smep=1",
    "matrix:access=fetch,ring=0,nxe=0,smep=1",
    /* R3.6 */
    "matrix:smap=1",
    "matrix:ring=0,smap=1",
    "matrix:access=fetch,ring=0,smap=1",
    /* R3.7 */
    "matrix:access=idt,smap=1",
    "matrix:access=gdt,smap=1,ac=1",
    "matrix:access=gdt,ring=0,smap=1,ac=1",
    "matrix:access=frame,smap=1,ac=1",
    /* R3.8 */
    "matrix:pke=1,pkru=ad",
    "matrix:access=fetch,pke=1,pkru=ad",
    "matrix:access=write,upperkey=3,pke=1,pkru=wd",
    "matrix:ring=0,pke=1,pkru=ad",
    "matrix:access=write,wp=0,pke=1,pkru=wd",
    "matrix:pke=1",
    "matrix:access=write,ring=0,pke=1,pkru=wd",
    "matrix:access=write,ring=0,wp=0,pke=1,pkru=wd",
    "matrix:access=write,ring=0,pte.us=0,pke=1,pkru=wd",
    /* R3.9 */
    "matrix:ring=0,pte.us=0,key=2,pks=1,pkrs=ad",
    "matrix:ring=0,key=15,pks=1,pkrs=ad",
    "matrix:access=write,ring=0,pte.us=0,key=2,pks=1,pkrs=wd",
    "matrix:access=write,ring=0,pde.us=0,key=15,wp=0,pks=1,pkrs=wd",
    /* R4.W */
    "matrix:access=lock-add,pdpte.p=0",
    "matrix:access=add,pdpte.p=0",
    /* R4.PK */
    "matrix:access=write,pde.rw=0,pke=1,pkru=wd",
    "matrix:pde.us=0,key=15,pks=1,pkrs=ad",
    "matrix:pde.us=0,pks=1",
    "matrix:pde.us=0,pke=1,pkru=ad",
    /* R7.7 */
    "matrix:access=nop,pdpte.us=0",
    "matrix:access=clflush",
    "matrix:place=hole,access=invlpg,ring=0",
    /* R1.1 */
    "matrix:place=over,access=write,pte.rw=0",
    /* R5.1 */
    "matrix:place=both,pde.p=0",
    /* R5.1, R3.10, R4.SS: LAM and shadow stacks */
    "matrix:lam=57",
    "matrix:access=fetch,lam=57",
    "matrix:access=wrss,cet=1",
    "matrix:access=wruss,ring=0,cet=1",
    "matrix:access=wrss,pte.rw=0,d=1,cet=1",
    "matrix:access=wrss,pdpte.p=0,cet=1",
    "matrix:access=wruss,ring=0,pte.rw=0,pdpte.rw=0,d=1,cet=1",
    "matrix:access=wrss,pte.rw=0,pte.us=0,d=1,cet=1",
};
const uint32_t quick_needed_count = ARRAY_COUNT(quick_needed);
