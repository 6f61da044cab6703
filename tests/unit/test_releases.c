/* The log of key releases: frozen bytes, truncations, each thing that is checked, and who makes room. */
#include "overlay/releases.h"
#include "tests/unit/overlay_keys.h"

static rc_t sign(void *ctx, uint8_t out[64], const hash32_t *digest)
{
    key_sign(out, *(const unsigned *)ctx, digest);
    return RC_OK;
}

static rc_t sign_not(void *ctx, uint8_t out[64], const hash32_t *digest)
{
    (void)ctx, (void)out, (void)digest;
    return RC_IO;
}

/* The log of the node whose key is k G. */
static releases_t *log_of(const unsigned *k)
{
    releases_t *l = NULL;
    releases_config_t c = { .sign = sign, .sign_ctx = (void *)(uintptr_t)k, .ecdsa = ecdsa };
    key_point(c.self, *k);
    ck_assert_int_eq(releases_new(&l, &c), RC_OK);
    return l;
}

/* A key of generation 7.1 goes to 3G. */
static release_t example(uint64_t slot)
{
    release_t r = { .slot = slot,
                    .name = { 7, { { 0x0d } }, 1 },
                    .is_draft = true,
                    .platform = { { 0x9a } },
                    .measurement = { { 0x3e } },
                    .order_version = 8 };
    key_point(r.receiver, 3);
    return r;
}

static view_t told(uint8_t *buf, size_t cap, const releases_t *l)
{
    wr_t w = wr_of(buf, cap);
    releases_write_own(&w, l, RELEASES_TOLD_MAX);
    ck_assert(!w.bad);
    return wr_view(&w);
}

static const unsigned two = 2, five = 5, six = 6;
static uint8_t bytes[RELEASES_MAX * RELEASE_LEN];

/* Python's hashlib over the layout of the header. */
START_TEST(an_entry_has_its_known_bytes)
{
    err_t e;
    releases_t *l = log_of(&two);
    const release_t r = example(900);
    ck_assert_int_eq(releases_add(l, &e, &r), RC_OK);
    const view_t own = told(bytes, sizeof bytes, l);
    ck_assert_uint_eq(own.n, RELEASE_LEN);
    assert_frozen("release: number 0 of 2G, generation 7.1 as a draft to 3G", view_of(own.p, RELEASE_BODY_LEN),
                  &releases_at(l, 0)->digest);
    releases_free(l);
}
END_TEST

START_TEST(entries_are_a_chain_that_others_take)
{
    err_t e;
    uint8_t self[33];
    releases_t *a = log_of(&two), *b = log_of(&five);
    for (uint64_t i = 0; i < 3; i++) {
        const release_t r = example(900 + i);
        ck_assert_int_eq(releases_add(a, &e, &r), RC_OK);
    }
    ck_assert(hash32_is_zero(&releases_at(a, 0)->release.previous));
    for (size_t i = 1; i < 3; i++) {
        ck_assert_uint_eq(releases_at(a, i)->release.number, i);
        ck_assert(hash32_eq(&releases_at(a, i)->release.previous, &releases_at(a, i - 1)->digest));
    }
    key_point(self, two);
    const view_t own = told(bytes, sizeof bytes, a);
    ck_assert_int_eq(releases_take(b, &e, self, own, true), RC_OK);
    ck_assert_int_eq(releases_take(b, &e, self, own, true), RC_OK); /* again */
    ck_assert_uint_eq(releases_count(b), 3);
    for (size_t i = 0; i < 3; i++) {
        ck_assert(hash32_eq(&releases_at(a, i)->digest, &releases_at(b, i)->digest));
        ck_assert(!releases_contradicted(b, i));
    }
    ck_assert_uint_eq(releases_arrived(b), 3);
    ck_assert_uint_eq(told(bytes, sizeof bytes, b).n, 0); /* it has given none itself */
    wr_t newest = wr_of(bytes, sizeof bytes);
    releases_write_own(&newest, a, 1);
    ck_assert_uint_eq(newest.n, RELEASE_LEN);
    ck_assert_uint_eq(load_u64be(bytes + 16 + 33), 2);
    releases_free(a);
    releases_free(b);
}
END_TEST

