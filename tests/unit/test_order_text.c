/* An order as JSON: there and back, whatever is wrong with it named, and a policy that is not its own. */
#include "node/cluster/order_text.h"

#include "tests/unit/overlay_keys.h"

#define HASH "0000000000000000000000000000000000000000000000000000000000000000"
#define KEY "02" HASH
#define POLICY "{\"version\":1,\"note\":\"quote \\\" and newline \\n\"}"

static order_signed_t sample(void)
{
    order_signed_t o = { .order = { .version = 3, .void_slot = UINT64_MAX, .maker_count = 2, .seat_count = 4 },
                         .signature_count = 2,
                         .text = view_str(POLICY) };
    key_point(o.order.cluster, 1);
    key_point(o.order.makers[0], 4);
    key_point(o.order.makers[1], 3);
    for (uint8_t i = 0; i < 4; i++)
        o.order.seats[i].b[0] = (uint8_t)(i + 1);
    sha256(&o.order.policy, o.text);
    o.id.version = 3;
    order_digest(&o.id.digest, &o.order);
    for (uint8_t i = 0; i < 2; i++) {
        key_point(o.signatures[i].key, 8u + i);
        key_sign(o.signatures[i].signature, 8u + i, &o.id.digest);
    }
    if (memcmp(o.signatures[0].key, o.signatures[1].key, 33) > 0) {
        const order_signature_t first = o.signatures[0];
        o.signatures[0] = o.signatures[1];
        o.signatures[1] = first;
    }
    return o;
}

static view_t bytes_of(uint8_t *buf, const order_signed_t *o)
{
    wr_t w = wr_of(buf, ORDER_MAX);
    order_write(&w, o, true);
    ck_assert(!w.bad);
    return wr_view(&w);
}

static uint8_t before[ORDER_MAX], after[ORDER_MAX];

START_TEST(an_order_is_read_as_it_was_written)
{
    order_signed_t got;
    arena_t a;
    err_t e;
    const order_signed_t o = sample();
    arena_init(&a, 1 << 20);
    jw_t w = jw_of(&a, ORDER_JSON_MAX);
    order_text_write(&w, NULL, &o);
    const view_t json = jw_done(&w);
    ck_assert_msg(order_text_read(&got, &e, &a, json) == RC_OK, "%s: %s", e.field, e.text);
    ck_assert(view_eq(bytes_of(before, &o), bytes_of(after, &got)));
    ck_assert_int_eq(order_id_cmp(&o.id, &got.id), 0);
    for (size_t n = 0; n < json.n; n++) { /* on the heap, so that a look behind it is seen */
        uint8_t *cut = malloc(n + 1);
        memcpy(cut, json.p, n);
        ck_assert_msg(order_text_read(&got, &e, &a, view_of(cut, n)) == RC_MALFORMED, "%zu bytes", n);
        free(cut);
    }
    arena_free(&a);
}
END_TEST

/* A member of the text, changed; what the reader says. */
static const struct {
    const char *from, *to, *field;
    rc_t rc;
} rows[] = {
    { "\"body\":\"0x6b", "\"body\":\"0x6c", "body", RC_MALFORMED },
    { "\"signatures\":[", "\"signatures\":[7,", "signatures[0]", RC_MALFORMED },
    { "\"signatures\":[{\"key\":\"0x0", "\"signatures\":[{\"key\":\"0x", "signatures[0].key", RC_MALFORMED },
    { "\"policy\":\"{", "\"policy\":\" {", "policy", RC_REFUSED },
    { "\"policy\":\"", "\"policies\":\"", "policy", RC_MALFORMED },
    /* what stands there for people and is not what the body says */
    { "\"version\":3", "\"version\":2", "version", RC_REFUSED },
    { "\"version\":3", "\"version\":0", "version", RC_REFUSED },
    { "\"digest\":\"0x", "\"digest\":\"0x00\",\"d\":\"", "digest", RC_MALFORMED },
    { "\"cluster\":\"0x02", "\"cluster\":\"0x03", "cluster", RC_REFUSED },
    { "\"void_slot\":\"18446744073709551615\"", "\"void_slot\":\"0\"", "void_slot", RC_REFUSED },
    { "\"makers\":[\"0x02", "\"makers\":[\"0x03", "makers[0]", RC_REFUSED },
    { "],\"seats\"", ",\"0x" KEY "\"],\"seats\"", "makers", RC_REFUSED },
    { "\"seats\":[\"0x01", "\"seats\":[\"0x02", "seats[0]", RC_REFUSED },
    { "\"seats\":[\"0x0100000000000000000000000000000000000000000000000000000000000000\",", "\"seats\":[", "seats[0]",
      RC_REFUSED },
    { "\"makers\":[", "\"makers\":[],\"m\":[", "makers", RC_REFUSED },
    { "\"policy_digest\":\"0x", "\"policy_digest\":\"0x" HASH "\",\"p\":\"", "policy_digest", RC_REFUSED },
};

/* A member that stands there for people may be left out. */
START_TEST(the_body_alone_is_enough)
{
    static const char *const names[] = {
        "version", "digest", "cluster", "void_slot", "makers", "seats", "policy_digest"
    };
    arena_t a;
    const order_signed_t o = sample();
    arena_init(&a, 1 << 20);
    jw_t w = jw_of(&a, ORDER_JSON_MAX);
    order_text_write(&w, NULL, &o);
    const char *json = (const char *)jw_done(&w).p;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        order_signed_t got;
        err_t e;
        char text[8192], member[32];
        snprintf(member, sizeof member, "\"%s\":", names[i]);
        const char *at = strstr(json, member);
        ck_assert_msg(at != NULL, "%s", member);
        snprintf(text, sizeof text, "%.*s\"x_%s", (int)(at - json), json, at + 1);
        ck_assert_msg(order_text_read(&got, &e, &a, view_str(text)) == RC_OK, "%s: %s: %s", names[i], e.field, e.text);
    }
    arena_free(&a);
}
END_TEST

START_TEST(what_is_wrong_is_named)
{
    arena_t a;
    const order_signed_t o = sample();
    arena_init(&a, 1 << 20);
    jw_t w = jw_of(&a, ORDER_JSON_MAX);
    order_text_write(&w, NULL, &o);
    const char *json = (const char *)jw_done(&w).p;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        order_signed_t got;
        err_t e;
        char text[8192];
        const char *at = strstr(json, rows[i].from);
        ck_assert_msg(at != NULL, "%s", rows[i].from);
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - json), json, rows[i].to, at + strlen(rows[i].from));
        ck_assert_msg(order_text_read(&got, &e, &a, view_str(text)) == rows[i].rc, "%s: %s", rows[i].to, e.text);
        ck_assert_msg(!strcmp(e.field, rows[i].field), "%s: %s", rows[i].to, e.field);
    }
    arena_free(&a);
}
END_TEST

START_TEST(an_order_without_a_policy_is_none)
{
    arena_t a;
    err_t e;
    order_signed_t got;
    order_signed_t o = sample();
    o.text = view_of(NULL, 0);
    arena_init(&a, 1 << 20);
    jw_t w = jw_of(&a, ORDER_JSON_MAX);
    order_text_write(&w, NULL, &o);
    ck_assert_int_eq(order_text_read(&got, &e, &a, jw_done(&w)), RC_MALFORMED);
    ck_assert_str_eq(e.field, "policy");
    arena_free(&a);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("order_text", keys_open, keys_close, an_order_is_read_as_it_was_written,
                           what_is_wrong_is_named, the_body_alone_is_enough, an_order_without_a_policy_is_none);
}
