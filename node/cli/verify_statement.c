#include "node/cli/verify_statement.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/calendar.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/os/file.h"
#include "node/cli/evidence.h"
#include "node/cli/say.h"
#include "rpc/api/question.h"

#define ARENA_MAX ((size_t)128 << 20)
#define SHOWN_MAX 64u /* bytes of a result that are printed */
#define SHOWN_TEXT (2u * SHOWN_MAX + 8u)

/* ---- values of options ---- */

static rc_t read_number(uint64_t *out, err_t *e, const char *text)
{
    question_block_t b;
    if (question_block_read(&b, NULL, view_str(text)) || b.by != SETUP_BY_BLOCK || b.by_hash)
        return err_say(e, RC_MALFORMED, "must be a number");
    *out = b.number;
    return RC_OK;
}

rc_t statement_read_signer(void *values, err_t *e, char *text)
{
    statement_options_t *o = values;
    if (o->want.signer_count == STATEMENT_SIGNERS_MAX)
        return err_set(e, RC_LIMIT, "more than %u", STATEMENT_SIGNERS_MAX);
    addr_t *out = &o->signers[o->want.signer_count];
    if (statement_signer_read(out, text, strlen(text)))
        return err_say(e, RC_MALFORMED, "must be an address (20 bytes) or a compressed public key (33 bytes) as hex");
    o->want.signer_count++;
    return RC_OK;
}

rc_t statement_read_chain(void *values, err_t *e, char *text)
{
    statement_options_t *o = values;
    o->has_chain = true;
    return read_number(&o->want.chain_id, e, text);
}

rc_t statement_read_setup(void *values, err_t *e, char *text)
{
    statement_options_t *o = values;
    o->want.setup = &o->setup;
    return hex_decode_exact(o->setup.b, 32, text, strlen(text)) ? err_say(e, RC_MALFORMED, "must be 32 bytes as hex")
                                                                : RC_OK;
}

rc_t statement_read_type(void *values, err_t *e, char *text)
{
    statement_demand_t *want = &((statement_options_t *)values)->want;
    for (unsigned k = 0; k < STATEMENT_KINDS; k++)
        if (!strcmp(text, statement_type((statement_kind_t)k)->name)) {
            want->has_kind = true;
            want->kind = (statement_kind_t)k;
            return RC_OK;
        }
    char names[sizeof e->text] = "";
    size_t n = 0;
    for (unsigned k = 0; k < STATEMENT_KINDS && n < sizeof names; k++) {
        const char *before = k + 1 == STATEMENT_KINDS ? " or " : k ? ", " : "";
        n += (size_t)snprintf(names + n, sizeof names - n, "%s%s", before, statement_type((statement_kind_t)k)->name);
    }
    return err_set(e, RC_MALFORMED, "must be %s", names);
}

rc_t statement_read_age(void *values, err_t *e, char *text)
{
    statement_demand_t *want = &((statement_options_t *)values)->want;
    want->any_age = !strcmp(text, "any");
    want->has_max_age = !want->any_age;
    return want->any_age ? RC_OK : read_number(&want->max_age_s, e, text);
}

rc_t statement_read_block(void *values, err_t *e, char *text)
{
    statement_options_t *o = values;
    question_block_t b;
    if (question_block_read(&b, NULL, view_str(text)) || b.by != SETUP_BY_BLOCK)
        return err_say(e, RC_MALFORMED, "must be a number or a hash");
    o->block_hash = b.hash;
    o->want.block_hash = b.by_hash ? &o->block_hash : NULL;
    o->want.has_number = !b.by_hash;
    o->want.number = b.number;
    return RC_OK;
}

rc_t statement_read_min_block(void *values, err_t *e, char *text)
{
    statement_demand_t *want = &((statement_options_t *)values)->want;
    want->has_min_number = true;
    return read_number(&want->min_number, e, text);
}

rc_t statement_read_finality(void *values, err_t *e, char *text)
{
    static const char *const words[] = { "latest", "safe", "finalized" };
    for (uint8_t i = 0; i < 3; i++)
        if (!strcmp(text, words[i])) {
            ((statement_options_t *)values)->want.min_finality = i;
            return RC_OK;
        }
    return err_say(e, RC_MALFORMED, "must be latest, safe or finalized");
}

/* ---- verifying ---- */

/* What is printed; the text is in the arena. */
typedef struct {
    const statement_options_t *o;
    statement_t said;
    rc_t rc;
    err_t e;
} found_t;

/* RC_OK, or the exit status is 3. */
static rc_t gather(view_t *out, err_t *e, arena_t *a, const char *source)
{
    view_t file;
    if (evidence_is_url(source))
        return evidence_ask(out, NULL, e, a, source, NULL);
    rc_t rc = file_read(&file, e, source, STATEMENT_TEXT_MAX, FILE_DASH_IS_STDIN);
    if (rc)
        return rc;
    *out = arena_dup(a, file);
    rc = file.n && !out->p ? err_say(e, RC_NOMEM, "out of memory") : RC_OK;
    file_free(file);
    return rc;
}

