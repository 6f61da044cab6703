#include "rpc/upstream/scan.h"

#include "base/hex.h"
#include <stdlib.h>

#include "base/json.h"
#include "rpc/upstream/blocks.h"

#define NAMES_MAX 32u                  /* members of a receipt or a log, */
#define NAME_MAX 32u                   /* ... characters of their names */
#define LOGS_MAX (EX_RECEIPT_MAX / 64) /* of one receipt, as the tree has it */
#define TOPICS_MAX 4u                  /* of one log */
#define SCRATCH_MAX ((size_t)96 << 20) /* of one receipt on its way to its encoding */
#define TYPE_MAX 4u                    /* of a receipt */

/* What stands at the place, and what has been used. Turns bad at the first thing that is not as expected. */
typedef struct {
    const char *p, *end;
    bool bad;
    size_t values; /* as the tree counts them */
    arena_t *a;
    uint8_t *room, *room_end; /* for the bytes of all hex to come; of receipts: of one of them */
    ex_slot_answer_t *slots;  /* those left of as many as are asked for */
    size_t slots_left;
    arena_t *scratch; /* of receipts, which are all that is asked for; else NULL */
    jr_answer_t *out;
    const need_t *const *needs;
    size_t count, placed;
} scan_t;

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* Whether c is what comes next; then it is taken. */
static bool next_is(scan_t *s, char c)
{
    while (s->p < s->end && is_space(*s->p))
        s->p++;
    if (s->bad || s->p == s->end || *s->p != c)
        return false;
    s->p++;
    return true;
}

static void expect(scan_t *s, char c)
{
    s->bad |= !next_is(s, c);
}

/* A text without escapes of at most max characters. */
static view_t text(scan_t *s, size_t max)
{
    expect(s, '"');
    const char *from = s->p;
    while (!s->bad && s->p < s->end && *s->p >= ' ' && *s->p < 127 && *s->p != '"' && *s->p != '\\' &&
           (size_t)(s->p - from) < max)
        s->p++;
    const view_t v = view_of(from, (size_t)(s->p - from));
    if (s->bad || s->p == s->end || *s->p++ != '"') {
        s->bad = true;
        return view_of(NULL, 0);
    }
    return v;
}

/* "0x" and an even number of digits. */
static view_t bytes(scan_t *s)
{
    expect(s, '"');
    if (s->bad || s->end - s->p < 3 || s->p[0] != '0' || s->p[1] != 'x') {
        s->bad = true;
        return view_of(NULL, 0);
    }
    s->p += 2;
    const size_t left = (size_t)(s->end - s->p), most = 2 * (size_t)(s->room_end - s->room);
    const size_t n = hex_run(s->room, s->p, left < most ? left : most);
    const view_t v = view_of(s->room, n / 2);
    s->room += n / 2;
    s->p += n;
    if (n % 2 || s->p == s->end || *s->p++ != '"')
        s->bad = true;
    return v;
}

static void fixed(scan_t *s, uint8_t *out, size_t n)
{
    const view_t v = bytes(s);
    if (s->bad || v.n != n)
        s->bad = true;
    else
        memcpy(out, v.p, n);
    s->room -= s->bad ? 0 : n;
}

/* "0x" and 1 to 64 digits; the first is 0 only alone, or where a number may be padded. */
static u256_t number(scan_t *s, bool padded)
{
    char all[64];
    uint8_t b[32];
    view_t v = text(s, 66);
    if (s->bad || v.n < 3 || v.p[0] != '0' || v.p[1] != 'x' || (!padded && v.n > 3 && v.p[2] == '0')) {
        s->bad = true;
        return u256_of(0);
    }
    v = view_of(v.p + 2, v.n - 2);
    memset(all, '0', sizeof all - v.n);
    memcpy(all + sizeof all - v.n, v.p, v.n);
    s->bad |= hex_run(b, all, sizeof all) != sizeof all;
    return s->bad ? u256_of(0) : u256_from_be32(b);
}

/* Begins a list or an object. */
static void begin(scan_t *s, char c)
{
    expect(s, c);
    s->values++;
}

/* Whether another item comes, in a list or an object of so many so far; else its end is taken. */
static bool more(scan_t *s, size_t so_far, char close)
{
    if (next_is(s, close) || s->bad)
        return false;
    if (so_far) {
        expect(s, ',');
        s->values++;
    }
    return !s->bad;
}

