#include "node/vigil.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/crypto/aead.h"
#include "base/crypto/hash.h"
#include "base/crypto/secret.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/os/file.h"
#include "base/os/log.h"
#include "base/os/persist.h"

#define ASK_ARENA_MAX ((size_t)1 << 20)
#define ANSWER_ARENA_MAX ((size_t)1 << 20)
#define KEEP_ARENA_MAX ((size_t)STANDING_FILE_MAX * 2 + (1u << 20))
#define KEEP_S 10u /* between two tries to write what a full disk did not take */
#define ID_TEXT (2u + 2u * STANDING_ID_LEN)
#define TOKEN_TEXT (2u + 2u * STANDING_TOKEN_LEN)

static const char FILE_NAME[] = "standing", PREFIX[] = "/v1/standing/", BEARER[] = "Bearer ";

struct vigil {
    vigil_config_t config;
    vigil_events_t *events;
    bool keeps;
    atomic_bool survives; /* the last change is on the disk */
    char keep_dir[400];
    uint8_t keep_key[VIGIL_KEY_LEN];
    pthread_mutex_t file_lock; /* before lock */
    uint64_t written;          /* under it: changes that are on the disk, */
    persist_told_t told;       /* ... what the log says of it, */
    uint64_t tried_s;          /* ... and when it was written last, or was to be */
    pthread_mutex_t lock;      /* all below */
    pthread_cond_t idle;
    standing_t *table;
    uint64_t changes; /* of the table, so far */
    budget_t writes;  /* KiB that clients have had written; */
    uint64_t kib;     /* of the file as it was written last */
    uint64_t slot;    /* of the newest head; */
    uint64_t head;    /* how many there were; 0: none yet */
    uint64_t turn;    /* of the key that signed what is in the table */
    bool ends;
    size_t runs; /* batches that are under way */
    uint64_t signed_so_far, failed;
    standing_due_t due[STANDING_MAX]; /* of one batch, while it is put together */
};

/* The calls of one head. */
typedef struct {
    vigil_t *vigil;
    uint64_t head, turn;
    size_t count;
    hash32_t hashes[];
} heads_run_t;

/* ---- which key ---- */

static const char OTHER_KEY[] = "another key signs since this was signed";

static uint64_t turn_of(void *ctx)
{
    const vigil_t *v = ctx;
    return v->config.turn ? v->config.turn(v->config.ctx) : 0;
}

/* Forgets what a former key signed. With the lock held. */
static void look_at_turn(vigil_t *v)
{
    const uint64_t now = turn_of(v);
    if (now != v->turn)
        standing_forget(v->table, OTHER_KEY);
    v->turn = now;
}

/* ---- runs ---- */

static void told(void *ctx, size_t i, rc_t rc, const err_t *e, const statements_told_t *out)
{
    const heads_run_t *b = ctx;
    vigil_t *v = b->vigil;
    err_t stale;
    pthread_mutex_lock(&v->lock);
    look_at_turn(v);
    if (!rc && b->turn != v->turn) {
        rc = err_say(&stale, RC_REFUSED, OTHER_KEY);
        e = &stale;
    }
    if (!rc)
        rc = standing_done(v->table, &b->hashes[i], out->statement, out->valid_until_s, out->gas_used, out->number,
                           b->head);
    else
        standing_failed(v->table, &b->hashes[i], e->text);
    *(rc ? &v->failed : &v->signed_so_far) += 1;
    if (!rc)
        vigil_events_put(v->events, b->turn, &b->hashes[i], out->statement, out->number);
    pthread_mutex_unlock(&v->lock);
}

static void ended(void *ctx)
{
    heads_run_t *b = ctx;
    vigil_t *v = b->vigil;
    free(b);
    pthread_mutex_lock(&v->lock);
    if (!--v->runs)
        pthread_cond_broadcast(&v->idle);
    pthread_mutex_unlock(&v->lock);
}

