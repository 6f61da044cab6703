#include "node/kept.h"

#include <stdio.h>
#include <unistd.h>

#include "base/crypto/aead.h"
#include "base/crypto/secret.h"
#include "base/os/file.h"
#include "base/os/persist.h"

#define VERSION 2u
#define HEAD_MAX (3u + API_WATCH_ID_LEN + 8u + 32u + 1u + 32u * KEPT_BELOW_MAX)
#define FILE_MAX (XAEAD_NONCE_LEN + HEAD_MAX + API_CRITERIA_MAX + AEAD_TAG_LEN)

static const char PURPOSE[] = KEPT_SEAL_PATH;

/* What a slot's file is bound to. */
static view_t bound_to(uint8_t room[sizeof PURPOSE + 4], unsigned slot)
{
    wr_t w = wr_of(room, sizeof PURPOSE + 4);
    wr_bytes(&w, PURPOSE, sizeof PURPOSE);
    wr_be(&w, slot, 4);
    return wr_view(&w);
}

rc_t kept_seal(view_t *out, arena_t *a, const kept_t *f, const uint8_t nonce[XAEAD_NONCE_LEN],
               const uint8_t key[KEPT_KEY_LEN], unsigned slot)
{
    uint8_t ad[sizeof PURPOSE + 4];
    const size_t id_len = strlen(f->id), room = FILE_MAX - API_CRITERIA_MAX + f->criteria.n;
    uint8_t *p = arena_alloc(a, room);
    if (!p)
        return RC_NOMEM;
    wr_t w = wr_of(p, room);
    wr_bytes(&w, nonce, XAEAD_NONCE_LEN);
    wr_u8(&w, VERSION);
    wr_u8(&w, (uint8_t)f->kind);
    wr_u8(&w, (uint8_t)id_len);
    wr_bytes(&w, f->id, id_len);
    wr_be(&w, f->number, 8);
    wr_hash32(&w, &f->hash);
    wr_u8(&w, (uint8_t)f->below_count);
    for (unsigned i = 0; i < f->below_count; i++)
        wr_hash32(&w, &f->below[i]);
    wr_bytes(&w, f->criteria.p, f->criteria.n);
    const view_t plain = view_of(p + XAEAD_NONCE_LEN, wr_view(&w).n - XAEAD_NONCE_LEN);
    xaead_seal(p + XAEAD_NONCE_LEN, plain, bound_to(ad, slot), nonce, key);
    *out = view_of(p, XAEAD_NONCE_LEN + plain.n + AEAD_TAG_LEN);
    return RC_OK;
}

static rc_t read_plain(kept_t *out, view_t plain)
{
    kept_t f = { .kind = API_WATCH_LOGS };
    rd_t r = rd_of(plain);
    const unsigned version = rd_u8(&r), kind = rd_u8(&r);
    const view_t id = rd_take(&r, rd_u8(&r));
    f.number = rd_u64be(&r);
    f.hash = rd_hash32(&r);
    f.below_count = rd_u8(&r);
    if (f.below_count > KEPT_BELOW_MAX || f.below_count > f.number)
        return RC_MALFORMED;
    for (unsigned i = 0; i < f.below_count; i++)
        f.below[i] = rd_hash32(&r);
    f.criteria = rd_take(&r, r.n);
    if (!rd_done(&r) || version != VERSION || kind > API_WATCH_HEADS || id.n < 3 || id.n > API_WATCH_ID_LEN ||
        f.criteria.n > API_CRITERIA_MAX || memchr(id.p, 0, id.n))
        return RC_MALFORMED;
    f.kind = (api_watch_t)kind;
    memcpy(f.id, id.p, id.n);
    *out = f;
    return RC_OK;
}

rc_t kept_open(kept_t *out, arena_t *a, view_t sealed, const uint8_t key[KEPT_KEY_LEN], unsigned slot)
{
    uint8_t ad[sizeof PURPOSE + 4];
    if (sealed.n < XAEAD_NONCE_LEN + AEAD_TAG_LEN)
        return RC_REFUSED;
    const view_t box = view_of(sealed.p + XAEAD_NONCE_LEN, sealed.n - XAEAD_NONCE_LEN);
    uint8_t *plain = arena_alloc(a, box.n);
    if (!plain)
        return RC_NOMEM;
    if (xaead_open(plain, box, bound_to(ad, slot), sealed.p, key))
        return RC_REFUSED;
    return read_plain(out, view_of(plain, box.n - AEAD_TAG_LEN));
}

static void name_of(char name[16], unsigned slot)
{
    snprintf(name, 16, "filter-%04u", slot % 10000u);
}

rc_t kept_write(err_t *e, const char *dir, const kept_t *f, const uint8_t key[KEPT_KEY_LEN], unsigned slot)
{
    uint8_t nonce[XAEAD_NONCE_LEN];
    char name[16];
    view_t sealed;
    arena_t a;
    secret_random(nonce, sizeof nonce);
    name_of(name, slot);
    arena_init(&a, 2 * FILE_MAX);
    rc_t rc = kept_seal(&sealed, &a, f, nonce, key, slot);
    rc = rc ? err_say(e, rc, "out of memory") : persist_write(e, dir, name, sealed);
    arena_free(&a);
    return rc;
}

rc_t kept_read(kept_t *out, bool *found, err_t *e, arena_t *a, const char *dir, const uint8_t key[KEPT_KEY_LEN],
               unsigned slot)
{
    char name[16];
    view_t sealed = { NULL, 0 };
    name_of(name, slot);
    rc_t rc = persist_read(&sealed, found, e, dir, name, FILE_MAX);
    if (rc || !*found)
        return rc;
    rc = kept_open(out, a, sealed, key, slot);
    file_free(sealed);
    return rc ? err_set(e, rc, "%s/%s: %s", dir, name,
                        rc == RC_REFUSED ? "not sealed by this program in this TEE"
                                         : "not a filter that this program knows")
              : RC_OK;
}

void kept_remove(const char *dir, unsigned slot)
{
    char name[16], path[512];
    name_of(name, slot);
    if ((size_t)snprintf(path, sizeof path, "%s/%s", dir, name) < sizeof path)
        (void)unlink(path);
}
