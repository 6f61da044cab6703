#include "rpc/api/grounds.h"

#include "base/json.h"
#include "lightclient/exec/receipt.h"
#include "rpc/api/setup_statement.h"

static const char FORM[] = "evidence/1";
static const char *const kinds[] = { "update", "finality", "optimistic", NULL };
static const char *const headers[] = { "attested", "finalized", NULL };

/* ---- refusing ---- */

static const struct {
    const char *word;
    grounds_step_t step;
    rc_t rc;
    const char *text;
} rows[GROUNDS_CODES] = {
    { "failed", GROUNDS_FILE, RC_BUG, "" },
#define GROUND(name, word, step, rc, text) { word, step, rc, text },
#include "rpc/api/grounds_codes.def"
#undef GROUND
};

const char *grounds_step_name(grounds_step_t step)
{
    static const char *const names[GROUNDS_STEPS] = { "file",  "consensus", "head",      "headers",
                                                      "state", "execution", "statement", "signature" };
    return names[step];
}

const char *grounds_code_word(unsigned code)
{
    return rows[code < GROUNDS_CODES ? code : GROUNDS_NO_CODE].word;
}

grounds_step_t grounds_code_step(unsigned code)
{
    return rows[code < GROUNDS_CODES ? code : GROUNDS_NO_CODE].step;
}

rc_t grounds_refuse(err_t *e, grounds_code_t code, const char *field, const char *why)
{
    const rc_t rc = rows[code].rc;
    (void)err_in(e, rc, field, "%s%s%s", rows[code].text, why && *why ? ": " : "", why ? why : "");
    return err_code(e, rc, (uint16_t)code);
}

/* ---- reading ---- */

static grounds_list_t read_list(const jo_t *o, arena_t *a, const char *key, size_t count_max, size_t len_max)
{
    jo_t list = jo_list(o, key, 0, count_max), row;
    grounds_list_t out = { .count = jo_size(&list) };
    view_t *at = arena_calloc(a, out.count, sizeof *at);
    if (!at)
        jo_fail(o, key, RC_NOMEM, "out of memory");
    while (jo_next(&list, &row))
        if (at)
            at[row.index] = jo_bytes(&row, a, NULL, 1, len_max, HEX_0X);
    out.at = at;
    return out;
}

static void read_consensus(grounds_t *g, const jo_t *o, arena_t *a)
{
    const jo_t c = jo_object(o, "consensus");
    const jo_t h = jo_object(&c, "head");
    (void)jo_opt_bytes(&c, &g->consensus.bootstrap, a, "bootstrap", 1, GROUNDS_OBJECT_MAX, HEX_0X);
    g->consensus.updates = read_list(&c, a, "updates", GROUNDS_UPDATES_MAX, GROUNDS_OBJECT_MAX);
    g->consensus.kind = (lc_kind_t)(LC_UPDATE + jo_word(&h, "kind", kinds));
    g->consensus.finalized = jo_word(&h, "header", headers) == 1;
    g->consensus.head = jo_bytes(&h, a, "object", 1, GROUNDS_OBJECT_MAX, HEX_0X);
    (void)jo_opt_bytes(&c, &g->consensus.finality, a, "finality", 1, GROUNDS_OBJECT_MAX, HEX_0X);
}

static void read_receipts(grounds_t *g, const jo_t *o, arena_t *a)
{
    jo_t list = jo_list(o, "receipts", 0, GROUNDS_LIST_MAX), row;
    ex_stock_receipts_t *out = arena_calloc(a, jo_size(&list), sizeof *out);
    if (!out)
        jo_fail(o, "receipts", RC_NOMEM, "out of memory");
    while (jo_next(&list, &row)) {
        const grounds_list_t one = read_list(&row, a, NULL, EX_RECEIPTS_MAX, GROUNDS_BYTES_MAX);
        if (out)
            out[g->receipt_count++] = (ex_stock_receipts_t){ one.at, one.count };
    }
    g->receipts = out;
}

/* The texts inside of the file; the answer is a statement's. */
static void read_texts(grounds_t *g, const jo_t *o, arena_t *a)
{
    g->setup = jo_compact(o, a, "setup");
    if (jo_has(o, "request"))
        g->request = jo_compact(o, a, "request");
    else
        jo_skip(o, "request");
    g->answer = jo_as_written(o, a, "answer");
    if (g->setup.n > SETUP_STATEMENT_MAX)
        jo_fail(o, "setup", RC_LIMIT, "longer than a cluster statement");
}