/* Runs what is due at the present head. With the lock held. */
static void run_due(vigil_t *v)
{
    err_t e = { .text = "out of memory" };
    view_t *calls = NULL;
    look_at_turn(v);
    const size_t n = v->ends || !v->head ? 0 : standing_due(v->table, v->due, STANDING_MAX, v->head);
    heads_run_t *b = n ? calloc(1, sizeof *b + n * sizeof b->hashes[0]) : NULL;
    if (!n)
        return;
    rc_t rc = b && (calls = malloc(n * sizeof *calls)) ? RC_OK : RC_NOMEM;
    if (!rc) {
        b->vigil = v;
        b->head = v->head;
        b->turn = v->turn;
        b->count = n;
        for (size_t i = 0; i < n; i++) {
            calls[i] = v->due[i].call;
            b->hashes[i] = v->due[i].hash;
        }
        const statements_run_t how = { v->config.ask, v->config.pool, told, ended, b };
        v->runs++;
        rc = statements_run(v->config.statements, &e, &how, calls, n);
    }
    free(calls);
    if (!rc)
        return;
    v->runs -= b && b->vigil;
    free(b);
    for (size_t i = 0; i < n; i++)
        standing_failed(v->table, &v->due[i].hash, e.text);
    v->failed += n;
}

/* ---- the disk ---- */

static const view_t NO_BYTES;

/* Seals the table, in the arena. With the lock held. */
static rc_t seal(view_t *out, arena_t *a, const vigil_t *v)
{
    view_t plain;
    const rc_t rc = standing_write(v->table, &plain, a);
    uint8_t *p = rc ? NULL : arena_alloc(a, XAEAD_NONCE_LEN + plain.n + AEAD_TAG_LEN);
    if (!p)
        return RC_NOMEM;
    secret_random(p, XAEAD_NONCE_LEN);
    xaead_seal(p + XAEAD_NONCE_LEN, plain, view_str(VIGIL_SEAL_PATH), p, v->keep_key);
    *out = view_of(p, XAEAD_NONCE_LEN + plain.n + AEAD_TAG_LEN);
    return RC_OK;
}

/* Returns whether the table is on the disk as it was when this was called; if not, the log says why. Who waits for the
 * file meanwhile has his change written along. */
static bool keep(vigil_t *v)
{
    arena_t a;
    err_t e;
    view_t sealed = NO_BYTES;
    if (!v->keeps)
        return false;
    pthread_mutex_lock(&v->lock);
    const uint64_t mine = v->changes;
    pthread_mutex_unlock(&v->lock);
    pthread_mutex_lock(&v->file_lock);
    if (v->written < mine) {
        arena_init(&a, KEEP_ARENA_MAX);
        pthread_mutex_lock(&v->lock);
        const uint64_t now = v->changes;
        rc_t rc = seal(&sealed, &a, v);
        pthread_mutex_unlock(&v->lock);
        rc = rc ? err_say(&e, rc, "out of memory") : persist_write(&e, v->keep_dir, FILE_NAME, sealed);
        arena_free(&a);
        pthread_mutex_lock(&v->lock);
        v->kib = sealed.n >> 10;
        pthread_mutex_unlock(&v->lock);
        v->tried_s = v->config.now_s(v->config.ctx);
        if (persist_tell(&v->told, "standing", "standing calls will not survive a restart: ", rc, &e))
            v->written = now;
    }
    const bool kept = v->written >= mine;
    atomic_store(&v->survives, kept);
    pthread_mutex_unlock(&v->file_lock);
    return kept;
}

/* What a full disk did not take is written later. */
static void keep_again(vigil_t *v)
{
    if (!v->keeps || atomic_load(&v->survives))
        return;
    pthread_mutex_lock(&v->file_lock);
    const bool is_due = v->config.now_s(v->config.ctx) >= v->tried_s + KEEP_S;
    pthread_mutex_unlock(&v->file_lock);
    if (is_due)
        (void)keep(v);
}

