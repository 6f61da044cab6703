#include "tests/overlay/scenario.h"

#include <stdio.h>

static uint64_t draw(uint64_t *x, uint64_t below)
{
    *x += 0x9e3779b97f4a7c15ull;
    uint64_t z = *x;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return ((z ^ z >> 31) >> 11) % below;
}

void scenario_draw(scenario_t *out, uint64_t seed)
{
    static const int seats[] = { 4, 4, 7, 10 };
    uint64_t x = seed * 0x2545f4914f6cdd1dull + 99;
    scenario_t s = { .seats = seats[draw(&x, 4)], .trouble_ms = 60000, .quiet_ms = 220000 };
    const uint64_t f = (uint64_t)(s.seats - 1) / 3;
    s.extra = (int)draw(&x, s.seats == 10 ? 3 : 4) / 2;
    s.liars = (int)draw(&x, f + 1);
    s.lies = (unsigned)draw(&x, 32);
    s.restarts = draw(&x, 3) ? (int)draw(&x, 4) : (int)draw(&x, (uint64_t)s.seats * 2);
    s.cuts = (int)draw(&x, 4);
    s.orders = (int)draw(&x, 4);
    s.tie = draw(&x, 6) == 0;
    s.partial = draw(&x, 6) == 0;
    s.long_cut = draw(&x, 25) == 0;
    s.exclude = s.extra > 0 && draw(&x, 2);
    s.all_at_once = draw(&x, 10) == 0;
    s.messages = (int)draw(&x, 14);
    if (s.long_cut && s.liars == (int)f) /* who is away for so long is one of the f (D2) */
        s.liars--;
    if (seed % 16 == 0) /* one kill -9 at n = 4, and nothing else */
        s = (scenario_t){
            .seats = 4, .restarts = 1, .orders = 1, .messages = 8, .trouble_ms = 40000, .quiet_ms = 220000
        };
    *out = s;
}

void scenario_words(char out[256], const scenario_t *s)
{
    snprintf(out, 256, "%d seats, %d more, %d liars (%#x), %d restarts%s, %d cuts%s, %d orders%s%s%s, %d messages",
             s->seats, s->extra, s->liars, s->lies, s->restarts, s->all_at_once ? " and all but one at once" : "",
             s->cuts, s->long_cut ? " and a long one" : "", s->orders, s->tie ? " with a tie" : "",
             s->exclude ? ", one excludes" : "", s->partial ? ", not all connect" : "", s->messages);
}

#define TRIAL_OF(name, rule, seen, trouble, ...)                                                                       \
    {                                                                                                                  \
        GUARD_##name, #name, rule, { .trouble_ms = (trouble), .quiet_ms = 220000, __VA_ARGS__ }, seen, OF_CLUSTER, 0   \
    }
#define RARE_OF(name, rule, seen, trouble, often, ...)                                                                 \
    {                                                                                                                  \
        GUARD_##name, #name, rule, { .trouble_ms = (trouble), .quiet_ms = 220000, __VA_ARGS__ }, seen, OF_CLUSTER,     \
            often                                                                                                      \
    }
#define TRIAL(name, rule, seen, ...) TRIAL_OF(name, rule, seen, 60000, __VA_ARGS__)
#define OF(kind, name, rule, seen)                                                                                     \
    {                                                                                                                  \
        GUARD_##name, #name, rule, { .seats = 0 }, seen, kind, 0                                                       \
    }

