/* Endpoints that are behind or on another branch for a while: what is asked of them is waited for, and nobody is called a liar
 * for it, nor hides a lie behind it. */
#include "lightclient/exec/history.h"
#include "lightclient/exec/send.h"
#include "node/query/lesson.h"
#include "tests/unit/ask_world.h"

#define CHAIN 4u
#define SOME UINT32_MAX
#define NO_HASHES "blockHash", .words = "invalid argument 2: json: cannot unmarshal object into Go value of type string"

static ex_header_t chain[CHAIN]; /* the head, and what is before it */

/* Five times as fast as the system's. */
static uint64_t fast_clock(void)
{
    return 5 * clock_monotonic_ms();
}

/* A head with three blocks before it, and the first endpoint, alone or with an honest one behind it. */
static void open_chain(const char *code, const endpoint_t *as, bool alone)
{
    err_t e;
    open_world(code);
    close_engine();
    ends[0] = *as;
    for (size_t i = CHAIN; i-- > 0;) {
        chain[i] = (ex_header_t){ .number = 1000 - i, .gas_limit = 30000000, .ommers_hash = EX_NO_OMMERS };
        if (i + 1 < CHAIN)
            ex_header_hash(&chain[i].parent_hash, &chain[i + 1]);
    }
    s.block.parent_hash = chain[0].parent_hash;
    ex_header_hash(&s.block.block_hash, &chain[0]);
    past = chain;
    past_count = CHAIN;
    upstream = up_new((const char *const[]){ url[0], url[1] }, alone ? 1 : 2);
    const ask_config_t config = {
        .http = http, .upstream = upstream, .pool = pool, .now_ms = fast_clock, .monotonic_ms = fast_clock
    };
    ck_assert_int_eq(ask_new(&engine, &e, &config), RC_OK);
}

static void close_chain(void)
{
    past = NULL;
    past_count = 0;
    close_world();
}

static void expect_counters(unsigned lies, unsigned late, unsigned unusable)
{
    const up_status_t row = status_of(0);
    const bool right = unusable == SOME ? row.unusable > 0 : row.unusable == unusable;
    ck_assert_msg(row.lies == lies && row.late == late && right, "%s; lies, late, unusable: %d %d %d", row.reason,
                  (int)row.lies, (int)row.late, (int)row.unusable);
}

/* ---- blocks ---- */

static void expect_blocks(uint64_t from, uint64_t to)
{
    query_t *q;
    err_t e = { .text = "" };
    const ex_history_config_t config = {
        .chain_id = 1, .head = &s.block, .final_number = 900, .by = EX_BY_NUMBER, .from = from, .to = to
    };
    ck_assert_int_eq(ex_history_new(&q, NULL, &config), RC_OK);
    const rc_t rc = ask_wait(&q, &e, engine, q);
    ck_assert_msg(rc == RC_OK, "%s: %s", rc_name(rc), e.text);
    ck_assert_uint_eq(ex_history_result(q)->count, to - from + 1);
    query_free(q);
}

START_TEST(a_block_that_an_endpoint_does_not_know_yet_is_waited_for)
{
    static const endpoint_t rows[] = { { .null_for = 3 }, { .other_for = 3 } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        open_chain(RETURN_42, &rows[i], true);
        expect_blocks(999, 1000);
        expect_counters(0, 1, 0);
        ck_assert_uint_eq(ends[0].batches, 4);
        close_chain();
    }
}
END_TEST

/* Blocks that only a header leads to are asked for by number: one more request tells of which branch they are. */
START_TEST(a_header_by_number_may_be_of_another_branch)
{
    static const endpoint_t other = { .other_for = 3 };
    open_chain(BLOCK_HASH_ARG, &other, true);
    s.config.chain = &CANCUN;
    s.request.data = view_of(s.word, sizeof s.word);
    store_u64be(s.word + 24, 998);
    ck_assert_msg(run_call() == RC_OK, "%s", s.e.text);
    expect_counters(0, 1, 0);
    close_chain();
}
END_TEST