/* Whether a client may change the table, which is then written whole; if so, that is counted. NULL: the operator. */
static bool may_change(vigil_t *v, hs_client_t *client, hs_response_t *r)
{
    const uint64_t now = clock_monotonic_ms();
    if (!v->keeps || !client)
        return true;
    budget_use_t *mine = client->turns[SHARE_WORKERS].exempt ? NULL : &client->written;
    pthread_mutex_lock(&v->lock);
    const bool may = budget_has(&v->writes, mine, v->kib + 1, now);
    if (may)
        budget_take(&v->writes, mine, v->kib + 1, now);
    pthread_mutex_unlock(&v->lock);
    if (may)
        return true;
    hs_problem(r, 429, "over-share", "standing calls change too often: each time all of them are written to the disk");
    r->retry_after_s = 10;
    return false;
}

/* What a sealed file holds, in the arena. */
static rc_t unseal(view_t *out, err_t *e, arena_t *a, const vigil_t *v, view_t sealed)
{
    if (sealed.n < XAEAD_NONCE_LEN + AEAD_TAG_LEN)
        return err_say(e, RC_MALFORMED, "too short");
    const view_t box = view_of(sealed.p + XAEAD_NONCE_LEN, sealed.n - XAEAD_NONCE_LEN);
    uint8_t *plain = arena_alloc(a, box.n);
    if (!plain)
        return err_say(e, RC_NOMEM, "out of memory");
    if (xaead_open(plain, box, view_str(VIGIL_SEAL_PATH), sealed.p, v->keep_key))
        return err_say(e, RC_REFUSED, "not sealed by this program in this TEE");
    *out = view_of(plain, box.n - AEAD_TAG_LEN);
    return RC_OK;
}

static void restore(vigil_t *v)
{
    arena_t a;
    err_t e;
    bool found = false;
    size_t left = 0;
    view_t sealed = NO_BYTES, plain;
    arena_init(&a, KEEP_ARENA_MAX);
    rc_t rc = persist_read(&sealed, &found, &e, v->keep_dir, FILE_NAME, STANDING_FILE_MAX + 1024u);
    if (!rc && found)
        rc = unseal(&plain, &e, &a, v, sealed);
    if (!rc && found)
        rc = standing_read(v->table, &left, &e, plain, v->config.now_s(v->config.ctx));
    if (rc)
        log_write(LOG_WARN, "standing", "%s/%s: %s", v->keep_dir, FILE_NAME, e.text);
    else if (left)
        log_write(LOG_WARN, "standing", "%zu of the kept standing calls are left out: %s", left, e.text);
    file_free(sealed);
    arena_free(&a);
}

/* ---- heads ---- */

void vigil_heads(vigil_t *v, const lc_network_t *net, const follow_view_t *heads)
{
    const lc_head_t *latest = &heads->latest;
    const uint64_t slot = latest->header.beacon.slot;
    if (!latest->valid || !lc_proves_execution(net, slot))
        return;
    pthread_mutex_lock(&v->lock);
    if (!v->head || slot > v->slot) {
        v->slot = slot;
        v->head++;
        if (standing_expire(v->table, v->config.now_s(v->config.ctx)))
            v->changes++; /* the disk need not know: they expire there, too */
        run_due(v);
    }
    pthread_mutex_unlock(&v->lock);
    keep_again(v);
}

/* ---- answers ---- */

static void answer(hs_response_t *r, jw_t *w)
{
    const view_t text = jw_done(w);
    r->body = text.p ? malloc(text.n) : NULL;
    if (!r->body) {
        hs_problem(r, 503, "out-of-memory", "out of memory");
        return;
    }
    memcpy(r->body, text.p, text.n);
    r->body_len = text.n;
    r->status = 200;
}

static void unknown(hs_response_t *r)
{
    hs_problem(r, 404, "unknown-standing-call", "there is no standing call of this id");
}

/* The token that a request brings, and the hash of it. False: none, or r says what is wrong with it. */
static bool token_of(uint8_t token[STANDING_TOKEN_LEN], hash32_t *owner, hs_response_t *r, const hs_request_t *request)
{
    const char *text = request->authorization;
    if (!*text)
        return false;
    const size_t n = strlen(BEARER);
    if (strncmp(text, BEARER, n) != 0 || strlen(text + n) != TOKEN_TEXT || strncmp(text + n, "0x", 2) != 0 ||
        hex_decode_exact(token, STANDING_TOKEN_LEN, text + n, TOKEN_TEXT)) {
        hs_problem(r, 401, "standing-token",
                   "send the header Authorization: Bearer TOKEN, as POST /v1/standing gave it");
        return false;
    }
    sha256(owner, view_of(token, STANDING_TOKEN_LEN));
    return true;
}

