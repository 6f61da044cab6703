/* The list of members, run on the state that the contracts really leave (tests/data/members.txt, written by
 * tests/contracts/run --write): rounds, times, lies, and lists that are none. */
#include "tests/unit/members_states.h"

#include "rpc/members/members.h"
#include "tests/unit/unit.h"

static set_t s;
static addr_t contract;
static members_call_t call;
static arena_t arena;
static members_t list;
static hash32_t touched[WORLD_SLOTS + 16];
static size_t touched_count;

/* A world with the contract in it. */
static void open_state(const state_t *state)
{
    begin(&s, "");
    contract = A;
    put_state(&s.w.accounts[0], state);
    s.block.env.timestamp = state->answers[0].time;
    s.config.use_hint = true;
    memset(&list, 0, sizeof list);
    touched_count = 0;
    arena_init(&arena, 1u << 20);
}

static void close_state(void)
{
    ex_cache_free(s.config.cache);
    s.config.cache = NULL;
    arena_free(&arena);
    end(&s);
}

static void begin_query(void)
{
    query_free(s.call);
    s.block.state_root = world_root(&s.w);
    ck_assert_int_eq(members_query(&s.call, &s.e, &call, &s.config, &contract), RC_OK);
}

/* Runs a query to its end; what it touched is noted for a hint. */
static rc_t run_query(void)
{
    const need_t *needs;
    rc_t rc;
    begin_query();
    while ((rc = query_step(s.call, &s.e)) == RC_NEED_DATA) {
        const size_t n = query_needs(s.call, &needs);
        for (size_t i = 0; i < n; i++)
            for (size_t k = 0; needs[i].kind == NEED_PROOF && k < needs[i].slot_count; k++)
                if (touched_count < sizeof touched / sizeof touched[0])
                    touched[touched_count++] = needs[i].slots[k];
        answer_all(&s);
    }
    return rc;
}

static void expect_list(const char *endpoints, members_mode_t mode, unsigned rounds)
{
    char got[1024] = "";
    rc_t rc = run_query();
    ck_assert_msg(rc == RC_OK, "%s: %s", rc_name(rc), s.e.text);
    rc = members_read(&list, &s.e, &arena, s.call, mode);
    ck_assert_msg(rc == RC_OK, "%s: %s", s.e.field, s.e.text);
    for (size_t i = 0; i < list.count; i++)
        snprintf(got + strlen(got), sizeof got - strlen(got), "%s%.*s", i ? " " : "", (int)list.endpoints[i].n,
                 (const char *)list.endpoints[i].p);
    ck_assert_str_eq(got, endpoints);
    if (rounds != UINT32_MAX)
        ck_assert_uint_eq(ex_call_rounds(s.call), rounds);
}

/* The server's access list is what an earlier query touched. */
static void know_hint(void)
{
    s.hint = true;
    s.hint_count = 1;
    s.hints[0] = (evm_access_t){ .addr = contract, .keys = touched, .key_count = touched_count };
}

START_TEST(lists_are_those_that_the_chain_answers_to_the_second)
{
    for (size_t n = 0; n < 4; n++) {
        open_state(&states[n]);
        for (size_t i = 0; i < states[n].answer_count; i++) {
            s.block.env.timestamp = states[n].answers[i].time;
            const bool published = n == 2;
            expect_list(published ? "https://a.example/ https://gateway-abc.dstack.example"
                                  : states[n].answers[i].endpoints,
                        n == 0 || published ? MEMBERS_TLS : MEMBERS_WIREGUARD, UINT32_MAX);
            ck_assert_uint_eq(list.left_out, published ? 1 : 0); /* http://localhost:8080 */
        }
        close_state();
    }
}
END_TEST

