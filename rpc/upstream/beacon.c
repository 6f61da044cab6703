#include "rpc/upstream/beacon.h"

#include <stdio.h>
#include <strings.h>

#include "base/hex.h"
#include "base/json.h"
#include "rpc/upstream/beacon_schema.h"

#define DEPTH_MAX 16u    /* nesting of JSON; the schema needs 8 */
#define VALUES_MAX 2048u /* JSON values for each object asked for; an update of 512 members has about 600 */
#define DIGEST_LEN 4u

/* One answer on its way. */
typedef struct {
    bn_form_t form;
    wr_t out;
    bool updates; /* what is asked for: LC_FINALITY or LC_OPTIMISTIC */
    bool newer;   /* as in bn_object_t */
} ctx_t;

/* ---- values: the member key of the object o (NULL: o itself), or a fault of its document ---- */

static void too_large(const jo_t *o, const char *key)
{
    jo_fail(o, key, RC_LIMIT, "object too large");
}

static void encode_uint(ctx_t *c, const bn_type_t *t, const jo_t *o, const char *key)
{
    u256_t x = u256_of(0);
    if (t->size == 8)
        x.w[0] = jo_decimal(o, key, UINT64_MAX);
    else
        x = jo_decimal256(o, key);
    for (size_t i = 0; i < t->size / 8; i++)
        wr_u64le(&c->out, x.w[i]);
}

static void encode_bytes(ctx_t *c, const bn_type_t *t, const jo_t *o, const char *key)
{
    size_t n = bn_size(&c->form, t);
    if (t->kind == BN_BYTE_LIST) {
        const size_t chars = jo_text(o, key, 2, 2 + 2 * n).n;
        n = chars ? chars / 2 - 1 : 0; /* an odd digit makes jo_hex refuse the text */
    }
    uint8_t *to = wr_grab(&c->out, n);
    if (to)
        jo_hex(o, to, n, key, HEX_0X);
    else
        too_large(o, key);
}

static void encode(ctx_t *c, const bn_type_t *t, const jo_t *o, const char *key);

static void encode_vector(ctx_t *c, const bn_type_t *t, const jo_t *o, const char *key)
{
    jo_t list = jo_list(o, key, 0, SIZE_MAX), element;
    if (jo_size(&list) != bn_size(&c->form, t))
        jo_fail(&list, NULL, RC_MALFORMED, "not a list of the required length");
    while (jo_next(&list, &element))
        encode(c, t->element, &element, NULL);
}

/* A field of another fork shows that the object is not of the fork that it is said to be of. */
static void check_forks(const ctx_t *c, const bn_type_t *t, const jo_t *object)
{
    for (size_t i = 0; t->fields[i].name; i++)
        if (!bn_has_field(&c->form, &t->fields[i]) && jo_kind(object, t->fields[i].name) != JO_ABSENT)
            jo_fail(object, t->fields[i].name, RC_MALFORMED, "is a field of another fork");
}

/* Fixed parts in order, an offset for each variable part; then the variable parts. */
static void encode_container(ctx_t *c, const bn_type_t *t, const jo_t *o, const char *key)
{
    const size_t start = c->out.n;
    uint8_t *offset_at[BN_FIELDS_MAX] = { NULL };
    const jo_t object = jo_object(o, key);
    for (unsigned pass = 0; pass < 2 && !jo_rc(o); pass++)
        for (size_t i = 0; t->fields[i].name; i++) {
            const bn_field_t *f = &t->fields[i];
            const bool variable = bn_is_variable(&c->form, f->type);
            if (!bn_has_field(&c->form, f) || (pass == 1 && !variable))
                continue;
            if (pass == 0 && variable) {
                if (!(offset_at[i] = wr_grab(&c->out, 4)))
                    too_large(&object, f->name);
                continue;
            }
            if (variable && offset_at[i]) {
                const uint32_t offset = (uint32_t)(c->out.n - start);
                memcpy(offset_at[i], &offset, sizeof offset);
            }
            encode(c, f->type, &object, f->name);
        }
    check_forks(c, t, &object);
}

