/* Entries, acknowledgements and proofs of generations: frozen bytes, truncations, and each thing that a verifier checks. */
#include "overlay/entry.h"
#include "tests/unit/overlay_keys.h"

static order_rules_t rules;

static int by_key(const void *a, const void *b)
{
    return memcmp(a, b, 33);
}

static int by_ack(const void *a, const void *b)
{
    return memcmp(((const entry_ack_t *)a)->key, ((const entry_ack_t *)b)->key, 33);
}

/* Digests and both signatures anew: maker's secret, key's secret. */
static void sign(entry_signed_t *s, unsigned maker, unsigned key)
{
    entry_digest(&s->g, &s->entry);
    key_sign(s->by_maker, maker, &s->g);
    key_sign(s->by_key, key, &s->g);
}

static void acks(entry_proof_t *p, const unsigned *by, size_t n)
{
    hash32_t digest;
    entry_ack_digest(&digest, &p->entry.g);
    p->ack_count = (uint8_t)n;
    for (size_t i = 0; i < n; i++) {
        p->acks[i].g = p->entry.g;
        key_point(p->acks[i].key, by[i]);
        key_sign(p->acks[i].signature, by[i], &digest);
    }
    qsort(p->acks, n, sizeof p->acks[0], by_ack);
}

static void sign_order(order_signed_t *o)
{
    o->id.version = o->order.version;
    order_digest(&o->id.digest, &o->order);
    o->signature_count = 1;
    key_point(o->signatures[0].key, 10);
    key_sign(o->signatures[0].signature, 10, &o->id.digest);
}

/* Order 7 of cluster G names makers 2G and 3G; the entry is maker 1's (3G), its key 20 G, members 2G to 5G; three have
 * acknowledged. */
static void example(entry_proof_t *p)
{
    static const unsigned by[] = { 2, 3, 5 };
    *p = (entry_proof_t){ .has_order = true };
    order_t *o = &p->order.order;
    *o = (order_t){ .version = 7, .void_slot = 900, .maker_count = 2 };
    key_point(o->cluster, 1);
    key_point(o->makers[0], 2);
    key_point(o->makers[1], 3);
    sign_order(&p->order);
    entry_t *x = &p->entry.entry;
    *x = (entry_t){ .name = { 7, p->order.id.digest, 1 }, .from_slot = 1000, .member_count = 4 };
    key_point(x->pubkey, 20);
    for (unsigned i = 0; i < 4; i++)
        key_point(x->members[i], 2 + i);
    qsort(x->members, 4, 33, by_key);
    sign(&p->entry, 3, 20);
    acks(p, by, 3);
}

/* The first generation: key G, maker 2G. */
static void first(entry_proof_t *p)
{
    *p = (entry_proof_t){ .entry.entry = { .member_count = 1 } };
    key_point(p->entry.entry.pubkey, 1);
    key_point(p->entry.entry.members[0], 2);
    memset(&p->entry.entry.setup, 0x77, 32);
    sign(&p->entry, 2, 1);
}

static void setup(void)
{
    keys_open();
    rules = (order_rules_t){ .threshold = 1, .signer_count = 1, .ecdsa = ecdsa };
    key_point(rules.signers[0], 10);
    key_point(rules.cluster, 1);
}

static size_t write(uint8_t *out, size_t cap, const entry_proof_t *p)
{
    wr_t w = wr_of(out, cap);
    entry_proof_write(&w, p);
    ck_assert(!w.bad);
    return w.n;
}

START_TEST(bytes_and_digests_are_frozen)
{
    uint8_t bytes[ENTRY_BODY_MAX];
    hash32_t digest;
    order_t o = { .version = 7, .void_slot = UINT64_MAX, .maker_count = 2, .seat_count = 4 };
    key_point(o.cluster, 1);
    sha256(&o.policy, view_str("policy"));
    key_point(o.makers[0], 2);
    key_point(o.makers[1], 3);
    for (size_t i = 0; i < 4; i++)
        memset(&o.seats[i], (int)(0x10 * (i + 1)), 32);
    entry_t x = { .name = { .version = 7, .index = 1 }, .from_slot = 1000, .member_count = 2 };
    order_digest(&x.name.order, &o);
    key_point(x.pubkey, 2);
    key_point(x.members[0], 2);
    key_point(x.members[1], 3);
    wr_t w = wr_of(bytes, sizeof bytes);
    entry_write_body(&w, &x);
    entry_digest(&digest, &x);
    assert_frozen("entry: that order, maker 1, key 2G, from slot 1000, members 2G and 3G", wr_view(&w), &digest);
    w = wr_of(bytes, sizeof bytes);
    wr_bytes(&w, "kettle-key-ack/1", 16);
    wr_hash32(&w, &digest);
    entry_ack_digest(&digest, &digest);
    assert_frozen("acknowledgement of the entry", wr_view(&w), &digest);
    entry_proof_t p;
    first(&p);
    w = wr_of(bytes, sizeof bytes);
    entry_write_body(&w, &p.entry.entry);
    assert_frozen("entry of a first generation: key G, maker 2G, setup 77..", wr_view(&w), &p.entry.g);
}
END_TEST

