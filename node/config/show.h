/* show.h - what a configuration file comes to, for people to read: what holds, what a setup must and may still say, and
 * the digests by which statements and policies name it. No secrets: of a URL it has no user, path and query.
 *
 *   { "sha256": "0x...", "development": false,
 *     "network": { "name": "mainnet", "chain_id": 1, "digest": "0x...", "forks_until": 1767747671 },
 *     "policy_digest": "0x...",
 *     "setup_must_set": ["peers", "port"], "setup_may_set": ["peers", "port", "execution_rpc"],
 *     "effective": { "peers": null, "port": null, "transport": "both", ... } }
 *
 * sha256 is of the file's bytes. Under effective stand all keys of the configuration, null where neither the file says
 * something nor a value is built in.
 *
 * Floor:  5, node/config. No I/O: text in, text out.
 * Tests:  tests/unit/test_config_show.c
 */
#ifndef NODE_CONFIG_SHOW_H
#define NODE_CONFIG_SHOW_H

#include "node/config/config.h"

#define CONFIG_MISSING_MAX 8u

/* Checks a file as a node does at its start, and where nothing may be set any more whole. Errors as config_read. */
NODISCARD rc_t config_check(err_t *e, view_t base);

/* The keys that a setup has to bring for a file that config_check takes. Returns their number; names are constants. */
size_t config_missing(const char *names[CONFIG_MISSING_MAX], view_t base);

/* Whether it has to bring checkpoint besides, when the peers that it brings are none. */
bool config_may_lack_start(view_t base);

/* Writes it as JSON into the arena, indented, for a file that config_check takes.
 *   now_s  Unix seconds: which forks are in force
 * As config_check. */
NODISCARD rc_t config_show(view_t *out, err_t *e, arena_t *a, view_t base, uint64_t now_s);

#endif
