#include "node/chain/journal.h"

#include <stdlib.h>

#include "base/os/file.h"
#include "base/os/log.h"
#include "base/os/persist.h"

#define RECORD_HEAD 6u /* kind, fork, length */
#define FILE_HEAD 4u   /* MAGIC, version */
static const uint8_t MAGIC[FILE_HEAD - 1] = { 'L', 'C', 'J' };
static const char FILE_NAME[] = "lightclient";

static void put_record(uint8_t *at, lc_kind_t kind, lc_fork_t fork, view_t ssz)
{
    wr_t w = wr_of(at, RECORD_HEAD + ssz.n);
    wr_u8(&w, (uint8_t)kind);
    wr_u8(&w, (uint8_t)fork);
    wr_u32le(&w, (uint32_t)ssz.n);
    wr_bytes(&w, ssz.p, ssz.n);
}

static void append(journal_t *j, lc_kind_t kind, lc_fork_t fork, view_t ssz)
{
    size_t need = j->len + RECORD_HEAD + ssz.n;
    if (need > JOURNAL_MAX)
        return;
    if (need > j->cap) {
        size_t cap = need + ((size_t)64 << 10);
        uint8_t *p = realloc(j->records, cap);
        if (!p)
            return;
        j->records = p;
        j->cap = cap;
    }
    put_record(j->records + j->len, kind, fork, ssz);
    j->len = need;
    j->dirty = true;
}

static void keep_finality(journal_t *j, lc_fork_t fork, view_t ssz)
{
    uint8_t *p = realloc(j->finality, RECORD_HEAD + ssz.n);
    if (!p)
        return;
    put_record(p, LC_FINALITY, fork, ssz);
    j->finality = p;
    j->finality_len = RECORD_HEAD + ssz.n;
    j->dirty = true;
}

void journal_note(journal_t *j, lc_kind_t kind, lc_fork_t fork, view_t ssz, unsigned moved)
{
    if (ssz.n > LC_OBJECT_LEN_MAX)
        return;
    if (kind == LC_BOOTSTRAP && (moved & LC_BOOTSTRAPPED)) {
        j->len = 0;
        j->finality_len = 0;
        append(j, kind, fork, ssz);
    } else if (kind == LC_UPDATE && (moved & LC_MOVED_PERIOD))
        append(j, kind, fork, ssz);
    else if (kind == LC_FINALITY && (moved & LC_MOVED_FINALIZED))
        keep_finality(j, fork, ssz);
}

void journal_save(journal_t *j, const char *dir)
{
    err_t e;
    const size_t size = FILE_HEAD + j->len + j->finality_len;
    if (!dir || !j->dirty || !j->len)
        return;
    uint8_t *whole = malloc(size);
    if (!whole)
        return;
    wr_t w = wr_of(whole, size);
    wr_bytes(&w, MAGIC, sizeof MAGIC);
    wr_u8(&w, JOURNAL_VERSION);
    wr_bytes(&w, j->records, j->len);
    wr_bytes(&w, j->finality, j->finality_len);
    const rc_t rc = persist_write(&e, dir, FILE_NAME, wr_view(&w));
    j->dirty = !persist_tell(&j->told, "state", "light-client data are not kept: ", rc, &e);
    free(whole);
}

static rc_t read_head(rd_t *r, err_t *e)
{
    const bool ours = view_eq(rd_take(r, sizeof MAGIC), view_of(MAGIC, sizeof MAGIC));
    const uint8_t version = rd_u8(r);
    if (!ours || version != JOURNAL_VERSION)
        return err_say(e, RC_UNSUPPORTED, "the kept light-client data are of another version");
    return RC_OK;
}

rc_t journal_decode(err_t *e, view_t payload, journal_take_fn take, void *ctx)
{
    rd_t r = rd_of(payload);
    rc_t rc = read_head(&r, e);
    for (unsigned i = 0; !rc && r.n; i++) {
        unsigned kind = rd_u8(&r), fork = rd_u8(&r);
        view_t ssz = rd_take(&r, rd_u32le(&r));
        if (r.bad || ssz.n > LC_OBJECT_LEN_MAX || fork >= LC_FORKS || kind < LC_BOOTSTRAP || kind > LC_FINALITY)
            return err_set(e, RC_MALFORMED, "record %u of the kept light-client data is damaged", i);
        rc = take(ctx, (lc_kind_t)kind, (lc_fork_t)fork, ssz);
        if (rc)
            err_set(e, rc, "record %u of the kept light-client data is of no use", i);
    }
    return rc;
}

void journal_replay(const char *dir, journal_take_fn take, void *ctx)
{
    const size_t max = FILE_HEAD + JOURNAL_MAX + RECORD_HEAD + LC_OBJECT_LEN_MAX;
    view_t payload;
    err_t e;
    bool found = false;
    if (!dir)
        return;
    rc_t rc = persist_read(&payload, &found, &e, dir, FILE_NAME, max);
    if (!rc && found)
        rc = journal_decode(&e, payload, take, ctx);
    if (rc)
        log_write(LOG_WARN, "state", "%s: what is missing comes from the network", e.text);
    file_free(payload);
}

void journal_clear(journal_t *j)
{
    free(j->records);
    free(j->finality);
    *j = (journal_t){ 0 };
}
