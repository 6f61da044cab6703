#include "rpc/api/standing.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "base/crypto/secret.h"
#include "base/json.h"
#include "rpc/api/question.h"

#define VERSION 1u
#define READ_ARENA_MAX ((size_t)1 << 20)

/* A call that is run, for whoever asks for it. */
typedef struct run {
    struct run *next;
    hash32_t hash;
    uint8_t *call; /* owned */
    size_t n;
    uint32_t refs, every; /* every: the least of those who ask */
    uint64_t gas;         /* of the last run, or what it is taken to be */
    bool out;             /* it is being run */
    uint64_t head;        /* of the statement */
    uint8_t *statement;   /* owned; NULL: none */
    size_t statement_len;
    uint64_t valid_until_s;
    char why[STANDING_WHY_MAX];
} run_t;

typedef struct {
    standing_owner_t by;
    run_t *run;
    uint32_t every;
    uint64_t until_s;
} entry_t;

struct standing {
    standing_limits_t limits;
    entry_t *entries; /* limits.max of them */
    size_t count, bytes;
    run_t *runs, **last; /* in the order in which they are run */
};

/* ---- what is asked ---- */

static rc_t read_call(standing_ask_t *out, err_t *e, view_t call)
{
    question_t q;
    arena_t a;
    arena_init(&a, READ_ARENA_MAX);
    rc_t rc = question_of_call(&q, e, &a, call);
    if (rc)
        rc = err_before(e, rc, "call%s%s: ", e->field[0] ? "." : "", e->field);
    else if (q.block.given && q.block.by == SETUP_BY_BLOCK)
        rc = err_in(e, RC_MALFORMED, "call.block", "must be latest, safe or finalized: it moves");
    else
        out->gas = q.what.call.gas;
    arena_free(&a);
    return rc;
}

rc_t standing_ask_read(standing_ask_t *out, err_t *e, arena_t *a, view_t body, uint64_t now_s, bool is_command)
{
    jo_doc_t doc;
    uint64_t every = 1, until_s = now_s + STANDING_LIFE_MAX_S;
    standing_ask_t ask = { .gas = 0 };
    const jo_t o = jo_open(&doc, e, body, STANDING_CALL_MAX, JO_STRICT);
    const jo_t call = jo_object(&o, "call");
    ask.call = jo_compact(&call, a, NULL);
    if (is_command) {
        jo_skip(&o, "counter");
        jo_skip(&o, "not_after");
    }
    (void)jo_opt_u64(&o, &every, "every", 1, STANDING_EVERY_MAX);
    if (jo_opt_u64(&o, &until_s, "until", 0, UINT64_MAX / 2) && until_s <= now_s)
        jo_fail(&o, "until", RC_MALFORMED, "is over already");
    if (until_s > now_s + STANDING_LIFE_MAX_S)
        jo_fail(&o, "until", RC_MALFORMED, "must be at most seven days ahead");
    rc_t rc = jo_done(&o);
    jo_close(&doc);
    if (!rc)
        rc = read_call(&ask, e, ask.call);
    if (rc)
        return rc;
    sha256(&ask.hash, ask.call);
    ask.every = (uint32_t)every;
    ask.until_s = until_s;
    *out = ask;
    return RC_OK;
}

/* ---- the table ---- */

standing_t *standing_new(const standing_limits_t *limits)
{
    standing_t *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->limits = *limits;
    if (!s->limits.max || s->limits.max > STANDING_MAX)
        s->limits.max = STANDING_MAX;
    s->entries = calloc(s->limits.max, sizeof *s->entries);
    s->last = &s->runs;
    if (!s->entries) {
        free(s);
        return NULL;
    }
    return s;
}

static void run_free(standing_t *s, run_t *r)
{
    s->bytes -= r->n + r->statement_len;
    free(r->call);
    free(r->statement);
    free(r);
}

void standing_free(standing_t *s)
{
    if (!s)
        return;
    for (run_t *r = s->runs, *next; r; r = next) {
        next = r->next;
        run_free(s, r);
    }
    free(s->entries);
    free(s);
}

size_t standing_count(const standing_t *s)
{
    return s->count;
}

static run_t *find_run(const standing_t *s, const hash32_t *hash)
{
    run_t *r = s->runs;
    while (r && !hash32_eq(&r->hash, hash))
        r = r->next;
    return r;
}

