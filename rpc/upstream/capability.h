/* capability.h - what one execution RPC has shown that it can do: learned from what it answers and refuses, so that
 * it is asked in the simplest form that is needed and no simpler.
 *
 *     everything in one batch -- refused, with a hint in it --> the hint apart from the rest
 *                             -- refused --> half as many, and one batch at a time until one is answered
 *                                        -- one alone refused --> its size was not the reason: as before, and failed;
 *                                           without hints until something is answered, and next one alone first
 *     full batches answered --> a little larger ones are tried, the more seldom the more often that failed
 *     batches refused as too often -- a smaller one answered, twice --> that many at once, as too large
 *     a proof of many slots refused for their number --> in pieces of half as many; raised again likewise
 *     of access lists with not few keys few were read, several in a row --> no hints, as if they were refused
 *
 * What is learned lives as long as the endpoint's row, and what makes it less useful is tried again now and then, the
 * more seldom the more often that was in vain: endpoints change behind one URL. Each refusal that leads to asking again
 * makes the pieces smaller or the form simpler, so a need is asked at most CAP_TRIES_MAX times.
 *
 * Floor:  3, rpc/upstream. No I/O, clock or thread.
 * Tests:  tests/unit/test_capability.c, tests/fuzz/fuzz_capability.c
 */
#ifndef RPC_UPSTREAM_CAPABILITY_H
#define RPC_UPSTREAM_CAPABILITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CAP_ROUTES 5u      /* of a beacon API, by lc_kind_t */
#define CAP_KEYS_MAX 1024u /* slots of one proof: newer clients give no more */
#define CAP_BATCH_MAX 100u /* elements of one JSON-RPC batch: most providers refuse larger ones */
#define CAP_TRIES_MAX                                                                                                  \
    16u /* of one need: 1, the hint apart, at most 7 halvings, a number for the hash, twice the funds */

/* How an access list is asked for. */
typedef enum {
    FUNDS_AS_ASKED, /* as the caller gave it */
    FUNDS_CHEAP,    /* with little gas, at the block's base fee: whoever has some money can pay that */
    FUNDS_NOBODY    /* from address zero, which has money on every public chain */
} cap_funds_t;

/* The form in which needs are written. All zero: the usual one. */
typedef struct {
    bool no_hint;      /* eth_createAccessList is not asked for */
    bool by_number;    /* blocks by number, not by hash (EIP-1898) */
    cap_funds_t funds; /* of a hint */
} cap_form_t;

/* How a route of a beacon API is asked. */
typedef struct {
    enum { ROUTE_ANY, ROUTE_JSON, ROUTE_SSZ } as; /* for SSZ and then for JSON; JSON only; JSON was of no use */
    uint16_t left, wait;                          /* answers until that is forgotten, and the next time */
} cap_route_t;

typedef struct {
    cap_form_t form;
    uint16_t batch;      /* elements of one batch, at least 1; one alone is sent without a list */
    uint16_t good;       /* the largest batch that was answered since the last refusal of a smaller one */
    uint16_t full;       /* full batches answered since a larger one was tried, */
    uint16_t patience;   /* and how many have to be */
    uint16_t before;     /* batch before the present row of refusals */
    uint16_t apart;      /* elements of the batch whose hint goes apart; 0: none */
    uint16_t spare, row; /* refusals that lead to nothing after one in vain: still to come, and the next time */
    uint16_t probe;      /* after these one element alone is tried, and so many if it is answered; 0: it is not */
    bool mute;           /* there are no hints only because it refuses everything */
    uint16_t without;    /* batches answered since there are no hints, */
    uint16_t until;      /* and how many there are to be before one is asked for again */
    bool doubt, rest;    /* of the hint that went apart: it was refused; the rest was answered */
    uint8_t unread;      /* access lists in a row of whose keys few were read */
    uint8_t unknown;     /* batches by hash in a row that named a block it did not know, before it knew any; */
    bool knows;          /* it has answered by hash */
    bool guess;          /* that it takes no hashes: it never knew one, and never said why */
    uint16_t since;      /* ... batches by number since the last by hash, */
    uint16_t retry;      /* ... and how many there are to be before the next */
    uint16_t keys;       /* slots that one proof may have; 0: as many as anybody asks for; */
    uint16_t keys_good;  /* ... the most that one had which it gave since it refused fewer; */
    uint16_t keys_full;  /* ... proofs of that many given since more were tried, */
    uint16_t keys_wait;  /* ... and how many have to be */
    uint64_t newest;     /* the newest block at which it was asked for state; */
    uint64_t reach, gap; /* ... how far behind that it has proven, and from where on it has not; gap 0: not known, */
    uint64_t gap_at;     /* ... the newest block then, */
    uint64_t gap_for;    /* ... and for how many more it is believed */
    uint16_t hinted;     /* access lists given since it is asked for them in another form than the caller's, */
    uint16_t hint_wait;  /* ... and how many there are to be before an earlier one is tried */
    uint16_t busy;       /* batches in a row that were refused as too often, */
    uint16_t busy_of;    /* ... and the smallest of them since as many were answered; 0: none */
    uint16_t tried;      /* elements of the smaller one that is tried instead; 0: none is */
    uint16_t back;       /* batch before that */
    uint16_t fits;       /* the largest that was answered where busy_of were refused; 0: not known, */
    uint8_t proofs;      /* ... and how often that was seen */
    uint16_t plain;      /* requests still to come that ask for no content coding, */
    uint16_t plain_wait; /* ... and how many there were to be last time; 0: its coding was never of no use */
    bool settling;       /* the last batch was refused: one at a time, please */
    cap_route_t routes[CAP_ROUTES];
} cap_t;