START_TEST(a_proof_reads_as_it_was_written_and_no_part_of_it)
{
    static uint8_t bytes[ENTRY_PROOF_MAX], again[ENTRY_PROOF_MAX];
    for (int row = 0; row < 2; row++) {
        entry_proof_t p, back;
        err_t e;
        if (row)
            first(&p);
        else
            example(&p);
        size_t n = write(bytes, sizeof bytes, &p);
        ck_assert_int_eq(entry_proof_read(&back, &e, view_of(bytes, n)), RC_OK);
        ck_assert_uint_eq(write(again, sizeof again, &back), n);
        ck_assert_mem_eq(bytes, again, n);
        ck_assert_int_eq(entry_proof_judge(&e, &back, &rules), RC_OK);
        for (size_t i = 0; i < n; i++) {
            uint8_t *exact = malloc(i + 1);
            memcpy(exact, bytes, i);
            ck_assert_msg(entry_proof_read(&back, &e, view_of(exact, i)) == RC_MALFORMED, "%zu", i);
            free(exact);
        }
        bytes[n] = 0;
        ck_assert_int_eq(entry_proof_read(&back, &e, view_of(bytes, n + 1)), RC_MALFORMED);
    }
}
END_TEST

/* Whatever bit is changed, the proof does not read or does not verify. */
START_TEST(each_bit_of_a_proof_counts)
{
    static uint8_t bytes[ENTRY_PROOF_MAX];
    entry_proof_t p, back;
    err_t e;
    example(&p);
    size_t n = write(bytes, sizeof bytes, &p);
    for (size_t i = 0; i < n; i++) {
        bytes[i] ^= (uint8_t)(1u << i % 8);
        rc_t rc = entry_proof_read(&back, &e, view_of(bytes, n));
        if (!rc)
            rc = entry_proof_judge(&e, &back, &rules);
        ck_assert_msg(rc != RC_OK, "byte %zu", i);
        bytes[i] ^= (uint8_t)(1u << i % 8);
    }
}
END_TEST

START_TEST(malformed_entries_are_named)
{
    static uint8_t bytes[ENTRY_MAX];
    for (int row = 0; row < 7; row++) {
        entry_proof_t p;
        entry_signed_t back;
        err_t e = { .rc = RC_OK };
        const char *field = "members";
        if (row == 5 || row == 6)
            first(&p);
        else
            example(&p);
        entry_t *x = &p.entry.entry;
        switch (row) {
        case 0: memcpy(x->members[1], x->members[0], 33); break;
        case 1: memcpy(x->members[3], x->members[0], 33); break;
        case 2: x->name.version = ORDER_VERSION_END, field = "name"; break;
        case 3: x->name.index = 3, field = "name"; break;
        case 5: x->name.index = 1; break;
        case 6:
            x->member_count = 2;
            memset(x->members[1], 0xff, 33);
            break;
        default: break;
        }
        wr_t w = wr_of(bytes, sizeof bytes);
        entry_write(&w, &p.entry);
        if (row == 4)
            bytes[16 + 32 + 8 + 1 + 33 + 8] = 0;
        ck_assert_msg(entry_read(&back, &e, wr_view(&w)) == RC_MALFORMED, "row %d", row);
        ck_assert_msg(!strcmp(e.field, field), "row %d: %s", row, e.field);
    }
}
END_TEST

