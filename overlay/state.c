#include "overlay/state.h"

#include "base/crypto/hash.h"
#include "overlay/wire/proto.h"

enum {
    VERSION = 1,
    INDEX = 2,
    ORDER = 3,
    HIGHEST_SIGNED = 4,
    FINALIZED = 5,
    OPTIMISTIC = 6,
    PLATFORM = 7,
    EPHEMERAL = 8,
    SIGNATURE = 9,
    STATEMENT = 10,
    BOOTSTRAP = 11,
    HOLDS = 12,
    RUNS = 13,
    ANNOUNCED = 14
};
enum { RUNS_VERSION = 1, RUNS_DIGEST = 2 };
enum { SLOT = 1, SIGNED_UPDATE = 2, ROOT = 2, UPDATE = 3 };
#define SIGNATURE_FIELD_LEN 66u /* key, length, 64 bytes */

static unsigned bit(uint32_t number)
{
    return number < 32 ? 1u << number : 0;
}

static void read_claim(state_claim_t *c, rd_t *r, const pb_field_t *in, bool has_root)
{
    rd_t inner = rd_of(pb_bytes(r, in, STATE_UPDATE_MAX + 64));
    unsigned seen = 0;
    pb_field_t f;
    while (pb_next(&inner, &f)) {
        inner.bad |= (seen & bit(f.number)) != 0;
        seen |= bit(f.number);
        if (f.number == SLOT)
            c->slot = pb_u64(&inner, &f);
        else if (has_root && f.number == ROOT)
            pb_copy(&inner, &f, c->root.b, sizeof c->root.b);
        else if (f.number == (has_root ? UPDATE : SIGNED_UPDATE))
            c->update = pb_bytes(&inner, &f, STATE_UPDATE_MAX);
    }
    const unsigned required = bit(SLOT) | (has_root ? bit(ROOT) : 0);
    if (!rd_done(&inner) || (seen & required) != required)
        r->bad = true;
    c->is_there = true;
}

static void read_runs(order_id_t *id, rd_t *r, const pb_field_t *in)
{
    rd_t inner = rd_of(pb_bytes(r, in, 64));
    unsigned seen = 0;
    pb_field_t f;
    while (pb_next(&inner, &f)) {
        inner.bad |= (seen & bit(f.number)) != 0;
        seen |= bit(f.number);
        if (f.number == RUNS_VERSION)
            id->version = pb_u64(&inner, &f);
        else if (f.number == RUNS_DIGEST)
            pb_copy(&inner, &f, id->digest.b, sizeof id->digest.b);
    }
    if (!rd_done(&inner) || seen != (bit(RUNS_VERSION) | bit(RUNS_DIGEST)))
        r->bad = true;
}

static void read_field(state_t *s, rd_t *r, const pb_field_t *f)
{
    switch (f->number) {
    case VERSION: s->version = pb_u64(r, f); break;
    case INDEX: s->index = pb_u32(r, f); break;
    case ORDER: s->order = pb_bytes(r, f, ORDER_MAX); break;
    case HIGHEST_SIGNED: read_claim(&s->highest_signed, r, f, false); break;
    case FINALIZED: read_claim(&s->finalized, r, f, true); break;
    case OPTIMISTIC: read_claim(&s->optimistic, r, f, true); break;
    case PLATFORM: pb_copy(r, f, s->platform.b, sizeof s->platform.b); break;
    case EPHEMERAL: pb_copy(r, f, s->ephemeral, sizeof s->ephemeral); break;
    case SIGNATURE: pb_copy(r, f, s->signature, sizeof s->signature); break;
    case STATEMENT: s->statement = pb_bytes(r, f, STATE_STATEMENT_MAX); break;
    case BOOTSTRAP: s->bootstrap = pb_bytes(r, f, ENTRY_MAX); break;
    case HOLDS: s->holds = pb_u32(r, f) != 0; break;
    case RUNS: read_runs(&s->runs, r, f); break;
    case ANNOUNCED: pb_copy(r, f, s->announced, sizeof s->announced); break;
    default: break;
    }
}

