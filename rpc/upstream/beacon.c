#include "rpc/upstream/beacon.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "base/hex.h"

#define DEPTH_MAX 16u    /* nesting of JSON; the schema needs 8 */
#define VALUES_MAX 2048u /* JSON values for each object asked for; an update of 512 members has about 600 */
#define FIELDS_MAX 24u
#define DIGEST_LEN 4u

/* ---- the schema ---- */

typedef struct type type_t;

typedef struct {
    const char *name;
    const type_t *type;
    lc_fork_t since; /* the field is absent in earlier forks */
} field_t;

struct type {
    enum { UINT, BYTES, BYTE_LIST, VECTOR, CONTAINER } kind;
    enum { FIXED, COMMITTEE, COMMITTEE_BITS, COMMITTEE_BRANCH, FINALITY_BRANCH } length; /* where size comes from */
    size_t size;           /* bytes (UINT, BYTES), most bytes (BYTE_LIST), elements (VECTOR) */
    const type_t *element; /* VECTOR */
    const field_t *fields; /* CONTAINER; ends with a NULL name */
};

static const type_t U64 = { UINT, FIXED, 8, NULL, NULL };
static const type_t U256 = { UINT, FIXED, 32, NULL, NULL };
static const type_t ROOT = { BYTES, FIXED, 32, NULL, NULL };
static const type_t ADDRESS = { BYTES, FIXED, 20, NULL, NULL };
static const type_t BLOOM = { BYTES, FIXED, 256, NULL, NULL };
static const type_t PUBKEY = { BYTES, FIXED, BLS_PUBKEY_LEN, NULL, NULL };
static const type_t SIGNATURE = { BYTES, FIXED, BLS_SIG_LEN, NULL, NULL };
static const type_t BITS = { BYTES, COMMITTEE_BITS, 0, NULL, NULL };
static const type_t EXTRA_DATA = { BYTE_LIST, FIXED, LC_EXTRA_DATA_MAX, NULL, NULL };
static const type_t PUBKEYS = { VECTOR, COMMITTEE, 0, &PUBKEY, NULL };
static const type_t BRANCH_OF_EXECUTION = { VECTOR, FIXED, LC_EXECUTION_BRANCH_LEN, &ROOT, NULL };
static const type_t BRANCH_OF_COMMITTEE = { VECTOR, COMMITTEE_BRANCH, 0, &ROOT, NULL };
static const type_t BRANCH_OF_FINALITY = { VECTOR, FINALITY_BRANCH, 0, &ROOT, NULL };

