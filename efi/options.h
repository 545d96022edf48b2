/*
 * options.h: where option words come from (docs/options.md): \faultline.cfg, the shell's command
 * line or the boot entry's load options, and QEMU's fw_cfg. What they mean is
 * tests/harness/options.h.
 */
#ifndef EFI_OPTIONS_H
#define EFI_OPTIONS_H

#include "tests/harness/session.h"

/*
 * Read all carriers into @session's option_text and option_length.
 * Out: false when one holds more than OPTION_LINE bytes; @carrier names it.
 */
bool options_read(struct session *session, const char **carrier) MUST_CHECK;

#endif
