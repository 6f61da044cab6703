/* Orders: frozen bytes, what is refused when one is read and when one is judged, and which of two is higher. */
#include "overlay/order.h"
#include "tests/unit/overlay_keys.h"

#define TEXT "policy"

static order_rules_t rules;

/* Row 2 of tests/data/overlay/digests.json: version 7, cluster G, makers 2G and 3G, four seats. */
static void example(order_signed_t *out)
{
    *out = (order_signed_t){ .order = { .version = 7, .void_slot = UINT64_MAX, .maker_count = 2, .seat_count = 4 } };
    order_t *o = &out->order;
    key_point(o->cluster, 1);
    sha256(&o->policy, view_str(TEXT));
    key_point(o->makers[0], 2);
    key_point(o->makers[1], 3);
    for (size_t i = 0; i < 4; i++)
        memset(&o->seats[i], (int)(0x10 * (i + 1)), 32);
    out->id.version = 7;
    order_digest(&out->id.digest, o);
    out->text = view_str(TEXT);
}

/* Signatures of signers 10, 11, ... below 10 + n, in the order of their public keys. */
static void sign(order_signed_t *o, unsigned n)
{
    o->signature_count = 0;
    for (unsigned k = 10; k < 10 + n; k++) {
        order_signature_t s;
        size_t at = 0;
        key_point(s.key, k);
        key_sign(s.signature, k, &o->id.digest);
        while (at < o->signature_count && memcmp(o->signatures[at].key, s.key, 33) < 0)
            at++;
        memmove(&o->signatures[at + 1], &o->signatures[at], (o->signature_count - at) * sizeof s);
        o->signatures[at] = s;
        o->signature_count++;
    }
}

static void setup(void)
{
    keys_open();
    rules = (order_rules_t){ .threshold = 2, .signer_count = 3, .min_version = 3, .ecdsa = ecdsa };
    for (unsigned i = 0; i < 3; i++)
        key_point(rules.signers[i], 10 + i);
}

static size_t write(uint8_t *out, size_t cap, const order_signed_t *o)
{
    wr_t w = wr_of(out, cap);
    order_write(&w, o, true);
    ck_assert(!w.bad);
    return w.n;
}

START_TEST(bytes_and_digests_are_frozen)
{
    uint8_t body[ORDER_BODY_MAX];
    hash32_t policy;
    order_signed_t o;
    wr_t w = wr_of(body, sizeof body);
    example(&o);
    order_write_body(&w, &o.order);
    assert_frozen("order: version 7, cluster G, makers 2G and 3G, four seats", wr_view(&w), &o.id.digest);
    sha256(&policy, view_str(TEXT));
    order_unsigned(&o, &policy, 0);
    w = wr_of(body, sizeof body);
    order_write_body(&w, &o.order);
    assert_frozen("order without signers", wr_view(&w), &o.id.digest);
}
END_TEST

START_TEST(an_order_reads_as_it_was_written)
{
    uint8_t bytes[4096], again[4096];
    order_signed_t o, back;
    order_t body;
    err_t e;
    example(&o);
    sign(&o, 3);
    size_t n = write(bytes, sizeof bytes, &o);
    ck_assert_int_eq(order_read(&back, &e, view_of(bytes, n)), RC_OK);
    ck_assert(hash32_eq(&back.id.digest, &o.id.digest) && back.id.version == 7 && back.signature_count == 3);
    ck_assert(view_eq(back.text, view_str(TEXT)));
    ck_assert_uint_eq(write(again, sizeof again, &back), n);
    ck_assert_mem_eq(bytes, again, n);
    ck_assert_int_eq(order_maker_index(&back.order, back.order.makers[1]), 1);
    ck_assert_int_eq(order_maker_index(&back.order, back.order.cluster), -1);
    ck_assert_int_eq(order_seat_index(&back.order, &back.order.seats[3]), 3);
    ck_assert_int_eq(order_seat_index(&back.order, &back.order.policy), -1);
    size_t body_n = n - strlen(TEXT) - 3 * 97 - 1;
    ck_assert_int_eq(order_read_body(&body, &e, view_of(bytes, body_n)), RC_OK);
    ck_assert_int_eq(order_read_body(&body, &e, view_of(bytes, body_n + 1)), RC_MALFORMED); /* nothing may follow */
}
END_TEST

