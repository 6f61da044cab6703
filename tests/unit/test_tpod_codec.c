/* Messages of trusted pods: known answers both ways, the rules of parsing, bounds, every truncation. */
#include <stdlib.h>

#include "base/hex.h"
#include "overlay/tpod/codec.h"
#include "overlay/wire/proto.h"
#include "tests/unit/unit.h"

/* Source of the first three: protoc 3.21.12 with the schema of trusted-pods 7254366 (sdk-facts 7, V1 to V3: upstream's
 * own test manifest; two pairs of env, a TCP port 0 that is there, a secret inline; an error). Of the others:
 * overlay-facts 13, worked bytes. */
#define V1                                                                                                             \
    "0a98010a8f010a0e746573742d636f6e7461696e657212480a3b6261667962656963746c36346c363677376e70716c7077376a617878626d" \
    "376d353232327868716a61367869636766616d3473377478613735747110ffffffffffffffffff01321208903f1a0d6578616d706c652e6c" \
    "6f63616c421f121d2f6369642f5f2f6e67696e7864656d6f732f6e67696e782d68656c6c6f12001a021001"
#define V2                                                                                                             \
    "0a4e0a2b0a016312040a02516d3207081610ae1128003a060a01411201313a050a014212004a080a0363707510e80712190802221"        \
    "50a08000155000361626310ffffffffffffffffff011a041002186412030a014b"
#define V3 "0a10766f6c756d654964782037206f662031"
#define ASK "0a070a036370751002"
#define CAN "0a070a03637075100212210a090a03637075100a180112141111111111111111111111111111111111111111"
#define DONE "121e0a152f6970342f3132372e302e302e312f7463702f383012037765621850"
/* Every extension: amounts of each unit, a UDP port with an address, payment, the table that was offered; and the two
 * messages of attestation. Made by twelve lines of Python from the numbers of overlay-facts 13. */
#define EXTENDED                                                                                                       \
    "0a4b0a490a03646e73321408351035283530013a0a31302e3230302e302e344a080a0363707518f4034a0b0a066d656d6f7279288002"     \
    "4a0b0a0773746f7261676530014a080a046469736b20071a670a0164121422222222222222222222222222222222222222221a143333"     \
    "333333333333333333333333333333333333221444444444444444444444444444444444444444442a20555555555555555555555555"     \
    "555555555555555555555555555555555555555522210a090a03637075100a1801121411111111111111111111111111111111111111"     \
    "11"
#define ATTEST "0a20000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f1001"
#define ATTESTED                                                                                                       \
    "0a027b7d10011a420a070a03637075100212210a090a03637075100a1801121411111111111111111111111111111111111111111a14"     \
    "4444444444444444444444444444444444444444"

static const struct {
    const char *name, *hex;
    const tpod_message_t *m;
} known[] = {
    { "V1", V1, &TPOD_PROVISION_REQUEST },
    { "V2", V2, &TPOD_PROVISION_REQUEST },
    { "V3", V3, &TPOD_PROVISION_RESPONSE },
    { "capacity asked", ASK, &TPOD_CAPACITY_REQUEST },
    { "capacity told", CAN, &TPOD_CAPACITY_RESPONSE },
    { "provisioned", DONE, &TPOD_PROVISION_RESPONSE },
    { "extensions", EXTENDED, &TPOD_PROVISION_REQUEST },
    { "attestation asked", ATTEST, &TPOD_ATTEST_REQUEST },
    { "attested", ATTESTED, &TPOD_ATTEST_RESPONSE },
};
#define KNOWN (sizeof known / sizeof known[0])

/* Room for the struct of any message. */
typedef union {
    tpod_provision_request_t provision;
    tpod_provision_response_t provisioned;
    tpod_capacity_request_t ask;
    tpod_capacity_t can;
    tpod_attest_request_t attest;
    tpod_attest_response_t attested;
} any_t;

static arena_t arena;

