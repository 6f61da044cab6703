/* What an execution RPC has shown that it can do, and what its refusals mean. */
#include "rpc/upstream/capability.h"
#include "rpc/upstream/refusal.h"
#include "tests/unit/unit.h"

/* An endpoint that takes batches of so many elements, and hints or none. Requests until so many elements are answered. */
static unsigned requests_for(cap_t *c, size_t elements, size_t most, bool hints)
{
    unsigned requests = 0, tries = 0;
    bool hint = !c->form.no_hint;
    for (size_t left = elements; left;) {
        size_t n = left < c->batch ? left : c->batch;
        const bool with = hint && n == left && !c->apart;
        ck_assert_uint_lt(++tries, 4 * elements + 16);
        requests++;
        if (n > most || (with && !hints)) {
            cap_next_t next = cap_refused(c, n, with);
            if (next == CAP_APART) {
                requests++;
                left--;
                hints ? cap_answered(c, 1, true) : (void)cap_refused(c, 1, true);
                hint = false;
            }
            continue;
        }
        cap_answered(c, n, false);
        left -= n;
    }
    return requests;
}

START_TEST(limits_are_found_by_halves_and_kept)
{
    for (size_t most = 1; most <= CAP_BATCH_MAX; most++) {
        cap_t c;
        cap_init(&c);
        (void)requests_for(&c, 100, most, true);
        ck_assert_msg(c.batch <= most, "%zu: %u", most, c.batch);
        ck_assert(!c.settling && !c.form.no_hint);
        const size_t before = c.batch, want = (20 + before - 1) / before;
        ck_assert_uint_le(requests_for(&c, 20, most, true), want + 1);
    }
}
END_TEST

START_TEST(a_batch_that_was_answered_in_part_shows_the_limit)
{
    cap_t c;
    for (size_t most = 1; most < CAP_BATCH_MAX; most++) {
        cap_init(&c);
        ck_assert_int_eq(cap_cut(&c, 100, most), CAP_SMALLER);
        ck_assert_uint_eq(c.batch, most);
        ck_assert(!c.settling && c.good == c.batch);
    }
    cap_init(&c);
    ck_assert_int_eq(cap_cut(&c, 100, 0), CAP_SMALLER); /* by halves */
    ck_assert(c.batch == 50 && c.settling);
    ck_assert_int_eq(cap_cut(&c, 80, 70), CAP_SMALLER); /* it was on its way */
    ck_assert_uint_eq(c.batch, 50);
}
END_TEST

/* It refused everything, one alone too, and then answers some: it is as before the row, and no single one is tried. */
START_TEST(an_answer_in_part_ends_a_row_of_refusals)
{
    for (unsigned spare = 0; spare < 2; spare++) { /* those that are not asked again have passed, or not */
        cap_t c;
        cap_init(&c);
        for (unsigned refused = 0; refused < 2 - spare || (c.spare && !spare);) {
            const size_t n = c.batch;
            refused += cap_refused(&c, n, false) == CAP_FAILS;
        }
        ck_assert(c.row > 1 && !c.spare == !spare);
        ck_assert_int_eq(cap_cut(&c, c.batch, 7), CAP_SMALLER);
        ck_assert(c.batch == 7 && c.good == 7 && c.row == 1 && !c.probe && !c.settling && !c.form.no_hint);
    }
}
END_TEST

/* A smaller batch is tried for the pace, when the hint of an earlier one shows that even less is taken. */
START_TEST(a_limit_that_is_learned_ends_the_trial_of_the_pace)
{
    cap_t c;
    cap_init(&c);
    ck_assert_int_eq(cap_refused(&c, 5, true), CAP_APART);
    while (!c.tried)
        cap_busy(&c, c.batch);
    cap_answered(&c, 1, true);
    ck_assert(c.batch == 4 && !c.tried);
}
END_TEST

START_TEST(a_spoilt_answer_with_a_hint_says_nothing_of_the_size)
{
    cap_t c;
    cap_init(&c);
    ck_assert_int_eq(cap_spoilt(&c, 3), CAP_APART);
    cap_answered(&c, 2, false);
    cap_answered(&c, 1, true);
    ck_assert(c.batch == CAP_BATCH_MAX && !c.form.no_hint);
    ck_assert_int_eq(cap_spoilt(&c, 3), CAP_APART);
    cap_answered(&c, 2, false);
    ck_assert_int_eq(cap_spoilt(&c, 1), CAP_FAILS);
    ck_assert(c.batch == CAP_BATCH_MAX && c.form.no_hint); /* the hint it was */
}
END_TEST