START_TEST(two_rounds_first_then_one_for_each_block_and_none_within_one)
{
    for (size_t n = 0; n < 3; n++) {
        const members_mode_t mode = n == 1 ? MEMBERS_WIREGUARD : MEMBERS_TLS;
        const char *want =
            n == 2 ? "https://a.example/ https://gateway-abc.dstack.example" : states[n].answers[0].endpoints;
        open_state(&states[n]);
        expect_list(want, mode, UINT32_MAX);
        know_hint();
        s.config.cache = cache_new();
        expect_list(want, mode, 2);
        expect_list(want, mode, 0);
        s.w.accounts[1].balance = u256_of(77); /* the next block, the contract unchanged */
        memset(s.asked, 0, sizeof s.asked);
        expect_list(want, mode, 1);
        ck_assert_uint_eq(s.asked[NEED_HINT] + s.asked[NEED_CODE], 0);
        s.w.accounts[0].balance = u256_of(1); /* the next one, the contract's account another */
        expect_list(want, mode, 1);
        expect_list(want, mode, 0);
        close_state();
    }
}
END_TEST

START_TEST(list_follows_the_state)
{
    open_state(&states[1]);
    s.config.cache = cache_new();
    expect_list("10.0.1.1 10.0.1.2 10.0.1.3 10.0.1.4", MEMBERS_WIREGUARD, UINT32_MAX);
    s.block.env.timestamp += 400; /* a minute later the first was silent for too long; nothing was written */
    s.w.accounts[1].balance = u256_of(77);
    expect_list("10.0.1.2 10.0.1.3 10.0.1.4", MEMBERS_WIREGUARD, 1);
    close_state();
}
END_TEST

/* One way in which an answer about the contract's slots is false. */
typedef enum { HIDES, ADDS, OLD_STATE, OTHER_ACCOUNT, LEAVES_OUT, CUTS } lie_t;

static rc_t tell_lie(const need_t *need, size_t i, lie_t lie)
{
    arena_mark_t mark = arena_mark(&s.w.arena);
    world_account_t *account = &s.w.accounts[0];
    const size_t slot_count = account->slot_count;
    if (lie == OLD_STATE) /* all of it proven, for another root */
        account->slots[0].value = u256_of(12345);
    ex_proof_answer_t p = world_proof(&s.w, &need->addr, need->slots, need->slot_count);
    for (size_t k = 0; k < p.slot_count; k++)
        if (lie == HIDES && !u256_is_zero(&p.slots[k].value))
            p.slots[k].value = u256_of(0);
        else if (lie == ADDS)
            p.slots[k].value = u256_of(1u << 20);
        else if (lie == CUTS && p.slots[k].proof.count)
            p.slots[k].proof.count--;
    if (lie == OTHER_ACCOUNT)
        p.storage_hash.b[5] ^= 1;
    if (lie == LEAVES_OUT)
        p.slot_count--;
    rc_t rc = give_proof(&s, i, &p);
    account->slot_count = slot_count;
    arena_rollback(&s.w.arena, mark);
    return rc;
}

/* Whether there is anything in the need that the lie alters. */
static bool concerns(const need_t *need, lie_t lie)
{
    bool any = false;
    if (need->kind != NEED_PROOF || !addr_eq(&need->addr, &contract))
        return false;
    for (size_t k = 0; k < need->slot_count; k++)
        for (size_t i = 0; i < s.w.accounts[0].slot_count; i++)
            any = any || (hash32_eq(&s.w.accounts[0].slots[i].key, &need->slots[k]) &&
                          !u256_is_zero(&s.w.accounts[0].slots[i].value));
    return need->slot_count && (any || lie != HIDES);
}

