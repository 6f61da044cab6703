/* guard.h - rules that the simulation leaves out, one at a time, to see that a property then breaks: a rule whose
 * absence nobody notices would be no rule. In every other build GUARD is true and costs nothing.
 *
 * Spec:   the models behind overlay-facts-more C to F
 * Floor:  4, overlay. No heap, I/O, clock or thread.
 * Tests:  tests/overlay/scenario.c says what each removal must break
 */
#ifndef OVERLAY_GUARD_H
#define OVERLAY_GUARD_H

#include <stdbool.h>

#ifdef KETTLE_SIMULATION
typedef enum {
    GUARD_NONE,
    GUARD_ORDER_TIE,      /* orders of one version are told apart by their digests */
    GUARD_COMMIT_FIRST,   /* a generation is used, shown and shared only once committed */
    GUARD_COMMIT_HALF,    /* COMMIT needs more than half of the listed */
    GUARD_ACK_LISTED,     /* acknowledgements count only of listed members */
    GUARD_ACK_ONCE,       /* a member acknowledges one entry of a name, and none below */
    GUARD_NAMED_MAKER,    /* only a maker whom the order names makes a generation */
    GUARD_SAME_ORDER,     /* a key is given only to a peer that runs the same order */
    GUARD_NEWER_COMMIT,   /* a share below a known COMMIT is dropped */
    GUARD_NEWER_SILENT,   /* who knows a newer COMMIT without its secret signs nothing */
    GUARD_VOID_OLD,       /* a consumer that knows p refuses what is older */
    GUARD_ECHO_QUORUM,    /* READY needs floor((n+f)/2)+1 ECHOs */
    GUARD_DELIVER_QUORUM, /* delivery needs 2f+1 READYs */
    GUARD_LISTED_BOOT,    /* only a listed boot votes, and is counted */
    GUARD_VOTE_ONCE,      /* one vote of each kind per seat and instance */
    GUARD_BOUND_INSTANCE, /* an instance belongs to one order and its listed boots, and votes are not forgotten */
    GUARD_CERTIFICATE,    /* who has delivered shows the certificate, or vouches */
    GUARD_RESEND,         /* votes are sent again on a new connection */
    GUARD_RETENTION,      /* durable payloads stay until every present boot has them */
    GUARD_SEND_AGAIN,     /* a sender without its own delivery sends anew */
    GUARD_FLOOD_FORWARD,  /* a flooded message is handed on before it is delivered */
    GUARD_FLOOD_SYNC,     /* ids are exchanged on a new connection */
    GUARD_CLAIM_PROOF,    /* a claim of the chain counts only with what proves it */
    GUARD_CLAIM_TIME,     /* ... and not for a slot that has not come */
    GUARD_FIRST_WAIT,     /* before its first signature a node has every attested peer's answer */
    GUARD_SIGNED_FLOOR,   /* it never signs below a slot that was signed for */
    GUARD_HEAD_BOUND,     /* ... nor while a head far above its own is proven */
    GUARD_CHAIN_SPLIT,    /* ... nor once two headers of one slot are */
    GUARD_ONE_CHOOSER,    /* of two connections to one peer only the end with the smaller id closes one */
    GUARD_OLDER_ANSWERS,  /* ... the newer one, if the older answers, else that */
    GUARD_DIAL_NO_REASON, /* a dial under way is no reason to refuse a connection */
    GUARD_HOLD_EARLY,     /* streams that overtake the peer's CONFIRM are held, not answered na */
    GUARD_JUDGED_NOW,     /* a key is given by the policy of the moment of giving */
    GUARD_ASK_ANY_TIME,   /* ... to whoever asks for a newer one, whatever its HELLO wanted, */
    GUARD_HELD_SINCE,     /* ... by whoever holds it, though it got it after its own HELLO, */
    GUARD_SAME_STREAM,    /* ... on the connection that asked */
    GUARD_OTHERS_PASS,    /* who names another cluster's key stops nobody */
    GUARD_COUNT
} guard_t;

extern guard_t guard_removed;

#define GUARD(name) (guard_removed != GUARD_##name)
#else
#define GUARD(name) true
#endif

#endif