/* Members that come together: a generation's name; what a cluster has; claims and their signature. */
static bool fits(const state_t *s, unsigned seen)
{
    const unsigned name = bit(VERSION) | bit(INDEX), cluster = bit(STATEMENT) | bit(BOOTSTRAP),
                   claims = bit(HIGHEST_SIGNED) | bit(FINALIZED) | bit(OPTIMISTIC);
    if (!(seen & claims) != !(seen & bit(ANNOUNCED)))
        return false;
    return (seen & bit(SIGNATURE)) && (seen & bit(RUNS)) && ((seen & name) == name || (!(seen & name) && !s->holds)) &&
           ((seen & cluster) == cluster || !(seen & cluster));
}

rc_t state_read(state_t *out, view_t *signed_part, err_t *e, view_t message)
{
    state_t s = { .has_generation = false };
    unsigned seen = 0;
    uint32_t last = 0;
    rd_t r = rd_of(message);
    pb_field_t f;
    if (message.n > STATE_MAX)
        return err_set(e, RC_LIMIT, "a state has more than %u bytes", STATE_MAX);
    while (pb_next(&r, &f)) {
        r.bad |= (seen & bit(f.number)) != 0;
        seen |= bit(f.number);
        last = f.number;
        read_field(&s, &r, &f);
    }
    if (!rd_done(&r))
        return err_say(e, RC_MALFORMED, "a state is malformed, or has a member twice");
    if (!fits(&s, seen) || last != SIGNATURE)
        return err_say(e, RC_MALFORMED, "a state lacks a member, or does not end with its signature");
    s.has_generation = (seen & bit(VERSION)) != 0;
    s.has_platform = (seen & bit(PLATFORM)) != 0;
    s.has_ephemeral = (seen & bit(EPHEMERAL)) != 0;
    s.has_announced = (seen & bit(ANNOUNCED)) != 0;
    *signed_part = view_of(message.p, message.n - SIGNATURE_FIELD_LEN);
    *out = s;
    return RC_OK;
}

static void put_claim(wr_t *w, uint32_t number, const state_claim_t *c, bool has_root)
{
    if (!c->is_there)
        return;
    const size_t mark = pb_begin(w, number);
    pb_put_u64(w, SLOT, c->slot);
    if (has_root)
        pb_put_bytes(w, ROOT, view_of(c->root.b, sizeof c->root.b));
    if (c->update.n)
        pb_put_bytes(w, has_root ? UPDATE : SIGNED_UPDATE, c->update);
    pb_end(w, mark);
}

static void put_if(wr_t *w, uint32_t number, view_t v)
{
    if (v.n)
        pb_put_bytes(w, number, v);
}

void state_write(wr_t *w, const state_t *s)
{
    if (s->has_generation) {
        pb_put_u64(w, VERSION, s->version);
        pb_put_u64(w, INDEX, s->index);
    }
    put_if(w, ORDER, s->order);
    put_claim(w, HIGHEST_SIGNED, &s->highest_signed, false);
    put_claim(w, FINALIZED, &s->finalized, true);
    put_claim(w, OPTIMISTIC, &s->optimistic, true);
    if (s->has_platform)
        pb_put_bytes(w, PLATFORM, view_of(s->platform.b, sizeof s->platform.b));
    if (s->has_ephemeral)
        pb_put_bytes(w, EPHEMERAL, view_of(s->ephemeral, sizeof s->ephemeral));
    put_if(w, STATEMENT, s->statement);
    put_if(w, BOOTSTRAP, s->bootstrap);
    if (s->holds)
        pb_put_u64(w, HOLDS, 1);
    const size_t mark = pb_begin(w, RUNS);
    pb_put_u64(w, RUNS_VERSION, s->runs.version);
    pb_put_bytes(w, RUNS_DIGEST, view_of(s->runs.digest.b, sizeof s->runs.digest.b));
    pb_end(w, mark);
    if (s->has_announced)
        pb_put_bytes(w, ANNOUNCED, view_of(s->announced, sizeof s->announced));
}

void state_put_signature(wr_t *w, const uint8_t signature[64])
{
    pb_put_bytes(w, SIGNATURE, view_of(signature, 64));
}

void state_digest(hash32_t *out, view_t signed_part)
{
    static const char tag[16] = "kettle-state/1";
    const view_t parts[] = { view_of(tag, sizeof tag), signed_part };
    sha256_parts(out, parts, 2);
}