/* Requests of an endpoint that says "too often" to more than so many, until so many elements are answered. */
static unsigned busy_for(cap_t *c, size_t elements, size_t most, unsigned *refused)
{
    unsigned requests = 0;
    for (size_t left = elements; left; requests++) {
        const size_t n = left < c->batch ? left : c->batch;
        ck_assert_uint_lt(requests, 2 * elements + 16);
        *refused += n > most;
        if (n > most)
            cap_busy(c, n);
        else
            cap_answered(c, n, false);
        left -= n > most ? 0 : n;
    }
    return requests;
}

START_TEST(too_many_at_once_are_told_from_too_often)
{
    for (size_t most = 1; most < CAP_BATCH_MAX; most += 1 + most / 4) {
        cap_t c;
        unsigned refused = 0;
        cap_init(&c);
        (void)busy_for(&c, 100 + most, most, &refused);
        ck_assert_msg(c.batch <= most && 2 * c.batch >= most && !c.tried && !c.settling, "%zu: %u", most, c.batch);
        ck_assert_uint_le(refused, 2 + 6 + 1 + 2); /* of small ones, larger ones were tried again */
        refused = 0;
        for (unsigned i = 0; i < 10000; i++) /* more are tried again, ever more seldom */
            (void)busy_for(&c, c.batch, most, &refused);
        ck_assert_uint_le(refused, 24);
        for (unsigned i = 0; i < 200000 && c.batch < CAP_BATCH_MAX; i++) /* it takes more now */
            (void)busy_for(&c, c.batch, CAP_BATCH_MAX, &refused);
        ck_assert_uint_eq(c.batch, CAP_BATCH_MAX);
    }
}
END_TEST

START_TEST(who_is_asked_too_often_is_not_asked_in_smaller_batches)
{
    cap_t c;
    cap_init(&c);
    for (unsigned i = 0; i < 100; i++) { /* each other one */
        cap_busy(&c, 10);
        ck_assert_uint_eq(c.batch, CAP_BATCH_MAX);
        cap_answered(&c, 10, false);
    }
    for (unsigned k = 0; k < 20; k++) { /* nothing for a while, whatever the size */
        unsigned n = 10, tries = 0;
        for (; n > 1; n = c.batch < n ? c.batch : n, tries++)
            cap_busy(&c, n);
        cap_busy(&c, n);
        ck_assert_uint_eq(c.batch, CAP_BATCH_MAX);
        ck_assert_uint_le(tries, 8);
    }
    cap_busy(&c, 10);
    cap_busy(&c, 10);
    ck_assert_uint_eq(c.batch, 5);
    cap_answered(&c, 2, false); /* says nothing of five */
    ck_assert_uint_eq(c.batch, 5);
    cap_answered(&c, 5, false); /* once may be by chance */
    ck_assert_uint_eq(c.batch, CAP_BATCH_MAX);
    cap_answered(&c, 10, false); /* and was */
    cap_busy(&c, 10);
    ck_assert_uint_eq(c.batch, CAP_BATCH_MAX);
}
END_TEST

START_TEST(larger_batches_are_tried_slowly_and_found)
{
    cap_t c;
    cap_init(&c);
    (void)requests_for(&c, 4, 3, true); /* three without the hint */
    (void)requests_for(&c, 100, 2, true);
    ck_assert_uint_le(c.batch, 2);
    for (unsigned i = 0; i < 20000 && c.batch < 50; i++) /* the limit is another one now */
        cap_answered(&c, c.batch, false);
    ck_assert_uint_ge(c.batch, 50);
}
END_TEST

START_TEST(a_limit_that_stands_is_tried_ever_more_seldom)
{
    cap_t c;
    unsigned refused = 0;
    cap_init(&c);
    (void)requests_for(&c, 100, 3, true);
    for (unsigned i = 0; i < 10000; i++)
        if (c.batch > 3) {
            refused++;
            ck_assert_int_eq(cap_refused(&c, c.batch, false), CAP_SMALLER);
            ck_assert_uint_le(c.batch, 3);
        } else {
            cap_answered(&c, c.batch, false);
        }
    ck_assert_uint_ge(refused, 3);
    ck_assert_uint_le(refused, 12);
    ck_assert_uint_eq(c.batch, 3); /* not half of it: three were answered */
}
END_TEST