rc_t statement_demands(statement_options_t *o, err_t *e, arena_t *a)
{
    static statement_request_t request;
    o->want.signers = o->signers;
    o->want.allow_failed = o->allow_revert;
    if (!o->request || !strcmp(o->request, "any")) {
        o->want.any_request = o->request != NULL;
        return RC_OK;
    }
    o->want.request = &request;
    return err_under(e, question_request_read(&request, e, a, view_str(o->request)), "--request");
}

/* What is missing among the options; NULL: nothing. */
static const char *lacks(const statement_options_t *o)
{
    const statement_demand_t *want = &o->want;
    if (!want->signer_count)
        return "--signer: whose statements are accepted";
    if (!o->has_chain)
        return "--chain-id: which chain it must be about";
    if (!want->has_max_age && !want->any_age && !want->has_number && !want->block_hash)
        return "--max-age or --at-block: how old the block may be, or which it must be";
    return NULL;
}

/* ---- printing ---- */

static const char *const finalities[] = { "latest", "safe", "finalized" };

/* Up to SHOWN_MAX bytes as hex. */
static const char *shown(char out[SHOWN_TEXT], view_t bytes)
{
    const view_t part = view_of(bytes.p, bytes.n < SHOWN_MAX ? bytes.n : SHOWN_MAX);
    strcpy(out, "0x");
    hex_encode(out + 2, part);
    if (part.n < bytes.n)
        strcat(out, "...");
    return out;
}

static void tell_block(results_t *r, const statement_t *s, const statement_demand_t *want)
{
    char hash[SHOWN_TEXT];
    const bool demanded = want->has_number || want->block_hash;
    if (s->kind == STATEMENT_CHECKPOINT)
        step(r, "checkpoint", true, NULL, "%s at slot %llu", shown(hash, view_of(s->checkpoint.root.b, 32)),
             (unsigned long long)s->checkpoint.slot);
    else
        step(r, "block", true, NULL, "%llu, %s, %s, %u signers: %s", (unsigned long long)s->at.number,
             shown(hash, view_of(s->at.hash.b, 32)), finalities[s->at.finality], s->at.signers,
             demanded ? "the demanded one" : "any");
}

void statement_tell_time(results_t *r, const statement_t *s, const statement_demand_t *want)
{
    char until[TIME_TEXT], age[80];
    const uint64_t stamp = s->kind == STATEMENT_CHECKPOINT ? s->issued_at : s->at.timestamp;
    if (!time_write(until, s->valid_until > INT64_MAX ? INT64_MAX : (int64_t)s->valid_until))
        strcpy(until, "ever");
    snprintf(age, sizeof age, want->has_max_age ? "at most %llu s are accepted" : "any age is accepted",
             (unsigned long long)want->max_age_s);
    step(r, "time", true, NULL, "%lld s old by this clock, %s; to be relied upon until %s",
         (long long)(want->now_s - stamp), age, until);
}

static bool overridden(const statement_t *s)
{
    static const hash32_t none;
    return !hash32_eq(&s->call.asked.overrides, &none);
}

/* What was asked, by the statement's own words. */
static void write_asked(char *out, size_t cap, const statement_t *s)
{
    char x[SHOWN_TEXT], y[SHOWN_TEXT], z[SHOWN_TEXT];
    uint8_t value[32];
    switch (s->kind) {
    case STATEMENT_CALL:
        u256_to_be32(value, &s->call.asked.value);
        snprintf(out, cap, "a call to %s from %s, data %s, value %s%s", shown(x, view_of(s->call.asked.to.b, 20)),
                 shown(y, view_of(s->call.asked.from.b, 20)), shown(z, s->call.asked.data),
                 u256_is_zero(&s->call.asked.value) ? "0" : "not 0", overridden(s) ? ", under overrides" : "");
        break;
    case STATEMENT_ACCOUNT: snprintf(out, cap, "account %s", shown(x, view_of(s->account.address.b, 20))); break;
    case STATEMENT_STORAGE:
        snprintf(out, cap, "account %s, slot %s", shown(x, view_of(s->storage.address.b, 20)),
                 shown(y, view_of(s->storage.slot.b, 32)));
        break;
    case STATEMENT_LOGS:
        snprintf(out, cap, "logs from block %llu on, filter %s", (unsigned long long)s->logs.from_number,
                 shown(x, view_of(s->logs.filter_hash.b, 32)));
        break;
    case STATEMENT_RPC:
        snprintf(out, cap, "%.*s, parameters %s", (int)s->rpc.method.n, (const char *)s->rpc.method.p,
                 shown(x, view_of(s->rpc.params_hash.b, 32)));
        break;
    case STATEMENT_BLOCK:
    case STATEMENT_CHECKPOINT:
    case STATEMENT_KINDS: out[0] = '\0';
    }
}

