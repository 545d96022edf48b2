/*
 * rows.h: the rules of docs/rules.md that decide what one memory access does, one row each, in the
 * order in which they are asked. model.c includes this file three times, with three meanings of ROW,
 * and makes of it the list of rows, a function for each condition, and the table model_rows.
 *
 *   ROW(name, number, what the rule says, its condition,
 *       a slip that whoever writes an emulator might make, the condition with that slip, marks)
 *
 * A condition reads
 *   cpu, access  the question
 *   s            the situation: how far the judging has come
 *   page         the part of the access that is being judged: one 4-KiB page of it
 * and has no effect; what follows from it is in model.c, which asks each row where its turn is.
 *
 * Marks: CHOICE(ways): the machine chooses, and which way it goes is recorded. HOST_ONLY: no emulator here has the feature.
 * SAME(slips, because): those slips change nothing that a question could show, or nothing beyond what
 * a dropped row changes.
 */

/* clang-format off */

/* ---- section 1: before the walk -------------------------------------------------------------------- */

ROW(crosses, "R5.1", "the access goes on in the next 4-KiB page",
    (access->address & 0xfff) + access->bytes > 0x1000,
    "one byte too early: an access that ends with the page concerns the next one",
    (access->address & 0xfff) + access->bytes + 1 > 0x1000, NO_MARKS)

ROW(masked, "R5.1", "LAM takes the tag out of a user pointer",
    s->data && !access->implicit && !(s->linear >> 63),
    "instruction fetches too",
    !access->implicit && !(s->linear >> 63), HOST_ONLY)

ROW(not_canonical, "R1.1", "an address whose upper bits are not all equal",
    !canonical(page->first, s->linear_bits),
    "judged as if linear addresses always had 57 bits",
    !canonical(page->first, 57), NO_MARKS)

ROW(runs_over, "R1.1", "an access that runs over the canonical boundary",
    !canonical(page->first, s->linear_bits), NO_SLIP, false, NO_MARKS)

ROW(stack, "R1.1", "not canonical through the stack segment: #SS",
    access->stack && s->data,
    "only for pushes",
    access->stack && s->stores, NO_MARKS)

/* ---- section 2: the walk, from the top level down --------------------------------------------------- */

ROW(first_decides, "R2.6", "nothing below the first failing entry is looked at, rights only after all",
    page->end != MODEL_COMPLETE,
    "a walk also ends where U/S=0 stands in the way of a user access",
    page->end != MODEL_COMPLETE || (s->user && !(page->all & US)), NO_MARKS)

ROW(absent, "R2.1", "P=0 ends the walk",
    !(s->entry & P),
    "reserved bits are judged before P",
    !(s->entry & P) && !common_reserved_bits(s), NO_MARKS)

ROW(reserved, "R2.2", "a reserved bit in a present entry ends the walk",
    s->reserved,
    "rights are judged first",
    s->reserved && !(s->user && !(s->entry & US)), NO_MARKS)

ROW(physical, "R2.3", "address bits from MAXPHYADDR to 51 are reserved",
    s->entry & s->too_high,
    "in leaves only",
    s->leaf && s->entry & s->too_high, NO_MARKS)

ROW(xd_off, "R2.3", "XD is reserved while EFER.NXE=0",
    s->entry & XD && !cpu->nxe,
    "for a fetch only",
    s->entry & XD && !cpu->nxe && s->fetch, NO_MARKS)

ROW(pml5e_7, "R2.4", "bit 7 of a PML5E is reserved",
    s->level == 5 && s->entry & PS, NO_SLIP, false, NO_MARKS)

ROW(pml4e_7, "R2.4", "bit 7 of a PML4E is reserved",
    s->level == 4 && s->entry & PS,
    "of the top level's entries only",
    s->level == 4 && s->entry & PS && cpu->levels == 4, NO_MARKS)

ROW(bit_8, "R2.4", "bit 8 of a PML5E or PML4E is reserved on AMD processors",
    s->level >= 4 && s->entry & G && (cpu->vendor == MODEL_VENDOR_AMD || s->ways & WAY_BIT_8),
    "of the top level's entries only",
    s->level == cpu->levels && s->entry & G &&
        (cpu->vendor == MODEL_VENDOR_AMD || s->ways & WAY_BIT_8), NO_MARKS)

ROW(bit_8_either, "R2.4", "whose processor it is is not known: bit 8 of upper entries, either",
    s->level >= 4 && s->entry & G && cpu->vendor == MODEL_VENDOR_UNKNOWN, NO_SLIP, false,
    CHOICE("ignored", "reserved"))

