/* rpc/upstream/lie.h: what a record keeps is enough to see the lie again, and an honest answer in its place is none. */
#include "base/crypto/hash.h"
#include "lightclient/exec/receipt.h"
#include "rpc/upstream/lie.h"
#include "tests/unit/lc_fixture.h"
#include "tests/unit/unit.h"
#include "tests/unit/world_json.h"

static arena_t a;
static err_t e;
static char *text; /* of WORLD_TEXT_MAX bytes */

static void setup(void)
{
    arena_init(&a, (size_t)64 << 20);
    err_clear(&e);
    text = malloc(WORLD_TEXT_MAX);
    ck_assert_ptr_nonnull(text);
}

static void teardown(void)
{
    free(text);
    arena_free(&a);
}

/* A query that only says what it expects. */
typedef struct {
    query_t query;
    expected_t expected;
    bool expects;
} fake_t;

static bool fake_expects(query_t *q, expected_t *out, size_t i)
{
    const fake_t *f = (const fake_t *)(const void *)q;
    ck_assert_uint_eq(i, 3);
    *out = f->expected;
    return f->expects;
}

static const query_ops_t fake_ops = { NULL, NULL, NULL, NULL, fake_expects, NULL };

/* Writes a record and reads it again: what is lost on the way would be missed in a replay. */
static lie_t through_text(lie_t lie)
{
    view_t record;
    lie_t back;
    lie.at_s = 1750000000;
    lie.endpoint = view_str("execution_rpc[2]");
    lie.network = view_str("devnet");
    lie.reason = view_str("it \"lies\"");
    ck_assert_msg(lie_write(&record, &e, &a, &lie) == RC_OK, "%s", e.text);
    ck_assert_msg(lie_read(&back, &e, &a, record) == RC_OK, "%s %s", e.field, e.text);
    ck_assert(back.at_s == lie.at_s && view_eq(back.endpoint, lie.endpoint) && view_eq(back.reason, lie.reason));
    ck_assert(view_eq(back.network, lie.network));
    return back;
}

/* What a replay says of a result, in a batch or alone. */
static rc_t replayed(const need_t *need, const fake_t *q, const char *result, bool alone)
{
    fake_t query = *q;
    lie_t lie;
    char *body = malloc(strlen(result) + 200);
    ck_assert_ptr_nonnull(body);
    query.query.ops = &fake_ops;
    sprintf(body,
            alone ? "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":%s}"
                  : "[{\"jsonrpc\":\"2.0\",\"id\":8,\"result\":\"0x\"},{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":%s}]",
            result);
    ck_assert_msg(lie_of_answer(&lie, &e, &a, &query.query, 3, need, 7, view_str(body)) == RC_OK, "%s", e.text);
    free(body);
    lie = through_text(lie);
    return lie_replay(&e, &a, &lie, NULL);
}

static void expect(const need_t *need, const fake_t *q, const char *honest, const char *lying)
{
    for (unsigned alone = 0; alone < 2; alone++) {
        ck_assert_msg(replayed(need, q, honest, alone) == RC_OK, "%s", e.text);
        ck_assert_int_eq(replayed(need, q, lying, alone), RC_REFUSED);
        ck_assert_int_eq(e.rc, RC_REFUSED);
        ck_assert(e.text[0]);
    }
}

/* ---- state ---- */

START_TEST(proofs_are_held_to_the_state_root)
{
    world_t w;
    world_init(&w);
    const addr_t addr = world_addr(1);
    world_set(world_add(&w, addr, "6000"), 0, u256_of(5));
    (void)world_add(&w, world_addr(2), "6001");
    const hash32_t slots[] = { world_key(0), world_key(9) };
    const ex_block_t block = { .state_root = world_root(&w), .block_hash = { { 1 } }, .env.number = 77 };
    const need_t need = { .kind = NEED_PROOF, .block = &block, .addr = addr, .slots = slots, .slot_count = 2 };
    text[0] = 0;
    put_proof(text, &w, &addr, slots, 2);
    char *lying = strdup(text);
    strstr(lying, "\"value\":\"0x5")[11] = '6';
    expect(&need, &(fake_t){ .expects = false }, text, lying);
    char *nonce = strdup(text);
    strstr(nonce, "\"nonce\":\"0x")[11] ^= 1;
    expect(&need, &(fake_t){ .expects = false }, text, nonce);
    free(nonce);
    free(lying);
    world_clear(&w);
}
END_TEST

