#include "node/chain/journal.h"

#include <stdlib.h>

#include "base/os/file.h"
#include "base/os/log.h"
#include "base/os/persist.h"

#define RECORD_HEAD 6u /* kind, fork, length */
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
    if (!dir || !j->dirty || !j->len)
        return;
    uint8_t *whole = malloc(j->len + j->finality_len);
    if (!whole)
        return;
    memcpy(whole, j->records, j->len);
    if (j->finality_len)
        memcpy(whole + j->len, j->finality, j->finality_len);
    if (persist_write(&e, dir, FILE_NAME, view_of(whole, j->len + j->finality_len)))
        log_write(LOG_WARN, "state", "%s", e.text);
    else
        j->dirty = false;
    free(whole);
}

rc_t journal_decode(view_t payload, rc_t (*take)(void *ctx, lc_kind_t kind, lc_fork_t fork, view_t ssz), void *ctx)
{
    rd_t r = rd_of(payload);
    while (r.n) {
        unsigned kind = rd_u8(&r), fork = rd_u8(&r);
        view_t ssz = rd_take(&r, rd_u32le(&r));
        if (r.bad || ssz.n > LC_OBJECT_LEN_MAX || fork >= LC_FORKS || kind < LC_BOOTSTRAP || kind > LC_FINALITY)
            return RC_MALFORMED;
        rc_t rc = take(ctx, (lc_kind_t)kind, (lc_fork_t)fork, ssz);
        if (rc)
            return rc;
    }
    return RC_OK;
}

void journal_replay(const char *dir, rc_t (*take)(void *ctx, lc_kind_t kind, lc_fork_t fork, view_t ssz), void *ctx)
{
    view_t payload;
    err_t e;
    if (!dir)
        return;
    bool found = false;
    rc_t rc = persist_read(&payload, &found, &e, dir, FILE_NAME, JOURNAL_MAX + LC_OBJECT_LEN_MAX);
    if (rc)
        log_write(LOG_WARN, "state", "%s: syncing afresh", e.text);
    else if (found && journal_decode(payload, take, ctx))
        log_write(LOG_WARN, "state", "the kept light-client data end early; the rest comes from the network");
    file_free(payload);
}

void journal_clear(journal_t *j)
{
    free(j->records);
    free(j->finality);
    *j = (journal_t){ 0 };
}