ROW(pdpte_7, "R2.4", "bit 7 of a PDPTE is reserved without 1-GiB pages",
    s->level == 3 && s->entry & PS && !cpu->gb_pages, NO_SLIP, false, NO_MARKS)

ROW(low_1g, "R2.4", "bits 29:13 of a 1-GiB leaf are reserved",
    s->level == 3 && s->entry & PS && cpu->gb_pages && s->entry & bits(29, 13),
    "bits 20:13, as of a 2-MiB leaf",
    s->level == 3 && s->entry & PS && cpu->gb_pages && s->entry & bits(20, 13), NO_MARKS)

ROW(low_2m, "R2.4", "bits 20:13 of a 2-MiB leaf are reserved",
    s->level == 2 && s->entry & PS && s->entry & bits(20, 13),
    "bit 12, PAT, as well",
    s->level == 2 && s->entry & PS && s->entry & bits(20, 12), NO_MARKS)

ROW(ignored, "R2.5", "bits 11:9 and 62:52 are never reserved",
    s->entry & IGNORED,
    "bits 62:59 of a leaf are, while neither PKE nor PKS is on",
    s->entry & IGNORED && !(s->leaf && s->entry & bits(62, 59) && !cpu->pke && !cpu->pks),
    SAME(NEGATED, "what has none of these bits is not concerned"))

ROW(caching, "R2.5", "PWT, PCD and PAT are never reserved",
    s->entry & s->caching,
    "bit 7 of a PTE is",
    s->entry & s->caching && !(s->level == 1 && s->entry & PS),
    SAME(NEGATED, "what has none of these bits is not concerned"))

/* ---- section 3: access rights, from the complete walk ----------------------------------------------- */

ROW(user_access, "R3.7", "an access at CPL 3 is a user access, unless it is implicit or a frame's push",
    access->cpl == 3 && !access->implicit && !access->frame,
    "CPL alone says so",
    access->cpl == 3, NO_MARKS)

ROW(wruss, "R3.10", "WRUSS counts as user",
    access->user_shadow, NO_SLIP, false, NO_MARKS)

ROW(supervisor_address, "R3.1", "U/S=0 in any entry makes a supervisor-mode address",
    !(page->all & US),
    "the leaf's U/S alone counts",
    !(page->leaf & US), NO_MARKS)

ROW(read_only, "R3.2", "R/W=0 in any entry makes it read-only",
    !(page->all & RW),
    "the leaf's R/W alone counts",
    !(page->leaf & RW), NO_MARKS)

ROW(no_execute, "R3.4", "XD=1 in any entry makes it not executable",
    page->any & XD,
    "the leaf's XD alone counts",
    page->leaf & XD, NO_MARKS)

ROW(user_data, "R3.1", "a user data access to a supervisor-mode address",
    s->user && s->data && page->supervisor, NO_SLIP, false, NO_MARKS)

ROW(user_fetch, "R3.4", "a user fetch from a supervisor-mode address",
    s->user && s->fetch && page->supervisor,
    "only while EFER.NXE=1",
    s->user && s->fetch && page->supervisor && cpu->nxe, NO_MARKS)

ROW(user_write, "R3.2", "a user write to a read-only address, whatever CR0.WP is",
    s->user && s->write && !s->shadow && page->read_only,
    "CR0.WP=0 lifts it",
    s->user && s->write && !s->shadow && page->read_only && cpu->wp, NO_MARKS)

ROW(supervisor_write, "R3.3", "a supervisor write to a read-only address with CR0.WP=1",
    !s->user && s->write && !s->shadow && page->read_only && cpu->wp,
    "whatever CR0.WP is",
    !s->user && s->write && !s->shadow && page->read_only, NO_MARKS)

ROW(fetch_xd, "R3.4", "a fetch from an address that is not executable",
    s->fetch && page->no_execute,
    "for user fetches only",
    s->fetch && page->no_execute && s->user, NO_MARKS)

ROW(smep, "R3.5", "SMEP: a supervisor fetch from a user-mode address",
    cpu->smep && s->fetch && !s->user && !page->supervisor,
    "only while EFER.NXE=1",
    cpu->smep && s->fetch && !s->user && !page->supervisor && cpu->nxe, NO_MARKS)

/* Shadow-stack accesses: R3.10 forbids them there anyway. */
ROW(smap, "R3.6", "SMAP: a supervisor data access to a user-mode address with EFLAGS.AC=0",
    cpu->smap && s->data && !s->shadow && !s->user && !page->supervisor && !access->implicit &&
        (!cpu->ac || (access->frame && s->ways & WAY_FRAME)),
    "fetches as well",
    cpu->smap && !s->shadow && !s->user && !page->supervisor && !access->implicit &&
        (!cpu->ac || (access->frame && s->ways & WAY_FRAME)), NO_MARKS)

