#include "node/cli/verify_grounds.h"

#include <stdlib.h>

#include "base/hex.h"
#include "base/json.h"
#include "base/os/file.h"
#include "node/cli/results.h"
#include "node/config/network.h"
#include "node/query/retrace.h"

#define ARENA_MAX ((size_t)512 << 20)
#define CONFIG_MAX ((size_t)1 << 20)
#define HASH_TEXT 67u

typedef struct {
    const grounds_options_t *o;
    results_t results;
    arena_t arena;
    lc_network_t network;
    evm_chain_t chain;
    evm_schedule_row_t rows[NETWORK_ROWS_MAX];
    grounds_t grounds;
} view_of_file_t;

/* ---- what is trusted, and the file ---- */

static bool read_network(view_of_file_t *v)
{
    const network_out_t out = { &v->network, &v->chain, v->rows, NULL };
    const char *name = v->o->network;
    view_t text;
    jo_doc_t doc;
    err_t e = { .text = "" };
    if (!network_builtin(&out, name))
        return true;
    if (file_read(&text, &e, name, CONFIG_MAX, 0))
        return step_unreached(&v->results, "network", &e);
    const jo_t o = jo_open(&doc, &e, text, CONFIG_MAX, JO_LENIENT);
    if (!jo_rc(&o))
        network_read(&out, &o, "network");
    const rc_t rc = jo_done(&o);
    jo_close(&doc);
    file_free(text);
    return rc ? step_failed(&v->results, "network", NULL, &e) : true;
}

static bool read_file(view_of_file_t *v)
{
    view_t text;
    err_t e = { .text = "" };
    if (file_read(&text, &e, v->o->source, GROUNDS_TEXT_MAX, FILE_DASH_IS_STDIN))
        return step_unreached(&v->results, "file", &e);
    const rc_t rc = grounds_read(&v->grounds, &e, &v->arena, text);
    file_free(text);
    return rc ? step_failed(&v->results, "file", grounds_code_word(e.code), &e) : true;
}

/* ---- what is said ---- */

static const char *hex_of(char out[HASH_TEXT], const void *bytes, size_t n)
{
    out[0] = '0';
    out[1] = 'x';
    hex_encode(out + 2, view_of(bytes, n));
    return out;
}

/* A step that holds. */
static void tell(view_of_file_t *v, grounds_step_t at)
{
    const grounds_t *g = &v->grounds;
    const statement_t *s = &g->statement;
    results_t *r = &v->results;
    const char *name = grounds_step_name(at);
    char hex[HASH_TEXT];
    switch (at) {
    case GROUNDS_FILE: step(r, name, true, NULL, "%s of %s", statement_type(s->kind)->name, v->network.name); break;
    case GROUNDS_CONSENSUS:
        step(r, name, true, NULL, "from checkpoint %s, %zu updates", hex_of(hex, v->o->checkpoint.b, 32),
             g->consensus.updates.count);
        break;
    case GROUNDS_HEAD:
        step(r, name, true, NULL, "%s header%s", g->consensus.finalized ? "a finalized" : "an attested",
             g->consensus.finality.n ? ", final as the ancestor of a finalized one" : "");
        break;
    case GROUNDS_HEADERS:
        step(r, name, true, NULL, "%zu headers, %zu blocks, receipts of %zu", g->headers.count, g->blocks.count,
             g->receipt_count);
        break;
    case GROUNDS_STATE: step(r, name, true, NULL, "%zu nodes, %zu codes", g->nodes.count, g->codes.count); break;
    case GROUNDS_EXECUTION: step(r, name, true, NULL, "what was asked was answered again"); break;
    case GROUNDS_STATEMENT: step(r, name, true, NULL, "says what came of it"); break;
    case GROUNDS_SIGNATURE: step(r, name, true, NULL, "by %s", hex_of(hex, s->signer.b, 20)); break;
    case GROUNDS_STEPS: break;
    }
}

/* Whether the statement is made under the demanded setup. */
static bool check_setup(view_of_file_t *v)
{
    char hex[HASH_TEXT];
    const hash32_t *setup = v->o->demands->want.setup;
    return !setup || hash32_eq(setup, &v->grounds.statement.setup) ||
           step(&v->results, "file", false, grounds_code_word(GROUNDS_WRONG_SETUP), "made under setup %s",
                hex_of(hex, v->grounds.statement.setup.b, 32));
}

/* Judges what was read. RC_OK: the statement follows from its evidence; *convicts: it convicts its signer. */
static rc_t judge(bool *convicts, view_of_file_t *v)
{
    const retrace_config_t config = { .network = &v->network, .chain = &v->chain, .checkpoint = v->o->checkpoint };
    const statement_options_t *demands = v->o->demands;
    err_t e = { .text = "" };
    const rc_t rc = retrace_judge(&e, &config, &v->grounds, demands->signers, demands->want.signer_count);
    const grounds_step_t end = rc ? grounds_code_step(e.code) : GROUNDS_STEPS;
    for (grounds_step_t at = GROUNDS_FILE; at < end; at++)
        tell(v, at);
    if (rc)
        (void)step_failed(&v->results, grounds_step_name(end), grounds_code_word(e.code), &e);
    *convicts = rc && e.code == GROUNDS_LIE;
    if (*convicts)
        tell(v, GROUNDS_SIGNATURE);
    return rc;
}

/* What is demanded of the statement beside that it follows. */
static void check_demands(view_of_file_t *v)
{
    const statement_t *s = &v->grounds.statement;
    statement_demand_t want = v->o->demands->want;
    const bool timed = v->o->timed || want.has_max_age;
    err_t e = { .text = "" };
    want.signers = want.signer_count ? v->o->demands->signers : &s->signer;
    want.signer_count += !want.signer_count;
    if (!v->o->demands->has_chain)
        want.chain_id = v->chain.chain_id;
    want.any_request = !want.request;
    want.any_age = !want.has_max_age;
    want.now_s = timed ? (uint64_t)v->o->now_s : s->issued_at;
    if (statement_verify(s, &e, &want)) {
        (void)step_failed(&v->results, "demands", statement_code_word(e.code), &e);
        return;
    }
    statement_tell(&v->results, s, &want);
    if (timed)
        statement_tell_time(&v->results, s, &want);
    else
        step(&v->results, "time", true, NULL, "any: how old it is was not looked at (--max-age, --at)");
}

int verify_grounds(const grounds_options_t *o, bool as_json)
{
    bool convicts = false;
    err_t e = { .text = "" };
    view_of_file_t *v = calloc(1, sizeof *v);
    if (!v)
        return command_failed("out of memory");
    v->o = o;
    arena_init(&v->arena, ARENA_MAX);
    int status;
    if (statement_demands(o->demands, &e, &v->arena))
        status = command_usage("%s%s%s", e.field, e.field[0] ? ": " : "", e.text);
    else {
        if (read_network(v) && read_file(v) && check_setup(v) && !judge(&convicts, v))
            check_demands(v);
        status = results_print(&v->results, as_json);
    }
    arena_free(&v->arena);
    free(v);
    return convicts && status == COMMAND_FAILED ? COMMAND_CONVICTED : status;
}
