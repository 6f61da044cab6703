/* Statements: the known answers of sdk/vectors.json in every direction, and refusals with the codes that sdk/ has. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "base/crypto/keyring.h"
#include "base/crypto/secret.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/os/file.h"
#include "rpc/api/question.h"
#include "rpc/api/statement_verify.h"
#include "tests/unit/unit.h"

#define VECTORS_MAX ((size_t)8 << 20)

static arena_t arena;
static view_t vectors_text;
static jo_doc_t doc;
static err_t doc_error; /* doc and all its objects borrow it */
static jo_t vectors;

static void open_vectors(void)
{
    char path[512];
    snprintf(path, sizeof path, "%s/../../sdk/vectors.json", getenv("TEST_DATA"));
    arena_init(&arena, (size_t)256 << 20);
    ck_assert_msg(file_read(&vectors_text, &doc_error, path, VECTORS_MAX, 0) == RC_OK, "%s", doc_error.text);
    err_clear(&doc_error);
    vectors = jo_open(&doc, &doc_error, vectors_text, VECTORS_MAX, JO_LENIENT);
    ck_assert_msg(jo_rc(&vectors) == RC_OK, "%s", doc_error.text);
}

static void close_vectors(void)
{
    jo_close(&doc);
    file_free(vectors_text);
    arena_free(&arena);
}

/* ---- a row of the vectors ---- */

static char *text_of(const jo_t *o, const char *key)
{
    return arena_strdup(&arena, jo_text(o, key, 0, SIZE_MAX));
}

/* The JSON that is to be judged: as it came, or as jansson writes it. */
static view_t statement_text(const jo_t *row)
{
    return jo_has(row, "text") ? jo_text(row, "text", 0, SIZE_MAX) : jo_as_written(row, &arena, "statement");
}

static uint64_t number(const jo_t *o, const char *key)
{
    return jo_number(o, key, UINT64_MAX);
}

static bool request_is_one; /* of the last row */

static void read_request(statement_demand_t *d, const jo_t *options)
{
    request_is_one = true;
    if (jo_kind(options, "request") == JO_NULL)
        d->any_request = true;
    if (!jo_has(options, "request"))
        return;
    statement_request_t *r = arena_calloc(&arena, 1, sizeof *r);
    request_is_one = question_request_read(r, NULL, &arena, jo_as_written(options, &arena, "request")) == RC_OK;
    d->request = r;
}

static void read_signers(statement_demand_t *d, const jo_t *o)
{
    addr_t *list = arena_calloc(&arena, 8, sizeof *list);
    jo_t item, all;
    d->signers = list;
    if (jo_opt_hex(o, list[0].b, 20, "signer", HEX_0X))
        d->signer_count = 1;
    else if (jo_opt_list(o, &all, "signers", 1, 8))
        while (jo_next(&all, &item))
            jo_hex(&item, list[d->signer_count++].b, 20, NULL, HEX_0X);
}

static void read_block(statement_demand_t *d, const jo_t *o)
{
    hash32_t *hash = arena_calloc(&arena, 1, sizeof *hash);
    if (jo_kind(o, "block") == JO_TEXT && jo_text(o, "block", 0, SIZE_MAX).n == 66) {
        jo_hex(o, hash->b, 32, "block", HEX_0X);
        d->block_hash = hash;
    } else
        d->has_number = jo_opt_number(o, &d->number, "block", UINT64_MAX);
    d->has_min_number = jo_opt_number(o, &d->min_number, "minBlock", UINT64_MAX);
}

