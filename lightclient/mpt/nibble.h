/* nibble.h - keys as half-bytes, and their hex-prefix form inside leaves and extensions.
 *
 * Spec:   Yellow Paper appendix C: first nibble 0/1 extension, 2/3 leaf, odd when an odd number of nibbles follows
 * Floor:  2, mpt; internal to this folder. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_mpt.c
 */
#ifndef MPT_NIBBLE_H
#define MPT_NIBBLE_H

#include "base/bytes.h"

/* Nibble i of key, i < 2 * key.n; the high half of each byte comes first. */
static inline unsigned nibble_at(view_t key, size_t i)
{
    return i % 2 ? key.p[i / 2] & 15u : key.p[i / 2] >> 4;
}

/* True when the bytes are a hex-prefix form: a flag of 0 to 3, and zero in the padding nibble of an even one. */
static inline bool hp_valid(view_t hp)
{
    return hp.n > 0 && hp.p[0] < 0x40 && (hp.p[0] & 0x10 || (hp.p[0] & 15) == 0);
}

/* The rest takes a valid hex-prefix form. */
static inline bool hp_is_leaf(view_t hp)
{
    return hp.p[0] & 0x20;
}

/* Number of nibbles after the prefix. */
static inline size_t hp_len(view_t hp)
{
    return 2 * (hp.n - 1) + (hp.p[0] & 0x10 ? 1 : 0);
}

/* True when the path equals the nibbles of key from position at. The key must have that many left. */
static inline bool hp_is_prefix(view_t hp, view_t key, size_t at)
{
    size_t len = hp_len(hp), skip = hp.p[0] & 0x10 ? 1 : 2;
    for (size_t i = 0; i < len; i++)
        if (nibble_at(hp, skip + i) != nibble_at(key, at + i))
            return false;
    return true;
}

/* Writes the hex-prefix form of nibbles from..to of key (to excluded). */
static inline void hp_put(wr_t *w, view_t key, size_t from, size_t to, bool leaf)
{
    unsigned flag = leaf ? 0x20 : 0;
    if ((to - from) % 2) {
        wr_u8(w, (uint8_t)(flag | 0x10 | nibble_at(key, from)));
        from++;
    } else {
        wr_u8(w, (uint8_t)flag);
    }
    for (; from < to; from += 2)
        wr_u8(w, (uint8_t)(nibble_at(key, from) << 4 | nibble_at(key, from + 1)));
}

#endif