static void encode(ctx_t *c, const bn_type_t *t, const jo_t *o, const char *key)
{
    if (jo_rc(o))
        return;
    switch (t->kind) {
    case BN_UINT: encode_uint(c, t, o, key); break;
    case BN_VECTOR: encode_vector(c, t, o, key); break;
    case BN_CONTAINER: encode_container(c, t, o, key); break;
    default: encode_bytes(c, t, o, key);
    }
}

/* ---- answers ---- */

static const char NOT_KNOWN[] = "names a fork that this build does not know";

/* Whether the network's configuration names a fork that has no rows here. */
static bool is_named(const lc_network_t *net, const char *name)
{
    size_t i = 0;
    while (i < net->unknown_count && strcmp(net->unknown_forks[i].name, name))
        i++;
    return i < net->unknown_count;
}

/* Sets the fork of what comes next. False: there is none of this name. One that the network has not scheduled is taken,
 * too, and one of which it has no more than the version: what is signed under that shows more than what is said. */
static bool fork_by_name(ctx_t *c, const char *name)
{
    const lc_fork_t fork = name ? lc_fork_from_name(name) : LC_FORKS;
    c->newer = fork >= LC_FORKS && name && c->updates && is_named(c->form.net, name);
    if (fork >= LC_FORKS && !c->newer)
        return false;
    c->form.fork = c->newer ? LC_FORKS - 1 : fork;
    return true;
}

/* Answers without any version: the fork at the slot of the header that is signed or asked for. */
static void fork_by_slot(ctx_t *c, const jo_t *o, lc_kind_t kind)
{
    const jo_t data = jo_object(o, "data"),
               header = jo_object(&data, kind == LC_BOOTSTRAP ? "header" : "attested_header"),
               beacon = jo_object(&header, "beacon");
    c->form.fork =
        lc_fork_at_epoch(c->form.net, lc_epoch_of_slot(c->form.net, jo_decimal(&beacon, "slot", UINT64_MAX)));
}

/* Finds the fork of an envelope, by what says it first. */
static void find_fork(ctx_t *c, const jo_t *o, lc_kind_t kind, const char *header_version)
{
    const bool has_version = jo_kind(o, "version") != JO_ABSENT;
    const char *version = NULL;
    if (jo_kind(o, "version") == JO_TEXT)
        version = (const char *)jo_text(o, "version", 0, SIZE_MAX).p;
    if (has_version && header_version && (!version || strcmp(version, header_version) != 0))
        jo_fail(o, "version", RC_MALFORMED, "contradicts Eth-Consensus-Version");
    else if (has_version && !version)
        jo_fail(o, "version", RC_MALFORMED, "is no text");
    else if (has_version && !fork_by_name(c, version))
        jo_fail(o, "version", RC_UNSUPPORTED, NOT_KNOWN);
    else if (!has_version && header_version && !fork_by_name(c, header_version))
        jo_fail(o, "Eth-Consensus-Version", RC_UNSUPPORTED, NOT_KNOWN);
    else if (!has_version && !header_version)
        fork_by_slot(c, o, kind);
}

/* One {version, data}; header_version is NULL where the envelope is an element of a list. */
static void decode_envelope(bn_object_t *out, ctx_t *c, arena_t *a, const jo_t *o, lc_kind_t kind,
                            const char *header_version)
{
    if (jo_kind(o, NULL) != JO_OBJECT)
        jo_fail(o, NULL, RC_MALFORMED, "not an object");
    find_fork(c, o, kind, header_version);
    c->out.n = 0;
    c->out.bad = false;
    encode(c, bn_type(kind), o, "data");
    if (jo_rc(o))
        return;
    if (c->out.bad)
        too_large(o, "data");
    *out = (bn_object_t){ c->form.fork, arena_dup(a, wr_view(&c->out)), c->newer };
    if (!out->ssz.p)
        jo_fail(o, NULL, RC_NOMEM, "out of memory");
}

/* The end of the string that begins at a place: behind its closing quotation mark, or the text's end. Nearly all of
 * a body is inside of strings, and these have no escapes. */