static uint8_t *bytes_of(view_t *v, const char *hex)
{
    const size_t cap = strlen(hex) / 2;
    uint8_t *p = malloc(cap ? cap : 1);
    size_t n = 0;
    ck_assert_ptr_nonnull(p);
    ck_assert_int_eq(hex_decode(p, &n, cap, hex, strlen(hex)), RC_OK);
    *v = view_of(p, n);
    return p;
}

static rc_t read_hex(any_t *out, err_t *e, const tpod_message_t *m, const char *hex)
{
    view_t v;
    uint8_t *p = bytes_of(&v, hex);
    err_clear(e);
    const rc_t rc = tpod_read(out, e, &arena, m, v);
    free(p);
    return rc;
}

static void begin(void)
{
    arena_init(&arena, (size_t)8 << 20);
}

static void end(void)
{
    arena_free(&arena);
}

#define IS(view, text) ck_assert_msg(view_eq(view, view_str(text)), "%.*s", (int)(view).n, (const char *)(view).p)

START_TEST(known_messages_come_back_byte_for_byte)
{
    uint8_t out[1024];
    char hex[2049];
    for (size_t i = 0; i < KNOWN; i++) {
        any_t m;
        err_t e;
        view_t v;
        uint8_t *p = bytes_of(&v, known[i].hex);
        wr_t w = wr_of(out, sizeof out);
        ck_assert_msg(tpod_read(&m, &e, &arena, known[i].m, v) == RC_OK, "%s: %s: %s", known[i].name, e.field, e.text);
        tpod_write(&w, known[i].m, &m);
        ck_assert(!w.bad);
        hex_encode(hex, wr_view(&w));
        ck_assert_msg(strcmp(hex, known[i].hex) == 0, "%s: %s", known[i].name, hex);
        free(p);
    }
}
END_TEST

START_TEST(upstreams_manifest_says_what_it_says)
{
    any_t m;
    err_t e;
    view_t v;
    uint8_t *p = bytes_of(&v, V1);
    ck_assert_int_eq(tpod_read(&m, &e, &arena, &TPOD_PROVISION_REQUEST, v), RC_OK);
    const tpod_pod_t *pod = m.provision.pod;
    ck_assert(pod && pod->container_count == 1 && pod->volume_count == 1 && pod->replicas);
    const tpod_container_t *c = pod->containers;
    IS(c->name, "test-container");
    IS(c->image->cid, "bafybeictl64l66w7npqlpw7jaxxbm7m5222xhqja6xicgfam4s7txa75tq");
    ck_assert_int_eq(c->image->key, TPOD_NO_KEY);
    ck_assert(c->port_count == 1 && c->ports[0].container_port == 8080 && c->ports[0].service_port == 0);
    ck_assert_uint_eq(c->ports[0].which, TPOD_HTTP_HOST);
    IS(c->ports[0].http_host, "example.local");
    ck_assert(c->mount_count == 1 && c->mounts[0].volume == 0 && !c->mounts[0].read_only);
    IS(c->mounts[0].path, "/cid/_/nginxdemos/nginx-hello");
    ck_assert(pod->volumes[0].type == TPOD_EMPTY && pod->volumes[0].which == 0);
    ck_assert(pod->replicas->min == 0 && pod->replicas->max == 1);
    ck_assert(m.provision.key_count == 0 && !m.provision.payment && !m.provision.pricing);
    free(p);
}
END_TEST