START_TEST(an_entry_is_its_makers_and_its_keys)
{
    for (int row = 0; row < 8; row++) {
        entry_proof_t p;
        err_t e;
        example(&p);
        entry_t *x = &p.entry.entry;
        unsigned maker = 3, key = 20;
        const char *field = "name";
        switch (row) {
        case 0:
            x->name.index = 0;
            field = "by_maker";
            break;                        /* another maker's turn */
        case 1: x->name.index = 2; break; /* nobody's */
        case 2: x->name.version = 8; break;
        case 3: x->name.order.b[0] ^= 1; break;
        case 4:
            maker = 4;
            field = "by_maker";
            break;
        case 5:
            key = 21;
            field = "by_key";
            break;
        case 6:
            key_point(x->members[entry_member_index(x, p.order.order.makers[1])], 9);
            field = "members";
            break;
        default: p.order.order.maker_count = 1; break;
        }
        sign(&p.entry, maker, key);
        ck_assert_msg(entry_judge(&e, &p.entry, &p.order, ecdsa) == RC_REFUSED, "row %d", row);
        ck_assert_msg(!strcmp(e.field, field), "row %d: %s", row, e.field);
        ck_assert_int_eq(entry_judge(&e, &p.entry, NULL, ecdsa), RC_REFUSED); /* it is no first generation */
    }
    entry_proof_t p, q;
    err_t e;
    first(&p);
    example(&q);
    ck_assert_int_eq(entry_judge(&e, &p.entry, NULL, ecdsa), RC_OK);
    ck_assert_int_eq(entry_judge(&e, &p.entry, &q.order, ecdsa), RC_REFUSED);
    sign(&p.entry, 3, 1);
    ck_assert_int_eq(entry_judge(&e, &p.entry, NULL, ecdsa), RC_REFUSED);
}
END_TEST

/* Known answers: more than half. */
START_TEST(a_commit_needs_more_than_half_of_the_listed)
{
    static const struct {
        uint8_t members;
        size_t least;
    } rows[] = {
        { 1, 1 }, { 2, 2 }, { 3, 2 }, { 4, 3 }, { 5, 3 }, { 6, 4 }, { 7, 4 }, { 10, 6 }, { 63, 32 }, { 64, 33 }
    };
    entry_proof_t p;
    err_t e;
    example(&p);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        p.entry.entry.member_count = rows[i].members;
        ck_assert(!entry_commits(&p.entry.entry, rows[i].least - 1));
        ck_assert(entry_commits(&p.entry.entry, rows[i].least));
    }
    example(&p);
    acks(&p, (const unsigned[]){ 2, 3 }, 2);
    ck_assert_int_eq(entry_proof_judge(&e, &p, &rules), RC_REFUSED);
    ck_assert_str_eq(e.field, "acks");
    acks(&p, (const unsigned[]){ 2, 3, 9 }, 3); /* 9 is not listed */
    ck_assert_int_eq(entry_proof_judge(&e, &p, &rules), RC_REFUSED);
    ck_assert_str_eq(e.field, "acks.key");
}
END_TEST

START_TEST(a_proof_is_of_our_cluster_and_under_our_signers)
{
    static const uint8_t any[33];
    entry_proof_t p;
    err_t e;
    example(&p);
    memcpy(rules.cluster, any, 33);
    ck_assert_int_eq(entry_proof_judge(&e, &p, &rules), RC_OK);
    key_point(rules.cluster, 6);
    ck_assert_int_eq(entry_proof_judge(&e, &p, &rules), RC_REFUSED);
    ck_assert_str_eq(e.field, "order.cluster");
    first(&p);
    ck_assert_int_eq(entry_proof_judge(&e, &p, &rules), RC_REFUSED);
    ck_assert_str_eq(e.field, "cluster");
    key_point(rules.cluster, 1);
    ck_assert_int_eq(entry_proof_judge(&e, &p, &rules), RC_OK);
    example(&p);
    key_point(rules.signers[0], 11);
    ck_assert_int_eq(entry_proof_judge(&e, &p, &rules), RC_REFUSED);
    ck_assert_str_eq(e.field, "order.signatures");
}
END_TEST

/* Else a maker could reach more than half with one member's acknowledgement. */
START_TEST(nobody_acknowledges_twice)
{
    static uint8_t bytes[ENTRY_PROOF_MAX];
    entry_proof_t p, back;
    err_t e;
    example(&p);
    acks(&p, (const unsigned[]){ 2, 3, 3 }, 3);
    ck_assert_int_eq(entry_proof_read(&back, &e, view_of(bytes, write(bytes, sizeof bytes, &p))), RC_MALFORMED);
    ck_assert_str_eq(e.field, "acks");
    example(&p);
    const entry_ack_t last = p.acks[2];
    p.acks[2] = p.acks[1], p.acks[1] = last;
    ck_assert_int_eq(entry_proof_read(&back, &e, view_of(bytes, write(bytes, sizeof bytes, &p))), RC_MALFORMED);
    ck_assert_str_eq(e.field, "acks");
}
END_TEST

