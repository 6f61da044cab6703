/* dstack_secret.h - the one secret of an answer, found where it stands, so that no tree of JSON ever has it.
 *
 * Floor:  3, tee/provider. Pure; one copy of the text on the heap, which is wiped.
 * Tests:  tests/unit/test_provider_dstack.c, tests/fuzz/fuzz_dstack.c
 */
#ifndef TEE_PROVIDER_DSTACK_SECRET_H
#define TEE_PROVIDER_DSTACK_SECRET_H

#include "base/json.h"

/* Finds the text of the outermost object's first member of that name, as it stands: without escapes in either.
 *   from, len  of what is between its quotes. False: there is none such. */
bool dstack_secret_find(size_t *from, size_t *len, view_t text, const char *name);

/* Reads n bytes of hex under a name, and what else there is, from a text without them: in the tree that rest sees zeros
 * stand in their place, and by them the tree agrees on where they stood.
 *   rest  more readers of the same object; NULL: none
 *   out   written only on RC_OK
 * RC_MALFORMED, RC_LIMIT, RC_NOMEM: e names the member. */
NODISCARD rc_t dstack_secret_read(uint8_t *out, err_t *e, view_t text, size_t text_max, const char *name, size_t n,
                                  void (*rest)(void *ctx, const jo_t *o), void *ctx);

#endif