/* The name of the next member: its index among names, of which each comes once. */
static size_t member(scan_t *s, unsigned *seen, const char *const *names, size_t count)
{
    const view_t name = text(s, 24);
    size_t i = 0;
    while (i < count && !view_eq(name, view_str(names[i])))
        i++;
    if (s->bad || i == count || (*seen >> i & 1)) {
        s->bad = true;
        return count;
    }
    *seen |= 1u << i;
    expect(s, ':');
    return i;
}

static void read_nodes(scan_t *s, ex_nodes_t *out)
{
    view_t nodes[MPT_PROOF_NODES_MAX + 1];
    size_t n = 0;
    for (begin(s, '['); more(s, n, ']');) {
        if (n == MPT_PROOF_NODES_MAX + 1) {
            s->bad = true;
            return;
        }
        nodes[n++] = bytes(s);
    }
    const view_t kept = arena_dup(s->a, view_of(nodes, n * sizeof *nodes));
    s->bad |= n && !kept.p;
    *out = (ex_nodes_t){ (const view_t *)(const void *)kept.p, n };
}

static void read_slot(scan_t *s, ex_slot_answer_t *out)
{
    static const char *const names[] = { "key", "value", "proof" };
    unsigned seen = 0;
    size_t n = 0;
    for (begin(s, '{'); more(s, n, '}'); n++)
        switch (member(s, &seen, names, 3)) {
        case 0: out->key = number(s, true); break;
        case 1: out->value = number(s, true); break;
        case 2: read_nodes(s, &out->proof); break;
        default: break;
        }
    s->bad |= n != 3;
}

static void read_slots(scan_t *s, ex_proof_answer_t *out)
{
    out->slots = s->slots;
    for (begin(s, '['); more(s, out->slot_count, ']'); out->slot_count++) {
        if (!s->slots_left) {
            s->bad = true;
            return;
        }
        s->slots_left--;
        read_slot(s, s->slots++);
    }
}

static void read_proof(scan_t *s, ex_proof_answer_t *out)
{
    static const char *const names[] = { "address", "accountProof", "balance",     "codeHash",
                                         "nonce",   "storageHash",  "storageProof" };
    unsigned seen = 0;
    u256_t nonce = u256_of(0);
    size_t n = 0;
    for (begin(s, '{'); more(s, n, '}'); n++)
        switch (member(s, &seen, names, 7)) {
        case 0: fixed(s, out->address.b, sizeof out->address.b); break;
        case 1: read_nodes(s, &out->account_proof); break;
        case 2: out->balance = number(s, false); break;
        case 3: fixed(s, out->code_hash.b, sizeof out->code_hash.b); break;
        case 4: nonce = number(s, false); break;
        case 5: fixed(s, out->storage_hash.b, sizeof out->storage_hash.b); break;
        case 6: read_slots(s, out); break;
        default: break;
        }
    out->nonce = nonce.w[0];
    s->bad |= n != 7 || !u256_fits_u64(&nonce);
}

/* The names that an object has had so far. */
typedef struct {
    view_t at[NAMES_MAX];
    size_t count;
} names_t;

/* The name of the next member, which may be any, once. */
static view_t any_member(scan_t *s, names_t *seen)
{
    const view_t name = text(s, NAME_MAX);
    for (size_t i = 0; i < seen->count; i++)
        s->bad |= view_eq(name, seen->at[i]);
    if (s->bad || seen->count == NAMES_MAX)
        s->bad = true;
    else
        seen->at[seen->count++] = name;
    expect(s, ':');
    return s->bad ? view_of(NULL, 0) : name;
}

/* A value that nobody reads: a text, or a word. */
static void pass(scan_t *s)
{
    static const char *const words[] = { "true", "false", "null" };
    while (s->p < s->end && is_space(*s->p))
        s->p++;
    for (size_t i = 0; i < 3; i++) {
        const size_t n = strlen(words[i]);
        if ((size_t)(s->end - s->p) >= n && !memcmp(s->p, words[i], n)) {
            s->p += n;
            return;
        }
    }
    (void)text(s, SIZE_MAX);
}

static uint64_t number64(scan_t *s)
{
    const u256_t x = number(s, false);
    s->bad |= !u256_fits_u64(&x);
    return x.w[0];
}