static bool id_of(uint8_t id[STANDING_ID_LEN], const char *text, size_t n)
{
    return n == ID_TEXT && text[0] == '0' && text[1] == 'x' && !hex_decode_exact(id, STANDING_ID_LEN, text, n);
}

static void need_token(hs_response_t *r)
{
    hs_problem(r, 401, "standing-token", "send the header Authorization: Bearer TOKEN, as POST /v1/standing gave it");
}

/* ---- POST /v1/standing ---- */

static void refuse_ask(hs_response_t *r, rc_t rc, const err_t *e)
{
    char text[sizeof e->field + sizeof e->text + 4];
    snprintf(text, sizeof text, "%s%s%s", e->field, e->field[0] ? ": " : "", e->text);
    if (rc == RC_NOMEM)
        hs_problem(r, 503, "out-of-memory", "out of memory");
    else if (e->code == STANDING_SHARE)
        hs_problem(r, 429, "standing-share", text);
    else if (e->code == STANDING_FULL || e->code == STANDING_GAS)
        hs_problem(r, 503, "standing-full", text);
    else
        hs_problem(r, 400, "bad-request", text);
    if (e->code)
        r->retry_after_s = 60;
}

/* Who adds one: a new owner, whose token is drawn, or a known one. False: r says that the token is nobody's. */
static bool owner_for(vigil_t *v, standing_owner_t *by, uint8_t token[STANDING_TOKEN_LEN], bool *is_new,
                      hs_response_t *r, const hs_request_t *request)
{
    secret_random(by->id, sizeof by->id);
    *is_new = !token_of(token, &by->owner, r, request);
    if (r->status)
        return false;
    if (*is_new) {
        secret_random(token, STANDING_TOKEN_LEN);
        sha256(&by->owner, view_of(token, STANDING_TOKEN_LEN));
        return true;
    }
    pthread_mutex_lock(&v->lock);
    const bool known = standing_of(v->table, NULL, 0, &by->owner) != 0;
    pthread_mutex_unlock(&v->lock);
    if (!known)
        hs_problem(r, 403, "standing-token", "this token has no standing calls");
    return known;
}

static rc_t add(vigil_t *v, err_t *e, const standing_ask_t *ask, const standing_owner_t *by)
{
    pthread_mutex_lock(&v->lock);
    (void)standing_expire(v->table, v->config.now_s(v->config.ctx));
    const rc_t rc = standing_add(v->table, e, ask, by);
    v->changes += !rc;
    pthread_mutex_unlock(&v->lock);
    return rc;
}

static void run_now(vigil_t *v)
{
    pthread_mutex_lock(&v->lock);
    run_due(v);
    pthread_mutex_unlock(&v->lock);
}

void vigil_post(vigil_t *v, hs_response_t *r, const hs_request_t *request, bool is_operator)
{
    uint8_t token[STANDING_TOKEN_LEN];
    bool is_new;
    standing_owner_t by = { .is_operator = is_operator };
    standing_ask_t ask;
    err_t e = { .rc = RC_OK };
    arena_t a;
    if (!owner_for(v, &by, token, &is_new, r, request) || !may_change(v, is_operator ? NULL : request->client, r))
        return;
    if (!is_operator)
        memcpy(by.client, request->client->key, sizeof by.client);
    arena_init(&a, ASK_ARENA_MAX);
    rc_t rc = standing_ask_read(&ask, &e, &a, request->body, v->config.now_s(v->config.ctx), is_operator);
    if (!rc)
        rc = add(v, &e, &ask, &by);
    if (!rc) {
        const bool kept = keep(v);
        run_now(v);
        jw_t w = jw_of(&a, ASK_ARENA_MAX / 2);
        jw_object(&w, NULL);
        jw_hex(&w, "id", view_of(by.id, sizeof by.id));
        if (is_new)
            jw_hex(&w, "token", view_of(token, sizeof token));
        jw_u64(&w, "until", ask.until_s);
        jw_bool(&w, "survives_restart", kept);
        jw_end(&w);
        answer(r, &w);
    } else
        refuse_ask(r, rc, &e);
    secret_wipe(token, sizeof token);
    arena_free(&a);
}

