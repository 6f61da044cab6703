#include "rpc/upstream/scan.h"

#include "base/hex.h"
#include "base/json.h"

/* What stands at the place, and what has been used. Turns bad at the first thing that is not as expected. */
typedef struct {
    const char *p, *end;
    bool bad;
    size_t values; /* as the tree counts them */
    arena_t *a;
    uint8_t *room;           /* for the bytes of all hex to come */
    ex_slot_answer_t *slots; /* those left of as many as are asked for */
    size_t slots_left;
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
    const size_t n = hex_run(s->room, s->p, (size_t)(s->end - s->p));
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
    out->kind = s->p < s->end && *s->p == '{' ? NEED_PROOF : NEED_CODE;
    if (out->kind == NEED_PROOF)
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

/* Room for what the needs ask for; false: they ask for other things, too. */
static bool prepare(scan_t *s, view_t body)
{
    for (size_t i = 0; i < s->count; i++) {
        if (s->needs[i]->kind != NEED_PROOF && s->needs[i]->kind != NEED_CODE)
            return false;
        s->slots_left += s->needs[i]->kind == NEED_PROOF ? s->needs[i]->slot_count : 0;
        s->out[i] = (jr_answer_t){ .rc = RC_MALFORMED };
    }
    if (!s->count)
        return false;
    s->slots = arena_calloc(s->a, s->slots_left, sizeof *s->slots);
    s->room = arena_alloc(s->a, body.n / 2 + 1);
    return s->slots && s->room;
}

bool jr_scan(jr_answer_t *out, arena_t *a, const need_t *const *needs, size_t count, view_t body)
{
    scan_t s = { .p = (const char *)body.p,
                 .end = (const char *)body.p + body.n,
                 .a = a,
                 .out = out,
                 .needs = needs,
                 .count = count };
    const arena_mark_t mark = arena_mark(a);
    size_t n = 0;
    if (!body.n || !prepare(&s, body))
        return false;
    if (next_is(&s, '[')) {
        s.values++;
        for (; more(&s, n, ']'); n++)
            read_element(&s);
    } else
        read_element(&s);
    while (s.p < s.end && is_space(*s.p))
        s.p++;
    if (!s.bad && s.p == s.end && s.placed == count && s.values <= JSON_VALUES_MAX)
        return true;
    arena_rollback(a, mark);
    return false;
}