START_TEST(acknowledgements_are_read_whole)
{
    uint8_t bytes[ENTRY_ACK_LEN + 1] = { 0 };
    entry_proof_t p;
    entry_ack_t back;
    err_t e;
    example(&p);
    wr_t w = wr_of(bytes, sizeof bytes);
    entry_ack_write(&w, &p.acks[0]);
    ck_assert_uint_eq(w.n, ENTRY_ACK_LEN);
    for (size_t n = 0; n <= sizeof bytes; n++)
        ck_assert_int_eq(entry_ack_read(&back, &e, view_of(bytes, n)), n == ENTRY_ACK_LEN ? RC_OK : RC_MALFORMED);
    ck_assert_int_eq(entry_ack_judge(&e, &back, &p.entry, ecdsa), RC_OK);
    back.g.b[0] ^= 1;
    ck_assert_int_eq(entry_ack_judge(&e, &back, &p.entry, ecdsa), RC_REFUSED);
}
END_TEST

/* E11. The order's void_slot is 900, the generation signs from 1000 on. */
START_TEST(older_statements_are_void_from_two_slots_on)
{
    entry_proof_t p;
    example(&p);
    ck_assert(entry_admits_older(&p, 899));
    ck_assert(!entry_admits_older(&p, 900));
    p.order.order.void_slot = UINT64_MAX; /* a routine change */
    ck_assert(entry_admits_older(&p, 999));
    ck_assert(!entry_admits_older(&p, 1000));
    p.order.order.void_slot = 0; /* a member lost trust: it can back-date */
    ck_assert(!entry_admits_older(&p, 0));
    first(&p);
    ck_assert(!entry_admits_older(&p, 0));
}
END_TEST

/* A member lost trust at generation 2, and may still have the key of generation 1; generation 3 was a routine change. */
START_TEST(what_one_generation_made_void_a_later_one_does_not_revive)
{
    static entry_proof_t one, two, three;
    const entry_proof_t *known[] = { &three, &one, &two };
    first(&one);
    example(&two);
    example(&three);
    const key_name_t *by = &one.entry.entry.name;
    two.entry.entry.name.version = 7;
    two.order.order.void_slot = 0;
    three.entry.entry.name.version = 8;
    three.entry.entry.from_slot = 2000;
    three.order.order.void_slot = UINT64_MAX;
    ck_assert_int_gt(key_name_cmp(&two.entry.entry.name, by), 0);
    for (uint64_t slot = 0; slot < 3000; slot += 100) {
        ck_assert_ptr_eq(entry_retired_by(known, 3, by, slot), slot < 2000 ? &two : &three);
        ck_assert_ptr_eq(entry_retired_by(known, 3, &two.entry.entry.name, slot), slot < 2000 ? NULL : &three);
        ck_assert_ptr_null(entry_retired_by(known, 3, &three.entry.entry.name, slot));
        ck_assert_ptr_null(entry_retired_by(known + 1, 1, by, slot)); /* no rule helps who knows of no newer one */
    }
}
END_TEST

/* Whoever has had the first key's secret can sign it under any version, and it retires nobody. */
START_TEST(a_first_generation_retires_nothing_whatever_its_version)
{
    static entry_proof_t one, two, forged;
    const entry_proof_t *known[] = { &forged, &one, &two };
    first(&one);
    first(&forged);
    forged.entry.entry.name.version = ORDER_VERSION_END - 1;
    example(&two);
    ck_assert_int_lt(key_name_cmp(&forged.entry.entry.name, &two.entry.entry.name), 0);
    ck_assert_ptr_null(entry_retired_by(known, 2, &one.entry.entry.name, 5));
    ck_assert_ptr_null(entry_retired_by(known, 3, &two.entry.entry.name, 5000));
    ck_assert_ptr_eq(entry_retired_by(known, 3, &forged.entry.entry.name, 5000), &two);
}
END_TEST

START_TEST(two_entries_of_one_name_contradict)
{
    entry_proof_t a, b;
    example(&a);
    example(&b);
    ck_assert(!entry_proofs_contradict(&a, &b));
    b.entry.entry.from_slot++;
    sign(&b.entry, 3, 20);
    ck_assert(entry_proofs_contradict(&a, &b));
    b.entry.entry.name.index = 0;
    ck_assert(!entry_proofs_contradict(&a, &b));
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND(
        "entry", setup, keys_close, bytes_and_digests_are_frozen, a_proof_reads_as_it_was_written_and_no_part_of_it,
        each_bit_of_a_proof_counts, malformed_entries_are_named, an_entry_is_its_makers_and_its_keys,
        a_commit_needs_more_than_half_of_the_listed, a_proof_is_of_our_cluster_and_under_our_signers,
        nobody_acknowledges_twice, acknowledgements_are_read_whole, older_statements_are_void_from_two_slots_on,
        what_one_generation_made_void_a_later_one_does_not_revive,
        a_first_generation_retires_nothing_whatever_its_version, two_entries_of_one_name_contradict);
}
