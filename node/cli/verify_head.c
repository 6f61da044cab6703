/* verify_head.c - the head that a node stands on, by a statement that the attested key signs now: its time beside this
 * machine's clock. A quote says what a node is, and nothing of how far it has followed its chain. */
#include <stdio.h>

#include "base/calendar.h"
#include "node/cli/verify.h"

#define AGE_MAX_S 120u /* of a head, unless demanded otherwise: api-facts section 12 */

/* The address of the attested key. */
static bool signer_of(addr_t *out, const uint8_t pubkey[33])
{
    uint8_t whole[64];
    ecdsa_t *context = ecdsa_new(NULL);
    const bool ok = context && !ecdsa_uncompress(context, whole, pubkey);
    if (ok)
        ecdsa_address(out, whole);
    ecdsa_free(context);
    return ok;
}

static void write_time(char out[TIME_TEXT], uint64_t at_s)
{
    if (at_s > INT64_MAX || !time_write(out, (int64_t)at_s))
        strcpy(out, "never");
}

/* "block 7 of 2026-...Z (slot 9, 508 signers), 5 s before this clock's 2026-...Z". */
static void tell_head(char *out, size_t cap, const statement_t *s, uint64_t now_s)
{
    char stamp[TIME_TEXT], clock[TIME_TEXT];
    const bool past = now_s >= s->at.timestamp;
    write_time(stamp, s->at.timestamp);
    write_time(clock, now_s);
    snprintf(out, cap, "block %llu of %s (slot %llu, %u signers), %llu s %s this clock's %s",
             (unsigned long long)s->at.number, stamp, (unsigned long long)s->at.slot, s->at.signers,
             (unsigned long long)(past ? now_s - s->at.timestamp : s->at.timestamp - now_s), past ? "before" : "after",
             clock);
}

static void judge(results_t *r, const statement_t *s, const statement_demand_t *want)
{
    char head[240], bound[48] = "any age is accepted";
    err_t e;
    tell_head(head, sizeof head, s, want->now_s);
    if (statement_verify(s, &e, want)) {
        step(r, "head", false, "E_HEAD", "%s: %s: %s%s%s", head, statement_code_word(e.code), e.field,
             e.field[0] ? ": " : "", e.text);
        return;
    }
    if (want->has_max_age)
        snprintf(bound, sizeof bound, "at most %llu s are accepted", (unsigned long long)want->max_age_s);
    step(r, "head", true, NULL, "%s, signed with the attested key; %s", head, bound);
}

/* There is nobody to ask. */
static void judge_without(results_t *r, const statement_demand_t *want)
{
    static const char text[] = "not shown: a kept attestation says nothing of the chain's head or of its time";
    err_t e;
    if (!want->has_max_age)
        step(r, "head", true, NULL, "%s", text);
    else {
        (void)err_set(&e, RC_NEED_DATA, "%s, and --max-age demands it: give a URL", text);
        step_unreached(r, "head", &e);
    }
}

void verify_head(results_t *r, arena_t *a, const verify_input_t *in, const verify_attested_t *x,
                 const verify_options_t *o)
{
    addr_t signer;
    statement_t said;
    statement_demand_t want = { .chain_id = x->cluster.chain_id,
                                .signers = &signer,
                                .signer_count = 1,
                                .setup = &x->setup,
                                .has_kind = true,
                                .kind = STATEMENT_BLOCK,
                                .has_max_age = o->statement.want.has_max_age,
                                .any_age = o->statement.want.any_age,
                                .max_age_s = o->statement.want.max_age_s,
                                .now_s = (uint64_t)o->now };
    err_t e;
    if (!in->asked) {
        judge_without(r, &want);
        return;
    }
    if (!in->head.p)
        return; /* told already */
    if (!want.has_max_age && !want.any_age) {
        want.has_max_age = true;
        want.max_age_s = AGE_MAX_S;
    }
    if (!signer_of(&signer, x->x.pubkey))
        step(r, "head", false, "E_HEAD", "the attested key is no public key");
    else if (statement_read(&said, &e, a, in->head))
        step(r, "head", false, "E_HEAD", "%s: %s%s%s", statement_code_word(e.code), e.field, e.field[0] ? ": " : "",
             e.text);
    else if (said.kind != STATEMENT_BLOCK)
        step(r, "head", false, "E_HEAD", "the node answered with another statement than asked for");
    else
        judge(r, &said, &want);
}
