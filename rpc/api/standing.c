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
    bool over;            /* it used more gas than those who ask for it have; its gas is no part of any sum */
    uint64_t tried;       /* the head at which it was run last; 0: it was not yet */
    uint64_t head;        /* at which it was made; number: the block that it is about */
    uint64_t number;
    uint8_t *statement; /* owned; NULL: none */
    size_t statement_len;
    uint64_t valid_until_s;
    char why[STANDING_WHY_MAX];
    standing_owner_t left; /* refs 0: it is being run still, at the cost of whoever let go of it last */
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
    size_t leaving;      /* runs of refs 0 */
    run_t *runs, **last; /* in the order in which they are run */
    uint64_t head;       /* the newest one at which something was due; of it: */
    uint64_t spent;      /* gas */
    size_t begun;        /* runs */
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
    s->bytes -= r->statement_len;
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

static void end_run(standing_t *s, run_t *r)
{
    s->bytes -= r->n;
    unlink_run(s, r);
    run_free(s, r);
}

static void drop(standing_t *s, entry_t *x)
{
    run_t *r = x->run;
    const standing_owner_t by = x->by;
    *x = s->entries[--s->count];
    if (--r->refs) {
        s->bytes -= r->n;
        learn_every(s, r);
    } else if (r->out) {
        r->left = by;
        s->leaving++;
    } else
        end_run(s, r);
}

/* Whether a run that has ended was one that nobody asks for any more: it is gone then. */
static bool was_left(standing_t *s, run_t *r)
{
    if (r->refs)
        return false;
    s->leaving--;
    end_run(s, r);
    return true;
}

/* ---- room ---- */

static uint64_t gas_of(const standing_ask_t *ask)
{
    return ask->gas && ask->gas < STANDING_GAS_FIRST ? ask->gas : STANDING_GAS_FIRST;
}

typedef struct {
    size_t count, bytes; /* bytes: of calls, and of statements */
    uint64_t gas;
} share_t;

/* What all have at a head. */
static uint64_t gas_of_all(const standing_t *s)
{
    uint64_t gas = 0;
    for (const run_t *r = s->runs; r; r = r->next)
        gas += r->over ? 0 : r->gas;
    return gas;
}

/* What a client has, who is no operator, with the runs under way of what it ended. */
static share_t share_of(const standing_t *s, const standing_owner_t *by)
{
    share_t share = { .count = 0 };
    for (size_t i = 0; i < s->count; i++) {
        const entry_t *x = &s->entries[i];
        if (x->by.is_operator || memcmp(x->by.client, by->client, STANDING_CLIENT_LEN) != 0)
            continue;
        share.count++;
        share.bytes += x->run->n + x->run->statement_len;
        share.gas += x->run->over ? 0 : x->run->gas;
    }
    for (const run_t *r = s->leaving ? s->runs : NULL; r; r = r->next)
        if (!r->refs && !r->left.is_operator && memcmp(r->left.client, by->client, STANDING_CLIENT_LEN) == 0) {
            share.count++;
            share.bytes += r->n + r->statement_len;
            share.gas += r->gas;
        }
    return share;
}

static uint64_t part(uint64_t of)
{
    return of / STANDING_PART ? of / STANDING_PART : 1;
}

/* Whether one of those who ask for a run has room in his share for so much more. */
static bool is_paid(const standing_t *s, const run_t *r, uint64_t gas, size_t bytes)
{
    if (gas > s->limits.gas_per_head)
        return false;
    for (size_t i = 0; i < s->count; i++) {
        if (s->entries[i].run != r)
            continue;
        if (s->entries[i].by.is_operator)
            return true;
        const share_t share = share_of(s, &s->entries[i].by);
        if (share.gas + gas <= part(s->limits.gas_per_head) && share.bytes + bytes <= part(STANDING_BYTES_MAX))
            return true;
    }
    return false;
}

/* Whether one more has room, whose call is run already (known) or not.
 *   is_kept  its gas was found to do before */
static rc_t check_room(const standing_t *s, err_t *e, const standing_ask_t *ask, const standing_owner_t *by,
                       const run_t *known, bool is_kept)
{
    const uint64_t more = is_kept ? 0 : known ? known->gas : gas_of(ask), all = gas_of_all(s);
    if (s->count + s->leaving >= s->limits.max || ask->call.n > STANDING_BYTES_MAX - s->bytes)
        return err_code(e, err_say(e, RC_LIMIT, "the table of standing calls is full"), STANDING_FULL);
    if (!is_kept && !known && (more > s->limits.gas_per_head || all > s->limits.gas_per_head - more))
        return err_code(e, err_say(e, RC_LIMIT, "the gas of a head is used up by other standing calls"), STANDING_GAS);
    if (by->is_operator)
        return RC_OK;
    const share_t own = share_of(s, by);
    if (own.count >= part(s->limits.max) || own.bytes + ask->call.n > part(STANDING_BYTES_MAX) ||
        (!is_kept && own.gas + more > part(s->limits.gas_per_head)))
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
    append_run(s, r);
    return r;
}

