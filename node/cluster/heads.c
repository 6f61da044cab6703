/* heads.c - what members announce of the chain: judged by this node's own store, held against them where they
 * contradict themselves, and what of it keeps this node from signing (overlay/floor.h). */
#include <stdio.h>
#include <stdlib.h>

#include "base/hex.h"
#include "base/os/file.h"
#include "base/os/log.h"
#include "base/os/persist.h"
#include "node/cluster/parts.h"

#define SPLIT_FILE "evidence-chain"
#define LIAR_FILE "evidence-member"
#define KEEP_MS 10000u /* between two tries to write what a full disk did not take */

uint64_t heads_slot_now(void *ctx)
{
    const cluster_t *c = ctx;
    const int64_t now_s = c->with.now_s(c->with.time_ctx);
    return lc_slot_at(&c->with.config->network, (uint64_t)now_s * 1000);
}

static rc_t write_out(const cluster_t *c, err_t *e, const char *file, view_t evidence)
{
    return c->with.state_dir && evidence.n ? persist_write(e, c->with.state_dir, file, evidence) : RC_OK;
}

static void tell(cluster_t *c, rc_t rc, const err_t *e)
{
    (void)persist_tell(&c->evidence_told, "state", "evidence is not kept: ", rc, e);
}

/* What could not be written before is heads_keep_again's matter. */
static void keep(cluster_t *c, const char *file, view_t evidence)
{
    err_t e;
    const rc_t rc = write_out(c, &e, file, evidence);
    pthread_mutex_lock(&c->lock);
    if (rc || !c->evidence_told.failing)
        tell(c, rc, &e);
    pthread_mutex_unlock(&c->lock);
}

void heads_keep_again(cluster_t *c, uint64_t now_ms)
{
    err_t e;
    pthread_mutex_lock(&c->lock);
    const bool is_due = c->evidence_told.failing && now_ms >= c->evidence_ms;
    const view_t split = view_of(c->split, c->split_n); /* set once */
    pthread_mutex_unlock(&c->lock);
    if (!is_due)
        return;
    c->evidence_ms = now_ms + KEEP_MS;
    rc_t rc = write_out(c, &e, SPLIT_FILE, split);
    if (!rc)
        rc = write_out(c, &e, LIAR_FILE, view_of(c->lies, c->lie_count * LIE_LEN));
    pthread_mutex_lock(&c->lock);
    tell(c, rc, &e);
    pthread_mutex_unlock(&c->lock);
}

/* ---- what the store says; on the follower's thread ---- */

static bool claimed(void *ctx, uint64_t number, floor_kind_t kind, uint64_t slot, floor_proof_t proof)
{
    cluster_t *c = ctx;
    const uint64_t now = heads_slot_now(c);
    (void)number;
    pthread_mutex_lock(&c->lock);
    const bool told = floor_claim(&c->floor, kind, slot, proof, now);
    pthread_mutex_unlock(&c->lock);
    return told;
}

static void answered(void *ctx, uint64_t number)
{
    cluster_t *c = ctx;
    pthread_mutex_lock(&c->lock);
    floor_answered(&c->floor, number);
    pthread_mutex_unlock(&c->lock);
}

/* On the loop's thread. */
static void publish_split(void *ctx)
{
    cluster_t *c = ctx;
    err_t e;
    pthread_mutex_lock(&c->lock);
    const view_t evidence = view_of(c->split, c->split_n); /* kept until cluster_free */
    pthread_mutex_unlock(&c->lock);
    if (join_publish(c->join, &e, FLOOD_CHAIN_SPLIT, evidence))
        log_write(LOG_WARN, "cluster", "evidence is not told to members: %s", e.text);
}

static void split(void *ctx, uint64_t slot, view_t evidence)
{
    cluster_t *c = ctx;
    uint8_t *copy = malloc(evidence.n);
    pthread_mutex_lock(&c->lock);
    const bool is_new = !c->floor.is_split;
    floor_split(&c->floor, slot);
    if (is_new && copy) {
        memcpy(copy, evidence.p, evidence.n);
        c->split = copy;
        c->split_n = evidence.n;
        copy = NULL;
        if (!c->stopping && loop_post(c->loop, publish_split, c))
            log_write(LOG_WARN, "cluster", "evidence is not told to members: out of memory");
    }
    pthread_mutex_unlock(&c->lock);
    free(copy);
    if (!is_new)
        return;
    log_write(LOG_ERROR, "chain", "the sync committee signed two headers of slot %llu", (unsigned long long)slot);
    keep(c, SPLIT_FILE, evidence);
}

