#include "overlay/releases.h"

#include <assert.h>
#include <stdlib.h>

#include "base/crypto/hash.h"

static const uint8_t tag[16] = "kettle-release/1";

/* ---- bytes ---- */

static void write_body(wr_t *w, const release_t *r)
{
    wr_bytes(w, tag, sizeof tag);
    wr_bytes(w, r->giver, sizeof r->giver);
    wr_be(w, r->number, 8);
    wr_hash32(w, &r->previous);
    wr_be(w, r->slot, 8);
    wr_be(w, r->name.version, 8);
    wr_hash32(w, &r->name.order);
    wr_u8(w, r->name.index);
    wr_u8(w, r->is_draft);
    wr_bytes(w, r->receiver, sizeof r->receiver);
    wr_hash32(w, &r->platform);
    wr_hash32(w, &r->measurement);
    wr_be(w, r->order_version, 8);
}

static void digest_of(hash32_t *out, const release_t *r)
{
    uint8_t body[RELEASE_BODY_LEN];
    wr_t w = wr_of(body, sizeof body);
    write_body(&w, r);
    assert(!w.bad && w.n == sizeof body);
    sha256(out, wr_view(&w));
}

void release_write(wr_t *w, const release_signed_t *r)
{
    write_body(w, &r->release);
    wr_bytes(w, r->signature, sizeof r->signature);
}

rc_t release_read(release_signed_t *out, err_t *e, view_t in)
{
    release_signed_t s = { .release = { .number = 0 } };
    release_t *r = &s.release;
    rd_t rd = rd_of(in);
    const view_t start = rd_take(&rd, sizeof tag);
    rd_copy(&rd, r->giver, sizeof r->giver);
    r->number = rd_u64be(&rd);
    r->previous = rd_hash32(&rd);
    r->slot = rd_u64be(&rd);
    r->name.version = rd_u64be(&rd);
    r->name.order = rd_hash32(&rd);
    r->name.index = rd_u8(&rd);
    const uint8_t draft = rd_u8(&rd);
    r->is_draft = draft == 1;
    rd_copy(&rd, r->receiver, sizeof r->receiver);
    r->platform = rd_hash32(&rd);
    r->measurement = rd_hash32(&rd);
    r->order_version = rd_u64be(&rd);
    rd_copy(&rd, s.signature, sizeof s.signature);
    if (!rd_done(&rd))
        return err_in(e, RC_MALFORMED, "release", "not %u bytes", RELEASE_LEN);
    if (!view_eq(start, view_of(tag, sizeof tag)))
        return err_in(e, RC_MALFORMED, "release", "does not begin with its tag");
    if (draft > 1)
        return err_in(e, RC_MALFORMED, "draft", "neither 0 nor 1");
    if ((r->number == 0) != hash32_is_zero(&r->previous))
        return err_in(e, RC_MALFORMED, "previous", "of the first entry and of no other zeros");
    digest_of(&s.digest, r);
    *out = s;
    return RC_OK;
}

rc_t release_judge(err_t *e, const release_signed_t *r, const ecdsa_t *ecdsa)
{
    return ecdsa_verify(ecdsa, r->signature, &r->digest, r->release.giver)
               ? err_in(e, RC_REFUSED, "signature", "not the giver's")
               : RC_OK;
}

/* ---- the log ---- */

typedef struct {
    release_signed_t signed_;
    bool is_attested;
    uint64_t arrived;
} row_t;

struct releases {
    releases_config_t c;
    uint64_t next; /* number of our next entry */
    hash32_t last; /* digest of our last one */
    uint64_t arrivals, dropped;
    size_t count;
    row_t rows[RELEASES_MAX]; /* by giver, number, digest */
};

rc_t releases_new(releases_t **out, const releases_config_t *config)
{
    *out = calloc(1, sizeof **out);
    if (!*out)
        return RC_NOMEM;
    (*out)->c = *config;
    return RC_OK;
}

void releases_free(releases_t *l)
{
    free(l);
}

static int compare(const release_signed_t *a, const release_signed_t *b)
{
    const int givers = memcmp(a->release.giver, b->release.giver, sizeof a->release.giver);
    if (givers)
        return givers;
    if (a->release.number != b->release.number)
        return a->release.number < b->release.number ? -1 : 1;
    return memcmp(a->digest.b, b->digest.b, sizeof a->digest.b);
}

/* Where an entry stands, or belongs. */
static size_t place_of(const releases_t *l, const release_signed_t *r)
{
    size_t from = 0, to = l->count;
    while (from < to) {
        const size_t mid = from + (to - from) / 2;
        if (compare(&l->rows[mid].signed_, r) < 0)
            from = mid + 1;
        else
            to = mid;
    }
    return from;
}

static bool is_known(const releases_t *l, const release_signed_t *r)
{
    const size_t i = place_of(l, r);
    return i < l->count && compare(&l->rows[i].signed_, r) == 0;
}

static bool is_of(const row_t *row, const uint8_t giver[33])
{
    return memcmp(row->signed_.release.giver, giver, 33) == 0;
}