/* ---- DELETE and GET ---- */

void vigil_delete(vigil_t *v, hs_response_t *r, const hs_request_t *request)
{
    uint8_t id[STANDING_ID_LEN], token[STANDING_TOKEN_LEN];
    hash32_t owner;
    const char *text = request->path + strlen(PREFIX);
    if (!token_of(token, &owner, r, request)) {
        if (!r->status)
            need_token(r);
        return;
    }
    if (!may_change(v, request->client, r)) {
        secret_wipe(token, sizeof token);
        return;
    }
    rc_t rc = RC_REFUSED;
    if (id_of(id, text, strlen(text))) {
        pthread_mutex_lock(&v->lock);
        rc = standing_remove(v->table, id, token);
        v->changes += !rc;
        pthread_mutex_unlock(&v->lock);
    }
    secret_wipe(token, sizeof token);
    if (rc) {
        hs_problem(r, 404, "unknown-standing-call", "this token has no standing call of this id");
        return;
    }
    (void)keep(v);
    jw_t w = jw_of(NULL, 64);
    jw_object(&w, NULL);
    jw_str(&w, "status", "success");
    jw_end(&w);
    answer(r, &w);
    jw_free(&w);
}

/* One as it stands. */
static void put_state(jw_t *w, const uint8_t id[STANDING_ID_LEN], const standing_state_t *s)
{
    jw_object(w, NULL);
    jw_hex(w, "id", view_of(id, STANDING_ID_LEN));
    jw_u64(w, "until", s->until_s);
    if (s->why[0])
        jw_str(w, "why", s->why);
    if (s->statement.n) {
        jw_u64(w, "head", s->number);
        jw_u64(w, "valid_until", s->valid_until_s);
        jw_raw(w, "statement", s->statement);
    }
    jw_end(w);
}

static void get_one(vigil_t *v, hs_response_t *r, const char *text)
{
    uint8_t id[STANDING_ID_LEN];
    standing_state_t state;
    arena_t a;
    char why[sizeof state.why + 64];
    arena_init(&a, ANSWER_ARENA_MAX);
    jw_t w = jw_of(&a, ANSWER_ARENA_MAX / 2);
    pthread_mutex_lock(&v->lock);
    look_at_turn(v);
    const bool found =
        id_of(id, text, strlen(text)) && standing_get(v->table, &state, id, v->config.now_s(v->config.ctx));
    if (found && state.statement.n)
        put_state(&w, id, &state);
    pthread_mutex_unlock(&v->lock);
    if (!found)
        unknown(r);
    else if (state.statement.n)
        answer(r, &w);
    else {
        snprintf(why, sizeof why, "there is no statement that is valid now%s%s", state.why[0] ? ": " : "", state.why);
        hs_problem(r, 503, "no-statement", why);
        r->retry_after_s = 2;
    }
    arena_free(&a);
}

/* Those of an owner, for free(). NULL with count 0: none; with another one: out of memory. */
static standing_ref_t *refs_of(vigil_t *v, size_t *count, const hash32_t *owner)
{
    pthread_mutex_lock(&v->lock);
    const size_t n = standing_of(v->table, NULL, 0, owner);
    standing_ref_t *refs = n ? malloc(n * sizeof *refs) : NULL;
    *count = refs ? standing_of(v->table, refs, n, owner) : n;
    pthread_mutex_unlock(&v->lock);
    return refs;
}

