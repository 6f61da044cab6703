#include "node/tpod/hook.h"
#include "node/tpod/provider.h"
#include "overlay/tpod/check.h"
#include "overlay/tpod/text.h"

static void read_texts(const char **out, size_t *count, arena_t *a, const jo_t *o, const char *key, size_t min,
                       size_t max)
{
    jo_t list, row;
    if (!min && !jo_has(o, key))
        return;
    list = jo_list(o, key, min, max);
    while (jo_next(&list, &row))
        out[(*count)++] = (const char *)jo_text_copy(&row, a, NULL, 1, 1024).p;
}

static void read_command(offer_t *x, arena_t *a, const jo_t *o)
{
    size_t n = 0;
    if (!jo_has(o, "provision_command")) {
        jo_skip(o, "provision_command");
        return;
    }
    const char **words = arena_calloc(a, HOOK_WORDS_MAX + 1, sizeof *words);
    if (!words) {
        (void)jo_fail(o, "provision_command", RC_NOMEM, "out of memory");
        return;
    }
    read_texts(words, &n, a, o, "provision_command", 1, HOOK_WORDS_MAX);
    if (!jo_rc(o) && words[0][0] != '/')
        (void)jo_fail(o, "provision_command", RC_MALFORMED, "must begin with a whole path");
    x->command = words;
}

static void check_address(const jo_t *o, const char *key, view_t v)
{
    if (v.n && v.n != 20)
        (void)jo_fail(o, key, RC_MALFORMED, "must have 20 bytes");
}

static void read_capacity(offer_t *x, arena_t *a, const jo_t *o)
{
    const jo_t c = jo_object(o, "capacity");
    uint64_t millis;
    tpod_get_json(&x->capacity, a, &TPOD_CAPACITY_RESPONSE, &c);
    if (jo_rc(o))
        return;
    for (size_t i = 0; i < x->capacity.resource_count; i++)
        if (!x->capacity.resources[i].resource.n || tpod_millis(&millis, &x->capacity.resources[i]))
            (void)jo_fail(&c, "availableResources", RC_REFUSED, "has one without a name, or no amount that fits");
    check_address(&c, "providerAddress", x->capacity.provider);
    if (x->capacity.pricing)
        check_address(&c, "pricing", x->capacity.pricing->currency);
}

static void read_payment(offer_t *x, arena_t *a, const jo_t *o)
{
    addr_t provider;
    if (!jo_has(o, "payment")) {
        jo_skip(o, "payment");
        return;
    }
    if (!jo_rc(o) && x->capacity.provider.n != sizeof provider) {
        (void)jo_fail(o, "payment", RC_REFUSED, "needs capacity.providerAddress, which is paid");
        return;
    }
    if (jo_rc(o))
        return;
    memcpy(provider.b, x->capacity.provider.p, sizeof provider);
    paid_read(&x->payment, a, o, &provider);
    x->has_payment = true;
}

rc_t offer_read(offer_t *out, err_t *e, arena_t *a, view_t text)
{
    offer_t x = { .listen_count = 0 };
    view_t path;
    jo_doc_t doc;
    const jo_t o = jo_open(&doc, e, text, OFFER_MAX, JO_STRICT);
    read_texts(x.listen, &x.listen_count, a, &o, "listen", 1, OFFER_LISTEN_MAX);
    read_capacity(&x, a, &o);
    read_payment(&x, a, &o);
    read_command(&x, a, &o);
    read_texts(x.pccs, &x.pccs_count, a, &o, "pccs", 0, OFFER_SERVICES_MAX);
    if (jo_opt_text_copy(&o, &path, a, "collateral_file", 1, 1024))
        x.collateral_file = (const char *)path.p;
    const rc_t rc = jo_done(&o);
    jo_close(&doc);
    if (!rc)
        *out = x;
    return rc;
}