START_TEST(every_truncation_is_refused_and_out_untouched)
{
    uint8_t bytes[4096];
    order_signed_t o, back = { .signature_count = 99 };
    err_t e;
    example(&o);
    sign(&o, 2);
    o.text = view_of(NULL, 0);
    size_t n = write(bytes, sizeof bytes, &o);
    for (size_t i = 0; i < n; i++) {
        uint8_t *exact = malloc(i + 1);
        memcpy(exact, bytes, i);
        ck_assert_msg(order_read(&back, &e, view_of(exact, i)) == RC_MALFORMED, "%zu", i);
        ck_assert_uint_eq(back.signature_count, 99);
        free(exact);
    }
}
END_TEST

START_TEST(what_is_malformed_is_named)
{
    static const struct {
        const char *what, *field;
    } rows[] = { { "tag", "" },
                 { "version", "version" },
                 { "too many makers", "makers" },
                 { "three seats", "seats" },
                 { "65 seats", "seats" },
                 { "equal seats", "seats" },
                 { "falling seats", "seats" },
                 { "a maker twice", "makers" },
                 { "makers without a cluster", "makers" },
                 { "17 signatures", "signatures" },
                 { "a signer twice", "signatures" } };
    static uint8_t bytes[16384];
    for (int row = 0; row < (int)(sizeof rows / sizeof rows[0]); row++) {
        order_signed_t o, back;
        err_t e = { .rc = RC_OK };
        example(&o);
        sign(&o, 2);
        switch (row) {
        case 1: o.order.version = ORDER_VERSION_END; break;
        case 5: o.order.seats[1] = o.order.seats[0]; break;
        case 6: o.order.seats[3] = o.order.seats[0]; break;
        case 7: memcpy(o.order.makers[1], o.order.makers[0], 33); break;
        case 8: memset(o.order.cluster, 0, 33); break;
        case 10: o.signatures[1] = o.signatures[0]; break;
        default: break;
        }
        size_t n = write(bytes, sizeof bytes, &o);
        const size_t makers = 16 + 8 + 33 + 32 + 8, seats = makers + 1 + 66, signatures = seats + 1 + 128;
        switch (row) {
        case 0: bytes[13] = '2'; break;
        case 2: bytes[makers] = 4; break;
        case 3: bytes[seats] = 3; break;
        case 4: bytes[seats] = 65; break;
        case 9: bytes[signatures] = 17; break;
        default: break;
        }
        ck_assert_msg(order_read(&back, &e, view_of(bytes, n)) == RC_MALFORMED, "%s", rows[row].what);
        ck_assert_msg(!strcmp(e.field, rows[row].field), "%s: %s", rows[row].what, e.field);
    }
}
END_TEST

START_TEST(sizes_have_their_maximum)
{
    static uint8_t bytes[ORDER_MAX + 1], text[ORDER_TEXT_MAX + 1];
    order_signed_t o, back;
    err_t e;
    example(&o);
    o.text = view_of(text, ORDER_TEXT_MAX);
    size_t n = write(bytes, sizeof bytes, &o);
    ck_assert_int_eq(order_read(&back, &e, view_of(bytes, n)), RC_OK);
    ck_assert_int_eq(order_read(&back, &e, view_of(bytes, n + 1)), RC_LIMIT);
    ck_assert_str_eq(e.field, "text");
    ck_assert_int_eq(order_read(&back, &e, view_of(bytes, sizeof bytes)), RC_LIMIT);
}
END_TEST

START_TEST(an_order_needs_its_threshold_of_signers)
{
    static const struct {
        unsigned by;
        rc_t rc;
    } rows[] = { { 0, RC_REFUSED }, { 1, RC_REFUSED }, { 2, RC_OK }, { 3, RC_OK }, { 6, RC_OK } /* three unknown */ };
    order_signed_t o;
    err_t e;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        example(&o);
        sign(&o, rows[i].by);
        ck_assert_msg(order_judge(&e, &o, &rules) == rows[i].rc, "by %u", rows[i].by);
    }
    example(&o);
    sign(&o, 3);
    for (size_t i = 0; i < 3; i++) { /* one that does not verify is never passed over */
        o.signatures[i].signature[40] ^= 1;
        ck_assert_int_eq(order_judge(&e, &o, &rules), RC_REFUSED);
        ck_assert_str_eq(e.field, "signatures");
        o.signatures[i].signature[40] ^= 1;
    }
    key_point(rules.signers[0], 20);
    key_point(rules.signers[1], 21);
    sign(&o, 6); /* all verify, and only one is a signer's */
    ck_assert_int_eq(order_judge(&e, &o, &rules), RC_REFUSED);
    ck_assert_str_eq(e.field, "signatures");
    rules.threshold = 0; /* no signers: one order for ever */
    ck_assert_int_eq(order_judge(&e, &o, &rules), RC_REFUSED);
}
END_TEST

