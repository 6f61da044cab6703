/* The configuration of a provider: what is read, and what is refused. */
#include "node/tpod/provider.h"

#include <string.h>

#include "overlay/tpod/pod.h"
#include "tests/unit/unit.h"

static arena_t arena;

static void begin(void)
{
    arena_init(&arena, (size_t)4 << 20);
}

static void end(void)
{
    arena_free(&arena);
}

#define LISTEN "\"listen\":[\"/ip4/127.0.0.1/tcp/0\"]"
#define ADDRESS "0x1111111111111111111111111111111111111111"

START_TEST(all_that_it_may_hold_is_read)
{
    offer_t x;
    err_t e;
    const char *text = "{" LISTEN ",\"capacity\":{\"availableResources\":[{\"resource\":\"cpu\",\"amount\":8},"
                       "{\"resource\":\"memory\",\"amountGibi\":\"32\"}],\"pricing\":{\"resources\":[{\"resource\":"
                       "\"cpu\",\"priceForReservation\":10,\"priceForUsage\":1}],\"currency\":\"" ADDRESS "\"},"
                       "\"providerAddress\":\"" ADDRESS "\"},\"provision_command\":[\"/bin/pod\",\"-v\"],"
                       "\"pccs\":[\"https://pccs.example\"],\"collateral_file\":\"/collateral.json\"}";
    ck_assert_msg(offer_read(&x, &e, &arena, view_str(text)) == RC_OK, "%s: %s", e.field, e.text);
    ck_assert(x.listen_count == 1 && !strcmp(x.listen[0], "/ip4/127.0.0.1/tcp/0"));
    ck_assert(x.capacity.resource_count == 2 && x.capacity.resources[1].which == TPOD_GIBI);
    ck_assert(x.capacity.resources[1].amount == 32 && x.capacity.provider.n == 20 && x.capacity.provider.p[0] == 0x11);
    ck_assert(x.capacity.pricing->currency.n == 20 && x.capacity.pricing->resources[0].reservation == 10);
    ck_assert(!strcmp(x.command[0], "/bin/pod") && !strcmp(x.command[1], "-v") && !x.command[2]);
    ck_assert(x.pccs_count == 1 && !strcmp(x.collateral_file, "/collateral.json"));
    ck_assert_int_eq(offer_read(&x, &e, &arena, view_str("{" LISTEN ",\"capacity\":{}}")), RC_OK);
    ck_assert(!x.command && !x.capacity.pricing && !x.pccs_count && !x.collateral_file);
}
END_TEST

START_TEST(what_makes_no_sense_is_refused)
{
    static const struct {
        const char *text, *field;
    } bad[] = {
        { "{\"capacity\":{}}", "listen" },
        { "{\"listen\":[],\"capacity\":{}}", "listen" },
        { "{" LISTEN "}", "capacity" },
        { "{" LISTEN ",\"capacity\":{},\"payment\":{}}", "payment" }, /* to nobody */
        { "{" LISTEN ",\"capacity\":{\"providerAddress\":\"" ADDRESS "\"},\"payment\":{}}", "payment.contract" },
        { "{" LISTEN ",\"capacity\":{\"cpu\":1}}", "capacity.cpu" },
        { "{" LISTEN ",\"capacity\":{\"availableResources\":[{\"resource\":\"cpu\"}]}}",
          "capacity.availableResources" },
        { "{" LISTEN ",\"capacity\":{\"availableResources\":[{\"amount\":1}]}}", "capacity.availableResources" },
        { "{" LISTEN ",\"capacity\":{\"availableResources\":[{\"resource\":\"cpu\",\"amountGibi\":17179870}]}}",
          "capacity.availableResources" },
        { "{" LISTEN ",\"capacity\":{\"providerAddress\":\"0x1111\"}}", "capacity.providerAddress" },
        { "{" LISTEN ",\"capacity\":{\"pricing\":{\"currency\":\"0x1111\"}}}", "capacity.pricing" },
        { "{" LISTEN ",\"capacity\":{},\"provision_command\":[]}", "provision_command" },
        { "{" LISTEN ",\"capacity\":{},\"provision_command\":[\"pod\"]}", "provision_command" },
        { "{" LISTEN ",\"capacity\":{},\"provision_command\":\"/bin/pod\"}", "provision_command" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        offer_t x;
        err_t e;
        err_clear(&e);
        const rc_t rc = offer_read(&x, &e, &arena, view_str(bad[i].text));
        ck_assert_msg(rc == RC_MALFORMED || rc == RC_REFUSED || rc == RC_LIMIT, "%s", bad[i].text);
        ck_assert_msg(!strcmp(e.field, bad[i].field), "%s: %s", bad[i].text, e.field);
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("tpod_offer", begin, end, all_that_it_may_hold_is_read, what_makes_no_sense_is_refused);
}
