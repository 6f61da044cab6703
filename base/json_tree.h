/* json_tree.h - foreign JSON text to trees, within limits. The door to jansson's parser; trees are read with jansson
 * itself.
 *
 * Floor:  1, base (a library of its own, so that what needs no JSON links without jansson). No I/O, clock or thread.
 * Tests:  tests/unit/test_jsonrpc.c, tests/fuzz/fuzz_jsonrpc.c
 */
#ifndef BASE_JSON_TREE_H
#define BASE_JSON_TREE_H

#include <jansson.h>

#include "base/bytes.h"
#include "base/rc.h"

#define JSON_DEPTH_MAX 64u
#define JSON_VALUES_MAX 400000u /* values in one text: bounds the memory of its tree */

/* Parses an object or array; duplicate keys, NUL characters, invalid UTF-8 and trailing text are refused.
 *   out  written only on RC_OK; the caller decrefs it
 * RC_MALFORMED; RC_LIMIT: longer than len_max, deeper than JSON_DEPTH_MAX or more than JSON_VALUES_MAX values;
 * RC_NOMEM. */
NODISCARD rc_t json_load_strict(json_t **out, view_t text, size_t len_max);

/* Takes out of a UTF-8 text what is left of characters that were cut apart. */
void json_whole_characters(char *text);

/* True when every member of the object is named in names (NULL-terminated); else *unknown is the first that is not. */
bool json_only_members(const char **unknown, json_t *object, const char *const *names);

#endif