/* What a row's options demand. */
static statement_demand_t demand_of(const jo_t *row)
{
    static const char *const finalities[] = { "latest", "safe", "finalized", NULL };
    statement_demand_t d = { .now_s = 0 };
    const jo_t o = jo_object(row, "options");
    hash32_t *setup = arena_calloc(&arena, 1, sizeof *setup);
    size_t finality = 0;
    d.chain_id = number(&o, "chainId");
    d.now_s = number(&o, "now");
    d.has_max_age = jo_opt_number(&o, &d.max_age_s, "maxAge", UINT64_MAX);
    if (jo_opt_hex(&o, setup->b, 32, "setup", HEX_0X))
        d.setup = setup;
    read_signers(&d, &o);
    read_request(&d, &o);
    read_block(&d, &o);
    jo_opt_word(&o, &finality, "minFinality", finalities);
    d.min_finality = (uint8_t)finality;
    jo_opt_bool(&o, &d.allow_failed, "allowRevert");
    d.has_kind = jo_has(&o, "type");
    for (unsigned k = 0; d.has_kind && k < STATEMENT_KINDS; k++)
        if (view_eq(jo_text(&o, "type", 0, 40), view_str(statement_type((statement_kind_t)k)->name)))
            d.kind = (statement_kind_t)k;
    ck_assert_int_eq(jo_rc(row), RC_OK);
    return d;
}

static rc_t judge(statement_t *s, err_t *e, view_t text, const statement_demand_t *want)
{
    rc_t rc = statement_read(s, e, &arena, text);
    return rc ? rc : statement_verify(s, e, want);
}

/* ---- known answers ---- */

START_TEST(types_have_the_known_hashes)
{
    const jo_t o = jo_object(&vectors, "typeHashes");
    hash32_t want, got;
    for (unsigned k = 0; k < STATEMENT_KINDS; k++) {
        const eip712_type_t *t = statement_type((statement_kind_t)k);
        ck_assert(jo_hex(&o, want.b, 32, t->name, HEX_0X));
        eip712_type_hash(&got, t);
        ck_assert_msg(hash32_eq(&want, &got), "%s", t->name);
    }
    ck_assert(jo_hex(&o, want.b, 32, "Call", HEX_0X));
    eip712_type_hash(&got, &STATEMENT_CALL_TYPE);
    ck_assert(hash32_eq(&want, &got));
}
END_TEST

static void check_hash(const hash32_t *got, const char *want)
{
    char hex[65];
    hex_encode(hex, view_of(got->b, 32));
    ck_assert_str_eq(hex, want);
}

/* api-facts section 12. */
START_TEST(the_known_statement_has_the_known_hashes_at_every_step)
{
    jo_t list = jo_list(&vectors, "accepted", 1, 1000), row;
    statement_t s;
    hash32_t h;
    ck_assert(jo_next(&list, &row));
    ck_assert_int_eq(statement_read(&s, NULL, &arena, statement_text(&row)), RC_OK);
    eip712_domain(&h, "Kettle", "1", 1);
    check_hash(&h, "85f4ddabd38c014a002d2247b301f66448e139f1a9a7b22f399c118d6883ee6b");
    eip712_hash_struct(&h, statement_type(STATEMENT_CALL)->members[0].type, &s.at);
    check_hash(&h, "611682b41378786a2ed238ee6ae56c57b2e0dbc9e68cd2c0884e59916b76de21");
    eip712_hash_struct(&h, &STATEMENT_CALL_TYPE, &s.call.asked);
    check_hash(&h, "3f7aac0a27b83dca4fa486d4ea5e8707e76bd3d463d01c0c77368838aa629e6d");
    eip712_hash_struct(&h, statement_type(STATEMENT_CALL), &s);
    check_hash(&h, "0341497108629426bbbb0828f84a930f2aadb1f41a83f675abb662ba5ab59ce3");
    statement_digest(&h, &s);
    check_hash(&h, "499b50292fa9ce0b0bf9fd8feccc3d9981c3495fd4affbe30ae195dbf9ec85e7");
}
END_TEST

static rc_t sign65(void *ctx, uint8_t out[65], addr_t *by, const hash32_t *digest)
{
    return keyring_sign65(ctx, out, by, digest);
}