START_TEST(a_hint_that_sinks_the_batch_is_not_asked_for_again_for_long)
{
    cap_t c;
    cap_init(&c);
    ck_assert_int_eq(cap_refused(&c, 4, true), CAP_APART);
    cap_answered(&c, 3, false);
    ck_assert_int_eq(cap_refused(&c, 1, true), CAP_FAILS);
    ck_assert(c.form.no_hint);
    ck_assert_uint_eq(c.batch, CAP_BATCH_MAX); /* no limit was learned from that */
    cap_init(&c);                              /* in the other order */
    ck_assert_int_eq(cap_refused(&c, 4, true), CAP_APART);
    ck_assert_int_eq(cap_refused(&c, 1, true), CAP_FAILS);
    ck_assert(!c.form.no_hint);
    cap_answered(&c, 3, false);
    ck_assert(c.form.no_hint);
    unsigned batches = 0;
    for (; c.form.no_hint; batches++)
        cap_answered(&c, 3, false);
    ck_assert_uint_ge(batches, 200);
}
END_TEST

START_TEST(hints_whose_keys_are_not_read_are_not_asked_for_for_long)
{
    cap_t c;
    cap_init(&c);
    for (unsigned i = 0; i < 101; i++) { /* each fourth is good, the few keys of others cost little */
        cap_read_hint(&c, 40, i % 4 ? 9 : 10);
        cap_read_hint(&c, 7, 0);
        ck_assert(!c.form.no_hint);
    }
    for (unsigned i = 0, batches = 0, most = 256; i < 8; i++, most *= 2, batches = 0) {
        for (unsigned lists = i ? 1 : 4; lists; lists--) { /* once it is asked again one is enough */
            ck_assert(!c.form.no_hint);
            cap_read_hint(&c, 8, 1);
        }
        for (; c.form.no_hint && batches < 100000; batches++)
            cap_answered(&c, 3, false);
        ck_assert_uint_eq(batches, most < 16384 ? most : 16384);
    }
    cap_read_hint(&c, 8, 2); /* it has become better */
    for (unsigned i = 0; i < 3; i++)
        cap_read_hint(&c, 2000, 499);
    ck_assert(!c.form.no_hint);
}
END_TEST

START_TEST(an_endpoint_that_refuses_everything_teaches_nothing)
{
    cap_t c;
    cap_init(&c);
    for (unsigned i = 0; i < 50; i++) {
        size_t n = 4;
        cap_next_t next = cap_refused(&c, n, true);
        for (n = 3; next != CAP_FAILS; n = c.batch)
            next = cap_refused(&c, n, false);
        ck_assert_uint_eq(c.batch, CAP_BATCH_MAX);
        ck_assert(!c.settling);
    }
    cap_answered(&c, 1, false);
    ck_assert_uint_eq(c.batch, CAP_BATCH_MAX);
    ck_assert(!c.form.no_hint && !c.spare);
    cap_refused_hint(&c);
    for (unsigned i = 0; i < 4; i++) /* who gives none does not because of an outage */
        (void)cap_refused(&c, 1 + i % 2, false);
    cap_answered(&c, 1, false);
    ck_assert(c.form.no_hint);
}
END_TEST

/* What refuses everything for a while: batches whose hint was already on its way, or has to go along again. */
START_TEST(a_hint_sinks_nothing_after_a_row_of_refusals_either)
{
    cap_t c;
    unsigned requests = 0;
    cap_init(&c);
    for (unsigned i = 0; i < 40; i++) {
        size_t n = 12;
        for (cap_next_t next = CAP_SMALLER; next != CAP_FAILS; n = c.batch < n ? c.batch : n, requests++)
            next = cap_refused(&c, n, false);
        ck_assert(c.form.no_hint); /* so that none goes along */
    }
    ck_assert_uint_le(requests, 5 + 39 + 6); /* by halves once, then one alone, the more seldom the longer */
    ck_assert_uint_ge(c.spare, 8);
    ck_assert_int_eq(cap_refused(&c, 5, true), CAP_APART);
    cap_answered(&c, 4, false); /* it is back */
    ck_assert_int_eq(cap_refused(&c, 5, false), CAP_SMALLER);
    ck_assert_uint_eq(c.batch, 4);
}
END_TEST