const trial_t trials[] = {
    TRIAL(ORDER_TIE, "F3: orders of one version are told apart by their digests (6-policy -DTIE)", "runs order",
          .seats = 4, .orders = 3, .tie = true, .cuts = 2),
    TRIAL(COMMIT_FIRST, "E6: a generation is used once committed (3b -DEAGER)", "acknowledgements for a COMMIT",
          .seats = 7, .orders = 2),
    TRIAL(COMMIT_HALF, "E5: COMMIT needs more than half", "acknowledgements for a COMMIT", .seats = 7, .orders = 2),
    TRIAL(ACK_LISTED, "E5: acknowledgements of the listed alone", "not listed", .seats = 7, .liars = 2,
          .lies = LIE_FORGED_COMMIT, .orders = 3),
    TRIAL(ACK_ONCE, "E5: one entry of a name, and none below", "acknowledges", .seats = 4, .liars = 1,
          .lies = LIE_TWO_DRAFTS, .orders = 6, .cuts = 2),
    TRIAL(NAMED_MAKER, "E2, E4: a maker whom the order names", NULL, .seats = 4, .liars = 1, .lies = LIE_FORGED_COMMIT,
          .orders = 1),
    /* A restarted member gives the excluded one what it was given, in the moment before either end's order arrives. */
    RARE_OF(SAME_ORDER, "E8: a key goes to who runs the same order (2 -DSTALE, 3b -DOLDPOL)", "excluded member", 300000,
            16, .seats = 4, .extra = 1, .orders = 2, .exclude = true, .restarts = 30),
    TRIAL(NEWER_COMMIT, "E9: a share below a known COMMIT is dropped (2 -DOLDKEY)", NULL, .seats = 7, .orders = 4,
          .restarts = 14, .cuts = 2),
    TRIAL(NEWER_SILENT, "E7: who knows a newer COMMIT without its secret signs nothing", "signs with a key below",
          .seats = 7, .orders = 4, .cuts = 4, .partial = true, .extra = 2),
    TRIAL(VOID_OLD, "E11: a consumer that knows p refuses what is older (3c)", "back-dated", .seats = 4, .orders = 1),
    TRIAL(ECHO_QUORUM, "D2: floor((n+f)/2)+1 ECHOs (5 -DLOW)", NULL, .seats = 6, .liars = 1,
          .lies = LIE_TWO_SENDS | LIE_VOTES, .messages = 2),
    TRIAL(DELIVER_QUORUM, "D2: 2f+1 READYs (5 -DLOWD)", NULL, .seats = 7, .liars = 2, .lies = LIE_TWO_SENDS | LIE_VOTES,
          .messages = 6),
    TRIAL(LISTED_BOOT, "D5: listed boots vote and count (5 -DAMNESIA)", NULL, .seats = 4, .liars = 1,
          .lies = LIE_TWO_SENDS | LIE_VOTES, .restarts = 24, .messages = 4),
    TRIAL(VOTE_ONCE, "D6: one vote of each kind per seat", NULL, .seats = 4, .liars = 1,
          .lies = LIE_TWO_SENDS | LIE_VOTES, .messages = 6),
    TRIAL(BOUND_INSTANCE, "D4, D10: an instance belongs to one order, nothing is carried over (5 -DFORGET, -DSWAP)",
          NULL, .seats = 4, .liars = 1, .lies = LIE_TWO_SENDS | LIE_VOTES, .orders = 6, .restarts = 6, .messages = 4),
    TRIAL(CERTIFICATE, "D7: certificates and vouchers (5 -DOLDONLY without -DCERT)", "totality", .seats = 7,
          .restarts = 4, .cuts = 3, .orders = 2, .messages = 12),
    TRIAL(RESEND, "D8: votes again on a new connection (5r)", NULL, .seats = 4, .restarts = 2, .cuts = 6, .orders = 2,
          .messages = 12),
    TRIAL(RETENTION, "D8: durable kinds are kept until all have them (5r -DFIX)", "totality", .seats = 4,
          .long_cut = true, .messages = 12),
    TRIAL(SEND_AGAIN, "D10: the sender sends anew", NULL, .seats = 4, .restarts = 6, .orders = 2, .cuts = 3,
          .messages = 12),
    TRIAL(FLOOD_FORWARD, "D9: handed on before it is delivered", "does not reach", .seats = 7, .partial = true,
          .messages = 12),
    TRIAL(FLOOD_SYNC, "D9: ids are exchanged on a new connection", "does not reach", .seats = 4, .cuts = 6,
          .restarts = 2, .messages = 14),
    OF(OF_FLOOR, CLAIM_PROOF, "C5: a claim counts with its update (7 without -DFIX, -DMAXCLAIM)", "signed last"),
    OF(OF_FLOOR, CLAIM_TIME, "C5: a slot that has not come never counts", "has not come"),
    OF(OF_FLOOR, FIRST_WAIT, "C6: every attested peer's answer first (7 -DNOWAIT)", "signs first"),
    OF(OF_FLOOR, SIGNED_FLOOR, "C6: never below a slot that it has signed", "that it signed"),
    OF(OF_FLOOR, HEAD_BOUND, "C7: not while a proven head is far ahead", "far behind"),
    OF(OF_FLOOR, CHAIN_SPLIT, "C7: two proven headers of one slot", "two headers"),
    OF(OF_TWINS, ONE_CHOOSER, "C2: the end with the smaller id closes one (1 without -DFIX)", "none survives"),
    OF(OF_TWINS, OLDER_ANSWERS, "C2: the older one if it is silent (1 -DDROPS)",
       "turned away for a connection that is dead"),
    OF(OF_TWINS, DIAL_NO_REASON, "C1: a dial under way refuses nobody (1 -DLATE -DFAILS)", "costs the connection"),
#ifdef TEE_SIMULATOR
    OF(OF_SHARE, HOLD_EARLY, "C4: streams before CONFIRM are held (2 -DNA)", "a little early"),
    OF(OF_SHARE, JUDGED_NOW, "E8: judged at the moment of giving (2 -DSTALE)", "order in force excludes"),
    OF(OF_SHARE, ASK_ANY_TIME, "E8: HELLO's wants is a hint (2 -DWANTS)", "never gets the newer key"),
    OF(OF_SHARE, HELD_SINCE, "E8: HELLO's holds is a hint (2 -DHELD)", "does not pass it on"),
    OF(OF_SHARE, SAME_STREAM, "C3: each connection by itself (2 -DPERPEER)", "not attested itself"),
    OF(OF_SHARE, OTHERS_PASS, "E9: who names another cluster stops nobody (2 -DALLSAME)", "keeps a joiner out"),
#endif
};
const size_t trial_count = sizeof trials / sizeof trials[0];

