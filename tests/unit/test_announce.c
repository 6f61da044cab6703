/* Announcements: a frozen digest, truncations, what is evidence against a member and what is not. */
#include "overlay/announce.h"
#include "tests/unit/overlay_keys.h"

static announce_book_t book;
static announce_evidence_t found;

static announce_t sample(void)
{
    announce_t a = { .has_signed = true,
                     .has_finalized = true,
                     .has_optimistic = true,
                     .signed_slot = 301,
                     .finalized_slot = 200,
                     .optimistic_slot = 302 };
    memset(a.finalized_root.b, 0xaa, 32);
    memset(a.optimistic_root.b, 0xbb, 32);
    return a;
}

static announce_signed_t by(unsigned k, const announce_t *a)
{
    announce_signed_t s = { .said = *a };
    hash32_t digest;
    announce_digest(&digest, a);
    key_sign(s.signature, k, &digest);
    return s;
}

static bool note(unsigned k, const announce_t *a)
{
    uint8_t key[33];
    const announce_signed_t s = by(k, a);
    key_point(key, k);
    return announce_note(&book, &found, key, &s);
}

static void setup(void)
{
    keys_open();
    book = (announce_book_t){ .turn = 0 };
}

START_TEST(what_is_signed_is_frozen)
{
    const announce_t a = sample();
    announce_signed_t s = { .said = a };
    uint8_t bytes[16 + ANNOUNCE_LEN + 64] = "kettle-heads/1";
    wr_t w = wr_of(bytes + 16, sizeof bytes - 16);
    hash32_t digest;
    announce_digest(&digest, &a);
    announce_write(&w, &s);
    ck_assert(!w.bad && w.n == ANNOUNCE_LEN + 64);
    assert_frozen("announcement", view_of(bytes, 16 + ANNOUNCE_LEN), &digest);
}
END_TEST

START_TEST(evidence_is_read_as_it_was_written)
{
    uint8_t bytes[ANNOUNCE_EVIDENCE_LEN + 1] = { 0 };
    announce_t a = sample(), b = sample();
    announce_evidence_t got;
    b.optimistic_root.b[0] ^= 1;
    announce_evidence_t x = { .one = by(3, &a), .other = by(3, &b) };
    err_t e;
    key_point(x.key, 3);
    wr_t w = wr_of(bytes, sizeof bytes);
    announce_evidence_write(&w, &x);
    ck_assert_uint_eq(w.n, ANNOUNCE_EVIDENCE_LEN);
    ck_assert_int_eq(announce_evidence_read(&got, &e, wr_view(&w)), RC_OK);
    ck_assert_int_eq(announce_evidence_judge(&e, &got, ecdsa), RC_OK);
    for (size_t n = 0; n <= sizeof bytes; n++)
        ck_assert_msg(n == ANNOUNCE_EVIDENCE_LEN || announce_evidence_read(&got, &e, view_of(bytes, n)) == RC_MALFORMED,
                      "%zu bytes", n);
    for (size_t i = 0; i < ANNOUNCE_EVIDENCE_LEN; i++) { /* no byte may change */
        bytes[i] ^= 1;
        ck_assert_msg(announce_evidence_read(&got, &e, wr_view(&w)) || announce_evidence_judge(&e, &got, ecdsa),
                      "byte %zu", i);
        bytes[i] ^= 1;
    }
}
END_TEST

START_TEST(what_is_not_there_has_one_form)
{
    uint8_t bytes[ANNOUNCE_LEN + 64];
    announce_signed_t got;
    err_t e;
    for (unsigned there = 0; there < 256; there++) {
        const announce_signed_t s = by(3, &(announce_t){ .has_signed = false });
        wr_t w = wr_of(bytes, sizeof bytes);
        announce_write(&w, &s);
        bytes[0] = (uint8_t)there;
        ck_assert_int_eq(announce_read(&got, &e, wr_view(&w)), there < 8 ? RC_OK : RC_MALFORMED);
        for (size_t at = 1; at < ANNOUNCE_LEN; at++) { /* something where nothing is */
            const bool is_there = at < 9 ? there & 1 : at < 49 ? there & 2 : there & 4;
            bytes[at] = 1;
            ck_assert_int_eq(announce_read(&got, &e, wr_view(&w)), there < 8 && is_there ? RC_OK : RC_MALFORMED);
            bytes[at] = 0;
        }
    }
}
END_TEST

