/* harden.h - what a process gives up for good at its start, so that a fault in it gives little away: memory dumps, new
 * privileges, system calls and files that it never needs. Its threads and children inherit all of it.
 *
 * Floor:  1, base/os. Before the first thread.
 * Tests:  tests/unit/test_harden.c
 */
#ifndef BASE_OS_HARDEN_H
#define BASE_OS_HARDEN_H

#include <stddef.h>

#include "base/err.h"

/* No core dumps, no debugger of the same user (PR_SET_DUMPABLE), no privileges by running other programs. RC_IO. */
NODISCARD rc_t harden_process(err_t *e);

/* Whether n bytes can be locked in memory, as those of base/crypto/secret.h are to be. RC_IO: e names the limit. */
NODISCARD rc_t harden_can_lock(err_t *e, size_t n);

/* Kills the process at a system call that it can never need: running programs, tracing, mounting, other namespaces, the
 * kernel's modules and keys, the clock. A list of what is forbidden, not of what is allowed. Needs harden_process.
 * RC_UNSUPPORTED: the kernel has no filters. */
NODISCARD rc_t harden_calls(err_t *e);

#define HARDEN_SOCKETS "/run/kettle"

/* From now on files are written, made and removed below `folder` alone, which is made (mode 0700) when missing, and
 * below the kernel's configfs-tsm; no file can be run; reading is as before. Needs harden_process.
 *   folder  NULL: nowhere; in HARDEN_SOCKETS, which is made (mode 0750) when missing, sockets alone
 * RC_UNSUPPORTED: the kernel has no Landlock; RC_IO. */
NODISCARD rc_t harden_files(err_t *e, const char *folder);

#endif
