/* States: there and back, every truncation, what must be there, what is signed. */
#include "overlay/state.h"
#include "overlay/wire/proto.h"
#include "tests/unit/wire_id.h"

static uint8_t buf[STATE_MAX], changed[STATE_MAX + 1];

static state_t sample(void)
{
    state_t s = { .has_generation = true,
                  .version = 7,
                  .index = 1,
                  .holds = true,
                  .runs = { 8, { { 0x88 } } },
                  .order = view_str("an order"),
                  .highest_signed = { .is_there = true, .slot = 300, .update = view_str("u1") },
                  .finalized = { .is_there = true, .slot = 200, .root = { { 0xaa } }, .update = view_str("u2") },
                  .optimistic = { .is_there = true, .slot = 301, .root = { { 0xbb } }, .update = view_str("u3") },
                  .has_platform = true,
                  .platform = { { 0x9a } },
                  .has_ephemeral = true,
                  .ephemeral = { 0x33 },
                  .statement = view_str("{}"),
                  .bootstrap = view_str("an entry"),
                  .has_announced = true };
    memset(s.announced, 0x6e, sizeof s.announced);
    memset(s.signature, 0x5e, sizeof s.signature);
    return s;
}

static view_t write(const state_t *s)
{
    wr_t w = wr_of(buf, sizeof buf);
    state_write(&w, s);
    state_put_signature(&w, s->signature);
    ck_assert(!w.bad);
    return wr_view(&w);
}

static bool same_claim(const state_claim_t *a, const state_claim_t *b)
{
    return a->is_there == b->is_there && a->slot == b->slot && hash32_eq(&a->root, &b->root) &&
           view_eq(a->update, b->update);
}

static bool same(const state_t *a, const state_t *b)
{
    return a->has_generation == b->has_generation && a->version == b->version && a->index == b->index &&
           a->holds == b->holds && order_id_cmp(&a->runs, &b->runs) == 0 && view_eq(a->order, b->order) &&
           same_claim(&a->highest_signed, &b->highest_signed) && same_claim(&a->finalized, &b->finalized) &&
           same_claim(&a->optimistic, &b->optimistic) && a->has_platform == b->has_platform &&
           hash32_eq(&a->platform, &b->platform) && a->has_ephemeral == b->has_ephemeral &&
           memcmp(a->ephemeral, b->ephemeral, 32) == 0 && view_eq(a->statement, b->statement) &&
           view_eq(a->bootstrap, b->bootstrap) && a->has_announced == b->has_announced &&
           memcmp(a->announced, b->announced, 64) == 0 && memcmp(a->signature, b->signature, 64) == 0;
}

START_TEST(a_state_is_read_as_it_was_written)
{
    state_t s = sample(), got;
    view_t part, all = write(&s);
    err_t e;
    ck_assert_msg(state_read(&got, &part, &e, all) == RC_OK, "%s", e.text);
    ck_assert(same(&s, &got));
    ck_assert_uint_eq(part.n, all.n - 66);
    for (size_t n = 0; n < all.n; n++) {
        uint8_t *cut = wire_exact(view_of(buf, n));
        ck_assert_msg(state_read(&got, &part, &e, view_of(cut, n)) == RC_MALFORMED, "%zu bytes", n);
        free(cut);
    }
}
END_TEST

START_TEST(a_state_of_one_who_knows_nothing_is_its_order_and_signature)
{
    state_t s = { .version = 0 }, got;
    memset(s.signature, 1, 64);
    view_t part, all = write(&s);
    err_t e;
    ck_assert_uint_eq(all.n, 38 + 66);
    ck_assert_int_eq(state_read(&got, &part, &e, all), RC_OK);
    ck_assert(same(&s, &got) && part.n == 38);
}
END_TEST