START_TEST(two_contradicting_announcements_are_evidence)
{
    for (int which = 0; which < 2; which++) {
        announce_t a = sample(), b = sample(), later = sample();
        book = (announce_book_t){ .turn = 0 };
        (which ? &b.finalized_root : &b.optimistic_root)->b[31] ^= 1;
        later.optimistic_slot++, later.finalized_slot++;
        ck_assert(!note(3, &a));
        ck_assert(!note(3, &later)); /* also when others came between */
        ck_assert(!note(3, &a));
        ck_assert(note(3, &b));
        ck_assert_int_eq(announce_evidence_judge(NULL, &found, ecdsa), RC_OK);
    }
}
END_TEST

START_TEST(two_members_may_contradict_each_other)
{
    announce_t a = sample(), b = sample();
    b.finalized_root.b[0] ^= 1;
    ck_assert(!note(3, &a));
    ck_assert(!note(4, &b));
    announce_evidence_t x = { .one = by(3, &a), .other = by(4, &b) };
    key_point(x.key, 3);
    ck_assert_int_eq(announce_evidence_judge(NULL, &x, ecdsa), RC_REFUSED);
    x.other = by(3, &a); /* the same twice */
    ck_assert_int_eq(announce_evidence_judge(NULL, &x, ecdsa), RC_REFUSED);
}
END_TEST

START_TEST(a_head_that_was_given_up_is_no_evidence)
{
    announce_t a = sample(), b = sample();
    b.finalized_slot = a.optimistic_slot; /* another block of that slot became final */
    b.optimistic_slot = a.optimistic_slot + 64;
    ck_assert(!announce_contradict(&a, &b));
    b = (announce_t){ .has_signed = true, .signed_slot = 7 };
    ck_assert(!announce_contradict(&a, &b) && !announce_contradict(&b, &b));
    b = (announce_t){ .has_finalized = true, .finalized_slot = a.finalized_slot };
    ck_assert(announce_contradict(&a, &b)); /* the zero root is a root like any other */
    b.has_finalized = false;
    ck_assert(!announce_contradict(&a, &b));
}
END_TEST

START_TEST(the_book_has_room_for_so_many_and_forgets_who_is_silent)
{
    announce_t a = sample(), b = sample();
    b.finalized_root.b[0] ^= 1;
    ck_assert(!note(1, &a));
    for (unsigned k = 2; k < 2 + ANNOUNCE_MEMBERS_MAX; k++)
        ck_assert(!note(k, &a));
    ck_assert(!note(1, &b)); /* forgotten */
    ck_assert(note(1 + ANNOUNCE_MEMBERS_MAX, &b));
    for (uint64_t i = 1; i <= ANNOUNCE_EACH_MAX; i++) {
        announce_t later = sample();
        later.finalized_slot += i, later.optimistic_slot += i;
        ck_assert(!note(1 + ANNOUNCE_MEMBERS_MAX, &later));
    }
    ck_assert(!note(1 + ANNOUNCE_MEMBERS_MAX, &b));
}
END_TEST

START_TEST(what_a_state_says_is_what_is_announced)
{
    const state_t s = { .highest_signed = { .is_there = true, .slot = 301 },
                        .finalized = { .is_there = true, .slot = 200, .root = { { 0xaa } } } };
    announce_t a;
    announce_of(&a, &s);
    ck_assert(a.has_signed && a.signed_slot == 301 && a.has_finalized && a.finalized_slot == 200);
    ck_assert(a.finalized_root.b[0] == 0xaa && !a.has_optimistic && announce_any(&a));
    announce_of(&a, &(state_t){ .holds = true });
    ck_assert(!announce_any(&a));
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("announce", setup, keys_close, what_is_signed_is_frozen, evidence_is_read_as_it_was_written,
                           what_is_not_there_has_one_form, two_contradicting_announcements_are_evidence,
                           two_members_may_contradict_each_other, a_head_that_was_given_up_is_no_evidence,
                           the_book_has_room_for_so_many_and_forgets_who_is_silent,
                           what_a_state_says_is_what_is_announced);
}