START_TEST(no_lie_about_the_contract_is_taken)
{
    for (lie_t lie = HIDES; lie <= CUTS; lie++) {
        const need_t *needs;
        unsigned told = 0;
        rc_t rc;
        open_state(&states[0]);
        const u256_t first = s.w.accounts[0].slots[0].value;
        begin_query();
        while ((rc = query_step(s.call, &s.e)) == RC_NEED_DATA) {
            const size_t n = query_needs(s.call, &needs);
            for (size_t i = 0; i < n; i++) {
                if (concerns(&needs[i], lie)) {
                    told++;
                    err_clear(&s.e);
                    ck_assert_msg(rc_blames_input(tell_lie(&needs[i], i, lie)), "lie %d was taken", (int)lie);
                    ck_assert_msg(s.e.text[0], "lie %d", (int)lie);
                    s.w.accounts[0].slots[0].value = first;
                }
                ck_assert_int_eq(answer(&s, &needs[i], i), RC_OK); /* another upstream's answer is taken all the same */
            }
        }
        ck_assert_int_eq(rc, RC_OK);
        ck_assert_uint_gt(told, 0);
        ck_assert_int_eq(members_read(&list, &s.e, &arena, s.call, MEMBERS_TLS), RC_OK);
        ck_assert_uint_eq(list.count, 4);
        close_state();
    }
}
END_TEST

START_TEST(who_refuses_all_proofs_brings_no_list)
{
    const need_t *needs;
    open_state(&states[0]);
    begin_query();
    for (unsigned i = 0; i < 8; i++) {
        ck_assert_int_eq(query_step(s.call, &s.e), RC_NEED_DATA);
        ck_assert_uint_gt(query_needs(s.call, &needs), 0);
        ck_assert_int_ne(members_read(&list, &s.e, &arena, s.call, MEMBERS_TLS), RC_OK);
    }
    ck_assert_ptr_null(list.endpoints);
    close_state();
}
END_TEST

START_TEST(what_is_no_such_contract_is_an_error_and_no_empty_list)
{
    static const struct {
        const char *code, *text;
        rc_t rc;
    } rows[] = {
        { "", "there is no contract with getPeerEndpoints()", RC_REFUSED },
        { "00", "there is no contract with getPeerEndpoints()", RC_REFUSED },
        { REVERT_WORD, "getPeerEndpoints() fails", RC_REFUSED },
        { "fe", "getPeerEndpoints() fails", RC_REFUSED },
        { RETURN_42, "what getPeerEndpoints() returned is no list of texts", RC_MALFORMED },
        { "620800015ff3", "the list has more than 524288 bytes", RC_LIMIT },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        open_state(&states[3]);
        ck_assert_int_eq(hex_decode(s.w.accounts[0].code, &s.w.accounts[0].code_len, WORLD_CODE_MAX, rows[i].code,
                                    strlen(rows[i].code)),
                         RC_OK);
        ck_assert_int_eq(run_query(), RC_OK);
        ck_assert_int_eq(members_read(&list, &s.e, &arena, s.call, MEMBERS_TLS), rows[i].rc);
        ck_assert_str_eq(s.e.text, rows[i].text);
        ck_assert_str_eq(s.e.field, "membership.contract");
        ck_assert_ptr_null(list.endpoints);
        close_state();
    }
}
END_TEST

/* abi.encode(["10.0.1.1", "10.0.1.254", ""]), written by hand. */
static const char THREE[] = "0000000000000000000000000000000000000000000000000000000000000020"
                            "0000000000000000000000000000000000000000000000000000000000000003"
                            "0000000000000000000000000000000000000000000000000000000000000060"
                            "00000000000000000000000000000000000000000000000000000000000000a0"
                            "00000000000000000000000000000000000000000000000000000000000000e0"
                            "0000000000000000000000000000000000000000000000000000000000000008"
                            "31302e302e312e31000000000000000000000000000000000000000000000000"
                            "000000000000000000000000000000000000000000000000000000000000000a"
                            "31302e302e312e32353400000000000000000000000000000000000000000000"
                            "0000000000000000000000000000000000000000000000000000000000000000";

static rc_t decode(const uint8_t *p, size_t n)
{
    uint8_t *exact = malloc(n ? n : 1); /* ASan sees an over-read */
    ck_assert_ptr_nonnull(exact);
    if (n)
        memcpy(exact, p, n);
    arena_mark_t mark = arena_mark(&arena);
    rc_t rc = members_decode(&list, &s.e, &arena, view_of(exact, n), MEMBERS_WIREGUARD);
    arena_rollback(&arena, mark);
    free(exact);
    return rc;
}