static entry_t *find_entry(const standing_t *s, const uint8_t id[STANDING_ID_LEN])
{
    for (size_t i = 0; i < s->count; i++)
        if (memcmp(s->entries[i].by.id, id, STANDING_ID_LEN) == 0)
            return &s->entries[i];
    return NULL;
}

static standing_ref_t ref_of(const entry_t *x)
{
    standing_ref_t ref = { .hash = x->run->hash };
    memcpy(ref.id, x->by.id, sizeof ref.id);
    return ref;
}

size_t standing_of(const standing_t *s, standing_ref_t *out, size_t cap, const hash32_t *owner)
{
    size_t n = 0;
    for (size_t i = 0; i < s->count; i++)
        if (secret_eq(s->entries[i].by.owner.b, owner->b, sizeof owner->b)) {
            if (n < cap)
                out[n] = ref_of(&s->entries[i]);
            n++;
        }
    return n;
}

bool standing_find(const standing_t *s, standing_ref_t *out, const uint8_t id[STANDING_ID_LEN])
{
    const entry_t *x = find_entry(s, id);
    if (x)
        *out = ref_of(x);
    return x != NULL;
}

static void unlink_run(standing_t *s, const run_t *r)
{
    run_t **at = &s->runs;
    while (*at != r)
        at = &(*at)->next;
    *at = r->next;
    if (!*at)
        s->last = at;
}

static void append_run(standing_t *s, run_t *r)
{
    r->next = NULL;
    *s->last = r;
    s->last = &r->next;
}

static void learn_every(standing_t *s, run_t *r)
{
    r->every = STANDING_EVERY_MAX;
    for (size_t i = 0; i < s->count; i++)
        if (s->entries[i].run == r && s->entries[i].every < r->every)
            r->every = s->entries[i].every;
}

static void drop(standing_t *s, entry_t *x)
{
    run_t *r = x->run;
    *x = s->entries[--s->count];
    if (--r->refs) {
        learn_every(s, r);
        return;
    }
    unlink_run(s, r);
    run_free(s, r);
}

/* ---- room ---- */

static uint64_t gas_of(const standing_ask_t *ask)
{
    return ask->gas && ask->gas < STANDING_GAS_FIRST ? ask->gas : STANDING_GAS_FIRST;
}

/* How many a client has, and what gas the calls of all, or of this client (NULL: of all), take. */
static size_t sum(uint64_t *gas, const standing_t *s, const standing_owner_t *by)
{
    size_t n = 0;
    *gas = 0;
    if (!by) {
        for (const run_t *r = s->runs; r; r = r->next)
            *gas += r->gas;
        return s->count;
    }
    for (size_t i = 0; i < s->count; i++) {
        const entry_t *x = &s->entries[i];
        if (x->by.is_operator || memcmp(x->by.client, by->client, STANDING_CLIENT_LEN) != 0)
            continue;
        n++;
        *gas += x->run->gas;
    }
    return n;
}

static uint64_t part(uint64_t of)
{
    return of / STANDING_PART ? of / STANDING_PART : 1;
}

/* Whether one more has room, whose call is run already (known) or not. */
static rc_t check_room(const standing_t *s, err_t *e, const standing_ask_t *ask, const standing_owner_t *by,
                       const run_t *known)
{
    const uint64_t more = known ? known->gas : gas_of(ask);
    uint64_t all, own;
    (void)sum(&all, s, NULL);
    if (s->count >= s->limits.max || (!known && ask->call.n > STANDING_BYTES_MAX - s->bytes))
        return err_code(e, err_say(e, RC_LIMIT, "the table of standing calls is full"), STANDING_FULL);
    if (!known && (more > s->limits.gas_per_head || all > s->limits.gas_per_head - more))
        return err_code(e, err_say(e, RC_LIMIT, "the gas of a head is used up by other standing calls"), STANDING_GAS);
    if (by->is_operator)
        return RC_OK;
    if (sum(&own, s, by) >= part(s->limits.max) || own + more > part(s->limits.gas_per_head))
        return err_code(e, err_say(e, RC_LIMIT, "this client has its share of standing calls"), STANDING_SHARE);
    return RC_OK;
}

