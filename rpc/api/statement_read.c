/* statement_read.c - statements from outside: the form, member by member, as sdk/ has it. */
#include <stdlib.h>

#include "base/hex.h"
#include "base/json.h"
#include "rpc/api/plain.h"
#include "rpc/api/statement.h"

/* ---- refusals ---- */

static const struct {
    const char *word;
    rc_t rc;
    const char *text;
} refusals[] = {
    { "failed", RC_BUG, "" },
#define REFUSAL(name, word, rc, text) { word, rc, text },
#include "rpc/api/statement_codes.def"
#undef REFUSAL
};
#define REFUSALS (sizeof refusals / sizeof refusals[0])

rc_t statement_refuse(err_t *e, statement_code_t code, const char *field)
{
    const rc_t rc = refusals[code].rc;
    return err_code(e, err_in(e, rc, field, "%s", refusals[code].text), (uint16_t)code);
}

const char *statement_code_word(unsigned code)
{
    return refusals[code < REFUSALS ? code : STATEMENT_NO_CODE].word;
}

rc_t statement_signer_read(addr_t *out, const char *text, size_t n)
{
    uint8_t key[ECDSA_PUBKEY_LEN], full[64];
    if (!hex_decode_exact(out->b, sizeof out->b, text, n))
        return RC_OK;
    if (hex_decode_exact(key, sizeof key, text, n))
        return RC_MALFORMED;
    ecdsa_t *context = ecdsa_new(NULL);
    if (!context)
        return RC_NOMEM;
    const rc_t rc = ecdsa_uncompress(context, full, key) ? RC_MALFORMED : RC_OK;
    if (!rc)
        ecdsa_address(out, full);
    ecdsa_free(context);
    return rc;
}

/* A fault at a member (NULL: at o), unless there is one already. */
static void refuse(const jo_t *o, const char *key, statement_code_t code)
{
    jo_code(o, (uint16_t)code);
    jo_fail(o, key, refusals[code].rc, "%s", refusals[code].text);
}

/* ---- values ---- */

static bool has_capitals(view_t text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] >= 'A' && text.p[i] <= 'F')
            return true;
    return false;
}

static void check_case(const jo_t *o, const char *key)
{
    if (has_capitals(jo_text(o, key, 0, SIZE_MAX)))
        refuse(o, key, STATEMENT_BAD_VALUE);
}

static void read_hex(const jo_t *o, void *out, size_t n, const char *key)
{
    if (jo_hex(o, out, n, key, HEX_0X))
        check_case(o, key);
}

/* A JSON number. One that is whole but written with a point or an exponent is another spelling, not another value. */
static uint64_t read_small(const jo_t *o, arena_t *a, const char *key, uint64_t min, uint64_t max)
{
    if (jo_kind(o, key) == JO_REAL) {
        const view_t text = jo_as_written(o, a, key);
        const double x = text.p ? strtod((const char *)text.p, NULL) : -1;
        const bool whole = x >= (double)min && x <= (double)max && (double)(uint64_t)x == x;
        refuse(o, key, whole ? STATEMENT_MALFORMED : STATEMENT_BAD_VALUE);
    }
    return jo_u64(o, key, min, max);
}

/* The name of a method. */
static view_t read_name(const jo_t *o, arena_t *a, const char *key)
{
    const view_t text = jo_text_copy(o, a, key, 1, STATEMENT_METHOD_MAX);
    for (size_t i = 0; i < text.n; i++) {
        const uint8_t c = text.p[i], letter = c | 0x20;
        if (c != '_' && !(c >= '0' && c <= '9') && !(letter >= 'a' && letter <= 'z'))
            refuse(o, key, STATEMENT_BAD_VALUE);
    }
    return text;
}

static void read_members(const jo_t *o, arena_t *a, const eip712_type_t *t, void *value);