/* ---- members that contradict themselves; on the loop's thread ---- */

static bool is_liar(const cluster_t *c, const uint8_t key[33])
{
    for (size_t i = 0; i < c->liar_count; i++)
        if (memcmp(c->liars[i], key, 33) == 0)
            return true;
    return false;
}

/* The first row of a full table goes, so that there is room for one at its end. */
static void shift(void *rows, size_t *count, size_t max, size_t size)
{
    if (*count == max)
        memmove(rows, (uint8_t *)rows + size, --*count * size);
}

/* Adds a liar, unless he is known: the evidence against him, found when the newest generation had this version. Each
 * was attested, so it takes as many boots as there is room for keys before the first is forgotten. */
static bool add_liar(cluster_t *c, const announce_evidence_t *x, uint64_t version)
{
    if (is_liar(c, x->key))
        return false;
    shift(c->lies, &c->lie_count, CLUSTER_LIES_MAX, LIE_LEN);
    wr_t w = wr_of(c->lies[c->lie_count++], LIE_LEN);
    wr_be(&w, version, 8);
    announce_evidence_write(&w, x);
    pthread_mutex_lock(&c->lock);
    shift(c->liars, &c->liar_count, CLUSTER_LIARS_MAX, sizeof c->liars[0]);
    memcpy(c->liars[c->liar_count++], x->key, sizeof x->key);
    pthread_mutex_unlock(&c->lock);
    return true;
}

static void say_lied(char out[240], const announce_evidence_t *x)
{
    char key[67];
    hex_encode(key, view_of(x->key, sizeof x->key));
    snprintf(out, 240, "member 0x%s announced two different headers of one slot", key);
}

/* Somebody is proven to have said two things. tells: to be told to all, at the next look. */
static void found_liar(cluster_t *c, const announce_evidence_t *x, bool tells)
{
    char text[240];
    if (!add_liar(c, x, c->newest_version))
        return;
    say_lied(text, x);
    if (tells) {
        c->unsaid = *x;
        c->has_unsaid = true;
    }
    pthread_mutex_lock(&c->lock);
    memcpy(c->rotation, text, sizeof c->rotation);
    pthread_mutex_unlock(&c->lock);
    log_write(LOG_WARN, "cluster", "rotation_needed: %s", text);
    keep(c, LIAR_FILE, view_of(c->lies, c->lie_count * LIE_LEN));
}

static void note(cluster_t *c, const uint8_t key[33], const announce_signed_t *a)
{
    announce_evidence_t x;
    if (announce_any(&a->said) && announce_note(&c->announced, &x, key, a))
        found_liar(c, &x, true);
}

/* Whether this is the key of a member that is connected: others may be made up. */
static bool is_of_member(const cluster_t *c, const uint8_t key[33])
{
    join_member_t all[CLUSTER_MEMBERS_MAX];
    const size_t n = join_members(c->join, all, CLUSTER_MEMBERS_MAX);
    for (size_t i = 0; i < n; i++)
        if (all[i].phase != JOIN_ATTESTING && memcmp(all[i].static_key, key, 33) == 0)
            return true;
    return false;
}

static void hear_announcement(cluster_t *c, const flood_message_t *m)
{
    announce_signed_t a;
    if (is_of_member(c, m->author) && !announce_read(&a, NULL, m->payload) &&
        !announce_judge(NULL, &a, m->author, c->ecdsa))
        note(c, m->author, &a);
}

static void hear_of_liar(cluster_t *c, const flood_message_t *m)
{
    announce_evidence_t x;
    if (!announce_evidence_read(&x, NULL, m->payload) && is_of_member(c, x.key) &&
        !announce_evidence_judge(NULL, &x, c->ecdsa))
        found_liar(c, &x, false);
}

void heads_heard(cluster_t *c, const flood_message_t *m)
{
    if (m->kind == FLOOD_HEAD)
        hear_announcement(c, m);
    else if (m->kind == FLOOD_MEMBER_LIED)
        hear_of_liar(c, m);
    else if (m->kind == FLOOD_CHAIN_SPLIT && claims_put_evidence(c->with.claims, m->payload))
        log_write(LOG_WARN, "cluster", "evidence of a member is not looked at: too long, or too much of it");
}