static bool lies_with(const scenario_t *s, unsigned lie)
{
    return s->liars && (s->lies & lie) && !(s->lies & LIE_SILENT);
}

static bool two_sends(const scenario_t *s)
{
    return lies_with(s, LIE_TWO_SENDS);
}

static bool false_votes(const scenario_t *s)
{
    return lies_with(s, LIE_VOTES);
}

static bool silent(const scenario_t *s)
{
    return s->liars && (s->lies & LIE_SILENT);
}

static bool restarted(const scenario_t *s)
{
    return (s->restarts || s->all_at_once) && s->messages;
}

static bool many_restarts(const scenario_t *s)
{
    return s->restarts > s->seats || s->all_at_once;
}

static bool ordered(const scenario_t *s)
{
    return s->orders && s->messages;
}

static bool two_makers(const scenario_t *s)
{
    return s->orders && s->cuts;
}

static bool excluded(const scenario_t *s)
{
    return s->exclude && s->orders;
}

static bool two_drafts(const scenario_t *s)
{
    return lies_with(s, LIE_TWO_DRAFTS) && s->orders;
}

static bool forged(const scenario_t *s)
{
    return lies_with(s, LIE_FORGED_COMMIT);
}

static bool maker_dies(const scenario_t *s)
{
    return s->orders && (s->restarts || s->all_at_once);
}

static bool one_kill(const scenario_t *s)
{
    return s->seats == 4 && s->restarts == 1 && !s->liars && !s->cuts;
}

/* Of floor_world.h, which runs with every seed. */
static bool any(const scenario_t *s)
{
    return s != NULL;
}

