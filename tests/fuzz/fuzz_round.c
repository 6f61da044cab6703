/* Whatever endpoints answer, when and in whatever order: a round ends by itself, after so many requests and so much
 * time as its needs allow for, never waits for nothing, and takes no lie; and who has servers on several branches is
 * called no liar for what they gave by number. The requests are this file's: it stands in for node/query/flight.c. */
#include <stdlib.h>

#include "base/os/log.h"
#include "node/query/round.h"
#include "tests/fuzz/fuzz.h"

#define NEEDS_MAX 6u
#define ENDPOINTS 3u
#define SENT_MAX 8000u
#define TIME_MAX_MS ((uint64_t)80000) /* for each need, and once */
#define IDLE_MAX 64u                  /* turns at one time in which nothing happens */
#define REQUEST_MAX_MS 10000u
#define FALSE_NUMBER 666u
#define BLOCKS 3u

static struct {
    const uint8_t *at, *end;
    uint64_t now_ms;
    need_t needs[NEEDS_MAX];
    bool given[NEEDS_MAX];
    unsigned slots[NEEDS_MAX]; /* that came in pieces, bits */
    size_t count;
    ex_header_t headers[BLOCKS];    /* the first is number 1, */
    ex_block_t blocks[BLOCKS];      /* ... and what is verified of them */
    uint64_t other_from[ENDPOINTS]; /* each has other blocks from this number on */
    bool lied[ENDPOINTS];           /* it gave what is false of a block that it has */
    bool by_number;                 /* so state is asked for */
    bool settled;                   /* a block is asked for that is long final */
    size_t asked[ROUND_VISITS + 1]; /* endpoints that answer, by air */
    unsigned sent;
    party_t *air[ROUND_VISITS + 1];
    uint64_t since_ms[ROUND_VISITS + 1];
} w;

static uint8_t next(void)
{
    return w.at < w.end ? *w.at++ : 0;
}

static uint64_t now(void)
{
    return w.now_ms;
}

/* ---- the query ---- */

static size_t needs(const query_t *q, const need_t **out)
{
    (void)q;
    *out = w.needs;
    return w.count;
}

static rc_t give(query_t *q, err_t *e, size_t i, const answer_t *a)
{
    (void)q;
    if (w.given[i])
        abort();                                                   /* twice */
    if (a->number == FALSE_NUMBER && w.needs[i].kind != NEED_HINT) /* that is none, whatever it says */
        return err_say(e, RC_REFUSED, "false");
    for (size_t k = 0; k < a->slots_len; k++)
        w.slots[i] |= 1u << (a->slots_at + k);
    if (a->slots_at + a->slots_len > w.needs[i].slot_count)
        abort();
    w.given[i] = !a->slots_len || w.slots[i] == (1u << w.needs[i].slot_count) - 1;
    return RC_OK;
}

/* ---- what endpoints answer ---- */

/* To one need, by a server that has other blocks from a number on: nothing more is known of a provider that has run out
 * of bytes than that it is busy. */
static jr_answer_t answer(const need_t *need, size_t endpoint, uint64_t other_from)
{
    static const refusal_t why[] = { REFUSAL_BUSY,  REFUSAL_LATE, REFUSAL_OTHER, REFUSAL_STATE,
                                     REFUSAL_DEPTH, REFUSAL_KEYS, REFUSAL_FORM,  REFUSAL_FUNDS };
    const uint8_t what = next();
    jr_answer_t a = { .answer.kind = need->kind };
    if (need->kind == NEED_HEADER && what >= 0x40) {
        a.answer.header = w.headers[need->number - 1];
        a.answer.header.gas_used += need->number >= other_from;
        return a;
    }
    if (what >= 0xc0)
        a.answer.number = what % 2 ? FALSE_NUMBER : 0;
    else if (what >= 0xa0)
        a.answer.absent = true;
    else if (what >= 0x90)
        a.rc = err_say(&a.why, RC_MALFORMED, "broken");
    else {
        a.refusal = why[what % 8];
        a.rc = need->kind == NEED_HINT && !refusal_passes(a.refusal)     ? RC_OK
               : a.refusal == REFUSAL_LATE || a.refusal == REFUSAL_STATE ? RC_NEED_DATA
                                                                         : RC_IO;
        a.why = (err_t){ .rc = a.rc, .code = (uint16_t)a.refusal, .text = "refused" };
    }
    w.lied[endpoint] |= a.answer.number == FALSE_NUMBER && need->block->env.number < other_from;
    return a;
}