static size_t string_end(view_t body, size_t at)
{
    for (at++; at < body.n; at++) {
        const uint8_t *quote = memchr(body.p + at, '"', body.n - at);
        const size_t end = quote ? (size_t)(quote - body.p) : body.n;
        const uint8_t *escape = memchr(body.p + at, '\\', end - at);
        if (!escape)
            return end + (quote != NULL);
        at = (size_t)(escape - body.p) + 1;
    }
    return body.n;
}

/* What the parser must never see: deep nesting (it recurses), more values than the schema can need (each costs many
 * times its text in memory), and zero bytes. */
static rc_t json_bounds(err_t *e, view_t body, size_t values_max)
{
    size_t depth = 0, values = 1, at = 0;
    if (body.n && memchr(body.p, 0, body.n))
        return err_say(e, RC_MALFORMED, "zero byte");
    while (at < body.n) {
        const uint8_t b = body.p[at];
        at = b == '"' ? string_end(body, at) : at + 1;
        values += b == ',' || b == '[' || b == '{';
        if ((b == '[' || b == '{') && ++depth > DEPTH_MAX)
            return err_say(e, RC_LIMIT, "nested too deep");
        if ((b == ']' || b == '}') && depth)
            depth--;
    }
    return values > values_max ? err_say(e, RC_LIMIT, "too many values") : RC_OK;
}

/* A list of envelopes, at most most of them. Gives their number. */
static size_t decode_list(bn_object_t *out, ctx_t *c, arena_t *a, const jo_t *o, size_t most)
{
    jo_t list = *o, element;
    if (jo_kind(o, NULL) != JO_LIST)
        jo_fail(o, NULL, RC_MALFORMED, "not a list");
    else if (jo_size(o) > most)
        jo_fail(o, NULL, RC_LIMIT, "more updates than were asked for");
    while (jo_next(&list, &element))
        decode_envelope(&out[element.index], c, a, &element, LC_UPDATE, NULL);
    return jo_size(o);
}

static rc_t decode_json(bn_object_t *out, size_t *count, ctx_t *c, err_t *e, arena_t *a, const lc_want_t *want,
                        size_t most, const char *header_version, view_t body)
{
    jo_doc_t doc;
    size_t n = 1;
    rc_t rc = json_bounds(e, body, VALUES_MAX * most);
    if (rc)
        return rc;
    const jo_t o = jo_open(&doc, e, body, BN_BODY_MAX, JO_LENIENT);
    uint8_t *object = arena_alloc(a, LC_OBJECT_LEN_MAX);
    c->out = wr_of(object, object ? LC_OBJECT_LEN_MAX : 0);
    if (!object)
        jo_fail(&o, NULL, RC_NOMEM, "out of memory");
    else if (want->kind == LC_UPDATE)
        n = decode_list(out, c, a, &o, most);
    else
        decode_envelope(out, c, a, &o, want->kind, header_version);
    rc = jo_rc(&o);
    jo_close(&doc);
    if (!rc)
        *count = n;
    return rc;
}

/* A fault of an update in SSZ form. */
static rc_t update_fault(err_t *e, rc_t rc, size_t index, const char *text)
{
    char field[24];
    snprintf(field, sizeof field, "[%zu]", index);
    return err_in(e, rc, field, "%s", text);
}

/* The updates route in SSZ form: for each 8 bytes little-endian length of the rest, 4 bytes fork digest, the object. */
static rc_t decode_ssz_updates(bn_object_t *out, size_t *count, ctx_t *c, err_t *e, size_t most, view_t body)
{
    rd_t r = rd_of(body);
    size_t n = 0;
    for (; r.n; n++) {
        if (n == most)
            return err_say(e, RC_LIMIT, "more updates than were asked for");
        uint64_t len = rd_u64le(&r);
        if (!r.bad && len > LC_OBJECT_LEN_MAX + DIGEST_LEN)
            return update_fault(e, RC_LIMIT, n, "object too large");
        view_t digest = rd_take(&r, DIGEST_LEN);
        if (r.bad || len <= DIGEST_LEN)
            return update_fault(e, RC_MALFORMED, n, "cut off, or empty");
        out[n].ssz = rd_take(&r, (size_t)len - DIGEST_LEN);
        if (r.bad)
            return update_fault(e, RC_MALFORMED, n, "cut off");
        rc_t rc = lc_fork_from_digest(&out[n].fork, c->form.net, digest.p);
        if (rc)
            return update_fault(e, RC_UNSUPPORTED, n, "its fork digest is of no fork that this build knows");
    }
    *count = n;
    return RC_OK;
}

