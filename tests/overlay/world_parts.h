/* world_parts.h - what world.c and world_keys.c share. */
#ifndef TESTS_OVERLAY_WORLD_PARTS_H
#define TESTS_OVERLAY_WORLD_PARTS_H

#include "tests/overlay/world.h"

/* world.c */
void message_free(message_t *m);
uint8_t *message_copy(view_t v);
void message_set(message_t *m, view_t v);
bool world_admits(const world_t *w, int i, int j); /* by i's order */

/* world_keys.c */
void keys_ask(world_t *w, int i);
bool keys_seal(world_t *w, int i, int j, const key_name_t *name, bool draft, const uint8_t *peer, message_t *out);
void keys_asked(world_t *w, const message_t *m);
void keys_shared(world_t *w, const message_t *m);
void keys_drafted(world_t *w, const message_t *m);
void keys_heard(world_t *w, int i, gen_kind_t kind, view_t bytes);

#endif