/* Signed again with the vectors' key: the same signature, JSON and ABI encoding as viem's. */
static void check_made(const jo_t *row, statement_t s, const statement_signer_t *signer)
{
    view_t text, abi, want;
    uint8_t signature[65];
    memcpy(signature, s.signature, sizeof signature);
    memset(s.signature, 0, sizeof s.signature);
    addr_t own;
    keyring_address(signer->ctx, &own);
    if (!addr_eq(&s.signer, &own))
        return;
    memset(&s.signer, 0, sizeof s.signer);
    ck_assert_int_eq(statement_sign(&s, signer), RC_OK);
    ck_assert_mem_eq(s.signature, signature, 65);
    want = statement_text(row);
    if (s.result.n) { /* which is written in its canonical form, whatever it was */
        const jo_t answer = jo_object(row, "statement");
        want = jo_as_written(&answer, &arena, "statement");
        s.result = view_of(NULL, 0);
    }
    ck_assert_int_eq(statement_write(&text, &arena, &s), RC_OK);
    ck_assert_msg(view_eq(text, want), "%s\n%s", (const char *)text.p, (const char *)want.p);
    if (s.kind != STATEMENT_CALL)
        return;
    want = jo_bytes(row, &arena, "abi", 1, 1 << 20, HEX_0X);
    ck_assert_int_eq(statement_abi(&abi, &arena, &s), RC_OK);
    ck_assert(view_eq(abi, want));
}

START_TEST(what_holds_is_accepted_and_made_again_byte_for_byte)
{
    jo_t list = jo_list(&vectors, "accepted", 1, 1000), row;
    uint8_t secret[32], blind[32] = { 1 };
    keyring_t *k;
    size_t rows = 0;
    memset(secret, 1, 32);
    ck_assert_int_eq(keyring_new(&k, secret, blind), RC_OK);
    statement_signer_t signer = { .ctx = k, .sign65 = sign65 };
    for (; jo_next(&list, &row); rows++) {
        const statement_demand_t want = demand_of(&row);
        statement_t s;
        err_t e = { .text = "" };
        hash32_t digest, known;
        const rc_t rc = judge(&s, &e, statement_text(&row), &want);
        ck_assert_msg(rc == RC_OK, "%s: %s %s", text_of(&row, "name"), e.field, e.text);
        ck_assert(jo_hex(&row, known.b, 32, "digest", HEX_0X));
        statement_digest(&digest, &s);
        ck_assert(hash32_eq(&digest, &known));
        check_made(&row, s, &signer);
    }
    ck_assert_uint_ge(rows, 21);
    keyring_free(k);
}
END_TEST

/* A checkpoint names no block: its slot is the one that it is about, so that a retired key's does not pass for slot 0. */
START_TEST(each_kind_is_about_the_slot_that_it_names)
{
    jo_t list = jo_list(&vectors, "accepted", 1, 1000), row;
    bool seen[STATEMENT_KINDS] = { false };
    while (jo_next(&list, &row)) {
        statement_t s;
        ck_assert_int_eq(statement_read(&s, NULL, &arena, statement_text(&row)), RC_OK);
        const jo_t answer = jo_object(&row, "statement");
        const jo_t whole = s.result.n ? jo_object(&answer, "statement") : answer;
        const jo_t message = jo_object(&whole, "message");
        const char *block = s.kind == STATEMENT_LOGS ? "to" : "at";
        const jo_t named = s.kind == STATEMENT_CHECKPOINT ? message : jo_object(&message, block);
        ck_assert_uint_eq(statement_slot(&s), jo_decimal(&named, "slot", UINT64_MAX));
        ck_assert_uint_gt(statement_slot(&s), 0);
        seen[s.kind] = true;
    }
    for (unsigned k = 0; k < STATEMENT_KINDS; k++)
        ck_assert(seen[k]);
}
END_TEST

/* ---- refusals ---- */