static void get_all(vigil_t *v, hs_response_t *r, const hs_request_t *request)
{
    uint8_t token[STANDING_TOKEN_LEN];
    hash32_t owner;
    size_t count = 0;
    if (!token_of(token, &owner, r, request)) {
        if (!r->status)
            need_token(r);
        return;
    }
    secret_wipe(token, sizeof token);
    standing_ref_t *refs = refs_of(v, &count, &owner);
    jw_t w = jw_of(NULL, STANDING_BYTES_MAX + STANDING_MAX * 512u);
    jw_object(&w, NULL);
    jw_array(&w, "standing");
    pthread_mutex_lock(&v->lock);
    look_at_turn(v);
    for (size_t i = 0; refs && i < count; i++) {
        standing_state_t state;
        if (standing_get(v->table, &state, refs[i].id, v->config.now_s(v->config.ctx)))
            put_state(&w, refs[i].id, &state);
    }
    pthread_mutex_unlock(&v->lock);
    jw_end(&w);
    jw_end(&w);
    if (refs || !count)
        answer(r, &w);
    else
        hs_problem(r, 503, "out-of-memory", "out of memory");
    jw_free(&w);
    free(refs);
}

void vigil_get(vigil_t *v, hs_response_t *r, const hs_request_t *request)
{
    if (strncmp(request->path, PREFIX, strlen(PREFIX)) == 0)
        get_one(v, r, request->path + strlen(PREFIX));
    else
        get_all(v, r, request);
}

/* ---- GET /v1/stream ---- */

/* Those that "ids=ID,ID..." names. NULL: r says what is wrong. */
static standing_ref_t *refs_named(vigil_t *v, size_t *count, hs_response_t *r, const char *query)
{
    static const char ids[] = "ids=";
    const char *at = query + strlen(ids);
    const size_t most = strlen(query) / (ID_TEXT + 1) + 1;
    standing_ref_t *refs = strncmp(query, ids, strlen(ids)) == 0 ? calloc(most, sizeof *refs) : NULL;
    bool all = refs != NULL;
    *count = 0;
    pthread_mutex_lock(&v->lock);
    for (bool more = all; all && more && *count < most; at += more) {
        const size_t n = strcspn(at, ",");
        uint8_t id[STANDING_ID_LEN];
        all = id_of(id, at, n) && standing_find(v->table, &refs[*count], id);
        *count += all;
        at += n;
        more = *at == ',';
    }
    pthread_mutex_unlock(&v->lock);
    if (all)
        return refs;
    free(refs);
    if (refs)
        unknown(r);
    else
        hs_problem(r, 400, "bad-request", "ids=ID,ID... is needed, or the header Authorization: Bearer TOKEN");
    return NULL;
}

void vigil_stream(vigil_t *v, hs_response_t *r, const hs_request_t *request)
{
    uint8_t token[STANDING_TOKEN_LEN];
    hash32_t owner;
    size_t count = 0;
    standing_ref_t *refs = NULL;
    if (token_of(token, &owner, r, request)) {
        refs = refs_of(v, &count, &owner);
        if (!refs)
            hs_problem(r, count ? 503 : 403, count ? "out-of-memory" : "standing-token",
                       count ? "out of memory" : "this token has no standing calls");
    } else if (!r->status)
        refs = refs_named(v, &count, r, request->query);
    secret_wipe(token, sizeof token);
    if (refs)
        vigil_events_listen(v->events, r, request, refs, count);
    free(refs);
}

/* ---- eth_subscribe ---- */