START_TEST(each_signed_field_counts)
{
    for (int row = 0; row < 7; row++) {
        order_signed_t o;
        err_t e;
        example(&o);
        sign(&o, 2);
        switch (row) {
        case 0: o.order.version++; break;
        case 1: o.order.void_slot--; break;
        case 2: o.order.policy.b[31] ^= 1; break;
        case 3: o.order.seats[3].b[31] ^= 1; break;
        case 4: o.order.maker_count = 1; break;
        case 5: o.order.seat_count = 0; break;
        default: key_point(o.order.makers[1], 4); break;
        }
        o.id.version = o.order.version;
        order_digest(&o.id.digest, &o.order);
        ck_assert_msg(order_judge(&e, &o, &rules) == RC_REFUSED, "row %d", row);
        ck_assert_str_eq(e.field, "signatures");
    }
}
END_TEST

START_TEST(version_cluster_and_makers_are_judged)
{
    order_signed_t o;
    err_t e;
    example(&o);
    sign(&o, 2);
    rules.min_version = 7;
    ck_assert_int_eq(order_judge(&e, &o, &rules), RC_OK);
    rules.min_version = 8;
    ck_assert_int_eq(order_judge(&e, &o, &rules), RC_REFUSED);
    ck_assert_str_eq(e.field, "version");
    rules.min_version = 0;
    key_point(rules.cluster, 1);
    ck_assert_int_eq(order_judge(&e, &o, &rules), RC_OK);
    key_point(rules.cluster, 2);
    ck_assert_int_eq(order_judge(&e, &o, &rules), RC_REFUSED);
    ck_assert_str_eq(e.field, "cluster");
    o.order.maker_count = 0; /* of any cluster */
    memset(o.order.cluster, 0, 33);
    order_digest(&o.id.digest, &o.order);
    sign(&o, 2);
    ck_assert_int_eq(order_judge(&e, &o, &rules), RC_OK);
    example(&o);
    memset(rules.cluster, 0, 33);
    memset(o.order.makers[1] + 1, 0xff, 32);
    order_digest(&o.id.digest, &o.order);
    sign(&o, 2);
    ck_assert_int_eq(order_judge(&e, &o, &rules), RC_REFUSED);
    ck_assert_str_eq(e.field, "makers");
}
END_TEST

START_TEST(what_the_chain_lists_needs_no_signature)
{
    order_signed_t o;
    err_t e;
    example(&o);
    rules.has_listed = true;
    rules.listed = o.id.digest;
    rules.threshold = 0;
    ck_assert_int_eq(order_judge(&e, &o, &rules), RC_OK);
    rules.listed.b[0] ^= 1;
    ck_assert_int_eq(order_judge(&e, &o, &rules), RC_REFUSED);
    rules.has_listed = false;
    rules.listed.b[0] ^= 1;
    ck_assert_int_eq(order_judge(&e, &o, &rules), RC_REFUSED);
}
END_TEST

START_TEST(only_a_higher_order_is_taken_and_only_with_its_text)
{
    order_signed_t o;
    err_t e;
    example(&o);
    sign(&o, 2);
    order_id_t present = o.id;
    ck_assert_int_eq(order_may_take(&e, &o, &present, &rules), RC_REPLAY); /* the same */
    present.digest.b[31]--;
    ck_assert_int_eq(order_may_take(&e, &o, &present, &rules), RC_OK); /* a higher digest of the same version */
    present.digest.b[31] += 2;
    ck_assert_int_eq(order_may_take(&e, &o, &present, &rules), RC_REPLAY);
    present.version = 6;
    ck_assert_int_eq(order_may_take(&e, &o, &present, &rules), RC_OK);
    present.version = 8;
    present.digest = (hash32_t){ { 0 } };
    ck_assert_int_eq(order_may_take(&e, &o, &present, &rules), RC_REPLAY);
    present.version = 6;
    o.text = view_str("policx");
    ck_assert_int_eq(order_may_take(&e, &o, &present, &rules), RC_REFUSED);
    ck_assert_str_eq(e.field, "text");
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("order", setup, keys_close, bytes_and_digests_are_frozen, an_order_reads_as_it_was_written,
                           every_truncation_is_refused_and_out_untouched, what_is_malformed_is_named,
                           sizes_have_their_maximum, an_order_needs_its_threshold_of_signers, each_signed_field_counts,
                           version_cluster_and_makers_are_judged, what_the_chain_lists_needs_no_signature,
                           only_a_higher_order_is_taken_and_only_with_its_text);
}
