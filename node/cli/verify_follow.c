/* verify_follow.c - `kettle verify --follow`: from a cluster's first key, which one quote vouched for, to the key that
 * signs now.
 *
 * Nothing that the nodes say is believed. The first key and the setup are pinned; the setup names who may order a new
 * key; each later generation brings the order that asked for it, its maker's signature, its own, and acknowledgements.
 * Several nodes are asked, so that one cannot keep a generation back alone; two that contradict are a fork.
 *
 * Spec:   overlay-facts-more E2, E3, E10, E11
 * Tests:  tests/unit/test_verify_follow.c */
#include <stdio.h>
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "base/crypto/secret.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/os/file.h"
#include "node/cli/verify.h"
#include "overlay/entry.h"

#define KEYS_MAX (4u << 20) /* bytes of an answer of GET /v1/keys */
#define SHOWN_MAX 64u       /* generations that one node may show */
#define KNOWN_MAX 128u

/* What is known of the cluster. */
typedef struct {
    const verify_options_t *o;
    results_t *r;
    arena_t *a;
    ecdsa_t *ecdsa;
    order_rules_t rules;
    bool has_signers;
    setup_cluster_t setup;
    entry_proof_t *known[KNOWN_MAX]; /* judged; in the arena */
    size_t count;
    bool forked;
} follow_keys_t;

typedef unsigned long long ull_t;

static const entry_t *entry_of(const entry_proof_t *p)
{
    return &p->entry.entry;
}

/* ---- what a node shows ---- */

static void read_signers(order_rules_t *rules, const jo_t *root)
{
    const jo_t signers = jo_object(root, "signers");
    jo_t list = jo_list(&signers, "keys", 0, ORDER_SIGNERS_MAX), one;
    for (rules->signer_count = 0; jo_next(&list, &one); rules->signer_count++)
        jo_hex(&one, rules->signers[rules->signer_count], 33, NULL, HEX_0X);
    rules->threshold = (uint8_t)jo_u64(&signers, "threshold", 0, ORDER_SIGNERS_MAX);
}

/* The setup that is pinned, and the signers that it names. */
static bool check_setup(follow_keys_t *f, const char *url, const jo_t *root)
{
    hash32_t hash, named;
    err_t e;
    order_rules_t rules = { .ecdsa = f->ecdsa };
    const view_t text = jo_as_written(root, f->a, "cluster_statement");
    read_signers(&rules, root);
    if (jo_rc(root))
        return false; /* told by the caller */
    sha256(&hash, text);
    if (!hash32_eq(&hash, &f->o->setup))
        return step(f->r, "setup", false, "E_SETUP", "%s: its cluster statement is not the one of --setup-hash", url);
    if (setup_cluster_read(&f->setup, &e, f->a, text))
        return step(f->r, "setup", false, "E_SETUP", "%s: %s: %s", url, e.field, e.text);
    setup_signers_digest(&named, (const uint8_t(*)[33])rules.signers, rules.signer_count, rules.threshold);
    if (!hash32_eq(&named, &f->setup.policy_signers))
        return step(f->r, "signers", false, "E_SIGNERS", "%s: its signers of orders are not those of the setup", url);
    memcpy(rules.cluster, f->o->pubkey, sizeof rules.cluster);
    f->rules = rules;
    f->has_signers = true;
    return true;
}

/* That a first generation is the pinned one. */
static bool is_pinned(const follow_keys_t *f, const entry_t *x)
{
    return memcmp(x->pubkey, f->o->pubkey, sizeof x->pubkey) == 0 && hash32_eq(&x->setup, &f->o->setup);
}