static batch_t *answer_all(party_t *p, size_t endpoint)
{
    static const rc_t whole[] = { RC_IO, RC_TIMEOUT, RC_MALFORMED, RC_NOMEM };
    batch_t *b = calloc(1, sizeof *b);
    const uint8_t what = next();
    b->form.by_number = w.by_number;
    b->answers = calloc(p->count + 1, sizeof *b->answers);
    b->needs = calloc(p->count + 1, sizeof *b->needs);
    atomic_init(&b->refs, (unsigned)p->count);
    b->heard = what % 8 != 7;
    if (!b->heard)
        b->rc = err_say(&b->why, whole[what / 8 % 4], "refused as a whole");
    if (b->rc == RC_IO)
        err_code(&b->why, b->rc, what & 128 ? REFUSAL_BUSY : REFUSAL_BATCH);
    b->retry_after_ms = what % 8 == 6 ? 250u * (what / 8) : 0;
    for (size_t i = 0; i < p->count; i++) {
        b->needs[i] = p->seats[i].need;
        const bool other = what & 64 && (i % 2 == 0 || !(what & 32)); /* several servers at one URL, or in one batch */
        b->answers[i] = answer(p->seats[i].need, endpoint, other ? w.other_from[endpoint] : BLOCKS + 1);
    }
    return b;
}

static void land(party_t *p, size_t endpoint)
{
    batch_t *b = p->count ? answer_all(p, endpoint) : NULL;
    for (size_t i = 0; i < p->count; i++) {
        p->seats[i].batch = b;
        p->seats[i].element = i;
    }
    atomic_store(&p->here, true);
}

/* ---- the requests ---- */

bool flights_send(flights_t *f, party_t *p, size_t endpoint)
{
    const uint8_t how = next();
    (void)f;
    if (!p->count || endpoint >= ENDPOINTS || ++w.sent > SENT_MAX)
        abort();
    atomic_store(&p->here, false);
    if (how % 16 == 1)
        p->count = 0; /* no memory */
    else if (how % 4 == 1)
        p->count = 1;
    for (size_t i = 0; i < p->count; i++) {
        p->seats[i].batch = NULL;
        p->seats[i].own = !(how & 128);
    }
    if (how & 64 || !p->count) {
        land(p, endpoint);
        return false;
    }
    for (size_t i = 0; i < ROUND_VISITS + 1; i++)
        if (!w.air[i]) {
            w.air[i] = p;
            w.since_ms[i] = w.now_ms;
            w.asked[i] = endpoint;
            return true;
        }
    abort(); /* more at once than it may ask */
}

bool flights_leave(flights_t *f, party_t *p)
{
    (void)f;
    for (size_t i = 0; i < ROUND_VISITS + 1; i++)
        if (w.air[i] == p) {
            w.air[i] = NULL;
            return true;
        }
    return false;
}

void flights_clear(party_t *p)
{
    for (size_t i = 0; i < p->count; i++) {
        batch_t *b = p->seats[i].batch;
        if (b && atomic_fetch_sub(&b->refs, 1) == 1) {
            free(b->answers);
            free(b->needs);
            free(b);
        }
    }
    p->count = 0;
}

/* ---- the driver ---- */

static void land_at(size_t i)
{
    party_t *p = w.air[i];
    w.air[i] = NULL;
    land(p, w.asked[i]);
}

/* Lets one request end, after some time. False: none is under way. */
static bool land_one(void)
{
    const uint8_t which = next();
    for (size_t i = 0; i < ROUND_VISITS + 1; i++) {
        const size_t k = (i + which) % (ROUND_VISITS + 1);
        if (!w.air[k])
            continue;
        w.now_ms += 40u * (which / 4u);
        land_at(k);
        return true;
    }
    return false;
}