static void tell_account(results_t *r, const statement_t *s)
{
    char text[SHOWN_TEXT];
    view_t balance = view_of(NULL, 0);
    jw_t w = jw_of(NULL, SHOWN_TEXT);
    jw_array(&w, NULL);
    jw_decimal256(&w, NULL, &s->account.balance);
    jw_end(&w);
    balance = jw_done(&w);
    step(r, "result", true, NULL, "balance %.*s wei, nonce %llu, code hash %s", balance.n > 4 ? (int)balance.n - 4 : 0,
         balance.n > 4 ? (const char *)balance.p + 2 : "", (unsigned long long)s->account.nonce,
         shown(text, view_of(s->account.code_hash.b, 32)));
    jw_free(&w);
}

static void tell_result(results_t *r, const statement_t *s)
{
    static const char *const statuses[] = { "revert", "success", "halt" };
    char text[SHOWN_TEXT];
    if (s->kind == STATEMENT_CALL)
        step(r, "result", true, NULL, "%s, %s", statuses[s->call.status], shown(text, s->call.result));
    else if (s->kind == STATEMENT_STORAGE)
        step(r, "result", true, NULL, "%s", shown(text, view_of(s->storage.value.b, 32)));
    else if (s->kind == STATEMENT_LOGS)
        step(r, "result", true, NULL, "%u logs from block %llu on, all that there are%s", s->logs.count,
             (unsigned long long)s->logs.from_number, s->result.n ? "" : ": they are not beside it");
    else if (s->kind == STATEMENT_RPC)
        step(r, "result", true, NULL, "of %.*s, %s%s", (int)s->rpc.method.n, (const char *)s->rpc.method.p,
             shown(text, view_of(s->rpc.result_hash.b, 32)), s->result.n ? "" : ": it is not beside it");
    else if (s->kind == STATEMENT_ACCOUNT)
        tell_account(r, s);
}

void statement_tell(results_t *r, const statement_t *s, const statement_demand_t *want)
{
    char asked[4 * SHOWN_TEXT] = "";
    write_asked(asked, sizeof asked, s);
    if (asked[0])
        step(r, "request", true, NULL, "%s: %s", want->request ? "is the one that was asked" : "any", asked);
    tell_result(r, s);
    tell_block(r, s, want);
}

static void tell(results_t *r, const found_t *f)
{
    char text[SHOWN_TEXT];
    const statement_t *s = &f->said;
    const statement_demand_t *want = &f->o->want;
    if (f->rc) {
        (void)step_failed(r, "statement", statement_code_word(f->e.code), &f->e);
        return;
    }
    step(r, "form", true, NULL, "%s", statement_type(s->kind)->name);
    step(r, "signature", true, NULL, "by %s, which is accepted", shown(text, view_of(s->signer.b, 20)));
    step(r, "chain", true, NULL, "%llu", (unsigned long long)s->chain_id);
    step(r, "setup", true, NULL, "%s: %s", shown(text, view_of(s->setup.b, 32)),
         want->setup ? "the demanded one" : "any");
    statement_tell(r, s, want);
    statement_tell_time(r, s, want);
}

static bool print_json(arena_t *a, const found_t *f)
{
    view_t statement = { NULL, 0 };
    jw_t w = jw_of(a, 2 * STATEMENT_TEXT_MAX);
    if (!f->rc && statement_write(&statement, a, &f->said))
        return false;
    jw_object(&w, NULL);
    jw_bool(&w, "holds", !f->rc);
    if (f->rc) {
        jw_str(&w, "code", statement_code_word(f->e.code));
        jw_str(&w, "field", f->e.field);
        jw_str(&w, "detail", f->e.text);
    } else
        jw_raw(&w, "statement", statement);
    jw_end(&w);
    const view_t text = jw_done(&w);
    err_t e;
    return text.p && !command_write(&e, NULL, text) && !command_write(&e, NULL, view_str("\n"));
}

static int verify(statement_options_t *o, arena_t *a, bool as_json)
{
    found_t f = { .o = o };
    view_t text;
    static results_t results;
    if (statement_demands(o, &f.e, a))
        return command_usage("%s%s%s", f.e.field, f.e.field[0] ? ": " : "", f.e.text);
    if (gather(&text, &f.e, a, o->source)) {
        (void)command_failed_by(&f.e, "statement");
        return COMMAND_UNREACHED;
    }
    f.rc = statement_read(&f.said, &f.e, a, text);
    if (!f.rc)
        f.rc = statement_verify(&f.said, &f.e, &o->want);
    if (f.rc && f.e.code == STATEMENT_BAD_OPTION)
        return command_usage("--%s: %s", f.e.field, f.e.text);
    if (as_json)
        return print_json(a, &f) && !fflush(stdout) && !f.rc ? COMMAND_DONE : COMMAND_FAILED;
    tell(&results, &f);
    return results_print(&results, false);
}

int verify_statement(statement_options_t *o, int64_t now_s, bool as_json)
{
    arena_t a;
    const char *missing = lacks(o);
    if (missing)
        return command_usage("verify --statement needs %s", missing);
    o->want.now_s = (uint64_t)now_s;
    arena_init(&a, ARENA_MAX);
    const int status = verify(o, &a, as_json);
    arena_free(&a);
    return status;
}