START_TEST(the_second_manifest_says_what_it_says)
{
    any_t m;
    err_t e;
    view_t v;
    uint8_t *p = bytes_of(&v, V2);
    ck_assert_int_eq(tpod_read(&m, &e, &arena, &TPOD_PROVISION_REQUEST, v), RC_OK);
    const tpod_pod_t *pod = m.provision.pod;
    const tpod_container_t *c = pod->containers;
    ck_assert_int_eq(c->image->key, 0); /* absent: the first key */
    ck_assert(c->ports[0].which == TPOD_TCP_PORT && c->ports[0].tcp_port == 0 && c->ports[0].service_port == 2222);
    ck_assert_uint_eq(c->env_count, 2);
    IS(c->env[0].key, "A");
    IS(c->env[0].value, "1");
    IS(c->env[1].key, "B");
    ck_assert_uint_eq(c->env[1].value.n, 0);
    ck_assert(c->resource_count == 1 && c->resources[0].which == TPOD_AMOUNT && c->resources[0].amount == 1000);
    ck_assert(pod->volumes[0].which == TPOD_SECRET && pod->volumes[0].secret->key == TPOD_NO_KEY);
    ck_assert(view_eq(pod->volumes[0].secret->cid, view_of("\0\1U\0\3abc", 8)));
    ck_assert(pod->replicas->max == 2 && pod->replicas->target_pending_requests == 100);
    ck_assert_uint_eq(m.provision.key_count, 1);
    IS(m.provision.keys[0].pem, "K");
    free(p);
}
END_TEST

/* A cut message is refused, or is a shorter one: never more than it says, and out is as it was. */
START_TEST(a_message_cut_at_any_byte_is_refused_or_shorter)
{
    for (size_t i = 0; i < KNOWN; i++) {
        view_t whole;
        uint8_t *p = bytes_of(&whole, known[i].hex);
        size_t taken = 0;
        for (size_t n = 0; n < whole.n; n++) {
            uint8_t *cut = malloc(n ? n : 1), out[1024];
            any_t m;
            err_t e;
            memset(&m, 0x5a, sizeof m);
            if (n)
                memcpy(cut, p, n);
            if (tpod_read(&m, &e, &arena, known[i].m, view_of(cut, n)) == RC_OK) {
                wr_t w = wr_of(out, sizeof out);
                tpod_write(&w, known[i].m, &m);
                ck_assert_msg(view_eq(wr_view(&w), view_of(p, n)), "%s cut at %zu", known[i].name, n);
                taken++;
            } else {
                for (size_t b = 0; b < sizeof m; b++)
                    ck_assert_uint_eq(((const uint8_t *)&m)[b], 0x5a);
            }
            free(cut);
        }
        /* between fields of the outermost message only: at 0, and behind each but the last */
        ck_assert_msg(taken <= 4, "%s: %zu", known[i].name, taken);
        free(p);
    }
}
END_TEST

/* Each field of each message, in a type that it is not of. */
START_TEST(a_wrong_type_is_an_error_that_names_the_field)
{
    static const tpod_message_t *const all[] = {
        &TPOD_ATTEST_REQUEST,    &TPOD_ATTEST_RESPONSE,    &TPOD_CAPACITY_REQUEST, &TPOD_CAPACITY_RESPONSE,
        &TPOD_PROVISION_REQUEST, &TPOD_PROVISION_RESPONSE, &TPOD_PRICING
    };
    const tpod_message_t *stack[64];
    size_t n = 0, seen = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        stack[n++] = all[i];
    while (n) {
        const tpod_message_t *m = stack[--n];
        for (size_t i = 0; i < m->count; i++, seen++) {
            const tpod_field_t *f = &m->fields[i];
            const bool number = f->kind < TPOD_TEXT;
            for (unsigned type = 0; type < 8; type++) {
                uint8_t bytes[12] = { (uint8_t)(f->number << 3 | type), 0 };
                const size_t len = type == PB_FIXED64 ? 9 : type == PB_FIXED32 ? 5 : 2;
                uint64_t out[32];
                err_t e;
                const bool right = type == (number ? PB_VARINT : PB_BYTES);
                const rc_t rc = tpod_read(out, &e, &arena, m, view_of(bytes, len));
                ck_assert_msg((rc == RC_OK) == right, "%s.%s of type %u: %s", m->name, f->name, type, rc_name(rc));
                if (!right && (type == PB_VARINT || type == PB_BYTES || type == PB_FIXED64 || type == PB_FIXED32))
                    ck_assert_str_eq(e.field, f->name);
            }
            if (f->message)
                stack[n++] = f->message;
        }
        ck_assert_uint_lt(n, 60);
    }
    ck_assert_uint_gt(seen, 60);
}
END_TEST