static void hash_of(fake_t *f, const char *hex)
{
    uint8_t bytes[64];
    const size_t n = strlen(hex) / 2 - 1;
    *f = (fake_t){ .expects = true };
    ck_assert_int_eq(hex_decode_exact(bytes, n, hex, strlen(hex)), RC_OK);
    keccak256(&f->expected.hash, view_of(bytes, n));
}

START_TEST(bytes_are_held_to_the_hash_that_was_proven)
{
    static const need_kind_t kinds[] = { NEED_CODE, NEED_HEAD_BYTES };
    const ex_block_t block = { .env.number = 77 };
    fake_t f;
    hash_of(&f, "0x6001600155");
    for (size_t i = 0; i < 2; i++) {
        const need_t need = { .kind = kinds[i], .block = &block };
        expect(&need, &f, "\"0x6001600155\"", "\"0x6001600156\"");
    }
    hash_of(&f, "0xc0");
    const need_t changes = { .kind = NEED_CHANGES, .block = &block };
    ck_assert_int_eq(replayed(&changes, &f, "[]", false), RC_OK);
    hash_of(&f, "0xc1");
    ck_assert_int_eq(replayed(&changes, &f, "[]", false), RC_REFUSED);
    f.expects = false; /* of code whose account nobody has proven there is nothing to say */
    const need_t code = { .kind = NEED_CODE, .block = &block };
    ck_assert_int_eq(replayed(&code, &f, "\"0x00\"", false), RC_UNSUPPORTED);
}
END_TEST

START_TEST(a_sent_transaction_is_held_to_its_own_hash)
{
    static const ex_block_t nowhere;
    hash32_t hash;
    const view_t raw = view_str("raw");
    const need_t need = { .kind = NEED_SEND, .block = &nowhere, .raw = raw };
    keccak256(&hash, raw);
    text[0] = 0;
    put_hex(text, view_of(hash.b, 32));
    char *lying = strdup(text);
    lying[9] = lying[9] == '1' ? '2' : '1';
    expect(&need, &(fake_t){ .expects = false }, text, lying);
    free(lying);
}
END_TEST

/* ---- blocks ---- */

/* A header without transactions, as a server writes it. */
static void put_header(const ex_header_t *h, const char *more)
{
    text[0] = 0;
    put(text,
        "{\"number\":\"0x%llx\",\"gasLimit\":\"0x1\",\"gasUsed\":\"0x0\",\"timestamp\":\"0x0\","
        "\"difficulty\":\"0x0\",\"nonce\":\"0x0000000000000000\",\"extraData\":\"0x\",\"parentHash\":",
        (unsigned long long)h->number);
    const hash32_t *const hashes[] = { &h->parent_hash,       &h->ommers_hash,   &h->state_root,
                                       &h->transactions_root, &h->receipts_root, &h->mix_hash };
    static const char *const names[] = { "sha3Uncles", "stateRoot", "transactionsRoot", "receiptsRoot", "mixHash" };
    for (size_t i = 0; i < 6; i++) {
        put_hex(text, view_of(hashes[i]->b, 32));
        if (i < 5)
            put(text, ",\"%s\":", names[i]);
    }
    put(text, ",\"miner\":");
    put_hex(text, view_of(h->coinbase.b, 20));
    put(text, ",\"logsBloom\":");
    put_hex(text, view_of(h->logs_bloom, sizeof h->logs_bloom));
    put(text, "%s}", more);
}

static ex_header_t empty_header(void)
{
    return (ex_header_t){ .number = 5,
                          .gas_limit = 1,
                          .ommers_hash = EX_NO_OMMERS,
                          .transactions_root = EMPTY_TRIE_ROOT,
                          .receipts_root = EMPTY_TRIE_ROOT };
}

static void expect_block(need_t need, const fake_t *f, const char *more)
{
    ex_header_t h = empty_header();
    put_header(&h, more);
    char *honest = strdup(text);
    h.state_root.b[3] ^= 1;
    put_header(&h, more);
    expect(&need, f, honest, text);
    free(honest);
}