/* Those that a request names by their ids, or by the token of their owner. RC_REFUSED: there are none. */
static rc_t refs_asked(vigil_t *v, standing_ref_t **out, size_t *count, err_t *e, const jo_t *what)
{
    uint8_t token[STANDING_TOKEN_LEN] = { 0 }, id[STANDING_ID_LEN] = { 0 };
    hash32_t owner;
    jo_t list, one;
    *count = 0;
    *out = NULL;
    if (jo_opt_list(what, &list, "ids", 1, VIGIL_IDS_MAX)) {
        standing_ref_t *refs = calloc(jo_size(&list), sizeof *refs);
        bool all = refs != NULL;
        while (jo_next(&list, &one)) {
            jo_hex(&one, id, sizeof id, NULL, HEX_0X);
            pthread_mutex_lock(&v->lock);
            all = all && standing_find(v->table, &refs[(*count)++], id);
            pthread_mutex_unlock(&v->lock);
        }
        *out = refs;
        return !refs ? err_say(e, RC_NOMEM, "out of memory")
               : all ? RC_OK
                     : err_say(e, RC_REFUSED, "there is no standing call of one of these ids");
    }
    jo_hex(what, token, sizeof token, "token", HEX_0X);
    sha256(&owner, view_of(token, sizeof token));
    secret_wipe(token, sizeof token);
    *out = refs_of(v, count, &owner);
    return *out     ? RC_OK
           : *count ? err_say(e, RC_NOMEM, "out of memory")
                    : err_say(e, RC_REFUSED, "this token has no standing calls");
}

static rc_t watch(void *ctx, char id[API_WATCH_ID_LEN + 1], err_t *e, const api_asker_t *by, const jo_t *what)
{
    vigil_t *v = ctx;
    standing_ref_t *refs;
    size_t count;
    view_t last = view_str("");
    (void)jo_opt_text(what, &last, "last", 0, 64);
    rc_t rc = refs_asked(v, &refs, &count, e, what);
    rc = jo_rc(what) ? jo_rc(what) : rc;
    if (!rc)
        rc = vigil_events_watch(v->events, id, e, by, refs, count, (const char *)last.p);
    free(refs);
    return rc;
}

static bool unwatch(void *ctx, void *session, view_t id)
{
    const vigil_t *v = ctx;
    return vigil_events_unwatch(v->events, session, id);
}

const api_standing_t VIGIL_STANDING = { watch, unwatch };

void vigil_begin(vigil_t *v, void *session, const void *message)
{
    vigil_events_begin(v->events, session, message);
}

void vigil_over(vigil_t *v, void *session)
{
    vigil_events_over(v->events, session);
}

/* ---- all of it ---- */

void vigil_counts(vigil_t *v, vigil_counts_t *out)
{
    *out = (vigil_counts_t){ .listeners = vigil_events_listeners(v->events), .survives = atomic_load(&v->survives) };
    pthread_mutex_lock(&v->lock);
    out->calls = standing_count(v->table);
    out->signed_so_far = v->signed_so_far;
    out->failed = v->failed;
    pthread_mutex_unlock(&v->lock);
}

vigil_t *vigil_new(const vigil_config_t *config)
{
    vigil_t *v = calloc(1, sizeof *v);
    if (!v)
        return NULL;
    v->config = *config;
    v->turn = turn_of(v);
    v->writes.per_minute = config->writes_kib ? config->writes_kib : VIGIL_WRITES_KIB;
    pthread_mutex_init(&v->file_lock, NULL);
    pthread_mutex_init(&v->lock, NULL);
    pthread_cond_init(&v->idle, NULL);
    v->events = vigil_events_new(turn_of, v, &config->sessions);
    v->table = standing_new(&config->limits);
    if (!v->events || !v->table) {
        vigil_free(v);
        return NULL;
    }
    const int n =
        config->keep_dir && config->keep_key ? snprintf(v->keep_dir, sizeof v->keep_dir, "%s", config->keep_dir) : 0;
    v->keeps = n > 0 && (size_t)n < sizeof v->keep_dir;
    atomic_init(&v->survives, v->keeps);
    if (v->keeps) {
        memcpy(v->keep_key, config->keep_key, sizeof v->keep_key);
        restore(v);
    }
    return v;
}

void vigil_free(vigil_t *v)
{
    if (!v)
        return;
    pthread_mutex_lock(&v->lock);
    v->ends = true;
    while (v->runs)
        pthread_cond_wait(&v->idle, &v->lock);
    pthread_mutex_unlock(&v->lock);
    standing_free(v->table);
    vigil_events_free(v->events);
    secret_wipe(v->keep_key, sizeof v->keep_key);
    pthread_cond_destroy(&v->idle);
    pthread_mutex_destroy(&v->lock);
    pthread_mutex_destroy(&v->file_lock);
    free(v);
}