/* Lets time pass until something is due, or a request has taken as long as one may. */
static void wait_until(uint64_t due)
{
    for (size_t i = 0; i < ROUND_VISITS + 1; i++)
        if (w.air[i] && w.since_ms[i] + REQUEST_MAX_MS < due)
            due = w.since_ms[i] + REQUEST_MAX_MS;
    if (due == UINT64_MAX)
        abort(); /* it waits for nothing */
    w.now_ms = due > w.now_ms ? due : w.now_ms;
    for (size_t i = 0; i < ROUND_VISITS + 1; i++)
        if (w.air[i] && w.since_ms[i] + REQUEST_MAX_MS <= w.now_ms)
            land_at(i);
}

static void drive(round_t *r)
{
    const uint64_t began = w.now_ms;
    for (unsigned idle = 0; round_next(r) != ROUND_ENDED; idle++) {
        const uint64_t due = round_due_ms(r), before = w.now_ms;
        const bool landed = next() % 2 && land_one();
        if (!landed)
            wait_until(due);
        if (landed || w.now_ms != before)
            idle = 0;
        if (idle > IDLE_MAX || w.now_ms - began > TIME_MAX_MS * (1 + w.count))
            abort();
    }
}

static void noop(party_t *p)
{
    (void)p;
}

/* Three blocks, and who has others. */
static void make_blocks(void)
{
    for (size_t i = 0; i < BLOCKS; i++) {
        w.headers[i] = (ex_header_t){ .number = i + 1, .gas_limit = 30000000 };
        w.blocks[i].env.number = i + 1;
        ex_header_hash(&w.blocks[i].block_hash, &w.headers[i]);
    }
    const uint8_t what = next();
    for (size_t i = 0; i < ENDPOINTS; i++)
        w.other_from[i] = 1u + (what >> 2 * i) % 4u;
    w.by_number = next() % 2;
}

/* Nobody lies by a number whose servers have other blocks there, or not, and give what is theirs. */
static void check_blame(up_t *up)
{
    up_status_t rows[UP_ENDPOINTS_MAX];
    (void)up_snapshot(up, rows);
    for (size_t i = 0; i < ENDPOINTS; i++)
        if (rows[i].lies && w.by_number && !w.lied[i] && !w.settled)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const query_ops_t ops = { .needs = needs, .give = give };
    static const need_kind_t kinds[] = { NEED_PROOF, NEED_CODE, NEED_HINT, NEED_BLOCK };
    query_t q = { .ops = &ops };
    round_t r;
    err_t e = { 0 };
    memset(&w, 0, sizeof w);
    w.at = data;
    w.end = data + len;
    w.now_ms = 1000000;
    log_set_level(LOG_ERROR);
    make_blocks();
    w.count = 1u + next() % NEEDS_MAX;
    bool hint = false;
    for (size_t i = 0; i < w.count; i++) {
        const uint8_t what = next();
        const bool may_hint = !hint && what % 4 == 2;
        hint |= may_hint;
        w.needs[i] = (need_t){ .kind = what % 4 == 2 && !may_hint ? NEED_CODE : kinds[what % 4],
                               .origin = what / 4 % 3,
                               .block = &w.blocks[next() % BLOCKS],
                               .number = i,
                               .may_lack = what & 64,
                               .settled = what & 128 };
        w.settled |= w.needs[i].kind == NEED_BLOCK && w.needs[i].settled;
        if (w.needs[i].kind == NEED_PROOF) {
            static const hash32_t slots[8];
            w.needs[i].slots = slots;
            w.needs[i].slot_count = what / 16 % 8;
        }
        if (may_hint) {
            static const ex_request_t nothing;
            w.needs[i].origin = NEED_GUESSED;
            w.needs[i].request = &nothing;
        }
    }
    up_t *up = up_new((const char *const[]){ "http://a/", "http://b/", "http://c/" }, ENDPOINTS);
    if (up && round_begin(&r, &q, up, NULL, now, noop, NULL) == RC_OK) {
        drive(&r);
        const rc_t rc = round_end(&r, &e);
        for (size_t i = 0; !rc && i < w.count; i++)
            if (w.needs[i].origin == NEED_MET && !w.given[i])
                abort(); /* it cannot go on */
        round_free(&r);
        check_blame(up);
    }
    up_free(up);
    return 0;
}