static rc_t add(standing_t *s, err_t *e, const standing_ask_t *ask, const standing_owner_t *by, bool is_kept)
{
    run_t *r = find_run(s, &ask->hash);
    if (find_entry(s, by->id))
        return err_say(e, RC_REPLAY, "there is a standing call of this id already");
    const rc_t rc = check_room(s, e, ask, by, r, is_kept);
    if (rc)
        return rc;
    if (!r && !(r = run_new(s, ask)))
        return err_say(e, RC_NOMEM, "out of memory");
    if (!r->refs && r->out) { /* it was left, and is asked for again */
        s->leaving--;
        s->bytes -= r->n;
        r->every = ask->every;
    }
    r->refs++;
    if (ask->every < r->every)
        r->every = ask->every;
    s->bytes += r->n;
    s->entries[s->count++] = (entry_t){ *by, r, ask->every, ask->until_s };
    return RC_OK;
}

rc_t standing_add(standing_t *s, err_t *e, const standing_ask_t *ask, const standing_owner_t *by)
{
    return add(s, e, ask, by, false);
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

/* What failed, or has no statement, is tried once at a head. */
static bool is_due(const run_t *r, uint64_t head)
{
    if (r->out || !r->tried)
        return !r->out;
    return r->why[0] || !r->statement ? head > r->tried : head >= r->head + r->every;
}

static bool fits(const standing_t *s, const run_t *r)
{
    return s->begun < s->limits.max && s->spent <= s->limits.gas_per_head &&
           r->gas <= s->limits.gas_per_head - s->spent && (!r->over || is_paid(s, r, r->gas, 0));
}

static void begin_run(standing_t *s, run_t *r, uint64_t head)
{
    r->over = false;
    r->out = true;
    r->tried = head;
    s->spent += r->gas;
    s->begun++;
    unlink_run(s, r); /* it goes behind those that are not run */
    append_run(s, r);
}

size_t standing_due(standing_t *s, standing_due_t *out, size_t cap, uint64_t head)
{
    size_t n = 0, left = 0;
    if (head > s->head) {
        s->head = head;
        s->spent = 0;
        s->begun = 0;
    }
    for (const run_t *r = s->runs; r; r = r->next)
        left++;
    for (run_t *r = s->runs, *next; left-- && n < cap; r = next) {
        next = r->next;
        if (!is_due(r, head) || !fits(s, r))
            continue;
        begin_run(s, r, head);
        out[n++] = (standing_due_t){ view_of(r->call, r->n), r->hash };
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
    if (r && !was_left(s, r))
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

/* What a run used beyond what it was taken to use, also one that nobody asks for any more. */
static void note_gas(standing_t *s, const run_t *r, uint64_t gas_used, uint64_t head)
{
    const uint64_t taken = r ? r->gas : STANDING_GAS_FIRST;
    if (head == s->head && gas_used > taken && s->spent <= s->limits.gas_per_head)
        s->spent += gas_used - taken;
}

static rc_t put_statement(standing_t *s, run_t *r, view_t statement)
{
    const size_t more = statement.n > r->statement_len ? statement.n - r->statement_len : 0;
    if (!statement.n || statement.n > STANDING_ANSWER_MAX || more > STANDING_BYTES_MAX - s->bytes ||
        !is_paid(s, r, 0, more)) {
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
    return RC_OK;
}

rc_t standing_done(standing_t *s, const hash32_t *hash, view_t statement, uint64_t valid_until_s, uint64_t gas_used,
                   uint64_t number, uint64_t head)
{
    run_t *r = find_run(s, hash);
    note_gas(s, r, gas_used, head);
    if (!r || was_left(s, r))
        return RC_OK;
    if (r->statement && head < r->head) {
        r->out = false;
        return RC_REPLAY;
    }
    r->gas = gas_used;
    r->over = true; /* no part of the sums that it is compared with */
    r->over = !is_paid(s, r, gas_used, 0);
    if (r->over) {
        fail(r, "it uses more gas at a head than is left of what those who ask for it have");
        return RC_LIMIT;
    }
    const rc_t rc = put_statement(s, r, statement);
    if (rc)
        return rc;
    r->valid_until_s = valid_until_s;
    r->head = head;
    r->number = number;
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
                               .number = r->number,
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
static rc_t read_one(standing_ask_t *ask, standing_owner_t *by, rd_t *r)
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
                   ask->call.n > STANDING_CALL_MAX || ask->until_s > UINT64_MAX / 2
               ? RC_MALFORMED
               : RC_OK;
}

/* Takes it back. RC_OK also when it is left out. */
static rc_t take_back(standing_t *s, size_t *left, err_t *e, standing_ask_t *ask, const standing_owner_t *by)
{
    rc_t rc = read_call(ask, e, ask->call);
    if (!rc) {
        sha256(&ask->hash, ask->call);
        rc = add(s, e, ask, by, true);
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
        rc_t rc = read_one(&ask, &by, &r);
        if (rc)
            return err_say(e, rc, "is no list of standing calls");
        if (ask.until_s > now_s)
            rc = take_back(s, left, e, &ask, &by);
        if (rc)
            return rc;
    }
    return rd_done(&r) ? RC_OK : err_say(e, RC_MALFORMED, "is no list of standing calls");
}
