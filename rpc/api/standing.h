/* standing.h - standing calls: calls that are run at each head until they expire, for whoever polls or listens. The
 * table of them, as a machine: who owns which, what is due at a head, what came of it.
 *
 * Equal calls run once, whoever asks for them. The last good statement stays until its validUntil has passed, also when
 * later runs fail; behind it there is none. Who asks owns a token of 32 random bytes, of which only the hash is kept.
 * Without an operator's signature a client has at most a quarter of the table, of its bytes and of the gas of a head;
 * what it ended while that was being run is part of it until the run has ended.
 *
 * Kept form: version u8 = 1, count u32, and for each: id, hash of the token, client, until u64, every u32, bytes of the
 * call u32, the call. All integers big endian.
 *
 * Spec:   api-facts 14; issue 19, item 3
 * Floor:  3, rpc/api. No I/O, clock or thread: the owner has the lock, the random bytes and the time.
 * Tests:  tests/unit/test_standing.c, tests/fuzz/fuzz_standing.c
 */
#ifndef RPC_API_STANDING_H
#define RPC_API_STANDING_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"

#define STANDING_MAX 4096u              /* in a table */
#define STANDING_LIFE_MAX_S 604800u     /* seven days */
#define STANDING_EVERY_MAX 100000u      /* heads */
#define STANDING_CALL_MAX (32u << 10)   /* bytes of a call's text */
#define STANDING_ANSWER_MAX (64u << 10) /* bytes of a statement */
#define STANDING_BYTES_MAX (16u << 20)  /* of all calls, each time that one is asked for, and of statements */
#define STANDING_GAS_FIRST 200000u      /* what a call that was never run is taken to use, unless it names less */
#define STANDING_PART 4u                /* a client has one part in so many */
#define STANDING_ID_LEN 16u
#define STANDING_TOKEN_LEN 32u
#define STANDING_CLIENT_LEN 16u
#define STANDING_WHY_MAX 200u
#define STANDING_FILE_MAX (STANDING_BYTES_MAX + STANDING_MAX * 96u)

/* Codes of an err_t, of what is refused for want of room. */
enum {
    STANDING_FULL = 1, /* the table, or its bytes */
    STANDING_SHARE,    /* this client's part of it */
    STANDING_GAS       /* the gas of a head */
};

/* What somebody asks for. */
typedef struct {
    view_t call; /* what POST /v1/call takes, without spaces and in canonical order; its block by a name */
    hash32_t hash;
    uint64_t gas;   /* that it names; 0: none */
    uint32_t every; /* heads; 1: each */
    uint64_t until_s;
} standing_ask_t;

/* Reads {"call": {...}, "every"?: N, "until"?: Unix seconds}, strictly; all is in the arena. Without until it ends
 * after the longest time that there is.
 *   now_s       Unix seconds
 *   is_command  it is an operator's, and has counter and not_after, too
 * RC_MALFORMED: e names the member; RC_LIMIT; RC_NOMEM. */
NODISCARD rc_t standing_ask_read(standing_ask_t *out, err_t *e, arena_t *a, view_t body, uint64_t now_s,
                                 bool is_command);

typedef struct {
    uint32_t max; /* standing calls; 0: STANDING_MAX, and never more */
    uint64_t gas_per_head;
} standing_limits_t;

typedef struct standing standing_t;

/* NULL: out of memory. */
standing_t *standing_new(const standing_limits_t *limits);
void standing_free(standing_t *s); /* NULL allowed */

/* Who adds one. */
typedef struct {
    uint8_t id[STANDING_ID_LEN]; /* drawn at random */
    hash32_t owner;              /* SHA-256 of the token */
    uint8_t client[STANDING_CLIENT_LEN];
    bool is_operator; /* no share binds it; client is zeros */
} standing_owner_t;

/* Adds one. RC_LIMIT, with its code: there is no room; RC_REPLAY: the id is taken; RC_NOMEM. The table is then as
 * before. */
NODISCARD rc_t standing_add(standing_t *s, err_t *e, const standing_ask_t *ask, const standing_owner_t *by);

/* Ends one. RC_REFUSED: there is none of this id, or the token is another's. */
NODISCARD rc_t standing_remove(standing_t *s, const uint8_t id[STANDING_ID_LEN],
                               const uint8_t token[STANDING_TOKEN_LEN]);

/* Ends those whose time is over. Whether there were any. */
bool standing_expire(standing_t *s, uint64_t now_s);

/* How many there are. */
size_t standing_count(const standing_t *s);

/* Those of one owner, at most cap: what each is called by, and the hash of its call. Returns how many there are. */
typedef struct {
    uint8_t id[STANDING_ID_LEN];
    hash32_t hash;
} standing_ref_t;
size_t standing_of(const standing_t *s, standing_ref_t *out, size_t cap, const hash32_t *owner);

/* One by its id. False: there is none. */
bool standing_find(const standing_t *s, standing_ref_t *out, const uint8_t id[STANDING_ID_LEN]);

/* A call to be run; borrowed until the next change of the table. */
typedef struct {
    view_t call;
    hash32_t hash;
} standing_due_t;

/* What is to be run at a head, each of which has a greater number than those before (not its block's: a head may be as
 * high as the one whose place it takes, or lower): each call once, as many as its gas allows, whatever came and went at
 * this head already. Those that it does not allow come first at the next. They are not due again before standing_done
 * or standing_failed, and what failed not before the next head. Returns how many, at most cap. */
size_t standing_due(standing_t *s, standing_due_t *out, size_t cap, uint64_t head);

/* Lets go of all statements, for this reason: the calls are run anew at the next head. */
void standing_forget(standing_t *s, const char *why);

/* What came of a run at a head, about the block of this number; one that nobody asks for any more is passed over.
 * RC_REPLAY: a newer statement is there already; RC_LIMIT: too long, no room, or it used more gas than is left of what
 * those who ask for it have: then as standing_failed; RC_NOMEM: likewise. */
NODISCARD rc_t standing_done(standing_t *s, const hash32_t *hash, view_t statement, uint64_t valid_until_s,
                             uint64_t gas_used, uint64_t number, uint64_t head);
void standing_failed(standing_t *s, const hash32_t *hash, const char *why);

/* What there is of one. */
typedef struct {
    view_t statement; /* n 0: none, or it has expired; borrowed until the next change of the table */
    uint64_t number;  /* of the block that it is about */
    uint64_t valid_until_s, until_s;
    char why[STANDING_WHY_MAX]; /* of the last run, when that failed; else empty */
} standing_state_t;

/* False: there is none of this id. */
bool standing_get(const standing_t *s, standing_state_t *out, const uint8_t id[STANDING_ID_LEN], uint64_t now_s);

/* The table without its statements, for a file, into the arena; and back into an empty one, but for what has expired,
 * and what this table has no room for or this program does not take any more: those are counted in *left, and e says
 * why the last one is. RC_NOMEM; of read also RC_MALFORMED, RC_LIMIT: it is no such file; the table may then have some
 * of it. */
NODISCARD rc_t standing_write(const standing_t *s, view_t *out, arena_t *a);
NODISCARD rc_t standing_read(standing_t *s, size_t *left, err_t *e, view_t kept, uint64_t now_s);

#endif