#define SIM "simulation; "
const attack_t attacks[] = {
    { "equivocating sender", SIM "test_bracha: an_equivocating_sender_is_found_out_and_never_delivered_twice",
      two_sends },
    { "silent sender after f+1", SIM "test_bracha: f_may_be_silent_and_no_more", silent },
    { "f liars sending ECHO and READY for different hashes", SIM "test_bracha: an_equivocating_sender_is_found_out...",
      false_votes },
    { "duplicate ECHO counted once", "test_bracha: a_vote_counts_once_for_a_seat_and_a_second_is_evidence", NULL },
    { "READY before ECHO", "test_bracha: ready_before_echo_and_before_the_message_counts", NULL },
    { "late joiner totality", SIM "test_bracha: a_restarted_member_does_not_vote_again_and_delivers_by_vouchers",
      restarted },
    { "payload pull from a liar (hash checked)", "test_bracha: a_liars_answer_to_a_pull_is_not_delivered", NULL },
    { "sequence far ahead", "test_bracha: a_liar_cannot_open_more_than_its_share", NULL },
    { "epoch change mid-broadcast", SIM "test_bracha: an_order_in_the_middle_ends_votes_and_the_sender_sends_anew",
      ordered },
    { "n = 1, 2, 3", "test_bracha: below_four_seats_nothing_is_agreed; flood: test_flood: alone_a_node_hears_itself",
      NULL },
    { "share crosses a generation change: the requester gets the newer one",
      "test_generation_share: a_share_below_a_known_commit_is_dropped", NULL },
    { "two makers named by one order, both alive, a cut between them: the higher name wins after heal",
      SIM "test_generation: two_makers_of_one_order_end_with_the_higher_name", two_makers },
    { "nothing is signed with either before its COMMIT",
      SIM "test_generation: a_draft_is_not_used_shown_or_shared_before_its_commit", two_makers },
    { "two committed entries of one name are proof against the maker",
      "test_generation: two_commits_of_one_name_silence_it_until_the_next_order", NULL },
    { "one maker, two drafts of one name", SIM "trial ACK_ONCE", two_drafts },
    { "the excluded member: a handover of its own, a grinded key, acknowledgements without being listed",
      SIM "test_generation: what_the_excluded_member_signs_counts_for_nothing", forged },
    { "the excluded member: a back-dated statement, a claim of slot 2^63",
      SIM "test_entry: older_statements_are_void_from_two_slots_on; trial VOID_OLD", excluded },
    { "the excluded member asks for the key made without it", SIM "trial SAME_ORDER", excluded },
    { "a draft that is put off to slot 2^63", "test_generation: drafts_that_the_rules_do_not_allow_are_refused", NULL },
    { "a listed member withholds its acknowledgement for ever",
      SIM "test_generation: the_makers_death_is_carried_out_by_the_next_maker", silent },
    { "the maker dies before, between and after draft, COMMIT and spreading",
      SIM "test_generation: the_makers_death_is_carried_out_by_the_next_maker", maker_dies },
    { "any number of restarts at any time, all at once included", SIM "all but one at once: one must hold the key",
      many_restarts },
    { "nobody votes twice in one instance", SIM "trials LISTED_BOOT, VOTE_ONCE; fuzz_bracha", restarted },
    { "one kill -9 at n = 4 does not halt it", SIM "test_bracha: one_kill_at_four_seats_does_not_halt", one_kill },
    { "a node restarted with yesterday's disk neither gives nor gets a key",
      SIM "test_generation_share: a_key_goes_only_to_who_runs_the_same_order_and_holds_less", maker_dies },
    { "a random root at the present slot, a head without its update, slot 2^63",
      SIM "test_floor: each by its words; trials CLAIM_PROOF, CLAIM_TIME", any },
    { "stale joiner: yesterday's disk, and providers that show nothing new",
      SIM "test_floor: the_first_signature_waits_for_every_attested_peer; trial FIRST_WAIT", any },
    { "two headers of one slot, both signed by the sync committee", SIM "trial CHAIN_SPLIT", any },
};
const size_t attack_count = sizeof attacks / sizeof attacks[0];
