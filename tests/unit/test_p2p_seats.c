/* node/p2p/seats.h: who has which address, from the state that the contract really leaves; and what an execution RPC that
 * lies, or is late, makes of it. */
#include "tests/unit/members_states.h"

#include "base/os/log.h"
#include "node/p2p/seats.h"
#include "tests/unit/members_world.h"

static seats_t *seats;
static pthread_mutex_t told_lock = PTHREAD_MUTEX_INITIALIZER;
static wg_seats_t told;
static unsigned tells, turns;

static void on_told(void *ctx, const wg_seats_t *x)
{
    (void)ctx;
    pthread_mutex_lock(&told_lock);
    told = *x;
    tells++;
    pthread_mutex_unlock(&told_lock);
}

static void on_turn(void *ctx)
{
    (void)ctx;
    pthread_mutex_lock(&told_lock);
    turns++;
    pthread_mutex_unlock(&told_lock);
}

static unsigned turns_now(void)
{
    pthread_mutex_lock(&told_lock);
    const unsigned n = turns;
    pthread_mutex_unlock(&told_lock);
    return n;
}

static void open_seats(void)
{
    open_members();
    log_set_level(LOG_ERROR);
    tells = turns = 0;
    seats = seats_new(&(seats_config_t){
        .ask = engine, .chain = &PRAGUE, .cache = s.config.cache, .contract = A, .told = on_told, .turn = on_turn });
    ck_assert_ptr_nonnull(seats);
    ck_assert_uint_eq(seats_turn(seats, 1), UINT64_MAX); /* no head yet */
}

static void close_seats(void)
{
    end_engine();
    seats_free(seats);
    close_members();
}

/* Reads at the head, to the end. */
static void read_head(uint64_t now_ms)
{
    const unsigned before = turns_now();
    seats_head(seats, &s.block);
    (void)seats_turn(seats, now_ms);
    for (unsigned i = 0; turns_now() == before; i++) {
        ck_assert_uint_lt(i, 2000);
        pause_ms(5);
    }
}

START_TEST(addresses_are_those_of_members_that_are_heard)
{
    open_seats();
    read_head(1);
    ck_assert(tells == 1 && told.count == 4 && told.block_number == 1000);
    ck_assert_uint_eq(told.block_time_s, s.block.env.timestamp);
    for (uint8_t i = 0; i < 4; i++) /* the file has no wallets: they are zeros */
        ck_assert_uint_eq(told.seats[i].index, i + 1);
    ck_assert_uint_eq(seats_turn(seats, 1), UINT64_MAX); /* it has been read */
    ck_assert_uint_eq(tells, 1);
    next_block(600, true); /* three have not been heard */
    read_head(1);
    ck_assert(tells == 2 && told.count == 1 && told.seats[0].index == 4);
    next_block(1, true);
    read_head(1);
    ck_assert(tells == 3 && told.count == 0);
    close_seats();
}
END_TEST

START_TEST(what_cannot_be_proven_tells_nothing_and_is_tried_again)
{
    static const endpoint_t bad[] = { { .falsified = "a000" }, { .refused = PROOF_OF_A }, { .status = 500 } };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        err_t why;
        open_seats();
        seats_trouble(seats, &why);
        ck_assert_int_eq(why.rc, RC_OK);
        ends[0] = ends[1] = bad[i];
        read_head(1);
        seats_trouble(seats, &why);
        ck_assert_msg(tells == 0 && why.rc == RC_IO && strstr(why.text, "execution_rpc["), "%zu: %u %d %s: %s", i,
                      tells, why.rc, why.field, why.text);
        const uint64_t again = seats_turn(seats, 1);
        ck_assert(again != UINT64_MAX && tells == 0);
        ends[0] = ends[1] = (endpoint_t){ .status = 0 };
        read_head(again);
        seats_trouble(seats, &why);
        ck_assert(tells == 1 && told.count == 4 && why.rc == RC_OK);
        close_seats();
    }
}
END_TEST

static members_row_t row(uint64_t token, uint8_t index)
{
    return (members_row_t){ .token = token,
                            .wallet = { { (uint8_t)token } },
                            .is_bound = true,
                            .network = MEMBERS_WIREGUARD,
                            .ip_index = index,
                            .heartbeat_s = 1000 };
}

START_TEST(who_is_not_bound_or_has_no_address_has_no_seat)
{
    members_row_t rows[] = {
        row(1, 7), row(2, 8), row(3, 9), row(4, 0), row(5, 255), row(6, 7), row(7, 10), row(8, 254)
    };
    const members_roll_t roll = { .rows = rows, .count = sizeof rows / sizeof rows[0], .timeout_s = 60 };
    ex_block_t block = { .env = { .number = 5, .timestamp = 1060 } };
    wg_seats_t out;
    rows[1].is_bound = false;
    rows[2].network = MEMBERS_TLS;
    rows[6].heartbeat_s = 999; /* a second too long ago */
    seats_of(&out, &roll, &block);
    ck_assert(out.count == 2 && out.seats[0].index == 7 && out.seats[1].index == 254);
    ck_assert_uint_eq(out.seats[0].wallet.b[0], 1); /* and not who says it second */
}
END_TEST

int main(void)
{
    return UNIT_RUN("p2p_seats", addresses_are_those_of_members_that_are_heard,
                    what_cannot_be_proven_tells_nothing_and_is_tried_again,
                    who_is_not_bound_or_has_no_address_has_no_seat);
}