/* Down for a moment, and then there, with a limit that is not known yet. */
START_TEST(who_was_down_is_asked_for_one_first_and_then_by_halves)
{
    cap_t c;
    cap_init(&c);
    for (size_t n = 12; cap_refused(&c, n, false) != CAP_FAILS; n = c.batch)
        continue;
    ck_assert_int_eq(cap_refused(&c, 12, false), CAP_FAILS);
    ck_assert_int_eq(cap_refused(&c, 12, false), CAP_SMALLER);
    ck_assert(c.batch == 1 && c.settling);
    cap_answered(&c, 1, false);
    ck_assert(c.batch == 6 && !c.settling);
    (void)requests_for(&c, 100, 3, true);
    ck_assert(c.batch <= 3 && c.batch > 1);
}
END_TEST

START_TEST(forms_become_simpler_once_each)
{
    const cap_form_t usual = { 0 };
    cap_t c;
    cap_init(&c);
    ck_assert(cap_refused_form(&c, &usual));
    ck_assert(cap_refused_form(&c, &usual)); /* asked before that was known */
    ck_assert(!cap_refused_form(&c, &c.form));
    ck_assert(cap_refused_funds(&c, &usual));
    ck_assert_int_eq(c.form.funds, FUNDS_CHEAP);
    ck_assert(cap_refused_funds(&c, &usual));
    ck_assert_int_eq(c.form.funds, FUNDS_CHEAP);
    ck_assert(cap_refused_funds(&c, &(cap_form_t){ .funds = FUNDS_CHEAP }));
    ck_assert(!cap_refused_funds(&c, &(cap_form_t){ .funds = FUNDS_NOBODY }));
    cap_refused_hint(&c);
    ck_assert(!cap_refused_funds(&c, &usual));
}
END_TEST

START_TEST(slots_of_a_proof_are_halved_to_what_was_given)
{
    cap_t c;
    cap_init(&c);
    ck_assert_uint_eq(c.keys, 0);
    for (size_t n = 512; n > 4; n = c.keys)
        cap_keys(&c, n, false);
    ck_assert_uint_eq(c.keys, 4);
    cap_keys(&c, 4, true);
    cap_keys(&c, 512, false); /* was on its way */
    ck_assert_uint_eq(c.keys, 4);
    cap_keys(&c, 6, true); /* another query had more */
    ck_assert_uint_eq(c.keys, 6);
    cap_keys(&c, 3, false); /* the limit is another one now */
    ck_assert_uint_eq(c.keys, 1);
    cap_keys(&c, 1, false);
    ck_assert_uint_eq(c.keys, 1);
}
END_TEST

/* Proofs until so many slots are asked for at once, of an endpoint that gives at most so many; how many it refused. */
static unsigned proofs_until(cap_t *c, unsigned *refused, size_t slots, size_t most)
{
    unsigned n = 0;
    for (*refused = 0; cap_slots(c, 512) < slots && n < 100000; n++) {
        const size_t asked = cap_slots(c, 512);
        *refused += asked > most;
        cap_keys(c, asked, asked <= most);
    }
    return n;
}

START_TEST(more_slots_are_tried_slowly_and_a_limit_that_stands_ever_more_seldom)
{
    cap_t c;
    unsigned refused;
    cap_init(&c);
    for (size_t n = 512; n > 4; n = cap_slots(&c, 512))
        cap_keys(&c, n, false);
    ck_assert_uint_eq(proofs_until(&c, &refused, 513, 4), 100000); /* never, since it gives four */
    ck_assert_uint_le(refused, 40);
    ck_assert_uint_le(cap_slots(&c, 512), 6);
    const unsigned n = proofs_until(&c, &refused, 512, 1024); /* it gives more now */
    ck_assert_uint_le(n, 4096 + 32 * 30);
    ck_assert_uint_eq(refused, 0);
    for (unsigned i = 0; i < 32 * 10; i++)
        cap_keys(&c, cap_slots(&c, 2000), true);
    ck_assert_uint_eq(c.keys, 0); /* no limit that anybody has */
}
END_TEST

