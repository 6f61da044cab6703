/* text.h - messages of trusted pods as JSON, by protobuf's mapping: manifests that people write, and what a provider's
 * program reads.
 *
 * Names in lowerCamelCase, 64-bit numbers as texts (numbers are taken too), bytes in base64, enums by their words
 * (numbers are taken too), a map as an object. Bytes are taken as 0x and hex too, when their number is even. What is
 * zero is left out, but for what a oneof names.
 *
 * Spec:   protobuf's JSON mapping; overlay-facts 13
 * Floor:  4, overlay/tpod. No I/O, clock or thread.
 * Tests:  tests/unit/test_tpod_text.c
 */
#ifndef OVERLAY_TPOD_TEXT_H
#define OVERLAY_TPOD_TEXT_H

#include "base/arena.h"
#include "base/json.h"
#include "overlay/tpod/schema.h"

/* Writes what stands in the place of a secret member: one value with this key, or nothing. */
typedef void (*tpod_hide_fn)(void *ctx, jw_t *w, const char *key, view_t secret);

/* Writes a message as an object.
 *   hide  NULL: secrets are written as they are */
void tpod_put_json(jw_t *w, const char *key, const tpod_message_t *m, const void *in, tpod_hide_fn hide, void *ctx);

/* Reads an object; texts and lists in the arena. The fault, if there is one, is o's document's: out may be used only
 * when jo_done says RC_OK. */
void tpod_get_json(void *out, arena_t *a, const tpod_message_t *m, const jo_t *o);

#endif