static void read_members(grounds_t *g, const jo_t *o, arena_t *a)
{
    if (!view_eq(jo_text(o, "kettle", 1, 32), view_str(FORM)))
        jo_fail(o, "kettle", RC_MALFORMED, "must be %s", FORM);
    (void)jo_hex(o, g->id.b, sizeof g->id.b, "id", HEX_0X);
    read_texts(g, o, a);
    read_consensus(g, o, a);
    g->headers = read_list(o, a, "headers", GROUNDS_LIST_MAX, EX_HEADER_RLP_MAX);
    g->blocks = read_list(o, a, "blocks", GROUNDS_LIST_MAX, EX_BLOCK_RLP_MAX);
    read_receipts(g, o, a);
    const jo_t w = jo_object(o, "witness");
    g->nodes = read_list(&w, a, "state", GROUNDS_LIST_MAX, MPT_NODE_LEN_MAX);
    g->codes = read_list(&w, a, "codes", GROUNDS_LIST_MAX, EX_CODE_MAX);
}

rc_t grounds_read(grounds_t *out, err_t *e, arena_t *a, view_t text)
{
    jo_doc_t doc;
    grounds_t g = { .request = { NULL, 0 } };
    const jo_t o = jo_open(&doc, e, text, GROUNDS_TEXT_MAX, JO_STRICT);
    read_members(&g, &o, a);
    rc_t rc = jo_done(&o);
    jo_close(&doc);
    if (rc)
        return rc == RC_NOMEM ? rc : err_code(e, rc, rc == RC_LIMIT ? GROUNDS_TOO_LONG : GROUNDS_MALFORMED);
    rc = statement_read(&g.statement, e, a, g.answer);
    if (rc)
        return rc == RC_NOMEM ? rc : err_code(e, err_under(e, rc, "answer"), GROUNDS_MALFORMED);
    *out = g;
    return RC_OK;
}

/* ---- writing ---- */

static void write_list(jw_t *w, const char *key, const view_t *at, size_t count)
{
    jw_array(w, key);
    for (size_t i = 0; i < count; i++)
        jw_hex(w, NULL, at[i]);
    jw_end(w);
}

/* null where there is nothing. */
static void write_optional(jw_t *w, const char *key, view_t bytes)
{
    if (bytes.n)
        jw_hex(w, key, bytes);
    else
        jw_null(w, key);
}

static void write_consensus(jw_t *w, const grounds_t *g)
{
    jw_object(w, "consensus");
    write_optional(w, "bootstrap", g->consensus.bootstrap);
    write_list(w, "updates", g->consensus.updates.at, g->consensus.updates.count);
    jw_object(w, "head");
    jw_str(w, "kind", kinds[g->consensus.kind - LC_UPDATE]);
    jw_str(w, "header", headers[g->consensus.finalized]);
    jw_hex(w, "object", g->consensus.head);
    jw_end(w);
    write_optional(w, "finality", g->consensus.finality);
    jw_end(w);
}

rc_t grounds_write(view_t *out, arena_t *a, const grounds_t *g)
{
    jw_t w = jw_of(a, GROUNDS_TEXT_MAX);
    jw_object(&w, NULL);
    jw_str(&w, "kettle", FORM);
    jw_hex(&w, "id", view_of(g->id.b, sizeof g->id.b));
    jw_raw(&w, "setup", g->setup);
    if (g->request.n)
        jw_raw(&w, "request", g->request);
    else
        jw_null(&w, "request");
    jw_raw(&w, "answer", g->answer);
    write_consensus(&w, g);
    write_list(&w, "headers", g->headers.at, g->headers.count);
    write_list(&w, "blocks", g->blocks.at, g->blocks.count);
    jw_array(&w, "receipts");
    for (size_t i = 0; i < g->receipt_count; i++)
        write_list(&w, NULL, g->receipts[i].at, g->receipts[i].count);
    jw_end(&w);
    jw_object(&w, "witness");
    write_list(&w, "state", g->nodes.at, g->nodes.count);
    write_list(&w, "codes", g->codes.at, g->codes.count);
    jw_end(&w);
    jw_end(&w);
    *out = jw_done(&w);
    return w.rc;
}