/* Forms that cost the caller something are left again after a while. */
START_TEST(what_was_learned_once_is_not_kept_for_ever)
{
    cap_t c;
    unsigned n = 0;
    cap_init(&c);
    ck_assert(cap_refused_form(&c, &(cap_form_t){ 0 })); /* by number: it says that it takes no hashes */
    for (; c.form.by_number && n < 10000; n++)
        cap_by_hash(&c, false, false);
    ck_assert_uint_eq(n, 256);
    ck_assert(cap_refused_form(&c, &(cap_form_t){ 0 })); /* it still does not */
    for (n = 0; c.form.by_number && n < 10000; n++)
        cap_by_hash(&c, false, false);
    ck_assert_uint_eq(n, 512);

    ck_assert(cap_refused_funds(&c, &(cap_form_t){ 0 })); /* one sender had nothing */
    ck_assert(cap_refused_funds(&c, &(cap_form_t){ .funds = FUNDS_CHEAP }));
    ck_assert_int_eq(c.form.funds, FUNDS_NOBODY);
    for (n = 0; c.form.funds && n < 10000; n++)
        cap_gave_hint(&c, &(cap_form_t){ .funds = c.form.funds });
    ck_assert_uint_eq(n, 64 + 128);

    cap_state(&c, 10000, true); /* one refusal, as a node behind it was being pruned */
    cap_state(&c, 9999, false);
    ck_assert(!cap_reaches(&c, 9000));
    cap_state(&c, 10255, true);
    ck_assert(!cap_reaches(&c, 9000));
    cap_state(&c, 10256, true);
    ck_assert(cap_reaches(&c, 9000));
    cap_state(&c, 10000, false); /* it has none indeed */
    ck_assert(!cap_reaches(&c, 10000) && cap_reaches(&c, 10001));
    cap_state(&c, 10256 + 511, true);
    ck_assert(!cap_reaches(&c, 10000));
    cap_state(&c, 10256 + 512, true);
    ck_assert(cap_reaches(&c, 10000));
}
END_TEST

START_TEST(a_route_is_asked_for_json_or_ssz_alone_for_a_while_only)
{
    cap_t c;
    unsigned n = 0;
    cap_init(&c);
    ck_assert_int_eq(cap_route(&c, 2), ROUTE_ANY);
    cap_json(&c, 2, true);
    for (; cap_route(&c, 2) == ROUTE_JSON && n < 10000; n++)
        cap_json(&c, 2, true);
    ck_assert_uint_eq(n, 256);
    cap_json(&c, 2, true);
    ck_assert_int_eq(cap_route(&c, 2), ROUTE_JSON);
    cap_json(&c, 2, false); /* its JSON is broken now: SSZ is tried at once */
    ck_assert_int_eq(cap_route(&c, 2), ROUTE_ANY);
    for (unsigned k = 0; k < 3; k++) { /* neither is any good */
        cap_json(&c, 3, false);
        for (n = 0; cap_route(&c, 3) == ROUTE_SSZ && n < 10000;)
            n++;
        ck_assert_uint_eq(n, 8u << k);
    }
    ck_assert_int_eq(cap_route(&c, 1), ROUTE_ANY); /* of another route nothing is known */
}
END_TEST

START_TEST(a_coding_of_no_use_is_asked_for_ever_more_seldom)
{
    cap_t c;
    cap_init(&c);
    ck_assert(!cap_plain(&c));
    for (unsigned i = 0, most = 256; i < 9; i++, most *= 2) {
        unsigned plain = 0;
        cap_misread(&c);
        cap_misread(&c); /* one that went out beside it */
        while (cap_plain(&c) && plain < 100000)
            plain++;
        ck_assert_uint_eq(plain, most < 16384 ? most : 16384);
        ck_assert(!cap_plain(&c));
    }
}
END_TEST

