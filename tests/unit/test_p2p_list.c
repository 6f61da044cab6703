/* node/p2p/list.h against JSON-RPC servers that answer from the state which the contract really leaves, and lie about it. */
#include "tests/unit/members_states.h"

#include "node/p2p/list.h"
#include "tests/unit/members_world.h"

#define FOUR "10.0.1.1 10.0.1.2 10.0.1.3 10.0.1.4"

/* What done was told. */
typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t told;
    unsigned times;
    rc_t rc;
    err_t e;
    p2p_answer_t answer; /* without its endpoints, which are */
    char endpoints[1024];
} told_t;

static p2p_list_t *list;
static told_t told = { .lock = PTHREAD_MUTEX_INITIALIZER, .told = PTHREAD_COND_INITIALIZER };

static void on_list(void *ctx, rc_t rc, const err_t *e, const p2p_answer_t *answer)
{
    told_t *t = ctx;
    pthread_mutex_lock(&t->lock);
    t->times++;
    t->rc = rc;
    t->e = *e;
    t->endpoints[0] = 0;
    if (answer) {
        t->answer = *answer;
        for (size_t i = 0; i < answer->members.count; i++)
            snprintf(t->endpoints + strlen(t->endpoints), sizeof t->endpoints - strlen(t->endpoints), "%s%.*s",
                     i ? " " : "", (int)answer->members.endpoints[i].n, (const char *)answer->members.endpoints[i].p);
    }
    pthread_cond_signal(&t->told);
    pthread_mutex_unlock(&t->lock);
}

/* Asks for the list at s.block and waits for it. */
static rc_t get(void)
{
    const unsigned before = told.times;
    p2p_list_get(list, &s.block, now_s, on_list, &told);
    pthread_mutex_lock(&told.lock);
    while (told.times == before)
        pthread_cond_wait(&told.told, &told.lock);
    ck_assert_uint_eq(told.times, before + 1);
    pthread_mutex_unlock(&told.lock);
    return told.rc;
}

static void expect_four(uint64_t number, uint64_t age_s)
{
    ck_assert_msg(get() == RC_OK, "%s: %s", told.e.field, told.e.text);
    ck_assert_str_eq(told.endpoints, FOUR);
    ck_assert_uint_eq(told.answer.block_number, number);
    ck_assert_uint_eq(told.answer.age_s, age_s);
}

static void open_list(void)
{
    open_members();
    const p2p_list_config_t config = { .ask = engine,
                                       .chain = &PRAGUE,
                                       .cache = s.config.cache,
                                       .contract = A,
                                       .mode = MEMBERS_WIREGUARD,
                                       .max_age_s = MAX_AGE_S };
    list = p2p_list_new(&config);
    ck_assert_ptr_nonnull(list);
}

static void close_list(void)
{
    end_engine();
    p2p_list_free(list);
    close_members();
}

START_TEST(list_is_asked_for_once_a_block)
{
    open_list();
    expect_four(1000, 12);
    const unsigned first = ends[0].batches;
    ck_assert_int_eq(told.answer.stale.rc, RC_OK);
    ck_assert(hash32_eq(&told.answer.state_root, &s.block.state_root));
    now_s++;
    expect_four(1000, 13);
    ck_assert_uint_eq(ends[0].batches, first);
    next_block(12, true);
    expect_four(1001, 13);
    ck_assert_uint_eq(ends[0].batches, first + 1);
    ck_assert(hash32_eq(&told.answer.block_hash, &s.block.block_hash));
    expect_four(1001, 13);
    ck_assert_uint_eq(ends[0].batches, first + 1);
    ck_assert_uint_eq(ends[1].batches, 0);
    close_list();
}
END_TEST

START_TEST(liar_is_named_and_another_endpoint_gives_the_list)
{
    open_list();
    ends[0].falsified = "a000";
    expect_four(1000, 12);
    ck_assert_uint_ge(status_of(0).lies, 1);
    ck_assert_uint_eq(status_of(1).lies, 0);
    close_list();
}
END_TEST

/* The one that failed last; which one that is, their paces decide. */
static bool names_endpoint(const char *text)
{
    return strstr(text, "execution_rpc[0]: ") || strstr(text, "execution_rpc[1]: ");
}

START_TEST(error_is_no_empty_list_and_names_the_endpoint)
{
    static const endpoint_t bad[] = { { .falsified = "a000" }, { .refused = PROOF_OF_A }, { .status = 500 } };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        open_list();
        ends[0] = ends[1] = bad[i];
        ck_assert_int_eq(get(), RC_IO);
        ck_assert_msg(names_endpoint(told.e.text), "%s", told.e.text);
        close_list();
    }
}
END_TEST