ROW(smap_implicit, "R3.7", "SMAP: an implicit access to a user-mode address, whatever EFLAGS.AC is",
    cpu->smap && access->implicit && !s->user && !page->supervisor,
    "EFLAGS.AC=1 excuses it",
    cpu->smap && access->implicit && !s->user && !page->supervisor && !cpu->ac, NO_MARKS)

ROW(frame_either, "R3.7", "whether EFLAGS.AC excuses the push of a frame from SMAP: either",
    cpu->smap && cpu->ac && access->frame && !page->supervisor, NO_SLIP, false,
    CHOICE("excused", "not excused"))

ROW(keys_data, "R3.8", "keys concern data accesses only, those to shadow stacks included",
    s->data,
    "fetches as well",
    true, NO_MARKS)

ROW(key_of_leaf, "R3.8", "the leaf's key counts, not that of an upper entry",
    s->keyed, NO_SLIP, false,
    SAME(NEGATED, "asked only where keys count"))

ROW(pkru_ad, "R3.8", "PKRU.AD: any data access to a user-mode address",
    cpu->pke && s->keyed && !page->supervisor && page->pkru & AD,
    "by a user access only",
    cpu->pke && s->keyed && !page->supervisor && page->pkru & AD && s->user, NO_MARKS)

ROW(pkru_wd_user, "R3.8", "PKRU.WD: a user write to a user-mode address",
    cpu->pke && s->keyed && s->write && s->user && !page->supervisor && page->pkru & WD,
    "only while CR0.WP=1",
    cpu->pke && s->keyed && s->write && s->user && !page->supervisor && page->pkru & WD && cpu->wp,
    NO_MARKS)

ROW(pkru_wd, "R3.8", "PKRU.WD: a supervisor write to a user-mode address with CR0.WP=1",
    cpu->pke && s->keyed && s->write && !s->user && !page->supervisor && page->pkru & WD && cpu->wp,
    "whatever CR0.WP is",
    cpu->pke && s->keyed && s->write && !s->user && !page->supervisor && page->pkru & WD, NO_MARKS)

ROW(pkrs_ad, "R3.9", "PKRS.AD: a supervisor data access to a supervisor-mode address",
    cpu->pks && s->keyed && !s->user && page->supervisor && page->pkrs & AD,
    "to a user-mode address as well",
    cpu->pks && s->keyed && !s->user && page->pkrs & AD, NO_MARKS)

ROW(pkrs_wd, "R3.9", "PKRS.WD: a supervisor write to a supervisor-mode address with CR0.WP=1",
    cpu->pks && s->keyed && s->write && !s->user && page->supervisor && page->pkrs & WD && cpu->wp,
    "whatever CR0.WP is",
    cpu->pks && s->keyed && s->write && !s->user && page->supervisor && page->pkrs & WD, NO_MARKS)

ROW(shadow_page, "R3.10", "a shadow-stack access needs R/W=0, D=1 in the leaf and R/W=1 above",
    s->shadow && !(!(page->leaf & RW) && page->leaf & D && page->above & RW),
    "R/W above the leaf does not count",
    s->shadow && !(!(page->leaf & RW) && page->leaf & D), NO_MARKS)

ROW(shadow_mode, "R3.10", "a shadow-stack access needs a page of its own mode",
    s->shadow && s->user == page->supervisor, NO_SLIP, false, NO_MARKS)

/* ---- section 4: the error code --------------------------------------------------------------------- */

ROW(error_p, "R4.P", "P: the walk was complete or stopped at a reserved bit",
    page->end != MODEL_ABSENT,
    "only when it was complete",
    page->end == MODEL_COMPLETE, NO_MARKS)

ROW(error_w, "R4.W", "W/R: a write",
    s->write,
    "but not of a locked read-modify-write",
    s->write && access->kind != MODEL_RMW_LOCKED, NO_MARKS)

ROW(plain_either, "R4.W", "a plain read-modify-write may fault as the read that it begins with: either",
    access->kind == MODEL_RMW_PLAIN,
    "a locked one as well",
    access->kind == MODEL_RMW_PLAIN || access->kind == MODEL_RMW_LOCKED, CHOICE("as a write", "as a read"))

ROW(error_u, "R4.U", "U/S: a user access",
    s->user,
    "whatever is done at CPL 3",
    access->cpl == 3, NO_MARKS)