/* What to do with what was refused as a whole. */
typedef enum {
    CAP_FAILS,  /* nothing: it has failed */
    CAP_APART,  /* the hint alone, the rest together */
    CAP_SMALLER /* pieces of at most cap_t batch elements */
} cap_next_t;

/* What is known of an endpoint that was never asked. */
void cap_init(cap_t *c);

/* A request of so many elements was answered as a whole, whatever its elements say; lone_hint: it was one hint. */
void cap_answered(cap_t *c, size_t elements, bool lone_hint);

/* An answer of so many elements, a hint among them, was of no use: the hint may be why. */
cap_next_t cap_spoilt(cap_t *c, size_t elements);

/* It was refused as a whole. has_hint: a hint was among the elements. */
cap_next_t cap_refused(cap_t *c, size_t elements, bool has_hint);

/* Of a batch of more than one so many elements were answered, and the others were too many: those are to be asked again
 * if it gives CAP_SMALLER. */
cap_next_t cap_cut(cap_t *c, size_t elements, size_t given);

/* A request of so many elements was refused as too often, as a whole or in each of its elements, and is asked again
 * later. Perhaps that depends on its size: after a few of them a smaller one is tried, and when one was answered twice
 * where a larger one was not, that is the size. When one alone is refused, it was the pace. */
void cap_busy(cap_t *c, size_t elements);

/* No answer came, which tells nothing of sizes: those that wait until the right one is found go side by side. */
void cap_unanswered(cap_t *c);

/* What came of a batch that was answered: one that named its block by hash, if an element was answered or the block is
 * not known. Who never knows one may not understand hashes, or be behind: now and then it is asked by hash again. */
void cap_by_hash(cap_t *c, bool answered, bool unknown);

/* State by hash was refused without a reason, of all that asked for it, or of a request for it alone. True: who has not
 * answered by hash yet may not understand them; ask it again, by number. */
bool cap_guess_numbers(cap_t *c);

/* It was on another branch when it was asked by number. If that it takes no hashes was a guess, it is asked by hash
 * again. */
void cap_other_branch(cap_t *c);

/* An element was refused for its block's form, or as a hint for its sender's funds, or because there are no hints.
 * asked: the form in which it was asked. True: ask it again, in the present form. */
bool cap_refused_form(cap_t *c, const cap_form_t *asked);
bool cap_refused_funds(cap_t *c, const cap_form_t *asked);
void cap_refused_hint(cap_t *c);

/* An access list was given, when asked for in that form: after enough of them one nearer to the caller's is tried. */
void cap_gave_hint(cap_t *c, const cap_form_t *asked);

/* A proof of so many slots was given, or refused for their number: half as many are asked for at once from now on, and
 * a little more again after enough such proofs. */
void cap_keys(cap_t *c, size_t slots, bool given);

/* Of an access list's keys so many were read by the call that it was for. The others cost proofs: after a few lists in
 * a row of which less than a quarter was read there are no hints for a while, and after that while one is enough. */
void cap_read_hint(cap_t *c, size_t named, size_t read);

/* Slots that one proof is asked for with, at most `most`. */
size_t cap_slots(const cap_t *c, size_t most);

/* State at block `number` was proven, or is not kept any more. */
void cap_state(cap_t *c, uint64_t number, bool proven);

/* Whether it may have state at that block: it has not refused one as far behind the newest that it was asked for, or
 * that is long ago. */
bool cap_reaches(const cap_t *c, uint64_t number);

/* Whether a request is to ask for no content coding; before each, as that its coding is of no use is forgotten after
 * some, the later the more often it was so. */
bool cap_plain(cap_t *c);

/* Its answer's content coding was of no use. */
void cap_misread(cap_t *c);

/* How a route is to be asked; before each time, as what was learned of it is forgotten after some. */
int cap_route(cap_t *c, unsigned kind);

/* What it answered when asked for JSON: it was good, or nothing could be made of it. What says nothing of the form is
 * not told. */
void cap_json(cap_t *c, unsigned kind, bool good);

#endif