START_TEST(how_far_back_state_is_kept_is_learned_from_both_sides)
{
    cap_t c;
    cap_init(&c);
    ck_assert(cap_reaches(&c, 0) && cap_reaches(&c, UINT64_MAX));
    cap_state(&c, 1000, false); /* the newest that it was asked for: it is not the age */
    ck_assert(cap_reaches(&c, 0));
    cap_state(&c, 800, false);
    ck_assert(!cap_reaches(&c, 800) && !cap_reaches(&c, 0) && cap_reaches(&c, 801));
    cap_state(&c, 900, true);
    cap_state(&c, 870, false);
    ck_assert(!cap_reaches(&c, 870) && cap_reaches(&c, 871));
    cap_state(&c, 1100, true); /* what is kept moves with the head */
    ck_assert(!cap_reaches(&c, 970) && cap_reaches(&c, 971));
    cap_state(&c, 500, true); /* it was changed for one that keeps all */
    ck_assert(cap_reaches(&c, 0));
    cap_state(&c, 600, false); /* and back again: less than it had is what counts */
    ck_assert(!cap_reaches(&c, 600) && cap_reaches(&c, 601));
    ck_assert_uint_lt(c.reach, c.gap);
}
END_TEST

/* Words of execution clients and providers. */
START_TEST(refusals_are_told_apart_by_their_words)
{
    static const struct {
        int64_t code;
        const char *message;
        refusal_t alone, whole;
    } rows[] = {
        { -32000, "header not found", REFUSAL_LATE, REFUSAL_BATCH },
        { -32000, "header for hash not found", REFUSAL_LATE, REFUSAL_BATCH },
        { -39001, "Unknown block", REFUSAL_LATE, REFUSAL_BATCH },
        { -32001, "resource not found", REFUSAL_LATE, REFUSAL_BATCH },
        { 429, "Your app has exceeded its compute units per second capacity", REFUSAL_BUSY, REFUSAL_BUSY },
        { -32005, "daily request count exceeded", REFUSAL_BUSY, REFUSAL_BUSY },
        { -32600, "batch limit exceeded", REFUSAL_BATCH, REFUSAL_BATCH },
        { -32005, "batch size limit exceeded", REFUSAL_BATCH, REFUSAL_BATCH },
        { -32003, "response too large", REFUSAL_BATCH, REFUSAL_BATCH },
        { -32005, "batch requests: rate limit exceeded", REFUSAL_BUSY, REFUSAL_BUSY },
        { -32000, "too many requests in one batch", REFUSAL_BATCH, REFUSAL_BATCH },
        { -32000, "block 22615247 not found", REFUSAL_LATE, REFUSAL_BATCH },
        { -32000, "Block 0x00ab could not be found", REFUSAL_LATE, REFUSAL_BATCH },
        { -32000, "method eth_getBlockReceipts not found", REFUSAL_METHOD, REFUSAL_BATCH },
        { -32601, "the method eth_createAccessList does not exist/is not available", REFUSAL_METHOD, REFUSAL_BATCH },
        { -32602, "invalid argument 2: json: cannot unmarshal object into Go value of type string", REFUSAL_FORM,
          REFUSAL_BATCH },
        { -32602, "too many slots (max 1024)", REFUSAL_KEYS, REFUSAL_BATCH },
        { -32000, "failed to apply transaction: insufficient funds for gas * price + value", REFUSAL_FUNDS,
          REFUSAL_BATCH },
        { -32000, "missing trie node 00ab (path ) state 0x00ab is not available", REFUSAL_STATE, REFUSAL_BATCH },
        { -32000, "historical state 00ab is not available", REFUSAL_STATE, REFUSAL_BATCH },
        { -32000, "distance to target block exceeds maximum proof window", REFUSAL_DEPTH, REFUSAL_BATCH },
        { -32002, "No state available for block 0x1234", REFUSAL_STATE, REFUSAL_BATCH },
        { -32000, "World state unavailable", REFUSAL_STATE, REFUSAL_BATCH },
        { -32000, "required historical state unavailable (reexec=128)", REFUSAL_STATE, REFUSAL_BATCH },
        { -32603, "no state found for block 0x00ab", REFUSAL_STATE, REFUSAL_BATCH },
        { -32000, "layer stale", REFUSAL_STATE, REFUSAL_BATCH },
        { -32000, "state at block #22615247 is pruned", REFUSAL_DEPTH, REFUSAL_BATCH },
        { -32000, "not recorded", REFUSAL_OTHER, REFUSAL_BATCH },
        { 0, "", REFUSAL_OTHER, REFUSAL_BATCH },
        { 19, "Temporary internal error. Please retry", REFUSAL_BUSY, REFUSAL_BUSY },
        { -32002, "request timed out", REFUSAL_BUSY, REFUSAL_BUSY },
        { 0, "Request timeout on the free tier, please upgrade", REFUSAL_BUSY, REFUSAL_BUSY },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const view_t text = view_str(rows[i].message);
        ck_assert_msg(refusal_of_error(rows[i].code, text, false) == rows[i].alone, "%s", rows[i].message);
        ck_assert_msg(refusal_of_error(rows[i].code, text, true) == rows[i].whole, "%s, whole", rows[i].message);
    }
    static const int busy[] = { 408, 520, 522, 524, 530, 429, 502, 503, 504 }, other[] = { 301, 302, 303 },
                     batch[] = { 400, 401, 402, 403, 404, 405, 407, 410, 413, 422, 500 };
    for (size_t i = 0; i < sizeof busy / sizeof busy[0]; i++)
        ck_assert_int_eq(refusal_of_status(busy[i]), REFUSAL_BUSY);
    for (size_t i = 0; i < sizeof batch / sizeof batch[0]; i++)
        ck_assert_int_eq(refusal_of_status(batch[i]), REFUSAL_BATCH);
    for (size_t i = 0; i < sizeof other / sizeof other[0]; i++)
        ck_assert_int_eq(refusal_of_status(other[i]), REFUSAL_OTHER);
}
END_TEST

