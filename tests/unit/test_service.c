/* GET /block: signed once for each head, and never of an older one. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/crypto/secret.h"
#include "node/service.h"
#include "tests/unit/unit.h"

static config_t config;
static follow_view_t view;

/* A chain of the newest fork, whose latest head is slot 1000 and whose finalized one is slot 928. */
static void set_up(void)
{
    memset(&config, 0, sizeof config);
    memset(&view, 0, sizeof view);
    config.network = *lc_network_find("mainnet");
    memset(config.network.fork_epoch, 0, sizeof config.network.fork_epoch);
    view.progress.state = LC_STATE_FOLLOWING;
    view.latest = (lc_head_t){ .valid = true, .header.beacon.slot = 1000 };
    view.latest.header.execution.block_number = 77;
    view.finalized = (lc_head_t){ .valid = true, .header.beacon.slot = 928 };
    view.finalized.header.execution.block_number = 55;
}

/* ---- GET /block ---- */

static service_t *signer(void)
{
    static const tee_provider_t tee = { .name = "simulator", .simulated = true };
    static const uint8_t blind[32] = { 3 };
    uint8_t secret[32] = { 1 };
    service_t *s = calloc(1, sizeof *s);
    s->with = (service_config_t){ .config = &config, .tee = &tee };
    pthread_mutex_init(&s->lock, NULL);
    ck_assert_int_eq(keyring_new(&s->keyring, secret, blind), RC_OK);
    return s;
}

START_TEST(block_answer_is_signed_once_for_a_head_and_never_moves_back)
{
    service_t *s = signer();
    hs_shared_t *first = service_block_answer(s, &view), *again = service_block_answer(s, &view);
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_eq(first, again);
    view.latest.header.beacon.slot = 1001;
    hs_shared_t *newer = service_block_answer(s, &view);
    ck_assert_ptr_ne(newer, first);
    view.latest.header.beacon.slot = 999; /* a thread with an older view */
    hs_shared_t *older = service_block_answer(s, &view);
    ck_assert_ptr_eq(older, newer);
    ck_assert_uint_eq(s->block_slot, 1001);
    hs_shared_unref(first);
    hs_shared_unref(again);
    hs_shared_unref(newer);
    hs_shared_unref(older);
    view.latest.valid = false;
    ck_assert_ptr_null(service_block_answer(s, &view));
    service_free(s);
}
END_TEST

/* ---- the end ---- */

/* A header that comes while the service ends: it tells a new head to what is freed then. */
static atomic_uint came;

static void *bring(void *ctx)
{
    service_t *s = ctx;
    const struct timespec while_it_ends = { .tv_nsec = 100000000L };
    nanosleep(&while_it_ends, NULL);
    atomic_store(&came, 1);
    atomic_fetch_sub(&s->fetching, 1);
    return NULL;
}

START_TEST(service_is_not_freed_under_a_header_that_is_on_its_way)
{
    service_t *s = signer();
    pthread_t thread;
    atomic_store(&came, 0);
    atomic_store(&s->fetching, 1);
    ck_assert_int_eq(pthread_create(&thread, NULL, bring, s), 0);
    service_free(s);
    ck_assert_uint_eq(atomic_load(&came), 1);
    pthread_join(thread, NULL);
}
END_TEST

int main(void)
{
    if (secret_init())
        return EXIT_FAILURE;
    return UNIT_RUN_AROUND("service", set_up, NULL, block_answer_is_signed_once_for_a_head_and_never_moves_back,
                           service_is_not_freed_under_a_header_that_is_on_its_way);
}