/* Keeps a generation that was judged, once; tells of a fork. */
static void keep(follow_keys_t *f, const entry_proof_t *p, const char *url)
{
    for (size_t i = 0; i < f->count; i++) {
        const entry_t *x = entry_of(f->known[i]);
        if (hash32_eq(&f->known[i]->entry.g, &p->entry.g) || (!p->has_order && !f->known[i]->has_order))
            return; /* first generations differ only in what whoever has had the pinned key can write */
        if (entry_proofs_contradict(f->known[i], p)) {
            f->forked = true;
            step(f->r, "fork", false, "E_FORK",
                 "%s: generation %llu.%u has two committed keys: their maker lied, and neither is believed", url,
                 (ull_t)x->name.version, x->name.index);
        }
    }
    entry_proof_t *copy = f->count < KNOWN_MAX ? arena_alloc(f->a, sizeof *copy) : NULL;
    if (!copy) {
        step(f->r, "generation", false, "E_GENERATION", "%s: more generations than can be looked at", url);
        return;
    }
    *copy = *p;
    f->known[f->count++] = copy;
}

static void judge(follow_keys_t *f, const char *url, view_t bytes)
{
    entry_proof_t p;
    err_t e;
    rc_t rc = entry_proof_read(&p, &e, bytes);
    if (!rc && !p.has_order && !is_pinned(f, entry_of(&p)))
        rc = err_in(&e, RC_REFUSED, "pubkey", "a first generation of another key or setup than the pinned one");
    if (!rc)
        rc = entry_proof_judge(&e, &p, &f->rules);
    if (rc)
        step(f->r, "generation", false, "E_GENERATION", "%s: %s%s%s", url, e.field, e.field[0] ? ": " : "", e.text);
    else
        keep(f, &p, url);
}

static void ask_keys(follow_keys_t *f, const char *url)
{
    jo_doc_t doc;
    view_t text, any;
    err_t e;
    if (evidence_ask(&text, &any, &e, f->a, url, "/v1/keys")) {
        step_unreached(f->r, "keys", &e);
        return;
    }
    const jo_t root = jo_open(&doc, &e, text, KEYS_MAX, JO_LENIENT);
    const size_t before = f->count;
    if (check_setup(f, url, &root)) {
        jo_t list = jo_list(&root, "generations", 1, SHOWN_MAX), one;
        while (jo_next(&list, &one)) {
            const jo_t x = jo_object(&one, NULL);
            const view_t proof = jo_bytes(&x, f->a, "proof", 1, ENTRY_PROOF_MAX, HEX_0X);
            if (proof.p)
                judge(f, url, proof);
        }
    }
    if (jo_done(&root))
        step(f->r, "keys", false, "E_ANSWER", "%s: not an answer of GET /v1/keys: %s: %s", url, e.field, e.text);
    else if (f->count > before || f->has_signers)
        step(f->r, "keys", true, NULL, "%s: %zu generations that were not known before", url, f->count - before);
    jo_close(&doc);
}

/* ---- statements ---- */

static const entry_proof_t *newest(const follow_keys_t *f)
{
    const entry_proof_t *best = NULL;
    for (size_t i = 0; i < f->count; i++)
        if (!best || key_name_cmp(&entry_of(f->known[i])->name, &entry_of(best)->name) > 0)
            best = f->known[i];
    return best;
}

static bool address_of(const follow_keys_t *f, addr_t *out, const uint8_t pubkey[33])
{
    uint8_t whole[64];
    if (ecdsa_uncompress(f->ecdsa, whole, pubkey))
        return false;
    ecdsa_address(out, whole);
    return true;
}

/* The generation whose key signed; NULL: none that is known. */
static const entry_proof_t *signer_of(const follow_keys_t *f, const statement_t *s)
{
    for (size_t i = 0; i < f->count; i++) {
        addr_t signer;
        err_t e;
        const statement_demand_t want = { .chain_id = f->setup.chain_id,
                                          .signers = &signer,
                                          .signer_count = 1,
                                          .setup = &f->o->setup,
                                          .any_request = true,
                                          .any_age = true,
                                          .allow_failed = true,
                                          .now_s = (uint64_t)f->o->now };
        if (address_of(f, &signer, entry_of(f->known[i])->pubkey) && !statement_verify(s, &e, &want))
            return f->known[i];
    }
    return NULL;
}