#define CONTAINER_OF(name, ...)                                                                                        \
    static const field_t name##_FIELDS[] = { __VA_ARGS__, { NULL, NULL, 0 } };                                         \
    static const type_t name = { CONTAINER, FIXED, 0, NULL, name##_FIELDS }

CONTAINER_OF(BEACON, { "slot", &U64, 0 }, { "proposer_index", &U64, 0 }, { "parent_root", &ROOT, 0 },
             { "state_root", &ROOT, 0 }, { "body_root", &ROOT, 0 });
CONTAINER_OF(EXECUTION, { "parent_hash", &ROOT, 0 }, { "fee_recipient", &ADDRESS, 0 }, { "state_root", &ROOT, 0 },
             { "receipts_root", &ROOT, 0 }, { "logs_bloom", &BLOOM, 0 }, { "prev_randao", &ROOT, 0 },
             { "block_number", &U64, 0 }, { "gas_limit", &U64, 0 }, { "gas_used", &U64, 0 }, { "timestamp", &U64, 0 },
             { "extra_data", &EXTRA_DATA, 0 }, { "base_fee_per_gas", &U256, 0 }, { "block_hash", &ROOT, 0 },
             { "transactions_root", &ROOT, 0 }, { "withdrawals_root", &ROOT, 0 }, { "blob_gas_used", &U64, LC_DENEB },
             { "excess_blob_gas", &U64, LC_DENEB });
CONTAINER_OF(HEADER, { "beacon", &BEACON, 0 }, { "execution", &EXECUTION, LC_CAPELLA },
             { "execution_branch", &BRANCH_OF_EXECUTION, LC_CAPELLA });
CONTAINER_OF(SYNC_COMMITTEE, { "pubkeys", &PUBKEYS, 0 }, { "aggregate_pubkey", &PUBKEY, 0 });
CONTAINER_OF(SYNC_AGGREGATE, { "sync_committee_bits", &BITS, 0 }, { "sync_committee_signature", &SIGNATURE, 0 });
CONTAINER_OF(BOOTSTRAP, { "header", &HEADER, 0 }, { "current_sync_committee", &SYNC_COMMITTEE, 0 },
             { "current_sync_committee_branch", &BRANCH_OF_COMMITTEE, 0 });
CONTAINER_OF(UPDATE, { "attested_header", &HEADER, 0 }, { "next_sync_committee", &SYNC_COMMITTEE, 0 },
             { "next_sync_committee_branch", &BRANCH_OF_COMMITTEE, 0 }, { "finalized_header", &HEADER, 0 },
             { "finality_branch", &BRANCH_OF_FINALITY, 0 }, { "sync_aggregate", &SYNC_AGGREGATE, 0 },
             { "signature_slot", &U64, 0 });
CONTAINER_OF(FINALITY, { "attested_header", &HEADER, 0 }, { "finalized_header", &HEADER, 0 },
             { "finality_branch", &BRANCH_OF_FINALITY, 0 }, { "sync_aggregate", &SYNC_AGGREGATE, 0 },
             { "signature_slot", &U64, 0 });
CONTAINER_OF(OPTIMISTIC, { "attested_header", &HEADER, 0 }, { "sync_aggregate", &SYNC_AGGREGATE, 0 },
             { "signature_slot", &U64, 0 });

static const type_t *type_of_kind(lc_kind_t kind)
{
    switch (kind) {
    case LC_BOOTSTRAP: return &BOOTSTRAP;
    case LC_UPDATE: return &UPDATE;
    case LC_FINALITY: return &FINALITY;
    default: return &OPTIMISTIC;
    }
}

/* ---- one answer on its way ---- */

typedef struct {
    const lc_network_t *net;
    lc_fork_t fork;
    wr_t out;
    char *why;
    size_t why_cap;
} ctx_t;

/* Where in the JSON we are: a chain from the inside out, on the stack of the (schema-bounded) recursion. */
typedef struct at {
    const struct at *up;
    const char *name; /* NULL: element number index of a list */
    size_t index;
} at_t;

static rc_t fail(ctx_t *c, rc_t rc, const at_t *at, const char *text)
{
    const at_t *chain[DEPTH_MAX];
    size_t n = 0, used = 0;
    char path[256] = "answer";
    for (; at && n < DEPTH_MAX; at = at->up)
        chain[n++] = at;
    while (n-- > 0 && used < sizeof path) {
        const char *dot = used && chain[n]->name ? "." : "";
        int w = chain[n]->name ? snprintf(path + used, sizeof path - used, "%s%s", dot, chain[n]->name)
                               : snprintf(path + used, sizeof path - used, "[%zu]", chain[n]->index);
        used += w > 0 ? (size_t)w : 0;
    }
    snprintf(c->why, c->why_cap, "%s: %s", path, text);
    return rc;
}

/* Length of the Merkle branch of a generalized index. */
static size_t depth_of(uint64_t gindex)
{
    return 63u - (unsigned)__builtin_clzll(gindex);
}

static size_t size_of(const ctx_t *c, const type_t *t)
{
    switch (t->length) {
    case COMMITTEE: return c->net->preset.committee_size;
    case COMMITTEE_BITS: return c->net->preset.committee_size / 8;
    case COMMITTEE_BRANCH: return depth_of(lc_layout(c->fork)->next_committee_gindex); /* as deep as the current one */
    case FINALITY_BRANCH: return depth_of(lc_layout(c->fork)->finalized_gindex);
    default: return t->size;
    }
}

static bool is_variable(const ctx_t *c, const type_t *t)
{
    if (t->kind == BYTE_LIST)
        return true;
    for (const field_t *f = t->fields; f && f->name; f++)
        if (c->fork >= f->since && is_variable(c, f->type))
            return true;
    return false;
}

/* ---- values ---- */

/* Decimal text without sign or leading zeros into size little-endian bytes. */
static rc_t encode_uint(ctx_t *c, const type_t *t, const json_t *v, const at_t *at)
{
    const char *s = json_string_value(v);
    size_t n = json_string_length(v);
    uint8_t le[32] = { 0 };
    if (!s || n == 0 || (s[0] == '0' && n > 1))
        return fail(c, RC_MALFORMED, at, "not a decimal number in quotes");
    if (n > 78) /* digits of 2^256 - 1 */
        return fail(c, RC_LIMIT, at, "number out of range");
    for (size_t i = 0; i < n; i++) {
        unsigned carry = (unsigned)(s[i] - '0');
        if (s[i] < '0' || s[i] > '9')
            return fail(c, RC_MALFORMED, at, "not a decimal number in quotes");
        for (size_t b = 0; b < t->size; b++) {
            carry += le[b] * 10u;
            le[b] = (uint8_t)carry;
            carry >>= 8;
        }
        if (carry)
            return fail(c, RC_LIMIT, at, "number out of range");
    }
    wr_bytes(&c->out, le, t->size);
    return RC_OK;
}

static rc_t encode_bytes(ctx_t *c, const type_t *t, const json_t *v, const at_t *at)
{
    const char *s = json_string_value(v);
    size_t n = json_string_length(v), want = size_of(c, t);
    if (!s || n < 2 || s[0] != '0' || s[1] != 'x' || n % 2)
        return fail(c, RC_MALFORMED, at, "not bytes in hexadecimal with 0x");
    size_t bytes = n / 2 - 1;
    if (t->kind == BYTE_LIST ? bytes > want : bytes != want)
        return fail(c, t->kind == BYTE_LIST ? RC_LIMIT : RC_MALFORMED, at, "wrong number of bytes");
    uint8_t *to = wr_grab(&c->out, bytes);
    if (!to)
        return fail(c, RC_LIMIT, at, "object too large");
    if (hex_decode_exact(to, bytes, s, n))
        return fail(c, RC_MALFORMED, at, "not bytes in hexadecimal with 0x");
    return RC_OK;
}

static rc_t encode(ctx_t *c, const type_t *t, const json_t *v, const at_t *at);

static rc_t encode_vector(ctx_t *c, const type_t *t, const json_t *v, const at_t *at)
{
    size_t n = size_of(c, t);
    if (!json_is_array(v) || json_array_size(v) != n)
        return fail(c, RC_MALFORMED, at, "not a list of the required length");
    for (size_t i = 0; i < n; i++) {
        const at_t here = { at, NULL, i };
        rc_t rc = encode(c, t->element, json_array_get(v, i), &here);
        if (rc)
            return rc;
    }
    return RC_OK;
}

/* Fixed parts in order, an offset for each variable part; then the variable parts. */
static rc_t encode_container(ctx_t *c, const type_t *t, const json_t *v, const at_t *at)
{
    size_t start = c->out.n, expected = 0;
    uint8_t *offset_at[FIELDS_MAX] = { NULL };
    if (!json_is_object(v))
        return fail(c, RC_MALFORMED, at, "not an object");
    for (unsigned pass = 0; pass < 2; pass++)
        for (size_t i = 0; t->fields[i].name; i++) {
            const field_t *f = &t->fields[i];
            const at_t here = { at, f->name, 0 };
            const json_t *value = json_object_get(v, f->name);
            bool variable = is_variable(c, f->type);
            if (c->fork < f->since || (pass == 1 && !variable))
                continue;
            if (!value)
                return fail(c, RC_MALFORMED, &here, "missing");
            expected += pass == 0;
            if (pass == 0 && variable) {
                if (!(offset_at[i] = wr_grab(&c->out, 4)))
                    return fail(c, RC_LIMIT, &here, "object too large");
                continue;
            }
            if (variable) {
                uint32_t offset = (uint32_t)(c->out.n - start);
                memcpy(offset_at[i], &offset, sizeof offset);
            }
            rc_t rc = encode(c, f->type, value, &here);
            if (rc)
                return rc;
        }
    return json_object_size(v) == expected ? RC_OK : fail(c, RC_MALFORMED, at, "has a field that is not of its fork");
}

static rc_t encode(ctx_t *c, const type_t *t, const json_t *v, const at_t *at)
{
    switch (t->kind) {
    case UINT: return encode_uint(c, t, v, at);
    case VECTOR: return encode_vector(c, t, v, at);
    case CONTAINER: return encode_container(c, t, v, at);
    default: return encode_bytes(c, t, v, at);
    }
}

/* ---- answers ---- */

static rc_t fork_by_name(ctx_t *c, const at_t *at, const char *name)
{
    lc_fork_t fork = name ? lc_fork_from_name(name) : LC_FORKS;
    if (fork >= LC_FORKS || c->net->fork_epoch[fork] == LC_EPOCH_NEVER)
        return fail(c, RC_REFUSED, at, "not a fork of this network");
    c->fork = fork;
    return RC_OK;
}

/* Answers without any version: the fork at the slot of the header that is signed or asked for. */
static rc_t fork_by_slot(ctx_t *c, const json_t *data, const at_t *at, lc_kind_t kind)
{
    uint8_t le[8];
    wr_t was = c->out;
    const char *name = kind == LC_BOOTSTRAP ? "header" : "attested_header";
    const json_t *slot = json_object_get(json_object_get(json_object_get(data, name), "beacon"), "slot");
    const at_t header = { at, name, 0 }, beacon = { &header, "beacon", 0 }, here = { &beacon, "slot", 0 };
    c->out = wr_of(le, sizeof le);
    rc_t rc = encode_uint(c, &U64, slot, &here);
    c->out = was;
    if (rc == RC_OK)
        c->fork = lc_fork_at_epoch(c->net, lc_epoch_of_slot(c->net, load_u64le(le)));
    return rc;
}

/* One {version, data}; header_version is NULL where the envelope is an element of a list. */
static rc_t decode_envelope(bn_object_t *out, ctx_t *c, arena_t *a, const json_t *v, const at_t *up, lc_kind_t kind,
                            const char *header_version)
{
    static const char *const members[] = { "data", "version", "meta", "execution_optimistic", "finalized" };
    const at_t at_version = { up, "version", 0 }, at_data = { up, "data", 0 };
    const json_t *version = json_object_get(v, "version"), *data = json_object_get(v, "data");
    size_t known = 0;
    rc_t rc;
    if (!json_is_object(v))
        return fail(c, RC_MALFORMED, up, "not an object");
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        known += json_object_get(v, members[i]) != NULL;
    if (known != json_object_size(v))
        return fail(c, RC_MALFORMED, up, "has an unknown field beside data");
    if (!data)
        return fail(c, RC_MALFORMED, &at_data, "missing");
    if (version && header_version && (!json_is_string(version) || strcmp(json_string_value(version), header_version)))
        return fail(c, RC_MALFORMED, &at_version, "contradicts Eth-Consensus-Version");
    if (version)
        rc = fork_by_name(c, &at_version, json_string_value(version));
    else if (header_version)
        rc = fork_by_name(c, &(at_t){ up, "Eth-Consensus-Version", 0 }, header_version);
    else
        rc = fork_by_slot(c, data, &at_data, kind);
    if (rc)
        return rc;
    c->out.n = 0;
    c->out.bad = false;
    rc = encode(c, type_of_kind(kind), data, &at_data);
    if (rc)
        return rc;
    if (c->out.bad)
        return fail(c, RC_LIMIT, &at_data, "object too large");
    *out = (bn_object_t){ c->fork, arena_dup(a, wr_view(&c->out)) };
    return out->ssz.p ? RC_OK : fail(c, RC_NOMEM, up, "out of memory");
}

/* What the parser must never see: deep nesting (it recurses), more values than the schema can need (each costs many
 * times its text in memory), and zero bytes. */
static rc_t json_bounds(ctx_t *c, view_t body, size_t values_max)
{
    size_t depth = 0, values = 1;
    bool quoted = false;
    for (size_t i = 0; i < body.n; i++) {
        uint8_t b = body.p[i];
        if (b == 0)
            return fail(c, RC_MALFORMED, NULL, "zero byte");
        if (quoted) {
            if (b == '\\')
                i++;
            else if (b == '"')
                quoted = false;
            continue;
        }
        quoted = b == '"';
        values += b == ',' || b == '[' || b == '{';
        if ((b == '[' || b == '{') && ++depth > DEPTH_MAX)
            return fail(c, RC_LIMIT, NULL, "nested too deep");
        if ((b == ']' || b == '}') && depth)
            depth--;
    }
    return values > values_max ? fail(c, RC_LIMIT, NULL, "too many values") : RC_OK;
}

static rc_t decode_json(bn_object_t *out, size_t *count, ctx_t *c, arena_t *a, const lc_want_t *want, size_t most,
                        const char *header_version, view_t body)
{
    json_error_t err;
    rc_t rc = json_bounds(c, body, VALUES_MAX * most);
    if (rc)
        return rc;
    json_t *root = json_loadb((const char *)body.p, body.n, JSON_REJECT_DUPLICATES, &err);
    if (!root)
        return json_error_code(&err) == json_error_out_of_memory ? fail(c, RC_NOMEM, NULL, "out of memory")
                                                                 : fail(c, RC_MALFORMED, NULL, "not JSON");
    size_t n = 1;
    uint8_t *object = arena_alloc(a, LC_OBJECT_LEN_MAX);
    c->out = wr_of(object, LC_OBJECT_LEN_MAX);
    if (!object)
        rc = fail(c, RC_NOMEM, NULL, "out of memory");
    else if (want->kind != LC_UPDATE)
        rc = decode_envelope(out, c, a, root, NULL, want->kind, header_version);
    else if (!json_is_array(root))
        rc = fail(c, RC_MALFORMED, NULL, "not a list");
    else if ((n = json_array_size(root)) > most)
        rc = fail(c, RC_LIMIT, NULL, "more updates than were asked for");
    for (size_t i = 0; want->kind == LC_UPDATE && rc == RC_OK && i < n; i++)
        rc = decode_envelope(&out[i], c, a, json_array_get(root, i), &(at_t){ NULL, NULL, i }, LC_UPDATE, NULL);
    json_decref(root);
    if (rc == RC_OK)
        *count = n;
    return rc;
}

/* The updates route in SSZ form: for each 8 bytes little-endian length of the rest, 4 bytes fork digest, the object. */
static rc_t decode_ssz_updates(bn_object_t *out, size_t *count, ctx_t *c, size_t most, view_t body)
{
    rd_t r = rd_of(body);
    size_t n = 0;
    for (; r.n; n++) {
        const at_t here = { NULL, NULL, n };
        if (n == most)
            return fail(c, RC_LIMIT, NULL, "more updates than were asked for");
        uint64_t len = rd_u64le(&r);
        if (!r.bad && len > LC_OBJECT_LEN_MAX + DIGEST_LEN)
            return fail(c, RC_LIMIT, &here, "object too large");
        view_t digest = rd_take(&r, DIGEST_LEN);
        if (r.bad || len <= DIGEST_LEN)
            return fail(c, RC_MALFORMED, &here, "cut off, or empty");
        out[n].ssz = rd_take(&r, (size_t)len - DIGEST_LEN);
        if (r.bad)
            return fail(c, RC_MALFORMED, &here, "cut off");
        rc_t rc = lc_fork_from_digest(&out[n].fork, c->net, digest.p);
        if (rc)
            return fail(c, rc, &here, "its fork digest is not of this network");
    }
    *count = n;
    return RC_OK;
}

static rc_t decode_ssz(bn_object_t *out, size_t *count, ctx_t *c, const char *header_version, view_t body)
{
    if (body.n == 0)
        return fail(c, RC_MALFORMED, NULL, "empty");
    if (body.n > LC_OBJECT_LEN_MAX)
        return fail(c, RC_LIMIT, NULL, "object too large");
    rc_t rc = fork_by_name(c, &(at_t){ NULL, "Eth-Consensus-Version", 0 }, header_version);
    if (rc)
        return rc;
    *out = (bn_object_t){ c->fork, body };
    *count = 1;
    return RC_OK;
}

/* True when a Content-Type names this media type, whatever its parameters. */
static bool media_type_is(const char *content_type, const char *type)
{
    size_t n = strlen(type);
    if (!content_type || strncasecmp(content_type, type, n))
        return false;
    return content_type[n] == '\0' || content_type[n] == ';' || content_type[n] == ' ';
}

void bn_path(char out[BN_PATH_MAX], const lc_want_t *want)
{
    static const char base[] = "/eth/v1/beacon/light_client";
    char root[65];
    switch (want->kind) {
    case LC_BOOTSTRAP:
        hex_encode(root, view_of(want->block_root.b, sizeof want->block_root.b));
        snprintf(out, BN_PATH_MAX, "%s/bootstrap/0x%s", base, root);
        break;
    case LC_UPDATE:
        snprintf(out, BN_PATH_MAX, "%s/updates?start_period=%llu&count=%u", base, (unsigned long long)want->period,
                 want->count);
        break;
    case LC_FINALITY: snprintf(out, BN_PATH_MAX, "%s/finality_update", base); break;
    case LC_OPTIMISTIC: snprintf(out, BN_PATH_MAX, "%s/optimistic_update", base); break;
    }
}

static size_t objects_of(const lc_want_t *want)
{
    if (want->kind != LC_UPDATE)
        return 1;
    return want->count < LC_UPDATES_PER_REQUEST_MAX ? want->count : LC_UPDATES_PER_REQUEST_MAX;
}

size_t bn_body_max(const lc_want_t *want)
{
    size_t bytes = BN_OBJECT_BODY_MAX * objects_of(want);
    return bytes < BN_BODY_MAX ? bytes : BN_BODY_MAX;
}

rc_t bn_decode(bn_object_t *out, size_t *count, arena_t *a, char *why, size_t why_cap, const lc_network_t *net,
               const lc_want_t *want, const char *content_type, const char *consensus_version, view_t body)
{
    ctx_t c = { .net = net, .why = why, .why_cap = why_cap };
    size_t most = objects_of(want);
    if (body.n > bn_body_max(want))
        return fail(&c, RC_LIMIT, NULL, "too large");
    if (media_type_is(content_type, "application/json"))
        return decode_json(out, count, &c, a, want, most, consensus_version, body);
    if (!media_type_is(content_type, "application/octet-stream"))
        return fail(&c, RC_MALFORMED, &(at_t){ NULL, "Content-Type", 0 }, "neither JSON nor SSZ");
    if (want->kind == LC_UPDATE)
        return decode_ssz_updates(out, count, &c, most, body);
    return decode_ssz(out, count, &c, consensus_version, body);
}