/* Each field left out, and each twice. */
START_TEST(what_belongs_together_comes_together_and_once)
{
    state_t s = sample(), got;
    view_t part, all = write(&s);
    err_t e;
    for (uint32_t number = 1; number <= 14; number++)
        for (int copies = 0; copies <= 2; copies += 2) {
            rd_t r = rd_of(all);
            wr_t out = wr_of(changed, sizeof changed);
            for (pb_field_t f;;) {
                const uint8_t *from = r.p;
                if (!pb_next(&r, &f))
                    break;
                for (int k = 0; k < (f.number == number ? copies : 1); k++)
                    wr_bytes(&out, from, (size_t)(r.p - from));
            }
            const bool needed = number <= 2 || number >= 9; /* name; signatures; statement and entry; what it runs */
            const rc_t want = copies == 2 || (needed && number != 12) ? RC_MALFORMED : RC_OK;
            ck_assert_msg(state_read(&got, &part, &e, wr_view(&out)) == want, "field %u, %d times", number, copies);
        }
}
END_TEST

START_TEST(who_claims_nothing_signs_no_claim)
{
    state_t s = { .has_announced = true }, got;
    view_t part;
    err_t e;
    ck_assert_int_eq(state_read(&got, &part, &e, write(&s)), RC_MALFORMED);
}
END_TEST

START_TEST(a_holder_names_what_it_holds)
{
    state_t s = { .holds = true }, got;
    view_t part;
    err_t e;
    ck_assert_int_eq(state_read(&got, &part, &e, write(&s)), RC_MALFORMED);
    s.has_generation = true;
    ck_assert_int_eq(state_read(&got, &part, &e, write(&s)), RC_OK);
}
END_TEST

START_TEST(nothing_stands_behind_the_signature)
{
    state_t s = sample(), got;
    view_t part, all = write(&s);
    err_t e;
    wr_t w = wr_of(buf, sizeof buf);
    w.n = all.n;
    pb_put_u64(&w, 30, 1); /* an unknown member */
    ck_assert_int_eq(state_read(&got, &part, &e, wr_view(&w)), RC_MALFORMED);
}
END_TEST

START_TEST(everything_has_a_maximum)
{
    static uint8_t big[STATE_MAX + 1];
    for (int row = 0; row < 6; row++)
        for (size_t over = 0; over < 2; over++) {
            state_t s = sample(), got;
            view_t part;
            err_t e;
            view_t *const at[] = {
                &s.order,    &s.highest_signed.update, &s.finalized.update, &s.optimistic.update, &s.statement,
                &s.bootstrap
            };
            const size_t max[] = { ORDER_MAX,        STATE_UPDATE_MAX,    STATE_UPDATE_MAX,
                                   STATE_UPDATE_MAX, STATE_STATEMENT_MAX, ENTRY_MAX };
            *at[row] = view_of(big, max[row] + over);
            ck_assert_msg(state_read(&got, &part, &e, write(&s)) == (over ? RC_MALFORMED : RC_OK), "row %d", row);
        }
    state_t got;
    view_t part;
    ck_assert_int_eq(state_read(&got, &part, NULL, view_of(big, sizeof big)), RC_LIMIT);
}
END_TEST

START_TEST(the_signature_covers_all_before_it)
{
    state_t s = sample(), got;
    view_t part, all = write(&s);
    hash32_t first, digest;
    err_t e;
    ck_assert_int_eq(state_read(&got, &part, &e, all), RC_OK);
    state_digest(&first, part);
    /* SHA-256 of "kettle-state/1" 00 00 and nothing, by coreutils' sha256sum */
    state_digest(&digest, view_of(NULL, 0));
    CK_VIEW_IS(view_of(digest.b, 32), "2825ede3b7d8cada8814308337d0456d0fff13e7932c219c4cf78eb8c4fc0452");
    for (size_t i = 0; i < part.n; i++) {
        buf[i] ^= 1;
        state_digest(&digest, part);
        ck_assert_msg(!hash32_eq(&first, &digest), "byte %zu", i);
        buf[i] ^= 1;
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN(
        "state", a_state_is_read_as_it_was_written, a_state_of_one_who_knows_nothing_is_its_order_and_signature,
        what_belongs_together_comes_together_and_once, who_claims_nothing_signs_no_claim, a_holder_names_what_it_holds,
        nothing_stands_behind_the_signature, everything_has_a_maximum, the_signature_covers_all_before_it);
}