/* ---- members' states; on the loop's thread ---- */

static told_t *row_of(cluster_t *c, uint64_t number)
{
    told_t *row = &c->told[0];
    for (size_t i = 0; i < CLUSTER_MEMBERS_MAX; i++) {
        if (c->told[i].number == number)
            return &c->told[i];
        if (!c->told[i].number)
            row = &c->told[i];
    }
    *row = (told_t){ .number = number };
    return row;
}

/* A state that has not been looked at yet. */
static void take_state(cluster_t *c, const join_member_t *m)
{
    told_t *row = row_of(c, net_number(m->conn));
    announce_signed_t a;
    if (row->judged && memcmp(row->signature, m->state->signature, sizeof row->signature) == 0)
        return;
    if (claims_put(c->with.claims, row->number, m->state))
        return; /* at the next look */
    row->judged = true;
    memcpy(row->signature, m->state->signature, sizeof row->signature);
    announce_of(&a.said, m->state);
    memcpy(a.signature, m->state->announced, sizeof a.signature);
    note(c, m->static_key, &a);
}

static bool is_attested(const cluster_t *c, size_t n, uint64_t number)
{
    for (size_t i = 0; i < n; i++)
        if (c->seen[i].phase != JOIN_ATTESTING && net_number(c->seen[i].conn) == number)
            return true;
    return false;
}

/* Who is to answer before this node signs for the first time. */
static void note_attested(cluster_t *c, size_t n)
{
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < FLOOR_PEERS_MAX; i++) {
        const uint64_t number = c->floor.peers[i].number;
        if (number && !is_attested(c, n, number))
            floor_gone(&c->floor, number);
    }
    for (size_t i = 0; i < n; i++)
        if (c->seen[i].phase != JOIN_ATTESTING &&
            floor_attested(&c->floor, net_number(c->seen[i].conn), &c->seen[i].platform))
            break; /* more than there may be connections */
    pthread_mutex_unlock(&c->lock);
    for (size_t i = 0; i < CLUSTER_MEMBERS_MAX; i++)
        if (c->told[i].number && !is_attested(c, n, c->told[i].number))
            c->told[i] = (told_t){ .number = 0 };
}

static void shut_out(cluster_t *c, const uint8_t key[33])
{
    err_t why;
    (void)err_say(&why, RC_REFUSED, "it announced two different headers of one slot");
    join_shut_out(c->join, key, &why);
}

static void publish_liar(cluster_t *c)
{
    uint8_t bytes[ANNOUNCE_EVIDENCE_LEN];
    wr_t w = wr_of(bytes, sizeof bytes);
    err_t e;
    announce_evidence_write(&w, &c->unsaid);
    c->has_unsaid = false;
    if (join_publish(c->join, &e, FLOOD_MEMBER_LIED, wr_view(&w)))
        log_write(LOG_WARN, "cluster", "evidence is not told to members: %s", e.text);
}

void heads_look(cluster_t *c)
{
    uint8_t keys[CLUSTER_MEMBERS_MAX][33];
    const size_t n = join_members(c->join, c->seen, CLUSTER_MEMBERS_MAX);
    size_t liars = 0;
    note_attested(c, n);
    for (size_t i = 0; i < n; i++) {
        if (c->seen[i].phase == JOIN_ATTESTING)
            continue;
        if (c->seen[i].state)
            take_state(c, &c->seen[i]);
        if (is_liar(c, c->seen[i].static_key))
            memcpy(keys[liars++], c->seen[i].static_key, sizeof keys[0]);
    }
    if (c->has_unsaid) /* what follows may end connections, and come back here */
        publish_liar(c);
    for (size_t i = 0; i < liars; i++)
        shut_out(c, keys[i]);
}

/* ---- what we say ---- */

