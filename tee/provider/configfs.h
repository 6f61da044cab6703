/* configfs.h - quotes from the kernel's configfs interface for TSM reports (Linux 6.7 and later).
 *
 * Spec:   Linux Documentation/ABI/testing/configfs-tsm-report; tee-facts section 11.1
 * Floor:  3, tee/provider. May be used from several threads; requests are made one after the other.
 * Tests:  tests/unit/test_provider_configfs.c
 */
#ifndef TEE_PROVIDER_CONFIGFS_H
#define TEE_PROVIDER_CONFIGFS_H

#include <sys/types.h>

#include "tee/tee.h"

#define CONFIGFS_TSM_DIR "/sys/kernel/config/tsm/report"
#define CONFIGFS_RETRIES_MAX 5u /* after EBUSY and EINTR */

/* What is done to the kernel, so that tests can stand in for it. Paths are absolute; failures are -errno. */
typedef struct {
    void *ctx;
    int (*make)(void *ctx, const char *dir);
    int (*drop)(void *ctx, const char *dir);
    ssize_t (*read)(void *ctx, const char *file, uint8_t *out, size_t cap); /* the whole file, or its first cap bytes */
    ssize_t (*write)(void *ctx, const char *file, view_t bytes);            /* by one write: the bytes that it took */
    uint64_t (*now_ms)(void *ctx);
    void (*pause)(void *ctx, unsigned ms);
} configfs_kernel_t;

extern const configfs_kernel_t CONFIGFS_KERNEL; /* the real one */

/* A provider that makes its requests under dir. Makes and removes one at once, to see that the kernel speaks for TDX.
 *   kernel  NULL: the real one; lives as long as the provider
 * RC_UNSUPPORTED: no such directory, or another kind of TEE; RC_IO, RC_TIMEOUT, RC_NOMEM. */
NODISCARD rc_t configfs_open(tee_provider_t *out, err_t *e, const char *dir, const configfs_kernel_t *kernel);

#endif