START_TEST(only_the_form_that_the_chain_writes_is_read)
{
    uint8_t bytes[10 * 32 + 1];
    size_t n, texts = 0;
    arena_init(&arena, 1u << 20);
    ck_assert_int_eq(hex_decode(bytes, &n, sizeof bytes, THREE, strlen(THREE)), RC_OK);
    ck_assert_int_eq(decode(bytes, n), RC_OK);
    ck_assert_uint_eq(list.count, 2);
    ck_assert_uint_eq(list.left_out, 1);
    list = (members_t){ .left_out = 77 };
    for (size_t i = 0; i < n; i++)
        ck_assert_int_eq(decode(bytes, i), RC_MALFORMED);
    bytes[n] = 0;
    ck_assert_int_eq(decode(bytes, n + 1), RC_MALFORMED);
    ck_assert_uint_eq(list.left_out, 77);
    for (size_t i = 0; i < n; i++) { /* whatever byte is altered: only texts may differ */
        bytes[i] ^= 0x80;
        const bool text = (i >= 6 * 32 && i < 6 * 32 + 8) || (i >= 8 * 32 && i < 8 * 32 + 10);
        const rc_t rc = decode(bytes, n);
        ck_assert_msg(text ? rc == RC_OK : rc_blames_input(rc), "byte %zu", i);
        texts += text;
        bytes[i] ^= 0x80;
    }
    ck_assert_uint_eq(texts, 18);
    arena_free(&arena);
}
END_TEST

START_TEST(list_has_bounds)
{
    static uint8_t bytes[64 + (MEMBERS_MAX + 1) * 64];
    static uint8_t much[MEMBERS_LEN_MAX + 32];
    arena_init(&arena, 1u << 20);
    bytes[31] = 32;
    for (uint32_t count = MEMBERS_MAX; count <= MEMBERS_MAX + 1; count++) { /* of empty texts */
        wr_t w = wr_of(bytes + 60, 4);
        wr_be(&w, count, 4);
        for (uint32_t i = 0; i < count; i++) {
            w = wr_of(bytes + 64 + 32 * i + 28, 4);
            wr_be(&w, (count + i) * 32, 4);
        }
        memset(bytes + 64 + 32 * count, 0, 32 * count);
        ck_assert_int_eq(decode(bytes, 64 + 64 * count), count > MEMBERS_MAX ? RC_LIMIT : RC_OK);
    }
    much[31] = 32;
    ck_assert_int_eq(decode(much, MEMBERS_LEN_MAX + 32), RC_LIMIT);
    arena_free(&arena);
    arena_init(&arena, 16);
    uint8_t empty[64] = { [31] = 32 };
    ck_assert_int_eq(members_decode(&list, &s.e, &arena, view_of(empty, sizeof empty), MEMBERS_TLS), RC_NOMEM);
    arena_free(&arena);
}
END_TEST