START_TEST(headers_and_blocks_are_held_to_a_hash)
{
    static const ex_block_t at = { .env.number = 9 };
    static const char body[] = ",\"uncles\":[],\"transactions\":[],\"size\":\"0x1\"";
    const ex_header_t h = empty_header();
    fake_t f = { .expects = true };
    ex_header_hash(&f.expected.hash, &h);
    const ex_block_t head = { .block_hash = f.expected.hash };
    expect_block((need_t){ .kind = NEED_HEADER, .block = &at, .number = 5 }, &f, "");
    expect_block((need_t){ .kind = NEED_HEADER, .block = &at, .number = 5, .hash = f.expected.hash },
                 &(fake_t){ .expects = false }, "");
    expect_block((need_t){ .kind = NEED_HEAD, .block = &head }, &f, "");
    expect_block((need_t){ .kind = NEED_BLOCK, .block = &at, .number = 5 }, &f, body);
    put_header(&h, "");
    ck_assert_int_eq(replayed(&(need_t){ .kind = NEED_HEADER, .block = &at, .number = 6 }, &f, text, false),
                     RC_REFUSED);
    ex_header_t other = h; /* a body that is not its header's */
    other.transactions_root.b[0] ^= 1;
    ex_header_hash(&f.expected.hash, &other);
    put_header(&other, body);
    ck_assert_int_eq(replayed(&(need_t){ .kind = NEED_BLOCK, .block = &at, .number = 5 }, &f, text, false), RC_REFUSED);
}
END_TEST

START_TEST(receipts_are_held_to_their_header)
{
    static const ex_block_t at = { .env.number = 9 };
    const need_t need = { .kind = NEED_RECEIPTS, .block = &at, .number = 5 };
    ex_header_t h = empty_header();
    fake_t f = { .expects = true, .expected.header = &h };
    ex_header_hash(&f.expected.hash, &h);
    ck_assert_msg(replayed(&need, &f, "[]", false) == RC_OK, "%s", e.text);
    h.receipts_root.b[9] ^= 1;
    ex_header_hash(&f.expected.hash, &h);
    ck_assert_int_eq(replayed(&need, &f, "[]", false), RC_REFUSED);
    f.expected.hash.b[0] ^= 1; /* a record that was tampered with */
    ck_assert_int_eq(replayed(&need, &f, "[]", false), RC_UNSUPPORTED);
}
END_TEST