/* Whether a statement is of the key that signs for its slot, by all that is known. */
static void check_statement(const follow_keys_t *f, const char *name, view_t text)
{
    statement_t s;
    err_t e;
    if (statement_read(&s, &e, f->a, text)) {
        step(f->r, "statement", false, "E_STATEMENT", "%s: %s: %s", name, e.field, e.text);
        return;
    }
    const entry_proof_t *by = signer_of(f, &s);
    const uint64_t slot = statement_slot(&s);
    const entry_proof_t *than =
        by ? entry_retired_by((const entry_proof_t *const *)f->known, f->count, &entry_of(by)->name, slot) : NULL;
    const lc_network_t *net = lc_network_find(f->setup.network);
    const bool is_known = net && hash32_eq(&net->genesis_validators_root, &f->setup.genesis_validators_root);
    if (by && is_known && !statement_fits_slot(&s, net)) /* the slot says whose key may sign */
        step(f->r, "statement", false, "E_STATEMENT", "%s: its block's time is later than slot %llu, which it names",
             name, (ull_t)slot);
    else if (!by)
        step(f->r, "statement", false, "E_STATEMENT",
             "%s: not signed by a key of this cluster, for its setup and chain", name);
    else if (than)
        step(f->r, "statement", false, "E_RETIRED",
             "%s: slot %llu is signed by generation %llu.%u, which generation %llu.%u has retired", name, (ull_t)slot,
             (ull_t)entry_of(by)->name.version, entry_of(by)->name.index, (ull_t)entry_of(than)->name.version,
             entry_of(than)->name.index);
    else
        step(f->r, "statement", true, NULL, "%s: slot %llu is signed by generation %llu.%u", name, (ull_t)slot,
             (ull_t)entry_of(by)->name.version, entry_of(by)->name.index);
}

static void ask_statement(const follow_keys_t *f, const char *url)
{
    view_t text, any;
    err_t e;
    if (evidence_ask(&text, &any, &e, f->a, url, "/v1/block/latest"))
        step_unreached(f->r, "statement", &e);
    else
        check_statement(f, url, text);
}

static void check_files(const follow_keys_t *f)
{
    for (size_t i = 0; i < f->o->kept_count; i++) {
        view_t text;
        err_t e;
        if (file_read(&text, &e, f->o->kept[i], ATTESTATION_MAX, FILE_DASH_IS_STDIN)) {
            step_unreached(f->r, "statement", &e);
            continue;
        }
        check_statement(f, f->o->kept[i], text);
        file_free(text);
    }
}

/* ---- all of it ---- */

static void tell_newest(const follow_keys_t *f)
{
    const entry_proof_t *p = newest(f);
    const entry_t *x = entry_of(p);
    char key[67];
    hex_encode(key, view_of(x->pubkey, 33));
    snprintf(f->r->pubkey, sizeof f->r->pubkey, "0x%s", key);
    step(f->r, "newest", true, NULL,
         "generation %llu.%u signs from slot %llu on, with key 0x%s; %u of %u members hold it", (ull_t)x->name.version,
         x->name.index, (ull_t)x->from_slot, key, p->has_order ? p->ack_count : 1, x->member_count);
}

bool verify_follow(uint8_t pubkey[33], results_t *r, arena_t *a, const verify_options_t *o)
{
    follow_keys_t *f = arena_alloc(a, sizeof *f);
    if (!f)
        return step(r, "keys", false, "E_NOMEM", "out of memory");
    *f = (follow_keys_t){ .o = o, .r = r, .a = a, .ecdsa = ecdsa_new(NULL) };
    const size_t first = r->count;
    for (size_t i = 0; f->ecdsa && i <= o->also_count; i++)
        ask_keys(f, i ? o->also[i - 1] : o->source);
    const bool found = f->count && !f->forked;
    if (found) {
        tell_newest(f);
        memcpy(pubkey, entry_of(newest(f))->pubkey, 33);
        for (size_t i = 0; i <= o->also_count; i++)
            ask_statement(f, i ? o->also[i - 1] : o->source);
        check_files(f);
    } else if (r->count == first)
        step(r, "keys", false, "E_ANSWER", "no node shows a generation of this cluster");
    ecdsa_free(f->ecdsa);
    return found;
}