void heads_fill(cluster_t *c, state_t *out)
{
    state_claim_t at;
    pthread_mutex_lock(&c->lock);
    const uint64_t signed_slot = c->signed_slot;
    if (c->slot)
        out->finalized = (state_claim_t){ .is_there = true, .slot = c->slot, .root = c->root };
    pthread_mutex_unlock(&c->lock);
    claims_t *claims = c->with.claims;
    if (out->finalized.is_there && claims_newest(claims, &at, c->proofs[0], true, out->finalized.slot) &&
        at.slot == out->finalized.slot && hash32_eq(&at.root, &out->finalized.root))
        out->finalized = at;
    if (claims_newest(claims, &at, c->proofs[1], false, UINT64_MAX))
        out->optimistic = at;
    if (!signed_slot)
        return;
    out->highest_signed = (state_claim_t){ .is_there = true, .slot = signed_slot };
    if (claims_newest(claims, &at, c->proofs[2], false, signed_slot) && at.slot == signed_slot)
        out->highest_signed.update = at.update;
}

void heads_announce(cluster_t *c)
{
    uint8_t bytes[ANNOUNCE_LEN + 64];
    state_t state = { .holds = false };
    announce_signed_t a;
    hash32_t digest;
    wr_t w = wr_of(bytes, sizeof bytes);
    err_t e;
    heads_fill(c, &state);
    announce_of(&a.said, &state);
    announce_digest(&digest, &a.said);
    if (announce_any(&a.said) && !keyring_sign(c->with.node_key, a.signature, NULL, &digest)) {
        announce_write(&w, &a);
        if (join_publish(c->join, &e, FLOOD_HEAD, wr_view(&w)))
            log_write(LOG_DEBUG, "cluster", "what is finalized is not told to all: %s", e.text);
    }
}

void cluster_signed(cluster_t *c, uint64_t slot)
{
    pthread_mutex_lock(&c->lock);
    floor_signed(&c->floor, slot);
    if (slot > c->signed_slot)
        c->signed_slot = slot;
    pthread_mutex_unlock(&c->lock);
}

/* ---- life ---- */

/* One row of the file, judged anew: he is shut out, and is a reason for a new key unless one was made since. */
static rc_t recall_liar(cluster_t *c, err_t *e, rd_t *rows)
{
    announce_evidence_t x;
    const uint64_t version = rd_u64be(rows);
    rc_t rc = announce_evidence_read(&x, e, rd_take(rows, ANNOUNCE_EVIDENCE_LEN));
    if (!rc)
        rc = announce_evidence_judge(e, &x, c->ecdsa);
    if (rc || !add_liar(c, &x, version) || (c->recalled[0] && version < c->recalled_version))
        return rc;
    say_lied(c->recalled, &x);
    c->recalled_version = version;
    return RC_OK;
}

static void recall_liars(cluster_t *c)
{
    view_t kept = { NULL, 0 };
    bool found = false;
    err_t e;
    rc_t rc = persist_read(&kept, &found, &e, c->with.state_dir, LIAR_FILE, CLUSTER_LIES_MAX * LIE_LEN);
    rd_t rows = rd_of(kept);
    if (!rc && kept.n % LIE_LEN)
        rc = err_say(&e, RC_MALFORMED, "is of another version");
    for (size_t i = 0; !rc && i < kept.n / LIE_LEN; i++)
        rc = recall_liar(c, &e, &rows);
    if (rc)
        log_write(LOG_WARN, "state", "kept evidence against members is not used: %s%s%s", e.field,
                  e.field[0] ? ": " : "", e.text);
    file_free(kept);
}

/* Evidence that an earlier run found is judged anew. */
void heads_begin(cluster_t *c)
{
    view_t kept = { NULL, 0 };
    bool found = false;
    err_t e;
    claims_listen(c->with.claims, &(claims_listener_t){ claimed, answered, split, c });
    if (!c->with.state_dir)
        return;
    recall_liars(c);
    rc_t rc = persist_read(&kept, &found, &e, c->with.state_dir, SPLIT_FILE, CLAIMS_SPLIT_MAX);
    if (!rc && found)
        rc = claims_put_evidence(c->with.claims, kept);
    if (rc)
        log_write(LOG_WARN, "state", "kept evidence is not read: %s", rc_name(rc));
    file_free(kept);
}

void heads_status(const cluster_t *c, jw_t *w)
{
    jw_object(w, "evidence");
    c->floor.is_split ? jw_u64(w, "chain_slot", c->floor.split_slot) : jw_null(w, "chain_slot");
    jw_array(w, "members");
    for (size_t i = 0; i < c->liar_count; i++)
        jw_hex(w, NULL, view_of(c->liars[i], 33));
    jw_end(w);
    jw_end(w);
}