START_TEST(the_last_value_counts_and_unknown_fields_are_passed_over)
{
    any_t m;
    err_t e;
    /* amount 1, then amountMillis 2, then amount 3 */
    ck_assert_int_eq(read_hex(&m, &e, &TPOD_CAPACITY_REQUEST, "0a06100118021003"), RC_OK);
    ck_assert(m.ask.resources[0].which == TPOD_AMOUNT && m.ask.resources[0].amount == 3);
    ck_assert_int_eq(read_hex(&m, &e, &TPOD_CAPACITY_REQUEST, "0a0410031805"), RC_OK);
    ck_assert(m.ask.resources[0].which == TPOD_MILLIS && m.ask.resources[0].amount == 5);
    /* an error twice; fields 15 (varint), 16 (bytes), 17 (fixed32), 18 (fixed64) */
    ck_assert_int_eq(read_hex(&m, &e, &TPOD_PROVISION_RESPONSE,
                              "0a01617805820103ffffff8d010000000091010000000000000000"
                              "0a0162"),
                     RC_OK);
    ck_assert_uint_eq(m.provisioned.error.n, 1);
    /* env A = 1, B = 2, A = 3 */
    ck_assert_int_eq(
        read_hex(&m, &e, &TPOD_PROVISION_REQUEST, "0a1a0a183a060a01411201313a060a01421201323a060a0141120133"), RC_OK);
    ck_assert_uint_eq(m.provision.pod->containers[0].env_count, 2);
    /* a volume's filesystem, then its secret: the secret */
    ck_assert_int_eq(read_hex(&m, &e, &TPOD_PROVISION_REQUEST, "0a0812061a0022021001"), RC_OK);
    ck_assert(m.provision.pod->volumes[0].which == TPOD_SECRET && m.provision.pod->volumes[0].secret->key == 1);
}
END_TEST

START_TEST(what_does_not_fit_is_refused)
{
    static const struct {
        const char *hex, *field;
        const tpod_message_t *m;
    } bad[] = {
        { "0a0012000a00", "podManifest", &TPOD_PROVISION_REQUEST },                      /* two manifests */
        { "0a081a06108080808010", "podManifest.replicas.max", &TPOD_PROVISION_REQUEST }, /* 2^32 */
        { "0a0a0a081206108080808008", "podManifest.containers[0].image.keyIdx", &TPOD_PROVISION_REQUEST }, /* 2^31 */
        { "1002", "wantCapacity", &TPOD_ATTEST_REQUEST },
        { "0a02c328", "error", &TPOD_PROVISION_RESPONSE },   /* not UTF-8 */
        { "0a03eda080", "error", &TPOD_PROVISION_RESPONSE }, /* a surrogate */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        any_t m;
        err_t e;
        const rc_t rc = read_hex(&m, &e, bad[i].m, bad[i].hex);
        ck_assert_msg(rc == RC_MALFORMED, "%zu: %s", i, rc_name(rc));
        ck_assert_str_eq(e.field, bad[i].field);
    }
}
END_TEST

START_TEST(a_message_nested_without_end_costs_no_stack)
{
    /* Lengths that nest: every level is "field 1 (or 15), the rest". Whatever comes of it, it comes soon. */
    static uint8_t bomb[TPOD_MESSAGE_MAX];
    static const uint8_t heads[] = { 0x0a, 0x7a };
    for (size_t h = 0; h < sizeof heads; h++) {
        size_t at = sizeof bomb;
        while (at > 5) {
            uint8_t head[6];
            wr_t w = wr_of(head, sizeof head);
            wr_u8(&w, heads[h]);
            varint_put(&w, sizeof bomb - at);
            if (w.n > at)
                break;
            at -= w.n;
            memcpy(bomb + at, head, w.n);
        }
        for (size_t i = 0; i < KNOWN; i++) {
            any_t m;
            err_t e;
            (void)!tpod_read(&m, &e, &arena, known[i].m, view_of(bomb + at, sizeof bomb - at));
            arena_free(&arena);
        }
    }
}
END_TEST