/* Slips that a demand of C types cannot hold: they are the command line's to find (tests/sdk). */
static bool has_no_form_here(const char *name)
{
    static const char *const names[] = {
        "signer and signers",  "an empty list of signers", "a signer that is no address", "no chain id",
        "a maxAge below zero", "a finality that is none",  "a setup of 31 bytes",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (!strcmp(name, names[i]))
            return true;
    return false;
}

START_TEST(what_does_not_hold_is_refused_with_the_code_that_all_verifiers_have)
{
    jo_t list = jo_list(&vectors, "refused", 1, 1000), row;
    size_t rows = 0;
    while (jo_next(&list, &row)) {
        const char *name = text_of(&row, "name"), *code = text_of(&row, "code");
        if (has_no_form_here(name)) {
            ck_assert_str_eq(code, "bad-option");
            continue;
        }
        const statement_demand_t want = demand_of(&row);
        statement_t s;
        err_t e = { .rc = RC_OK };
        rows++;
        if (!request_is_one) {
            ck_assert_msg(!strcmp(code, "bad-option"), "%s", name);
            continue;
        }
        const rc_t rc = judge(&s, &e, statement_text(&row), &want);
        ck_assert_msg(rc && rc == e.rc, "%s: rc %d, said %d", name, rc, e.rc);
        ck_assert_msg(!strcmp(statement_code_word(e.code), code), "%s: %s at %s (%s), not %s", name,
                      statement_code_word(e.code), e.field, e.text, code);
    }
    ck_assert_uint_ge(rows, 118);
}
END_TEST

/* The first accepted statement of each kind, with its demand. */
static view_t sample(statement_demand_t *want, unsigned kind)
{
    jo_t list = jo_list(&vectors, "accepted", 1, 1000), row;
    for (unsigned i = 0; jo_next(&list, &row); i++)
        if (i == kind) {
            *want = demand_of(&row);
            return statement_text(&row);
        }
    ck_abort_msg("no such vector");
    return view_of(NULL, 0);
}

/* In the text: so in every member, the signature and the signer, whatever they mean. */
START_TEST(every_bit_of_a_statement_counts)
{
    for (unsigned kind = 0; kind < STATEMENT_KINDS; kind++) {
        statement_demand_t want;
        statement_t s;
        const view_t text = sample(&want, kind);
        uint8_t *copy = malloc(text.n);
        memcpy(copy, text.p, text.n);
        ck_assert_int_eq(judge(&s, NULL, view_of(copy, text.n), &want), RC_OK);
        ck_assert_uint_eq(s.kind, kind);
        for (size_t bit = 0; bit < 8 * text.n; bit++) {
            const arena_mark_t mark = arena_mark(&arena);
            copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
            ck_assert_msg(judge(&s, NULL, view_of(copy, text.n), &want) != RC_OK, "bit %zu", bit);
            copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
            arena_rollback(&arena, mark);
        }
        free(copy);
    }
}
END_TEST

/* In the values: what is read from a well-formed text that somebody altered. */
START_TEST(every_byte_of_a_value_counts)
{
    for (unsigned kind = 0; kind < STATEMENT_KINDS; kind++) {
        statement_demand_t want;
        statement_t s;
        hash32_t good, h;
        ck_assert_int_eq(judge(&s, NULL, sample(&want, kind), &want), RC_OK);
        statement_digest(&good, &s);
        const eip712_type_t *t = statement_type(s.kind);
        for (size_t i = 0; i < t->count; i++) {
            const eip712_member_t *m = &t->members[i];
            static const size_t sizes[] = {
                [EIP712_ADDRESS] = 20, [EIP712_BYTES32] = 32, [EIP712_UINT8] = 1,
                [EIP712_UINT16] = 2,   [EIP712_UINT32] = 4,   [EIP712_UINT64] = 8,
                [EIP712_BOOL] = 1,     [EIP712_UINT256] = 32, [EIP712_STRUCT] = 0,
            };
            for (size_t b = 0; b < sizes[m->kind]; b++) {
                uint8_t *at = (uint8_t *)&s + m->at + b;
                *at ^= 1;
                statement_digest(&h, &s);
                ck_assert_msg(!hash32_eq(&h, &good), "%s.%s byte %zu", t->name, m->name, b);
                *at ^= 1;
            }
        }
        s.chain_id++;
        statement_digest(&h, &s);
        ck_assert(!hash32_eq(&h, &good));
    }
}
END_TEST

START_TEST(a_text_that_is_cut_or_goes_on_is_none)
{
    statement_demand_t want;
    statement_t s;
    err_t e;
    const view_t text = sample(&want, STATEMENT_CALL);
    for (size_t n = 0; n <= text.n; n++) {
        uint8_t *copy = malloc(n ? n : 1);
        memcpy(copy, text.p, n);
        memset(&s, 0x5a, sizeof s);
        const rc_t rc = statement_read(&s, &e, &arena, view_of(copy, n));
        ck_assert_int_eq(rc, n == text.n ? RC_OK : RC_MALFORMED);
        if (rc) {
            ck_assert_uint_eq(e.code, STATEMENT_MALFORMED);
            ck_assert_uint_eq(((const uint8_t *)&s)[0], 0x5a);
        }
        free(copy);
    }
    uint8_t *longer = arena_alloc(&arena, text.n + 1);
    memcpy(longer, text.p, text.n);
    longer[text.n] = '\n';
    ck_assert_int_eq(statement_read(&s, &e, &arena, view_of(longer, text.n + 1)), RC_OK);
    longer[text.n] = '0';
    ck_assert_int_eq(statement_read(&s, &e, &arena, view_of(longer, text.n + 1)), RC_MALFORMED);
}
END_TEST

START_TEST(a_text_beyond_its_maximum_is_not_looked_at)
{
    statement_demand_t want;
    statement_t s;
    err_t e;
    const view_t text = sample(&want, STATEMENT_BLOCK);
    uint8_t *padded = malloc(STATEMENT_TEXT_MAX + 1);
    memset(padded, ' ', STATEMENT_TEXT_MAX + 1);
    memcpy(padded, text.p, text.n);
    ck_assert_int_eq(statement_read(&s, &e, &arena, view_of(padded, STATEMENT_TEXT_MAX)), RC_OK);
    ck_assert_int_eq(statement_read(&s, &e, &arena, view_of(padded, STATEMENT_TEXT_MAX + 1)), RC_LIMIT);
    free(padded);
}
END_TEST

START_TEST(want_of_memory_and_a_chain_without_a_form_are_errors)
{
    statement_demand_t want;
    statement_t s;
    err_t e;
    view_t out;
    arena_t small;
    ck_assert_int_eq(judge(&s, NULL, sample(&want, STATEMENT_CALL), &want), RC_OK);
    arena_init(&small, 64);
    ck_assert_int_eq(statement_read(&s, &e, &small, sample(&want, STATEMENT_CALL)), RC_NOMEM);
    ck_assert_str_eq(statement_code_word(0), "failed");
    ck_assert_int_eq(statement_write(&out, &small, &s), RC_NOMEM);
    ck_assert_int_eq(statement_abi(&out, &small, &s), RC_NOMEM);
    arena_free(&small);
    s.chain_id = STATEMENT_CHAIN_MAX + 1;
    ck_assert_int_eq(statement_sign(&s, &(statement_signer_t){ NULL, sign65 }), RC_BUG);
    s.chain_id = 0;
    ck_assert_int_eq(statement_sign(&s, &(statement_signer_t){ NULL, sign65 }), RC_BUG);
}
END_TEST

START_TEST(a_time_behind_its_slot_is_of_no_chain)
{
    const lc_network_t *net = lc_network_find("mainnet");
    statement_t s = { .kind = STATEMENT_BLOCK, .at = { .slot = 11382000 } };
    s.at.timestamp = lc_slot_start_ms(net, s.at.slot) / 1000;
    ck_assert(statement_fits_slot(&s, net));
    s.at.timestamp -= 12; /* proven by a later slot, as from Gloas on */
    ck_assert(statement_fits_slot(&s, net));
    s.at.timestamp += 13;
    ck_assert(!statement_fits_slot(&s, net));
    s.at.timestamp = UINT64_MAX;
    ck_assert(!statement_fits_slot(&s, net));
    s.kind = STATEMENT_CHECKPOINT;
    ck_assert(statement_fits_slot(&s, net));
}
END_TEST

int main(void)
{
    if (secret_init())
        return EXIT_FAILURE;
    return UNIT_RUN_AROUND(
        "statement", open_vectors, close_vectors, types_have_the_known_hashes,
        the_known_statement_has_the_known_hashes_at_every_step, what_holds_is_accepted_and_made_again_byte_for_byte,
        each_kind_is_about_the_slot_that_it_names, what_does_not_hold_is_refused_with_the_code_that_all_verifiers_have,
        every_bit_of_a_statement_counts, every_byte_of_a_value_counts, a_text_that_is_cut_or_goes_on_is_none,
        a_text_beyond_its_maximum_is_not_looked_at, a_time_behind_its_slot_is_of_no_chain,
        want_of_memory_and_a_chain_without_a_form_are_errors);
}