static void read_member(const jo_t *o, arena_t *a, const eip712_member_t *m, void *p)
{
    jo_code(o, STATEMENT_BAD_VALUE);
    switch (m->kind) {
    case EIP712_ADDRESS: read_hex(o, p, sizeof(addr_t), m->name); break;
    case EIP712_BYTES32: read_hex(o, p, sizeof(hash32_t), m->name); break;
    case EIP712_BYTES:
        *(view_t *)p = jo_bytes(o, a, m->name, 0, STATEMENT_TEXT_MAX / 2, HEX_0X);
        check_case(o, m->name);
        break;
    case EIP712_UINT8: *(uint8_t *)p = (uint8_t)read_small(o, a, m->name, 0, m->max ? m->max : UINT8_MAX); break;
    case EIP712_UINT16: *(uint16_t *)p = (uint16_t)read_small(o, a, m->name, 0, UINT16_MAX); break;
    case EIP712_UINT32: *(uint32_t *)p = (uint32_t)read_small(o, a, m->name, 0, UINT32_MAX); break;
    case EIP712_STRING: *(view_t *)p = read_name(o, a, m->name); break;
    case EIP712_BOOL: *(bool *)p = jo_bool(o, m->name); break;
    case EIP712_UINT64: *(uint64_t *)p = jo_decimal(o, m->name, UINT64_MAX); break;
    case EIP712_UINT256: *(u256_t *)p = jo_decimal256(o, m->name); break;
    case EIP712_STRUCT: {
        const jo_t inner = jo_object(o, m->name);
        read_members(&inner, a, m->type, p);
        break;
    }
    }
}

/* ---- objects ---- */

static bool is_among(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(name, names[i]))
            return true;
    return false;
}

/* An object has these members and no others. */
static void check_names(const jo_t *o, const char *const *names, size_t count)
{
    jo_t walk = *o, item;
    while (jo_next(&walk, &item))
        if (!is_among(item.name, names, count))
            refuse(o, item.name, STATEMENT_UNKNOWN_MEMBER);
    for (size_t i = 0; i < count; i++)
        if (jo_kind(o, names[i]) == JO_ABSENT)
            refuse(o, names[i], STATEMENT_MISSING_MEMBER);
}

static void read_members(const jo_t *o, arena_t *a, const eip712_type_t *t, void *value)
{
    const char *names[EIP712_MEMBERS_MAX];
    if (jo_rc(o))
        return;
    for (size_t i = 0; i < t->count; i++)
        names[i] = t->members[i].name;
    check_names(o, names, t->count);
    for (size_t i = 0; i < t->count; i++)
        read_member(o, a, &t->members[i], (uint8_t *)value + t->members[i].at);
}

static void read_domain(const jo_t *top, arena_t *a, statement_t *s)
{
    static const char *const names[] = { "name", "version", "chainId" }, *const fixed[] = { "Kettle", "1" };
    jo_code(top, STATEMENT_BAD_VALUE);
    const jo_t o = jo_object(top, "domain");
    if (jo_rc(top))
        return;
    check_names(&o, names, 3);
    for (size_t i = 0; i < 2; i++)
        if (jo_kind(&o, names[i]) != JO_TEXT || !view_eq(jo_text(&o, names[i], 0, SIZE_MAX), view_str(fixed[i])))
            refuse(&o, names[i], STATEMENT_WRONG_DOMAIN);
    jo_code(&o, STATEMENT_BAD_VALUE);
    s->chain_id = read_small(&o, a, "chainId", 1, STATEMENT_CHAIN_MAX);
}

static void read_kind(const jo_t *o, statement_t *s)
{
    const view_t name = jo_kind(o, "type") == JO_TEXT ? jo_text(o, "type", 0, SIZE_MAX) : view_of(NULL, 0);
    for (unsigned k = 0; k < STATEMENT_KINDS; k++)
        if (view_eq(name, view_str(statement_type((statement_kind_t)k)->name))) {
            s->kind = (statement_kind_t)k;
            return;
        }
    refuse(o, "type", STATEMENT_UNKNOWN_TYPE);
}