START_TEST(an_answer_that_is_too_long_is_counted_only)
{
    static const ex_block_t at = { .env.number = 9 };
    const need_t need = { .kind = NEED_CODE, .block = &at };
    const size_t n = LIE_ANSWER_MAX;
    fake_t q = { .query.ops = &fake_ops };
    lie_t lie;
    char *body = malloc(n + 100), *p = body;
    ck_assert_ptr_nonnull(body);
    p += sprintf(p, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x");
    memset(p, '0', n);
    strcpy(p + n, "\"}");
    ck_assert_int_eq(lie_of_answer(&lie, &e, &a, &q.query, 3, &need, 1, view_str(body)), RC_OK);
    free(body);
    ck_assert(!lie.answer.n);
    lie = through_text(lie);
    ck_assert_uint_eq(lie.answer_bytes, n + 4);
    ck_assert_int_eq(lie_replay(&e, &a, &lie, NULL), RC_UNSUPPORTED);
}
END_TEST

/* ---- the beacon API ---- */

static lc_sync_t *begin_at_136(const lc_network_t *net, hash32_t *root, view_t bootstrap)
{
    unsigned moved;
    lc_bootstrap_t *b = malloc(sizeof *b);
    ck_assert_int_eq(lc_bootstrap_decode(b, net, LC_FULU, bootstrap), RC_OK);
    lc_beacon_root(root, &b->header.beacon);
    free(b);
    lc_sync_t *s = lc_sync_new(&(lc_sync_config_t){ .network = net, .checkpoint = *root });
    ck_assert_int_eq(lc_sync_input(s, &moved, &e, LC_BOOTSTRAP, LC_FULU, bootstrap, lc_slot_start_ms(net, 160)), RC_OK);
    return s;
}

/* Feeds each byte of an object changed; what is refused is refused again from its record, for the same reason. */
static unsigned mutate(lc_kind_t kind, const char *file)
{
    const lc_network_t net = fx_minimal_fulu();
    const view_t bootstrap = fx_read("minimal-fulu/bootstrap-136.ssz"), honest = fx_read(file);
    const lc_want_t want = { .kind = kind, .period = 2, .count = 1 };
    hash32_t root;
    lc_sync_t *s = begin_at_136(&net, &root, bootstrap);
    uint8_t *bytes = malloc(honest.n);
    unsigned lies = 0, moved;
    lie_t lie;
    for (size_t i = 0; i < honest.n; i += 11) {
        err_t why = { 0 };
        arena_mark_t mark = arena_mark(&a);
        memcpy(bytes, honest.p, honest.n);
        bytes[i] ^= 1;
        const view_t ssz = view_of(bytes, honest.n);
        lc_sync_t *fresh =
            kind == LC_BOOTSTRAP ? lc_sync_new(&(lc_sync_config_t){ .network = &net, .checkpoint = root }) : s;
        if (lc_sync_input(fresh, &moved, &why, kind, LC_FULU, ssz, lc_slot_start_ms(&net, 160)) == RC_REFUSED) {
            ck_assert_int_eq(lie_of_object(&lie, &e, &a, &want, LC_FULU, ssz, &root, lc_sync_store(fresh), 161), RC_OK);
            lie = through_text(lie);
            ck_assert_int_eq(lie_replay(&e, &a, &lie, &net), RC_REFUSED);
            ck_assert_str_eq(e.text, why.text);
            lies++;
        }
        if (fresh != s)
            lc_sync_free(fresh);
        arena_rollback(&a, mark);
    }
    ck_assert_int_eq(lie_of_object(&lie, &e, &a, &want, LC_FULU, honest, &root, lc_sync_store(s), 161), RC_OK);
    lie = through_text(lie);
    ck_assert_msg(lie_replay(&e, &a, &lie, &net) == RC_OK, "%s", e.text);
    lc_sync_free(s);
    free(bytes);
    free((void *)(uintptr_t)bootstrap.p);
    free((void *)(uintptr_t)honest.p);
    return lies;
}

START_TEST(objects_are_held_to_the_committee_or_the_checkpoint)
{
    ck_assert_uint_ge(mutate(LC_OPTIMISTIC, "minimal-fulu/optimistic-144.ssz"), 20);
    ck_assert_uint_ge(mutate(LC_FINALITY, "minimal-fulu/finality-144.ssz"), 20);
    ck_assert_uint_ge(mutate(LC_BOOTSTRAP, "minimal-fulu/bootstrap-136.ssz"), 20);
}
END_TEST

/* ---- records ---- */

START_TEST(a_record_that_is_cut_short_or_changed_is_none)
{
    static const char record[] =
        "{\"kettle_lie\":1,\"at\":\"2025-05-14T00:00:00Z\",\"endpoint\":\"execution_rpc[0]\",\"network\":\"mainnet\","
        "\"reason\":\"x\",\"block\":{\"number\":\"0x1\",\"hash\":\"0x"
        "0000000000000000000000000000000000000000000000000000000000000001\",\"state_root\":\"0x"
        "0000000000000000000000000000000000000000000000000000000000000002\"},"
        "\"request\":{\"method\":\"eth_getCode\",\"params\":[\"0x0000000000000000000000000000000000000004\",{}]},"
        "\"answer\":{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x\"}}";
    lie_t lie;
    ck_assert_msg(lie_read(&lie, &e, &a, view_str(record)) == RC_OK, "%s %s", e.field, e.text);
    for (size_t n = 0; n < sizeof record - 1; n++)
        ck_assert_int_ne(lie_read(&lie, &e, &a, view_of(record, n)), RC_OK);
    static const char *const fields[] = { "at", "endpoint", "network", "reason", "block", "request", "answer" };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        char *other = strdup(record), name[20];
        snprintf(name, sizeof name, "\"%s\":", fields[i]);
        strstr(other, name)[1] = 'z';
        ck_assert_int_ne(lie_read(&lie, &e, &a, view_str(other)), RC_OK);
        free(other);
    }
    char *newer = strdup(record);
    *strchr(newer, '1') = '2';
    ck_assert_int_eq(lie_read(&lie, &e, &a, view_str(newer)), RC_UNSUPPORTED);
    free(newer);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND(
        "lie", setup, teardown, proofs_are_held_to_the_state_root, bytes_are_held_to_the_hash_that_was_proven,
        a_sent_transaction_is_held_to_its_own_hash, headers_and_blocks_are_held_to_a_hash,
        receipts_are_held_to_their_header, an_answer_that_is_too_long_is_counted_only,
        objects_are_held_to_the_committee_or_the_checkpoint, a_record_that_is_cut_short_or_changed_is_none);
}