ROW(error_rsvd, "R4.RSVD", "RSVD: stopped at a reserved bit",
    page->end == MODEL_RESERVED,
    "also of an entry with P=0",
    page->end == MODEL_RESERVED || (page->end == MODEL_ABSENT && common_reserved_bits(s)), NO_MARKS)

ROW(error_i, "R4.I", "I/D: a fetch while EFER.NXE=1 or CR4.SMEP=1",
    s->fetch && (cpu->nxe || cpu->smep),
    "any fetch",
    s->fetch, NO_MARKS)

ROW(error_i_either, "R4.I", "I/D of a fetch on AMD processors with NXE=0 and SMEP=1: either",
    s->fetch && !cpu->nxe && cpu->smep && cpu->vendor != MODEL_VENDOR_INTEL,
    "on any processor",
    s->fetch && !cpu->nxe && cpu->smep, CHOICE("0", "1"))

ROW(error_pk, "R4.PK", "PK: a key forbids it, also when something else does as well",
    page->denied,
    "only when nothing else does",
    page->denied && !page->refused, NO_MARKS)

ROW(error_pk_either, "R4.PK", "PK of a user access to a supervisor address that PKRS denies: either",
    pkrs_denies(s),
    "whatever PKRS says",
    s->user && s->keyed && cpu->pks && page->end == MODEL_COMPLETE && page->supervisor, CHOICE("0", "1"))

ROW(error_ss, "R4.SS", "SS: a shadow-stack access, whatever the cause",
    s->shadow,
    "only after a complete walk",
    s->shadow && page->end == MODEL_COMPLETE, NO_MARKS)

ROW(error_other, "R4.other", "all other bits are 0",
    true, NO_SLIP, false,
    SAME(NEGATED, "it always holds"))

/* ---- section 5: CR2, A and D; R7.7 ------------------------------------------------------------------ */

ROW(nothing, "R7.7", "prefetch, NOP and INVLPG never fault",
    access->kind == MODEL_NOTHING,
    "but at an address that is not canonical",
    access->kind == MODEL_NOTHING && page->end != MODEL_NOT_CANONICAL, NO_MARKS)

ROW(hole_either, "R1.1", "one part page-faults, the other is not canonical: either",
    s->part[0].vector != s->part[1].vector, NO_SLIP, false,
    CHOICE("#PF", "#GP or #SS") SAME(NEGATED, "asked only when both fail"))

ROW(both_either, "R5.1", "both pages fail: the lower is expected, the other allowed",
    s->part[0].vector == s->part[1].vector, NO_SLIP, false,
    CHOICE("the lower", "the upper") SAME(NEGATED, "asked only when both fail"))

ROW(cr2, "R5.1", "CR2 takes the address of a #PF, and of nothing else",
    s->vector == VECTOR_PF,
    "of #GP and #SS as well",
    s->vector != MODEL_NO_FAULT, NO_MARKS)

ROW(cr2_second, "R5.1", "only the second page fails: CR2 is its first byte",
    page == &s->part[1], NO_SLIP, false, NO_MARKS)

ROW(any_byte, "R5.1", "an access of several parts: CR2 is any byte of it in the failing page",
    access->any_byte, NO_SLIP, false, CHOICE("the first byte", "another"))

ROW(sets_a, "R5.2", "an access that goes through sets A in every entry",
    !s->faults && access->kind != MODEL_NOTHING,
    "in the leaf only",
    !s->faults && access->kind != MODEL_NOTHING && s->leaf, NO_MARKS)

ROW(sets_d, "R5.2", "a write that goes through sets D in the leaf",
    !s->faults && s->write,
    "one that is refused, too (R5.3)",
    s->write, NO_MARKS)

ROW(valid_a_either, "R5.3", "A of valid entries, when the access faults: either",
    s->faults && page->vector != MODEL_NO_FAULT && s->level > page->end_level,
    "A of the failing entry as well",
    s->faults && page->vector != MODEL_NO_FAULT && s->level >= page->end_level, CHOICE("clear", "set", "some set"))

ROW(passed_either, "R5.3", "A and D of the part that passed, when the other faults: either",
    s->faults && page->vector == MODEL_NO_FAULT, NO_SLIP, false, CHOICE("clear", "set", "some set"))

ROW(nothing_a_either, "R7.7", "A of valid entries, by prefetch, NOP and INVLPG: either",
    access->kind == MODEL_NOTHING && s->level > page->end_level,
    "only where a read would go through",
    access->kind == MODEL_NOTHING && s->level > page->end_level && !page->forbidden, CHOICE("clear", "set", "some set"))

/* clang-format on */
#undef ROW