START_TEST(an_entry_reads_as_written_and_no_part_of_it)
{
    err_t e;
    release_signed_t s;
    releases_t *l = log_of(&two);
    const release_t r = example(900);
    ck_assert_int_eq(releases_add(l, &e, &r), RC_OK);
    const view_t own = told(bytes, sizeof bytes, l);
    ck_assert_int_eq(release_read(&s, &e, own), RC_OK);
    ck_assert(s.release.slot == 900 && s.release.is_draft && s.release.order_version == 8);
    ck_assert(s.release.name.version == 7 && s.release.name.index == 1 && s.release.name.order.b[0] == 0x0d);
    for (size_t n = 0; n <= RELEASE_LEN + 1; n++) {
        uint8_t *exact = calloc(1, n ? n : 1);
        memcpy(exact, own.p, n < RELEASE_LEN ? n : RELEASE_LEN);
        const rc_t rc = release_read(&s, &e, view_of(exact, n));
        ck_assert_msg(rc == (n == RELEASE_LEN ? RC_OK : RC_MALFORMED), "%zu", n);
        free(exact);
    }
    releases_free(l);
}
END_TEST

START_TEST(each_bit_that_is_changed_is_refused_and_nothing_is_taken)
{
    err_t e;
    uint8_t self[33], good[2 * RELEASE_LEN];
    releases_t *a = log_of(&two), *b = log_of(&five);
    key_point(self, two);
    for (uint64_t i = 0; i < 2; i++) {
        const release_t r = example(900 + i);
        ck_assert_int_eq(releases_add(a, &e, &r), RC_OK);
    }
    const view_t own = told(good, sizeof good, a);
    for (size_t i = RELEASE_LEN; i < sizeof good; i++) { /* in the second one */
        memcpy(bytes, good, sizeof good);
        bytes[i] ^= 1;
        const rc_t rc = releases_take(b, &e, self, view_of(bytes, own.n), true);
        ck_assert_msg(rc == RC_REFUSED || rc == RC_MALFORMED, "byte %zu: %d", i - RELEASE_LEN, (int)rc);
        ck_assert_uint_eq(releases_count(b), 0);
    }
    key_point(self, six);
    ck_assert_int_eq(releases_take(b, &e, self, own, true), RC_REFUSED); /* another says it */
    ck_assert_int_eq(releases_take(b, &e, NULL, view_of(NULL, 0), true), RC_MALFORMED);
    ck_assert_int_eq(releases_take(b, &e, NULL, view_of(own.p, own.n - 1), true), RC_MALFORMED);
    ck_assert_int_eq(releases_take(b, &e, NULL, own, false), RC_OK); /* as it was kept */
    ck_assert_uint_eq(releases_count(b), 2);
    releases_free(a);
    releases_free(b);
}
END_TEST

START_TEST(two_entries_of_one_number_are_both_kept_and_seen)
{
    err_t e;
    uint8_t self[33];
    releases_t *a = log_of(&two), *again = log_of(&two), *b = log_of(&five);
    const release_t one = example(900), other = example(901);
    key_point(self, two);
    ck_assert_int_eq(releases_add(a, &e, &one), RC_OK);
    ck_assert_int_eq(releases_add(again, &e, &other), RC_OK);
    ck_assert_int_eq(releases_take(b, &e, self, told(bytes, sizeof bytes, a), true), RC_OK);
    ck_assert(!releases_contradicted(b, 0));
    ck_assert_int_eq(releases_take(b, &e, self, told(bytes, sizeof bytes, again), true), RC_OK);
    ck_assert_uint_eq(releases_count(b), 2);
    ck_assert(releases_contradicted(b, 0) && releases_contradicted(b, 1));
    releases_free(a);
    releases_free(again);
    releases_free(b);
}
END_TEST