/* Behind or on another branch for longer than it takes to guess that it knows no hashes: by hash again. */
START_TEST(who_knew_no_hash_yet_may_be_of_another_branch)
{
    cap_t c;
    cap_init(&c);
    for (unsigned i = 0; i < 7; i++)
        cap_by_hash(&c, false, true);
    ck_assert(!c.form.by_number);
    cap_by_hash(&c, false, true);
    ck_assert(c.form.by_number);
    cap_other_branch(&c);
    ck_assert(!c.form.by_number);
    cap_by_hash(&c, false, true);
    ck_assert(c.form.by_number);
    for (unsigned i = 0; i < 32; i++)
        cap_by_hash(&c, false, false);
    ck_assert(!c.form.by_number);
    cap_by_hash(&c, true, false);
    cap_by_hash(&c, false, true);
    ck_assert(!c.form.by_number && c.knows);
}
END_TEST

START_TEST(who_takes_no_hashes_is_tried_ever_more_seldom)
{
    cap_t c;
    unsigned hashes = 0;
    cap_init(&c);
    for (unsigned batches = 0; batches < 10000; batches++) {
        hashes += !c.form.by_number;
        cap_by_hash(&c, false, !c.form.by_number);
    }
    ck_assert_uint_le(hashes, 8 + 9);
    cap_init(&c);
    ck_assert(cap_refused_form(&c, &(cap_form_t){ 0 })); /* it says so */
    cap_other_branch(&c);
    ck_assert(c.form.by_number);
}
END_TEST

int main(void)
{
    return UNIT_RUN(
        "capability", limits_are_found_by_halves_and_kept, a_batch_that_was_answered_in_part_shows_the_limit,
        an_answer_in_part_ends_a_row_of_refusals, a_spoilt_answer_with_a_hint_says_nothing_of_the_size,
        a_limit_that_is_learned_ends_the_trial_of_the_pace, too_many_at_once_are_told_from_too_often,
        who_is_asked_too_often_is_not_asked_in_smaller_batches, larger_batches_are_tried_slowly_and_found,
        a_limit_that_stands_is_tried_ever_more_seldom, a_hint_that_sinks_the_batch_is_not_asked_for_again_for_long,
        hints_whose_keys_are_not_read_are_not_asked_for_for_long, an_endpoint_that_refuses_everything_teaches_nothing,
        a_hint_sinks_nothing_after_a_row_of_refusals_either, who_was_down_is_asked_for_one_first_and_then_by_halves,
        slots_of_a_proof_are_halved_to_what_was_given,
        more_slots_are_tried_slowly_and_a_limit_that_stands_ever_more_seldom,
        what_was_learned_once_is_not_kept_for_ever, a_route_is_asked_for_json_or_ssz_alone_for_a_while_only,
        a_coding_of_no_use_is_asked_for_ever_more_seldom, how_far_back_state_is_kept_is_learned_from_both_sides,
        forms_become_simpler_once_each, who_knew_no_hash_yet_may_be_of_another_branch,
        who_takes_no_hashes_is_tried_ever_more_seldom, refusals_are_told_apart_by_their_words);
}