static void read_topics(scan_t *s, evm_log_t *log)
{
    for (begin(s, '['); more(s, log->topic_count, ']'); log->topic_count++) {
        if (log->topic_count == TOPICS_MAX) {
            s->bad = true;
            return;
        }
        fixed(s, log->topics[log->topic_count].b, sizeof log->topics->b);
    }
}

static void read_log(scan_t *s, evm_log_t *log)
{
    names_t seen = { .count = 0 };
    unsigned had = 0;
    size_t n = 0;
    *log = (evm_log_t){ .topic_count = 0 };
    for (begin(s, '{'); more(s, n, '}'); n++) {
        const view_t name = any_member(s, &seen);
        if (view_eq(name, view_str("address"))) {
            fixed(s, log->addr.b, sizeof log->addr.b);
            had |= 1;
        } else if (view_eq(name, view_str("topics"))) {
            read_topics(s, log);
            had |= 2;
        } else if (view_eq(name, view_str("data"))) {
            log->data = bytes(s);
            had |= 4;
        } else
            pass(s);
    }
    s->bad |= had != 7;
}

/* The logs of a receipt, in the scratch. */
static void read_logs(scan_t *s, ex_receipt_t *r)
{
    evm_log_t *logs = NULL;
    size_t cap = 0;
    for (begin(s, '['); more(s, r->log_count, ']'); r->log_count++) {
        if (r->log_count == cap) {
            evm_log_t *wider = cap < LOGS_MAX ? arena_alloc(s->scratch, (2 * cap + 4) * sizeof *wider) : NULL;
            s->bad |= !wider;
            if (!wider)
                return;
            if (cap)
                memcpy(wider, logs, cap * sizeof *logs);
            logs = wider;
            cap = 2 * cap + 4;
        }
        read_log(s, &logs[r->log_count]);
    }
    s->bad |= r->log_count > LOGS_MAX;
    r->logs = logs;
}

static void read_receipt_member(scan_t *s, ex_receipt_t *r, unsigned *had, view_t name)
{
    if (view_eq(name, view_str("type"))) {
        const uint64_t type = number64(s);
        s->bad |= type > TYPE_MAX;
        r->type = (uint8_t)type;
    } else if (view_eq(name, view_str("status"))) {
        const uint64_t status = number64(s);
        s->bad |= status > 1;
        r->success = status == 1;
        *had |= 1;
    } else if (view_eq(name, view_str("root"))) {
        fixed(s, r->root.b, sizeof r->root.b);
        *had |= 2;
    } else if (view_eq(name, view_str("cumulativeGasUsed"))) {
        r->cumulative_gas = number64(s);
        *had |= 4;
    } else if (view_eq(name, view_str("logsBloom"))) {
        fixed(s, r->bloom, sizeof r->bloom);
        *had |= 8;
    } else if (view_eq(name, view_str("logs"))) {
        read_logs(s, r);
        *had |= 16;
    } else
        pass(s);
}

/* One receipt: its encoding. */
static void read_receipt(scan_t *s, view_t *out)
{
    const arena_mark_t mark = arena_mark(s->scratch);
    uint8_t *const room = s->room;
    ex_receipt_t r = { .type = 0 };
    names_t seen = { .count = 0 };
    unsigned had = 0;
    size_t n = 0;
    view_t encoded;
    for (begin(s, '{'); more(s, n, '}'); n++)
        read_receipt_member(s, &r, &had, any_member(s, &seen));
    r.has_root = !(had & 1);
    s->bad |= (had & 28) != 28 || !(had & 3);
    if (!s->bad && !ex_receipt_encode(&encoded, s->scratch, &r))
        *out = arena_dup(s->a, encoded);
    s->bad |= !out->p;
    s->room = room;
    arena_rollback(s->scratch, mark);
}

static void read_receipts(scan_t *s, answer_t *out)
{
    view_t *all = NULL;
    size_t cap = 0;
    for (begin(s, '['); more(s, out->receipt_count, ']'); out->receipt_count++) {
        if (out->receipt_count == cap) {
            view_t *wider = cap < JR_TRANSACTIONS_MAX ? arena_calloc(s->a, 2 * cap + 64, sizeof *wider) : NULL;
            s->bad |= !wider;
            if (!wider)
                return;
            if (cap)
                memcpy(wider, all, cap * sizeof *all);
            all = wider;
            cap = 2 * cap + 64;
        }
        read_receipt(s, &all[out->receipt_count]);
    }
    s->bad |= out->receipt_count > JR_TRANSACTIONS_MAX;
    out->receipts = all;
}