static run_t *run_new(standing_t *s, const standing_ask_t *ask)
{
    run_t *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->call = malloc(ask->call.n ? ask->call.n : 1);
    if (!r->call) {
        free(r);
        return NULL;
    }
    memcpy(r->call, ask->call.p, ask->call.n);
    r->n = ask->call.n;
    r->hash = ask->hash;
    r->gas = gas_of(ask);
    r->every = ask->every;
    s->bytes += r->n;
    append_run(s, r);
    return r;
}

rc_t standing_add(standing_t *s, err_t *e, const standing_ask_t *ask, const standing_owner_t *by)
{
    run_t *r = find_run(s, &ask->hash);
    if (find_entry(s, by->id))
        return err_say(e, RC_REPLAY, "there is a standing call of this id already");
    const rc_t rc = check_room(s, e, ask, by, r);
    if (rc)
        return rc;
    if (!r && !(r = run_new(s, ask)))
        return err_say(e, RC_NOMEM, "out of memory");
    r->refs++;
    if (ask->every < r->every)
        r->every = ask->every;
    s->entries[s->count++] = (entry_t){ *by, r, ask->every, ask->until_s };
    return RC_OK;
}

rc_t standing_remove(standing_t *s, const uint8_t id[STANDING_ID_LEN], const uint8_t token[STANDING_TOKEN_LEN])
{
    entry_t *x = find_entry(s, id);
    hash32_t owner;
    sha256(&owner, view_of(token, STANDING_TOKEN_LEN));
    if (!x || !secret_eq(owner.b, x->by.owner.b, sizeof owner.b))
        return RC_REFUSED;
    drop(s, x);
    return RC_OK;
}

bool standing_expire(standing_t *s, uint64_t now_s)
{
    const size_t before = s->count;
    for (size_t i = s->count; i-- > 0;)
        if (s->entries[i].until_s <= now_s)
            drop(s, &s->entries[i]);
    return s->count != before;
}

/* ---- heads ---- */

static bool is_due(const run_t *r, uint64_t head)
{
    return !r->out && (!r->statement || r->why[0] || head >= r->head + r->every);
}

size_t standing_due(standing_t *s, standing_due_t *out, size_t cap, uint64_t head)
{
    uint64_t gas = 0;
    size_t n = 0, left = 0;
    for (const run_t *r = s->runs; r; r = r->next)
        left++;
    for (run_t *r = s->runs, *next; left-- && n < cap; r = next) {
        next = r->next;
        if (!is_due(r, head) || r->gas > s->limits.gas_per_head - gas)
            continue; /* those that are run go behind it */
        gas += r->gas;
        r->out = true;
        out[n++] = (standing_due_t){ view_of(r->call, r->n), r->hash };
        unlink_run(s, r);
        append_run(s, r);
    }
    return n;
}

static void fail(run_t *r, const char *why)
{
    r->out = false;
    snprintf(r->why, sizeof r->why, "%s", *why ? why : "it failed");
}

void standing_failed(standing_t *s, const hash32_t *hash, const char *why)
{
    run_t *r = find_run(s, hash);
    if (r)
        fail(r, why);
}

void standing_forget(standing_t *s, const char *why)
{
    for (run_t *r = s->runs; r; r = r->next) {
        s->bytes -= r->statement_len;
        free(r->statement);
        r->statement = NULL;
        r->statement_len = 0;
        snprintf(r->why, sizeof r->why, "%s", why);
    }
}

rc_t standing_done(standing_t *s, const hash32_t *hash, view_t statement, uint64_t valid_until_s, uint64_t gas_used,
                   uint64_t head)
{
    run_t *r = find_run(s, hash);
    if (!r)
        return RC_OK;
    if (r->statement && head < r->head) {
        r->out = false;
        return RC_REPLAY;
    }
    r->gas = gas_used;
    if (gas_used > s->limits.gas_per_head) {
        fail(r, "it uses more gas than all standing calls have at a head, and is not run again");
        return RC_LIMIT;
    }
    if (!statement.n || statement.n > STANDING_ANSWER_MAX ||
        statement.n > STANDING_BYTES_MAX - (s->bytes - r->statement_len)) {
        fail(r, "its statement is too long to be kept");
        return RC_LIMIT;
    }
    uint8_t *copy = malloc(statement.n);
    if (!copy) {
        fail(r, "out of memory");
        return RC_NOMEM;
    }
    memcpy(copy, statement.p, statement.n);
    s->bytes += statement.n - r->statement_len;
    free(r->statement);
    r->statement = copy;
    r->statement_len = statement.n;
    r->valid_until_s = valid_until_s;
    r->head = head;
    r->why[0] = '\0';
    r->out = false;
    return RC_OK;
}

