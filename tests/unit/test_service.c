/* GET /block: signed once for each head, and never of an older one. */
#include <stdlib.h>

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

int main(void)
{
    if (secret_init())
        return EXIT_FAILURE;
    return UNIT_RUN_AROUND("service", set_up, NULL, block_answer_is_signed_once_for_a_head_and_never_moves_back);
}
