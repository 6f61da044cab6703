/* keyfile.h - secret keys of people who sign: files with 32 bytes as hex.
 *
 * Floor:  5, node/cli.
 * Tests:  tests/e2e (rotation), tests/unit/test_operator_command.sh
 */
#ifndef NODE_CLI_KEYFILE_H
#define NODE_CLI_KEYFILE_H

#include "base/crypto/keyring.h"
#include "base/err.h"

/* Reads one; freed with keyring_free. e names the file. RC_IO, RC_MALFORMED, RC_REFUSED (no secret key), RC_NOMEM. */
NODISCARD rc_t keyfile_open(keyring_t **out, err_t *e, const char *path);

#endif