START_TEST(size_and_lists_are_bounded)
{
    static uint8_t big[TPOD_MESSAGE_MAX + 1];
    any_t m;
    err_t e;
    wr_t w = wr_of(big, sizeof big);
    /* an error text of exactly as much as fits, and one more */
    const size_t head = 4;
    w = wr_of(big, sizeof big);
    static char text[TPOD_MESSAGE_MAX];
    memset(text, 'x', sizeof text);
    pb_put_bytes(&w, 1, view_of(text, TPOD_MESSAGE_MAX - head));
    ck_assert_uint_eq(w.n, TPOD_MESSAGE_MAX);
    ck_assert_int_eq(tpod_read(&m, &e, &arena, &TPOD_PROVISION_RESPONSE, wr_view(&w)), RC_OK);
    w = wr_of(big, sizeof big);
    pb_put_bytes(&w, 1, view_of(text, TPOD_MESSAGE_MAX - head + 1));
    ck_assert_int_eq(tpod_read(&m, &e, &arena, &TPOD_PROVISION_RESPONSE, wr_view(&w)), RC_LIMIT);
    /* lists: as many elements as they may have, and one more */
    for (size_t n = TPOD_LIST_MAX; n <= TPOD_LIST_MAX + 1; n++) {
        w = wr_of(big, sizeof big);
        for (size_t i = 0; i < n; i++)
            pb_put_bytes(&w, 2,
                         view_of("\n\x14"
                                 "aaaaaaaaaaaaaaaaaaaa",
                                 22)); /* keys, long enough for their structs */
        const rc_t rc = tpod_read(&m, &e, &arena, &TPOD_PROVISION_REQUEST, wr_view(&w));
        ck_assert_int_eq(rc, n == TPOD_LIST_MAX ? RC_OK : RC_LIMIT);
    }
    ck_assert_str_eq(e.field, "keys");
}
END_TEST

/* Empty containers take two bytes on the wire, and a struct each. */
START_TEST(memory_is_bounded_by_the_message)
{
    uint8_t in[2 * TPOD_LIST_MAX], out[sizeof in + 8];
    any_t m;
    err_t e;
    for (size_t i = 0; i < sizeof in; i += 2)
        memcpy(in + i, "\n\0", 2);
    wr_t w = wr_of(out, sizeof out);
    pb_put_bytes(&w, 1, view_of(in, sizeof in));
    arena_free(&arena);
    ck_assert_int_eq(tpod_read(&m, &e, &arena, &TPOD_PROVISION_REQUEST, wr_view(&w)), RC_LIMIT);
    ck_assert_str_eq(e.field, "podManifest.containers");
    ck_assert_uint_le(arena.used, TPOD_READ_MAX(w.n) + 1024);
    arena_t none;
    arena_init(&none, 0);
    ck_assert_int_eq(tpod_read(&m, &e, &none, &TPOD_PROVISION_REQUEST, view_of(in, 0)), RC_NOMEM);
    arena_free(&none);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND(
        "tpod_codec", begin, end, known_messages_come_back_byte_for_byte, upstreams_manifest_says_what_it_says,
        the_second_manifest_says_what_it_says, a_message_cut_at_any_byte_is_refused_or_shorter,
        a_wrong_type_is_an_error_that_names_the_field, the_last_value_counts_and_unknown_fields_are_passed_over,
        what_does_not_fit_is_refused, a_message_nested_without_end_costs_no_stack, size_and_lists_are_bounded,
        memory_is_bounded_by_the_message);
}