START_TEST(endpoints_are_those_of_the_mode)
{
    static const char *const urls[] = { "https://a.example", "https://a.example/", "https://a-443s.b.example:8443/",
                                        "https://10.0.1.1", "https://a" };
    static const char *const no_urls[] = {
        "",
        "https://",
        "https:///",
        "https://:1",
        "http://a.example",
        "HTTPS://a",
        "https://A.example",
        "https://a.example/x",
        "https://a.example?",
        "https://u@a.example",
        "https://a:0",
        "https://a:65536",
        "https://a:",
        "https://a:1:2",
        "https://a b",
        "https://a..b",
        "https://-a",
        "https://a\n",
        "10.0.1.1",
        " https://a",
        "https://[::1]",
        "https://a.example//",
        "https://a:01",
    };
    static const char *const no_addresses[] = {
        "",           "10.0.1.",   "10.0.1.0",         "10.0.1.255",       "10.0.1.256",
        "10.0.1.01",  "10.0.1.1 ", "10.0.1.1/32",      "10.0.1.1:80",      "10.0.10.1",
        "10.0.1.1.1", "10.0.1.+1", "https://10.0.1.1", "10.0.1.4294967297"
    };
    char text[16], longest[300] = "https://";
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        ck_assert_msg(members_is_endpoint(view_str(urls[i]), MEMBERS_TLS), "%s", urls[i]);
        ck_assert(!members_is_endpoint(view_str(urls[i]), MEMBERS_WIREGUARD));
    }
    for (size_t i = 0; i < sizeof no_urls / sizeof no_urls[0]; i++)
        ck_assert_msg(!members_is_endpoint(view_str(no_urls[i]), MEMBERS_TLS), "%s", no_urls[i]);
    for (size_t i = 0; i < sizeof no_addresses / sizeof no_addresses[0]; i++)
        ck_assert_msg(!members_is_endpoint(view_str(no_addresses[i]), MEMBERS_WIREGUARD), "%s", no_addresses[i]);
    for (unsigned i = 1; i < 255; i++) {
        snprintf(text, sizeof text, "10.0.1.%u", i);
        ck_assert(members_is_endpoint(view_str(text), MEMBERS_WIREGUARD));
    }
    for (size_t i = 8; i < 260; i++)
        longest[i] = i % 50 ? 'a' : '.';
    ck_assert(members_is_endpoint(view_of(longest, 253), MEMBERS_TLS));
    ck_assert(!members_is_endpoint(view_of(longest, 254), MEMBERS_TLS));
}
END_TEST

START_TEST(endpoints_under_another_domain_are_left_out)
{
    static const char *const under[] = { "https://a.gw.example", "https://a-s.gw.example/",
                                         "https://a.gw.example:8443" },
                             *const not [] = { "https://gw.example",       "https://a.b.gw.example",
                                               "https://a.gw.example.org", "https://a.xgw.example",
                                               "https://agw.example",      "https://a.other.example",
                                               "https://a.gw.exampl",      "https://a" };
    view_t rows[11];
    members_t m = { .endpoints = rows, .left_out = 1 };
    for (size_t i = 0; i < 8; i++)
        rows[m.count++] = view_str(not [i]);
    for (size_t i = 0; i < 3; i++)
        rows[m.count++] = view_str(under[i]);
    members_keep_under(&m, view_str("gw.example"));
    ck_assert_uint_eq(m.count, 3);
    ck_assert_uint_eq(m.left_out, 9);
    for (size_t i = 0; i < 3; i++)
        ck_assert(view_eq(m.endpoints[i], view_str(under[i])));
}
END_TEST

START_TEST(age_has_a_bound_and_is_named)
{
    err_t e;
    ck_assert_int_eq(members_check_age(&e, 1000, 1000, 0), RC_OK);
    ck_assert_int_eq(members_check_age(&e, 1000, 2536, 1536), RC_OK);
    ck_assert_int_eq(members_check_age(&e, 1000, 2537, 1536), RC_TIMEOUT);
    ck_assert_str_eq(e.text, "the members' list is 1537 s old, more than 1536");
    ck_assert_str_eq(e.field, "membership.max_age_s");
    ck_assert_int_eq(members_check_age(&e, UINT64_MAX, 0, 0), RC_OK);
    ck_assert_int_eq(members_check_age(&e, 0, UINT64_MAX, UINT64_MAX - 1), RC_TIMEOUT);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("members", read_states, NULL, lists_are_those_that_the_chain_answers_to_the_second,
                           two_rounds_first_then_one_for_each_block_and_none_within_one, list_follows_the_state,
                           no_lie_about_the_contract_is_taken, who_refuses_all_proofs_brings_no_list,
                           what_is_no_such_contract_is_an_error_and_no_empty_list,
                           only_the_form_that_the_chain_writes_is_read, list_has_bounds,
                           endpoints_are_those_of_the_mode, endpoints_under_another_domain_are_left_out,
                           age_has_a_bound_and_is_named);
}