/* A JSON integer from 1 to the number of needs. */
static size_t read_id(scan_t *s)
{
    size_t id = 0;
    const char *from = s->p;
    while (s->p < s->end && is_space(*s->p))
        s->p++;
    for (from = s->p; s->p < s->end && *s->p >= '0' && *s->p <= '9' && s->p - from < 7; s->p++)
        id = 10 * id + (size_t)(*s->p - '0');
    if (s->p == from || *from == '0' || id > s->count || s->p == s->end || *s->p == '.' || (*s->p | 0x20) == 'e')
        s->bad = true;
    return id;
}

static void read_result(scan_t *s, answer_t *out)
{
    while (s->p < s->end && is_space(*s->p))
        s->p++;
    out->kind = s->scratch ? NEED_RECEIPTS : s->p < s->end && *s->p == '{' ? NEED_PROOF : NEED_CODE;
    if (out->kind == NEED_RECEIPTS)
        read_receipts(s, out);
    else if (out->kind == NEED_PROOF)
        read_proof(s, &out->proof);
    else
        out->code = bytes(s);
    s->bad |= out->code.n > EX_CODE_MAX;
}

/* One answer, put where its id belongs. */
static void read_element(scan_t *s)
{
    static const char *const names[] = { "jsonrpc", "id", "result" };
    jr_answer_t x = { .rc = RC_OK };
    unsigned seen = 0;
    size_t n = 0, id = 0;
    for (begin(s, '{'); more(s, n, '}'); n++)
        switch (member(s, &seen, names, 3)) {
        case 0: s->bad |= !view_eq(text(s, 3), view_str("2.0")); break;
        case 1: id = read_id(s); break;
        case 2: read_result(s, &x.answer); break;
        default: break;
        }
    if (s->bad || n != 3 || s->needs[id - 1]->kind != x.answer.kind || !s->out[id - 1].rc) {
        s->bad = true;
        return;
    }
    s->out[id - 1] = x;
    s->placed++;
}

/* Whether receipts are asked for, and nothing else. */
static bool are_receipts(const need_t *const *needs, size_t count)
{
    size_t i = 0;
    while (i < count && needs[i]->kind == NEED_RECEIPTS)
        i++;
    return count && i == count;
}

/* Room for what the needs ask for; false: they ask for other things, too. */
static bool prepare(scan_t *s, view_t body)
{
    const size_t whole = body.n / 2 + 1, room = s->scratch && whole > EX_RECEIPT_MAX ? EX_RECEIPT_MAX : whole;
    for (size_t i = 0; i < s->count; i++) {
        if (!s->scratch && s->needs[i]->kind != NEED_PROOF && s->needs[i]->kind != NEED_CODE)
            return false;
        s->slots_left += s->needs[i]->kind == NEED_PROOF ? s->needs[i]->slot_count : 0;
        s->out[i] = (jr_answer_t){ .rc = RC_MALFORMED };
    }
    if (!s->count)
        return false;
    s->slots = arena_calloc(s->a, s->slots_left, sizeof *s->slots);
    s->room = arena_alloc(s->scratch ? s->scratch : s->a, room);
    s->room_end = s->room + (s->room ? room : 0);
    return s->slots && s->room;
}

static bool scan(scan_t *s, view_t body)
{
    const arena_mark_t mark = arena_mark(s->a);
    size_t n = 0;
    if (!body.n || !prepare(s, body))
        return false;
    if (next_is(s, '[')) {
        s->values++;
        for (; more(s, n, ']'); n++)
            read_element(s);
    } else
        read_element(s);
    while (s->p < s->end && is_space(*s->p))
        s->p++;
    if (!s->bad && s->p == s->end && s->placed == s->count && (s->scratch || s->values <= JSON_VALUES_MAX))
        return true;
    arena_rollback(s->a, mark);
    return false;
}

bool jr_scan(jr_answer_t *out, arena_t *a, const need_t *const *needs, size_t count, view_t body)
{
    scan_t s = { .p = (const char *)body.p,
                 .end = (const char *)body.p + body.n,
                 .a = a,
                 .out = out,
                 .needs = needs,
                 .count = count };
    arena_t scratch;
    if (!are_receipts(needs, count))
        return scan(&s, body);
    arena_init(&scratch, SCRATCH_MAX);
    s.scratch = &scratch;
    const bool whole = scan(&s, body);
    arena_free(&scratch);
    return whole;
}