bool standing_get(const standing_t *s, standing_state_t *out, const uint8_t id[STANDING_ID_LEN], uint64_t now_s)
{
    const entry_t *x = find_entry(s, id);
    if (!x || x->until_s <= now_s)
        return false;
    const run_t *r = x->run;
    const bool good = r->statement && now_s <= r->valid_until_s;
    *out = (standing_state_t){ .statement = good ? view_of(r->statement, r->statement_len) : view_of(NULL, 0),
                               .head = r->head,
                               .valid_until_s = r->valid_until_s,
                               .until_s = x->until_s };
    memcpy(out->why, r->why, sizeof out->why);
    return true;
}

/* ---- the file ---- */

rc_t standing_write(const standing_t *s, view_t *out, arena_t *a)
{
    size_t n = 5;
    for (size_t i = 0; i < s->count; i++)
        n += STANDING_ID_LEN + 32 + STANDING_CLIENT_LEN + 1 + 16 + s->entries[i].run->n;
    uint8_t *bytes = arena_alloc(a, n);
    wr_t w = wr_of(bytes, bytes ? n : 0);
    wr_u8(&w, VERSION);
    wr_be(&w, s->count, 4);
    for (size_t i = 0; i < s->count; i++) {
        const entry_t *x = &s->entries[i];
        wr_bytes(&w, x->by.id, STANDING_ID_LEN);
        wr_bytes(&w, x->by.owner.b, 32);
        wr_bytes(&w, x->by.client, STANDING_CLIENT_LEN);
        wr_u8(&w, x->by.is_operator);
        wr_be(&w, x->until_s, 8);
        wr_be(&w, x->every, 4);
        wr_be(&w, x->run->n, 4);
        wr_bytes(&w, x->run->call, x->run->n);
    }
    if (w.bad)
        return RC_NOMEM;
    *out = wr_view(&w);
    return RC_OK;
}

/* One of a file, as it stands there. RC_MALFORMED: this is no such file. */
static rc_t read_one(standing_ask_t *ask, standing_owner_t *by, rd_t *r, uint64_t now_s)
{
    rd_copy(r, by->id, sizeof by->id);
    by->owner = rd_hash32(r);
    rd_copy(r, by->client, sizeof by->client);
    const uint8_t is_operator = rd_u8(r);
    ask->until_s = rd_u64be(r);
    ask->every = rd_u32be(r);
    ask->call = rd_take(r, rd_u32be(r));
    by->is_operator = is_operator == 1;
    return r->bad || is_operator > 1 || !ask->every || ask->every > STANDING_EVERY_MAX ||
                   ask->call.n > STANDING_CALL_MAX || ask->until_s > now_s + STANDING_LIFE_MAX_S
               ? RC_MALFORMED
               : RC_OK;
}

/* Takes it back. RC_OK also when it is left out. */
static rc_t take_back(standing_t *s, size_t *left, err_t *e, standing_ask_t *ask, const standing_owner_t *by)
{
    rc_t rc = read_call(ask, e, ask->call);
    if (!rc) {
        sha256(&ask->hash, ask->call);
        rc = standing_add(s, e, ask, by);
    }
    *left += rc && rc != RC_NOMEM;
    return rc == RC_NOMEM ? rc : RC_OK;
}

rc_t standing_read(standing_t *s, size_t *left, err_t *e, view_t kept, uint64_t now_s)
{
    rd_t r = rd_of(kept);
    *left = 0;
    if (rd_u8(&r) != VERSION || r.bad)
        return err_say(e, RC_MALFORMED, "is of another version");
    const uint32_t count = rd_u32be(&r);
    if (count > STANDING_MAX)
        return err_say(e, RC_LIMIT, "has too many standing calls");
    for (uint32_t i = 0; i < count; i++) {
        standing_owner_t by = { .is_operator = false };
        standing_ask_t ask = { .gas = 0 };
        rc_t rc = read_one(&ask, &by, &r, now_s);
        if (rc)
            return err_say(e, rc, "is no list of standing calls");
        if (ask.until_s > now_s)
            rc = take_back(s, left, e, &ask, &by);
        if (rc)
            return rc;
    }
    return rd_done(&r) ? RC_OK : err_say(e, RC_MALFORMED, "is no list of standing calls");
}