START_TEST(old_list_is_given_with_its_age_and_the_reason_and_only_while_it_is_young)
{
    static const endpoint_t bad[] = { { .falsified = "a000" }, { .refused = PROOF_OF_A }, { .status = 500 } };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        open_list();
        expect_four(1000, 12);
        ends[0] = ends[1] = bad[i];
        next_block(600, true);
        expect_four(1000, 612);
        ck_assert_int_eq(told.answer.stale.rc, RC_IO);
        ck_assert_msg(names_endpoint(told.answer.stale.text), "%s", told.answer.stale.text);
        now_s += MAX_AGE_S - 612; /* to the second; the block that is asked for is younger */
        expect_four(1000, MAX_AGE_S);
        now_s++;
        ck_assert_int_eq(get(), RC_IO);
        ck_assert_str_eq(told.endpoints, "");
        ends[0] = ends[1] = (endpoint_t){ .status = 0 };
        ck_assert_msg(get() == RC_OK, "%s", told.e.text);
        ck_assert_str_eq(told.endpoints, "10.0.1.4"); /* the others were silent for 600 seconds */
        ck_assert_uint_eq(told.answer.block_number, 1001);
        ck_assert_int_eq(told.answer.stale.rc, RC_OK);
        close_list();
    }
}
END_TEST

START_TEST(server_that_stays_at_an_old_block_is_not_believed)
{
    open_list();
    expect_four(1000, 12);
    for (unsigned minutes = 1; minutes <= 60; minutes += 10) {
        next_block(600, false); /* it goes on proving the state of block 1000 */
        const rc_t rc = get();
        if (now_s - states[1].answers[0].time <= MAX_AGE_S) {
            ck_assert_int_eq(rc, RC_OK);
            ck_assert_uint_eq(told.answer.block_number, 1000);
            ck_assert_int_ne(told.answer.stale.rc, RC_OK);
        } else {
            ck_assert_int_eq(rc, RC_IO);
            ck_assert_str_eq(told.endpoints, "");
        }
    }
    ck_assert_uint_ge(status_of(0).lies + status_of(1).lies, 1);
    close_list();
}
END_TEST

START_TEST(block_that_is_too_old_is_not_asked_about)
{
    open_list();
    now_s = s.block.env.timestamp + MAX_AGE_S + 1;
    ck_assert_int_eq(get(), RC_TIMEOUT);
    ck_assert_str_eq(told.e.field, "membership.max_age_s");
    ck_assert_uint_eq(ends[0].batches, 0);
    now_s--;
    expect_four(1000, MAX_AGE_S);
    now_s++;
    ck_assert_int_eq(get(), RC_TIMEOUT); /* kept or not */
    close_list();
}
END_TEST

START_TEST(contract_that_is_none_is_an_error)
{
    open_list();
    s.w.accounts[0].code_len = 0;
    s.block.state_root = world_root(&s.w);
    ck_assert_int_eq(get(), RC_REFUSED);
    ck_assert_str_eq(told.e.text, "there is no contract with getPeerEndpoints()");
    close_list();
}
END_TEST

START_TEST(list_of_an_earlier_block_does_not_replace_a_later_one)
{
    open_list();
    const ex_block_t early = s.block;
    next_block(12, true);
    expect_four(1001, 12);
    const ex_block_t late = s.block;
    pthread_mutex_lock(&lock);
    s.w.accounts[1].balance = u256_of(1000); /* as it was made */
    pthread_mutex_unlock(&lock);
    s.block = early;
    expect_four(1000, 24);
    s.block = late;
    const unsigned batches = ends[0].batches;
    expect_four(1001, 12);
    ck_assert_uint_eq(ends[0].batches, batches); /* still kept */
    close_list();
}
END_TEST

int main(void)
{
    return UNIT_RUN("p2p_list", list_is_asked_for_once_a_block, liar_is_named_and_another_endpoint_gives_the_list,
                    error_is_no_empty_list_and_names_the_endpoint,
                    old_list_is_given_with_its_age_and_the_reason_and_only_while_it_is_young,
                    server_that_stays_at_an_old_block_is_not_believed, block_that_is_too_old_is_not_asked_about,
                    contract_that_is_none_is_an_error, list_of_an_earlier_block_does_not_replace_a_later_one);
}