/* ---- state by number ---- */

START_TEST(state_by_number_of_another_branch_is_late_and_its_lies_are_lies)
{
    static const struct {
        endpoint_t as;
        rc_t rc;
        unsigned lies, late, unusable;
    } rows[] = {
        { { .refused = NO_HASHES, .other_for = 6 }, RC_OK, 0, 1, 0 },
        { { .refused = NO_HASHES, .falsified = "a000" }, RC_IO, 1, 0, 0 },
        /* what it does not say excuses nothing */
        { { .refused = NO_HASHES, .falsified = "a000", .broken = "eth_getBlockByNumber" }, RC_IO, 1, 0, 0 },
        { { .refused = NO_HASHES, .falsified = "a000", .failing = "eth_getBlockByNumber" }, RC_IO, 1, 0, 0 },
        /* ... but it may say it a little later */
        { { .refused = NO_HASHES, .falsified = "a000", .busy = "eth_getBlockByNumber" }, RC_IO, 0, 0, SOME },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        open_chain(RETURN_42, &rows[i].as, true);
        ck_assert_msg(run_call() == rows[i].rc, "%zu: %s", i, s.e.text);
        expect_counters(rows[i].lies, rows[i].late, rows[i].unusable);
        close_chain();
    }
}
END_TEST

/* Another branch is said by a header of that number alone: what cannot be read, or is of another number, excuses nothing. */
START_TEST(only_a_header_of_the_number_says_of_which_branch_it_is)
{
    ex_header_t h = { .number = 1000, .ommers_hash = EX_NO_OMMERS }, late = h, off = h;
    ex_block_t block = { .env.number = 1000 };
    const need_t need = { .kind = NEED_HEADER, .block = &block, .number = 1000 };
    ex_header_hash(&block.block_hash, &h);
    late.gas_used = 1;
    off.number = 999;
    const struct {
        jr_answer_t as;
        rc_t batch;
        lesson_branch_t stand;
        bool passes;
    } rows[] = {
        { { .answer.header = h }, RC_OK, BRANCH_OURS, false },
        { { .answer.header = late }, RC_OK, BRANCH_OTHER, true },
        { { .answer.header = off }, RC_OK, BRANCH_UNSAID, false },
        { { .rc = RC_MALFORMED, .why.rc = RC_MALFORMED }, RC_OK, BRANCH_UNSAID, false },
        { { .rc = RC_IO, .refusal = REFUSAL_METHOD }, RC_OK, BRANCH_UNSAID, false },
        { { .rc = RC_NEED_DATA, .refusal = REFUSAL_LATE }, RC_OK, BRANCH_NOT_NOW, true },
        { { .rc = RC_NOMEM }, RC_OK, BRANCH_NOT_NOW, false },
        { { .rc = RC_OK }, RC_MALFORMED, BRANCH_UNSAID, false },
        { { .rc = RC_OK }, RC_NOMEM, BRANCH_NOT_NOW, false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        jr_answer_t answer = rows[i].as;
        const batch_t batch = { .rc = rows[i].batch, .answers = &answer };
        err_t e = { 0 };
        bool passes;
        ck_assert_msg(lesson_branch(&e, &passes, &batch, 0, &need) == rows[i].stand, "%zu", i);
        ck_assert_msg(passes == rows[i].passes, "%zu", i);
    }
}
END_TEST

/* Two blocks are asked about; which of the answers are wrong is up to the test. */
typedef struct {
    query_t query;
    ex_block_t blocks[2];
    need_t needs[2];
    bool given[2];
    bool wrong[2];
} two_t;

static rc_t two_step(query_t *q, err_t *e)
{
    const two_t *t = (const two_t *)(const void *)q;
    (void)e;
    return t->given[0] && t->given[1] ? RC_OK : RC_NEED_DATA;
}

static size_t two_needs(const query_t *q, const need_t **out)
{
    *out = ((const two_t *)(const void *)q)->needs;
    return 2;
}

static rc_t two_give(query_t *q, err_t *e, size_t i, const answer_t *answer)
{
    two_t *t = (two_t *)(void *)q;
    (void)answer;
    if (t->wrong[i])
        return err_say(e, RC_REFUSED, "it is wrong");
    t->given[i] = true;
    return RC_OK;
}

static void two_free(query_t *q)
{
    (void)q;
}

/* On a branch of its own from the head's number on, an endpoint is late there, and lies where it is not. */
START_TEST(what_is_wrong_below_where_branches_part_is_a_lie)
{
    static const query_ops_t ops = { two_step, two_needs, two_give, two_free, NULL, NULL };
    static const endpoint_t as = { .refused = NO_HASHES, .other_for = UINT32_MAX, .other_from = 1000 };
    static const struct {
        bool wrong[2];
        unsigned lies, late;
    } rows[] = { { { true, false }, 0, 1 }, { { false, true }, 1, 0 }, { { true, true }, 1, 0 } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        open_chain(RETURN_42, &as, true);
        two_t t = { .query.ops = &ops,
                    .blocks = { s.block, s.block },
                    .wrong = { rows[i].wrong[0], rows[i].wrong[1] } };
        query_t *q;
        err_t e;
        t.blocks[1].env.number = 998;
        ex_header_hash(&t.blocks[1].block_hash, &chain[2]);
        for (size_t k = 0; k < 2; k++)
            t.needs[k] = (need_t){ .kind = NEED_PROOF, .block = &t.blocks[k], .addr = A };
        ck_assert_int_eq(ask_wait(&q, &e, engine, &t.query), RC_IO);
        expect_counters(rows[i].lies, rows[i].late, 0);
        ck_assert_uint_le(ends[0].elements, 64);
        close_chain();
    }
}
END_TEST

/* It is asked which block it has, and is silent; the next one, asked as well, has all. */
START_TEST(silence_about_the_branch_is_counted_when_another_one_was_faster)
{
    static const endpoint_t as = {
        .refused = NO_HASHES, .falsified = "a000", .held = true, .held_at = "eth_getBlockByNumber"
    };
    open_chain(RETURN_42, &as, false);
    ck_assert_msg(run_call() == RC_OK, "%s", s.e.text);
    expect_counters(0, 0, 1);
    ck_assert_str_eq(status_of(0).reason,
                     "what it gave by number is not the block's, and it did not say in time which block it has there");
    close_chain();
}
END_TEST

/* Whoever names a block younger than the head does not know the transaction: another one is asked. */
START_TEST(a_block_that_cannot_be_looked_at_is_no_place_of_a_transaction)
{
    query_t *q;
    err_t e;
    open_world(RETURN_42);
    ends[0].where = "0x7fffffff";
    const ex_history_config_t c = { .chain_id = 1, .head = &s.block, .by = EX_BY_TRANSACTION, .hash = { { 7 } } };
    ck_assert_int_eq(ex_history_new(&q, &e, &c), RC_OK);
    ck_assert_msg(ask_wait(&q, &e, engine, q) == RC_OK, "%s", e.text);
    ck_assert_uint_eq(ex_history_result(q)->count, 0);
    ck_assert_uint_eq(ends[0].batches, 1);
    ck_assert_uint_eq(ends[1].batches, 1);
    query_free(q);
    close_world();
}
END_TEST

/* However many name a block where nobody can look, that counts for nobody who does not know the transaction. */
START_TEST(who_names_no_place_is_none_of_those_who_do_not_know_a_transaction)
{
    char liars[3][80];
    query_t *q;
    err_t e;
    open_world(RETURN_42);
    close_engine();
    ends[0].where = "0x7fffffff";
    for (unsigned i = 0; i < 3; i++)
        snprintf(liars[i], sizeof liars[i], "%s/%u", url[0], i);
    upstream = up_new((const char *const[]){ liars[0], liars[1], liars[2], url[1] }, 4);
    const ask_config_t config = { .http = http, .upstream = upstream, .pool = pool, .now_ms = clock_system_ms };
    ck_assert_int_eq(ask_new(&engine, &e, &config), RC_OK);
    const ex_history_config_t c = { .chain_id = 1, .head = &s.block, .by = EX_BY_TRANSACTION, .hash = { { 7 } } };
    ck_assert_int_eq(ex_history_new(&q, &e, &c), RC_OK);
    ck_assert_msg(ask_wait(&q, &e, engine, q) == RC_OK, "%s", e.text);
    ck_assert_uint_eq(ends[0].batches, 3);
    ck_assert_uint_eq(ends[1].batches, 1);
    query_free(q);
    close_world();
}
END_TEST

static rc_t send_it(err_t *e)
{
    static const uint8_t raw[] = { 0xc2, 0x01, 0x02 };
    hash32_t hash;
    query_t *q;
    keccak256(&hash, view_of(raw, sizeof raw));
    ck_assert_int_eq(ex_send_new(&q, e, view_of(raw, sizeof raw), &hash), RC_OK);
    const rc_t rc = ask_wait(&q, e, engine, q);
    query_free(q);
    return rc;
}

/* The first endpoint's answer is lost, and the second one has heard of the transaction by then. */
START_TEST(a_transaction_that_a_second_endpoint_knows_already_is_sent)
{
    static const char *const words[] = { "already known", "AlreadyKnown", "Known transaction" };
    err_t e;
    for (size_t i = 0; i < 3; i++) {
        open_world(RETURN_42);
        ends[0].failing = ends[1].refused = "eth_sendRawTransaction";
        ends[1].words = words[i];
        ck_assert_msg(send_it(&e) == RC_OK, "%s", e.text);
        ck_assert_uint_eq(ends[1].batches, 1);
        close_world();
    }
    open_world(RETURN_42);
    ends[0].failing = ends[1].refused = "eth_sendRawTransaction";
    ends[1].words = "nonce too low";
    ck_assert_int_eq(send_it(&e), RC_REFUSED);
    close_world();
    open_world(RETURN_42);
    ends[0].failing = ends[1].refused = "eth_sendRawTransaction";
    ends[1].words = "unknown transaction type 0x05";
    ck_assert_int_eq(send_it(&e), RC_REFUSED);
    close_world();
}
END_TEST

/* The only endpoint took it, and its answer could not be unpacked: it was sent once more to be read. */
START_TEST(a_transaction_that_was_sent_again_for_its_answers_coding_is_sent)
{
    err_t e;
    open_world(RETURN_42);
    close_engine();
    open_engine(url[0], NULL, NULL);
    ends[0].miscoded = true;
    ends[0].refused = "eth_sendRawTransaction";
    ends[0].words = "already known";
    ck_assert_msg(send_it(&e) == RC_OK, "%s", e.text);
    ck_assert_uint_eq(ends[0].batches, 2);
    close_world();
}
END_TEST

/* One endpoint alone keeps no transaction from the network. */
START_TEST(a_transaction_is_refused_when_two_endpoints_refuse_it_or_no_other_answers)
{
    static const struct {
        const char *words[2]; /* NULL: it is taken; "": status 500 */
        unsigned asked[2];
        rc_t rc;
        const char *told;
    } rows[] = {
        { { "nonce too low", NULL }, { 1, 1 }, RC_OK, "" },
        { { "already known", NULL }, { 1, 1 }, RC_OK, "" },
        { { "nonce too low", "already known" }, { 1, 1 }, RC_OK, "" },
        { { "already known", "already known" }, { 1, 1 }, RC_REFUSED, "already known" }, /* it was sent by another */
        { { "nonce too low", "OldNonce" }, { 1, 1 }, RC_REFUSED, "nonce too low" },
        { { "nonce too low", "" }, { 1, 1 }, RC_REFUSED, "nonce too low" },
        { { NULL, "nonce too low" }, { 1, 0 }, RC_OK, "" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        err_t e = { .text = "" };
        open_world(RETURN_42);
        for (unsigned k = 0; k < 2; k++) {
            const char *const words = rows[i].words[k];
            ends[k].words = words;
            *(words && !*words ? &ends[k].failing : &ends[k].refused) = words ? "eth_sendRawTransaction" : NULL;
        }
        ck_assert_msg(send_it(&e) == rows[i].rc, "row %zu: %s", i, e.text);
        if (rows[i].rc)
            ck_assert_str_eq(e.text, rows[i].told);
        ck_assert_uint_eq(ends[0].batches, rows[i].asked[0]);
        ck_assert_uint_eq(ends[1].batches, rows[i].asked[1]);
        ck_assert_uint_eq(status_of(0).failures, 0);
        close_world();
    }
}
END_TEST

/* Whoever sends a transaction reads why it was refused, and not where, nor what the provider asks its customer. */
START_TEST(words_of_a_refusal_name_nothing_of_who_refused)
{
    char at[200];
    err_t e;
    open_world(RETURN_42);
    snprintf(at, sizeof at, "http://user-to-hide:pass-to-hide@%s/key-to-hide?name=host-to-hide", url[0] + 7);
    close_engine();
    open_engine(at, NULL, NULL);
    ends[0].refused = "eth_sendRawTransaction";
    ends[0].words = "nonce \\u0007\\u202e\\ntoo low at http://127.0.0.1, user-to-hide, KEY-to-hide, cut: host-to-hide";
    ck_assert_int_eq(send_it(&e), RC_REFUSED);
    ck_assert_str_eq(e.text, "nonce ?????too low at http://*********, ************, ***********, cut: ************");
    close_world();
}
END_TEST

/* One at a time has it, but none of them for as long as a batch may take. */
START_TEST(a_transaction_is_given_to_the_next_one_when_an_endpoint_is_silent)
{
    static const endpoint_t as = { .held = true };
    err_t e;
    open_chain(RETURN_42, &as, false);
    ends[1].refused = "eth_sendRawTransaction";
    ends[1].words = "already known";
    const uint64_t began = clock_monotonic_ms();
    ck_assert_msg(send_it(&e) == RC_OK, "%s", e.text);
    ck_assert_uint_lt(clock_monotonic_ms() - began, ASK_BATCH_MAX_MS / 4);
    ck_assert_uint_eq(ends[1].batches, 1);
    ck_assert_uint_eq(status_of(0).failures, 1);
    close_chain();
}
END_TEST

int main(void)
{
    return UNIT_RUN(
        "ask_late", words_of_a_refusal_name_nothing_of_who_refused,
        a_block_that_an_endpoint_does_not_know_yet_is_waited_for, a_header_by_number_may_be_of_another_branch,
        state_by_number_of_another_branch_is_late_and_its_lies_are_lies,
        only_a_header_of_the_number_says_of_which_branch_it_is, what_is_wrong_below_where_branches_part_is_a_lie,
        silence_about_the_branch_is_counted_when_another_one_was_faster,
        a_block_that_cannot_be_looked_at_is_no_place_of_a_transaction,
        who_names_no_place_is_none_of_those_who_do_not_know_a_transaction,
        a_transaction_that_a_second_endpoint_knows_already_is_sent,
        a_transaction_that_was_sent_again_for_its_answers_coding_is_sent,
        a_transaction_is_refused_when_two_endpoints_refuse_it_or_no_other_answers,
        a_transaction_is_given_to_the_next_one_when_an_endpoint_is_silent);
}
