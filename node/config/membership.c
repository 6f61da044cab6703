#include "node/config/membership.h"

#include <stddef.h>

#include "node/config/option.h"
#include "rpc/api/setup_statement.h"
#include "rpc/members/gateway.h"

const char *const MEMBERSHIP_MODES[] = { [MEMBERS_TLS] = "tls", [MEMBERS_WIREGUARD] = "wireguard", NULL };
const char *const MEMBERSHIP_BLOCKS[] = { [MEMBERSHIP_FINALIZED] = "finalized", [MEMBERSHIP_LATEST] = "latest", NULL };

static void read_contract(void *out, arena_t *arena, const jo_t *o, const char *key)
{
    membership_t *m = out;
    (void)arena;
    jo_hex(o, m->contract.b, sizeof m->contract.b, key, HEX_0X);
}

static void read_domain(void *out, arena_t *arena, const jo_t *o, const char *key)
{
    membership_t *m = out;
    const view_t text = jo_text_copy(o, arena, key, 1, MEMBERSHIP_DOMAIN_MAX);
    if (text.p && !gateway_is_domain(text))
        jo_fail(o, key, RC_MALFORMED, "must be a domain in lower case");
    m->gateway_domain = (const char *)text.p;
}

/* What a list promises is never less than what was asked for without a word. */
static void read_attested(void *out, arena_t *arena, const jo_t *o, const char *key)
{
    membership_t *m = out;
    (void)arena;
    m->attested_only = jo_bool(o, key);
    if (m->attested_only)
        jo_fail(o, key, RC_REFUSED, "this version gives the contract's list as it is: only false is supported");
}

static const option_t options[] = {
    { .key = "contract", .kind = OPTION_OTHER, .required = true, .read = read_contract },
    { .key = "mode",
      .kind = OPTION_CHOICE,
      .required = true,
      .at = offsetof(membership_t, mode),
      .words = MEMBERSHIP_MODES },
    { .key = "attested_only", .kind = OPTION_OTHER, .required = true, .read = read_attested },
    { .key = "block", .kind = OPTION_CHOICE, .at = offsetof(membership_t, block), .words = MEMBERSHIP_BLOCKS },
    { .key = "max_age_s",
      .kind = OPTION_NUMBER,
      .at = offsetof(membership_t, max_age_s),
      .min = 1,
      .max = MEMBERSHIP_MAX_AGE_MAX,
      .normal = MEMBERS_MAX_AGE_DEFAULT },
    { .key = "every",
      .kind = OPTION_NUMBER,
      .at = offsetof(membership_t, every),
      .min = 1,
      .max = MEMBERSHIP_EVERY_MAX,
      .normal = 1 },
    { .key = "fee_cap",
      .kind = OPTION_NUMBER,
      .at = offsetof(membership_t, fee_cap),
      .min = 1,
      .max = SETUP_INT_MAX,
      .normal = MEMBERSHIP_FEE_CAP },
    { .key = "overlay_port", .kind = OPTION_PORT, .at = offsetof(membership_t, overlay_port) },
    { .key = "gateway_domain", .kind = OPTION_OTHER, .read = read_domain },
    { .key = "socket", .kind = OPTION_PATH, .at = offsetof(membership_t, socket), .normal_text = MEMBERSHIP_SOCKET },
};

void membership_read(membership_t *out, arena_t *arena, const jo_t *o, const char *key)
{
    const jo_t each = jo_object(o, key);
    *out = (membership_t){ .is_set = true };
    options_read(out, arena, &each, options, sizeof options / sizeof options[0], true);
    if (out->socket && strlen(out->socket) > MEMBERSHIP_SOCKET_MAX)
        jo_fail(&each, "socket", RC_MALFORMED, "must have at most %u characters", MEMBERSHIP_SOCKET_MAX);
    if (out->gateway_domain && out->mode != MEMBERS_TLS)
        jo_fail(&each, "gateway_domain", RC_MALFORMED, "is of mode tls");
}
