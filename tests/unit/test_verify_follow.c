/* verify --follow: what nodes show under GET /v1/keys, judged from a pinned first key. */
#include "node/cli/verify.h"
#include "overlay/entry.h"
#include "tests/unit/overlay_keys.h"

static arena_t arena;
static view_t answers[2]; /* of "0", "1": of GET /v1/keys */
static verify_options_t options;

rc_t evidence_ask(view_t *out, view_t *peer, err_t *e, arena_t *a, const char *url, const char *route)
{
    (void)peer, (void)a;
    if (strcmp(route, "/v1/keys") != 0)
        return err_say(e, RC_IO, "not in this test");
    *out = answers[url[0] - '0'];
    return RC_OK;
}

static void sign(entry_signed_t *s, unsigned maker, unsigned key)
{
    entry_digest(&s->g, &s->entry);
    key_sign(s->by_maker, maker, &s->g);
    key_sign(s->by_key, key, &s->g);
}

/* Of key G, with the pinned setup; its maker and its version are whatever whoever has the secret likes. */
static void first(entry_proof_t *p, unsigned maker, uint64_t version)
{
    *p = (entry_proof_t){ .entry.entry = { .name.version = version, .member_count = 1, .setup = options.setup } };
    key_point(p->entry.entry.pubkey, 1);
    key_point(p->entry.entry.members[0], maker);
    sign(&p->entry, maker, 1);
}

/* Of key 20 G, by the order 2, which is signed by 10 G and names 2 G. */
static void second(entry_proof_t *p)
{
    hash32_t digest;
    *p = (entry_proof_t){ .has_order = true, .ack_count = 1, .order.signature_count = 1 };
    order_t *o = &p->order.order;
    *o = (order_t){ .version = 2, .maker_count = 1 };
    key_point(o->cluster, 1);
    key_point(o->makers[0], 2);
    order_digest(&p->order.id.digest, o);
    key_point(p->order.signatures[0].key, 10);
    key_sign(p->order.signatures[0].signature, 10, &p->order.id.digest);
    p->entry.entry = (entry_t){ .name = { 2, p->order.id.digest, 0 }, .from_slot = 100, .member_count = 1 };
    key_point(p->entry.entry.pubkey, 20);
    key_point(p->entry.entry.members[0], 2);
    sign(&p->entry, 2, 20);
    entry_ack_digest(&digest, &p->entry.g);
    key_point(p->acks[0].key, 2);
    key_sign(p->acks[0].signature, 2, &digest);
}

static void put_proof(jw_t *w, const entry_proof_t *p)
{
    static uint8_t bytes[ENTRY_PROOF_MAX];
    wr_t out = wr_of(bytes, sizeof bytes);
    entry_proof_write(&out, p);
    jw_object(w, NULL);
    jw_hex(w, "proof", wr_view(&out));
    jw_end(w);
}

/* What a node answers that shows so many generations. */
static void shows(unsigned node, view_t statement, const entry_proof_t *const *p, size_t n)
{
    uint8_t signer[33];
    jw_t w = jw_of(&arena, 1u << 20);
    key_point(signer, 10);
    jw_object(&w, NULL);
    jw_raw(&w, "cluster_statement", statement);
    jw_object(&w, "signers");
    jw_u64(&w, "threshold", 1);
    jw_array(&w, "keys");
    jw_hex(&w, NULL, view_of(signer, 33));
    jw_end(&w);
    jw_end(&w);
    jw_array(&w, "generations");
    for (size_t i = 0; i < n; i++)
        put_proof(&w, p[i]);
    jw_end(&w);
    jw_end(&w);
    answers[node] = jw_done(&w);
    ck_assert_ptr_nonnull(answers[node].p);
}

static void setup(view_t *statement)
{
    uint8_t signer[33];
    setup_cluster_t cluster = { .network = "made-up",
                                .chain_id = 1,
                                .found = SETUP_FOUND_CONFIGURATION,
                                .rules = { 300, 6144, { 120, 1800, 1800, 86400 }, 50000000 } };
    key_point(signer, 10);
    setup_signers_digest(&cluster.policy_signers, (const uint8_t(*)[33]) & signer, 1, 1);
    ck_assert_int_eq(setup_cluster_write(statement, &options.setup, &arena, &cluster), RC_OK);
}

/* Whether a step of that code failed. */
static bool failed_with(const results_t *r, const char *code)
{
    for (size_t i = 0; i < r->count; i++)
        if (!r->steps[i].ok && r->steps[i].code && !strcmp(r->steps[i].code, code))
            return true;
    return false;
}

/* An excluded member has the first key's secret: what it signs as a first generation is no fork, and never the newest. */
START_TEST(a_forged_first_generation_is_no_fork_and_never_the_newest)
{
    static const struct {
        uint64_t version; /* of the forged one */
        bool rotated, before;
    } rows[] = { { 0, false, false },
                 { 0, true, false },
                 { ORDER_VERSION_END - 1, false, false },
                 { ORDER_VERSION_END - 1, true, false },
                 { ORDER_VERSION_END - 1, true, true },
                 { 0, true, true } };
    static entry_proof_t one, two, forged;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        static results_t r;
        uint8_t pubkey[33], want[33];
        view_t statement;
        arena_init(&arena, 64u << 20);
        options = (verify_options_t){ .source = "0", .also = { "1" }, .also_count = 1, .follow = true };
        setup(&statement);
        key_point(options.pubkey, 1);
        first(&one, 2, 0);
        first(&forged, 5, rows[i].version);
        second(&two);
        shows(rows[i].before, statement, (const entry_proof_t *const[]){ &one, &two }, 1 + rows[i].rotated);
        shows(!rows[i].before, statement, (const entry_proof_t *const[]){ &forged }, 1);
        r = (results_t){ .count = 0 };
        ck_assert_msg(verify_follow(pubkey, &r, &arena, &options), "row %zu", i);
        key_point(want, rows[i].rotated ? 20 : 1);
        ck_assert_msg(!memcmp(pubkey, want, 33), "row %zu", i);
        ck_assert_msg(!failed_with(&r, "E_FORK") && !failed_with(&r, "E_GENERATION"), "row %zu", i);
        arena_free(&arena);
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("verify_follow", keys_open, keys_close,
                           a_forged_first_generation_is_no_fork_and_never_the_newest);
}