/* The row that makes room; l->count: none, as the newcomer is of nobody whom we attested. */
static size_t victim(const releases_t *l, bool is_attested)
{
    size_t found = l->count, most = 0;
    for (size_t i = 0; i < l->count; i++)
        if (!l->rows[i].is_attested && (found == l->count || l->rows[i].arrived < l->rows[found].arrived))
            found = i;
    if (found < l->count || !is_attested)
        return found;
    for (size_t i = 0, k; i < l->count; i = k) { /* the first, which is the oldest, of the longest run */
        for (k = i; k < l->count && is_of(&l->rows[k], l->rows[i].signed_.release.giver);)
            k++;
        if (k - i > most) {
            most = k - i;
            found = i;
        }
    }
    return found;
}

static rc_t insert(releases_t *l, err_t *e, const release_signed_t *r, bool is_attested)
{
    if (is_known(l, r))
        return RC_OK;
    if (l->count == RELEASES_MAX) {
        const size_t gone = victim(l, is_attested);
        if (gone == l->count)
            return err_say(e, RC_LIMIT, "the log of releases is full");
        memmove(&l->rows[gone], &l->rows[gone + 1], (l->count - gone - 1) * sizeof l->rows[0]);
        l->count--;
        l->dropped++;
    }
    const size_t at = place_of(l, r);
    memmove(&l->rows[at + 1], &l->rows[at], (l->count - at) * sizeof l->rows[0]);
    l->rows[at] = (row_t){ *r, is_attested, ++l->arrivals };
    l->count++;
    return RC_OK;
}

rc_t releases_add(releases_t *l, err_t *e, const release_t *what)
{
    release_signed_t s = { .release = *what };
    memcpy(s.release.giver, l->c.self, sizeof s.release.giver);
    s.release.number = l->next;
    s.release.previous = l->last;
    digest_of(&s.digest, &s.release);
    rc_t rc = l->c.sign(l->c.sign_ctx, s.signature, &s.digest);
    if (rc)
        return err_say(e, rc, "our own static key gave no signature");
    rc = insert(l, e, &s, true);
    if (rc)
        return rc;
    l->next++;
    l->last = s.digest;
    return RC_OK;
}

static rc_t judge(const releases_t *l, err_t *e, const uint8_t *giver, view_t entry)
{
    release_signed_t s;
    const rc_t rc = release_read(&s, e, entry);
    if (rc)
        return rc;
    if (giver && memcmp(s.release.giver, giver, sizeof s.release.giver) != 0)
        return err_in(e, RC_REFUSED, "giver", "not who says it");
    return is_known(l, &s) ? RC_OK : release_judge(e, &s, l->c.ecdsa);
}

rc_t releases_take(releases_t *l, err_t *e, const uint8_t *giver, view_t entries, bool is_attested)
{
    release_signed_t s;
    if (!entries.n || entries.n % RELEASE_LEN)
        return err_in(e, RC_MALFORMED, "release", "not entries of %u bytes", RELEASE_LEN);
    if (entries.n / RELEASE_LEN > RELEASES_MAX)
        return err_in(e, RC_LIMIT, "release", "more than %u", RELEASES_MAX);
    for (size_t at = 0; at < entries.n; at += RELEASE_LEN) {
        const rc_t rc = judge(l, e, giver, view_of(entries.p + at, RELEASE_LEN));
        if (rc)
            return rc;
    }
    for (size_t at = 0; at < entries.n; at += RELEASE_LEN) {
        rc_t rc = release_read(&s, e, view_of(entries.p + at, RELEASE_LEN));
        if (!rc)
            rc = insert(l, e, &s, is_attested);
        if (rc)
            return rc;
    }
    return RC_OK;
}

void releases_write_own(wr_t *w, const releases_t *l, uint64_t newest)
{
    for (size_t i = 0; i < l->count; i++)
        if (is_of(&l->rows[i], l->c.self) && l->next - l->rows[i].signed_.release.number <= newest)
            release_write(w, &l->rows[i].signed_);
}

void releases_write(wr_t *w, const releases_t *l)
{
    for (size_t i = 0; i < l->count; i++)
        release_write(w, &l->rows[i].signed_);
}

size_t releases_count(const releases_t *l)
{
    return l->count;
}

const release_signed_t *releases_at(const releases_t *l, size_t i)
{
    assert(i < l->count);
    return &l->rows[i].signed_;
}

static bool same_number(const releases_t *l, size_t a, size_t b)
{
    return is_of(&l->rows[a], l->rows[b].signed_.release.giver) &&
           l->rows[a].signed_.release.number == l->rows[b].signed_.release.number;
}

bool releases_contradicted(const releases_t *l, size_t i)
{
    assert(i < l->count);
    return (i && same_number(l, i - 1, i)) || (i + 1 < l->count && same_number(l, i + 1, i));
}

uint64_t releases_dropped(const releases_t *l)
{
    return l->dropped;
}

uint64_t releases_arrived(const releases_t *l)
{
    return l->arrivals;
}