/* Sets the fork of an object that comes without one: that at the slot of its (attested) header, read in the form in
 * which that fork has headers. In another form than its own the slot is mostly beyond all forks, so the newest comes
 * last. False: there is no such fork. */
static bool fork_by_ssz(ctx_t *c, view_t body)
{
    for (size_t f = 0; f < LC_FORKS; f++) {
        uint64_t slot;
        const bn_object_t as = { .fork = (lc_fork_t)f, .ssz = body };
        if (!bn_slot(&slot, &as) || lc_fork_at_epoch(c->form.net, lc_epoch_of_slot(c->form.net, slot)) != as.fork)
            continue;
        c->form.fork = as.fork;
        return true;
    }
    return false;
}

static rc_t decode_ssz(bn_object_t *out, size_t *count, ctx_t *c, err_t *e, const char *header_version, view_t body)
{
    if (body.n == 0)
        return err_say(e, RC_MALFORMED, "empty");
    if (body.n > LC_OBJECT_LEN_MAX)
        return err_say(e, RC_LIMIT, "object too large");
    if (!header_version && !fork_by_ssz(c, body))
        return err_in(e, RC_MALFORMED, "Eth-Consensus-Version", "is missing");
    if (header_version && !fork_by_name(c, header_version))
        return err_in(e, RC_UNSUPPORTED, "Eth-Consensus-Version", "%s", NOT_KNOWN);
    *out = (bn_object_t){ c->form.fork, body, c->newer };
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

bool bn_try_json(int status, const char *content_type)
{
    if (status == 200)
        return media_type_is(content_type, "application/octet-stream");
    return status == 400 || status == 404 || status == 406 || status == 415;
}

bool bn_slot(uint64_t *out, const bn_object_t *update)
{
    rd_t r = rd_of(update->ssz);
    const uint32_t at =
        lc_layout(update->fork)->execution_fixed_len ? rd_u32le(&r) : 0; /* such headers vary in length */
    if (at > update->ssz.n)
        return false;
    r = rd_of(view_of(update->ssz.p + at, update->ssz.n - at));
    *out = rd_u64le(&r);
    return !r.bad;
}

bool bn_period(uint64_t *out, const lc_network_t *net, const bn_object_t *update)
{
    uint64_t slot;
    if (!bn_slot(&slot, update))
        return false;
    *out = lc_period_of_slot(net, slot);
    return true;
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

rc_t bn_decode(bn_object_t *out, size_t *count, err_t *e, arena_t *a, const lc_network_t *net, const lc_want_t *want,
               const char *content_type, const char *consensus_version, view_t body)
{
    ctx_t c = { .form.net = net, .updates = want->kind == LC_FINALITY || want->kind == LC_OPTIMISTIC };
    const size_t most = objects_of(want);
    if (body.n > bn_body_max(want))
        return err_say(e, RC_LIMIT, "too large");
    if (media_type_is(content_type, "application/json")) {
        const rc_t rc = decode_json(out, count, &c, e, a, want, most, consensus_version, body);
        return c.newer && rc_blames_input(rc) ? err_in(e, RC_UNSUPPORTED, "version", NOT_KNOWN) : rc;
    }
    if (!media_type_is(content_type, "application/octet-stream"))
        return err_in(e, RC_MALFORMED, "Content-Type", "neither JSON nor SSZ");
    if (want->kind == LC_UPDATE)
        return decode_ssz_updates(out, count, &c, e, most, body);
    return decode_ssz(out, count, &c, e, consensus_version, body);
}