static void read_seal(const jo_t *o, statement_t *s)
{
    jo_code(o, STATEMENT_BAD_VALUE);
    read_hex(o, s->signer.b, sizeof s->signer.b, "signer");
    jo_code(o, STATEMENT_BAD_SIGNATURE);
    if (jo_hex(o, s->signature, sizeof s->signature, "signature", HEX_0X) &&
        has_capitals(jo_text(o, "signature", 0, SIZE_MAX)))
        refuse(o, "signature", STATEMENT_BAD_SIGNATURE);
}

/* No value holds white space or needs an escape, so without it a text must be what a plain writer writes: no member in
 * another spelling. */
static void check_plain(const jo_t *o, arena_t *a, view_t text)
{
    const view_t plain = jo_as_written(o, a, NULL);
    size_t at = 0;
    bool same = plain.p;
    for (size_t i = 0; i < text.n && same; i++) {
        const uint8_t c = text.p[i];
        if (c != ' ' && c != '\t' && c != '\r' && c != '\n')
            same = at < plain.n && plain.p[at++] == c;
    }
    if (!same || at != plain.n)
        refuse(o, NULL, STATEMENT_MALFORMED);
}

static void read_signed(const jo_t *o, arena_t *a, statement_t *s)
{
    static const char *const names[] = { "type", "domain", "message", "signature", "signer" };
    check_names(o, names, 5);
    read_kind(o, s);
    read_domain(o, a, s);
    if (jo_rc(o))
        return;
    jo_code(o, STATEMENT_BAD_VALUE);
    const jo_t message = jo_object(o, "message");
    read_members(&message, a, statement_type(s->kind), s);
    if (!jo_rc(o) && s->kind == STATEMENT_LOGS && !s->logs.complete)
        refuse(&message, "complete", STATEMENT_BAD_VALUE); /* nobody signs that */
    read_seal(o, s);
}

/* A statement with its result, of the kinds that have one. */
static void read_answer(const jo_t *o, arena_t *a, statement_t *s)
{
    static const char *const names[] = { "statement", "result" };
    check_names(o, names, 2);
    jo_code(o, STATEMENT_BAD_VALUE);
    const jo_t inner = jo_object(o, "statement");
    if (jo_rc(o))
        return;
    read_signed(&inner, a, s);
    if (!jo_rc(o) && s->kind != STATEMENT_LOGS && s->kind != STATEMENT_RPC)
        refuse(o, "result", STATEMENT_UNKNOWN_MEMBER);
    jo_code(o, STATEMENT_BAD_VALUE);
    if (jo_kind(o, "result") == JO_LIST) {
        const jo_t list = jo_list(o, "result", 0, SIZE_MAX);
        s->result_count = jo_size(&list);
    }
    s->result = api_plain(a, o, "result");
}

static void read_all(const jo_t *o, arena_t *a, statement_t *s, view_t text)
{
    if (jo_kind(o, "statement") != JO_ABSENT)
        read_answer(o, a, s);
    else
        read_signed(o, a, s);
    if (!jo_rc(o))
        check_plain(o, a, text);
}

rc_t statement_read(statement_t *out, err_t *e, arena_t *a, view_t text)
{
    jo_doc_t doc;
    err_t own;
    statement_t s;
    memset(&s, 0, sizeof s);
    err_clear(&own);
    const jo_t o = jo_open(&doc, &own, text, STATEMENT_TEXT_MAX, JO_LENIENT);
    if (!jo_rc(&o) && jo_kind(&o, NULL) != JO_OBJECT)
        refuse(&o, NULL, STATEMENT_MALFORMED);
    if (!jo_rc(&o))
        read_all(&o, a, &s, text);
    const rc_t rc = jo_done(&o);
    jo_close(&doc);
    if (!rc)
        *out = s;
    else if (rc_blames_input(rc) && !own.code)
        own.code = STATEMENT_MALFORMED; /* no JSON */
    if (rc && e)
        *e = own;
    return rc;
}
