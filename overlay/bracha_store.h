/* bracha_store.h - what a node remembers of broadcasts: instances with their votes, which of a sender's numbers are
 * closed, and which boot was attested where. For bracha_*.c alone.
 *
 * Floor:  4, overlay. No I/O, clock or thread.
 * Tests:  tests/unit/test_bracha.c
 */
#ifndef OVERLAY_BRACHA_STORE_H
#define OVERLAY_BRACHA_STORE_H

#include "overlay/bracha.h"

#define BS_INSTANCES_MAX 4608u /* more than the senders' shares (br_admit) add up to */
#define BS_OVERHEAD 4096u      /* bytes that an instance counts for besides its messages */
#define BS_SENDERS_MAX 4096u
#define BS_RANGES_MAX 64u /* of closed numbers of one sender; with more the lowest gap is closed too */
#define BS_BOOTS_MAX 256u
#define BS_VALUES_MAX 3u /* different messages of one instance: a liar's */

/* A boot that was attested. */
typedef struct {
    uint8_t key[33];
    hash32_t platform;
    bool connected;
    uint64_t seen;    /* rises with each attestation: the highest of a platform is the present one */
    uint64_t gone_ms; /* when it was last disconnected */
} bs_boot_t;

typedef struct {
    bool echo, ready, told; /* told: of evidence against it */
    hash32_t echo_hash, ready_hash;
    uint8_t signature[64]; /* of READY */
} bs_seat_t;

typedef struct {
    uint8_t key[33];
    hash32_t hash;
} bs_vouch_t;

typedef struct {
    hash32_t hash, again;
    uint32_t kind;
    uint8_t signature[64]; /* of the SEND */
    uint8_t *payload;
    size_t n;
} bs_value_t;

typedef struct {
    hash32_t id;
    uint64_t at_ms;     /* when it was first heard of */
    bracha_send_t send; /* without kind, payload, again, signature: those are the values' */
    hash32_t *seats;    /* of its order, boot_count of them; NULL: an order that this node never ran */
    bs_seat_t *votes;   /* boot_count */
    bs_vouch_t vouches[ORDER_SEATS_MAX];
    size_t vouch_count;
    bs_value_t values[BS_VALUES_MAX];
    size_t value_count;
    bool delivered;
    hash32_t delivered_hash;
} bs_instance_t;

typedef struct {
    uint64_t first, last;
} bs_range_t;

typedef struct {
    uint8_t key[33];
    bs_range_t *ranges; /* ascending, with gaps between */
    size_t range_count;
} bs_sender_t;

typedef struct {
    bs_instance_t *instances[BS_INSTANCES_MAX];
    size_t instance_count;
    bs_sender_t *senders; /* on the heap, doubled as it grows */
    size_t sender_count, sender_room;
    bs_boot_t boots[BS_BOOTS_MAX];
    size_t boot_count;
    uint64_t seen;
} bs_t;

/* Frees all that it holds. */
void bs_clear(bs_t *s);

/* An instance; NULL: not known. */
bs_instance_t *bs_find(const bs_t *s, const hash32_t *id);

/* A new one; seats NULL: its order is not known. NULL: no memory, or too many. */
bs_instance_t *bs_add(bs_t *s, const hash32_t *id, const bracha_send_t *send, const hash32_t *seats, uint64_t now_ms);

/* A message of an instance; NULL: not here. */
bs_value_t *bs_value(bs_instance_t *in, const hash32_t *hash);

/* Adds one, copying the payload; spare: a value that may go when there is no place (NULL: none). NULL: no place, no
 * memory. */
bs_value_t *bs_add_value(bs_instance_t *in, const hash32_t *hash, const bracha_send_t *send, bs_value_t *spare);

/* What an instance counts for. */
size_t bs_bytes(const bs_instance_t *in);

/* Whether a sender's number is closed. */
bool bs_is_closed(const bs_t *s, const uint8_t sender[33], uint64_t seq);

/* Frees an instance. remember: its number is closed, so that nobody votes in it again; for want of memory it stays. */
void bs_close(bs_t *s, size_t i, bool remember);

/* Notes that a key was attested with a platform; NULL: no room. */
bs_boot_t *bs_boot_seen(bs_t *s, const uint8_t key[33], const hash32_t *platform);

/* What is known of a key; NULL: never attested. */
bs_boot_t *bs_boot(bs_t *s, const uint8_t key[33]);

/* The boot attested last for a platform; NULL: none. */
bs_boot_t *bs_present(bs_t *s, const hash32_t *platform);

#endif