/* Fills a log with entries of 2G, the newest of which are told. */
static void fill(releases_t *l)
{
    err_t e;
    for (uint64_t i = 0; i < RELEASES_MAX; i++) {
        const release_t r = example(i);
        ck_assert_int_eq(releases_add(l, &e, &r), RC_OK);
    }
    ck_assert_uint_eq(releases_count(l), RELEASES_MAX);
}

START_TEST(a_full_log_makes_room_for_those_that_we_attested)
{
    err_t e;
    uint8_t who[33];
    releases_t *l = log_of(&two), *b = log_of(&five), *c = log_of(&six);
    const release_t r = example(1);
    fill(l);
    ck_assert_uint_eq(told(bytes, sizeof bytes, l).n, RELEASES_TOLD_MAX * RELEASE_LEN);
    ck_assert_int_eq(releases_add(b, &e, &r), RC_OK);
    ck_assert_int_eq(releases_add(c, &e, &r), RC_OK);
    key_point(who, six);
    ck_assert_int_eq(releases_take(l, &e, who, told(bytes, sizeof bytes, c), false), RC_LIMIT);
    ck_assert_uint_eq(releases_dropped(l), 0);
    key_point(who, five);
    ck_assert_int_eq(releases_take(l, &e, who, told(bytes, sizeof bytes, b), true), RC_OK);
    ck_assert_uint_eq(releases_count(l), RELEASES_MAX);
    ck_assert_uint_eq(releases_dropped(l), 1); /* the oldest of the longest */
    for (size_t i = 0; i < RELEASES_MAX; i++)
        ck_assert(releases_at(l, i)->release.number != 0 || !memcmp(releases_at(l, i)->release.giver, who, 33));
    ck_assert_int_eq(releases_add(l, &e, &r), RC_OK); /* our own goes on */
    ck_assert_uint_eq(releases_dropped(l), 2);
    releases_free(l);
    releases_free(b);
    releases_free(c);
}
END_TEST

START_TEST(strangers_make_room_first)
{
    err_t e;
    releases_t *l = log_of(&two), *kept = log_of(&five), *b = log_of(&six);
    const release_t r = example(1);
    fill(kept);
    wr_t w = wr_of(bytes, sizeof bytes);
    releases_write(&w, kept);
    ck_assert_int_eq(releases_take(l, &e, NULL, wr_view(&w), false), RC_OK);
    ck_assert_int_eq(releases_add(b, &e, &r), RC_OK);
    ck_assert_int_eq(releases_take(l, &e, NULL, told(bytes, sizeof bytes, b), false), RC_OK);
    ck_assert_int_eq(releases_add(l, &e, &r), RC_OK);
    ck_assert_uint_eq(releases_count(l), RELEASES_MAX);
    ck_assert_uint_eq(releases_dropped(l), 2);
    releases_free(l);
    releases_free(kept);
    releases_free(b);
}
END_TEST

START_TEST(without_a_signature_there_is_no_entry)
{
    err_t e;
    releases_t *l = NULL;
    const releases_config_t c = { .sign = sign_not, .ecdsa = ecdsa };
    const release_t r = example(1);
    ck_assert_int_eq(releases_new(&l, &c), RC_OK);
    ck_assert_int_eq(releases_add(l, &e, &r), RC_IO);
    ck_assert_uint_eq(releases_count(l), 0);
    releases_free(l);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND(
        "releases", keys_open, keys_close, an_entry_has_its_known_bytes, entries_are_a_chain_that_others_take,
        an_entry_reads_as_written_and_no_part_of_it, each_bit_that_is_changed_is_refused_and_nothing_is_taken,
        two_entries_of_one_number_are_both_kept_and_seen, a_full_log_makes_room_for_those_that_we_attested,
        strangers_make_room_first, without_a_signature_there_is_no_entry);
}
