#include "rpc/api/setup_statement.h"

#include <stdio.h>

#include "base/crypto/hash.h"
#include "base/json.h"

static const char CLUSTER_FORM[] = "cluster-statement/1", NODE_FORM[] = "node-statement/1";
static const char *const by_names[] = { [SETUP_BY_LATEST] = "latest",
                                        [SETUP_BY_SAFE] = "safe",
                                        [SETUP_BY_FINALIZED] = "finalized",
                                        [SETUP_BY_BLOCK] = "block",
                                        NULL };
static const char *const found_names[] = {
    [SETUP_FOUND_CONFIGURATION] = "configuration", [SETUP_FOUND_SETUP] = "setup", NULL
};

const char *const SETUP_RECOVERY_WORDS[] = {
    [SETUP_RECOVERY_NONE] = "none", [SETUP_RECOVERY_SEAL] = "seal", [SETUP_RECOVERY_SHARES] = "shares", NULL
};

/* sha256("[]") */
const hash32_t SETUP_NO_SIGNERS = { { 0x4f, 0x53, 0xcd, 0xa1, 0x8c, 0x2b, 0xaa, 0x0c, 0x03, 0x54, 0xbb,
                                      0x5f, 0x9a, 0x3e, 0xcb, 0xe5, 0xed, 0x12, 0xab, 0x4d, 0x8e, 0x11,
                                      0xba, 0x87, 0x3c, 0x2f, 0x11, 0x16, 0x12, 0x02, 0xb9, 0x45 } };

void setup_signers_digest(hash32_t *out, const uint8_t (*keys)[33], size_t count, unsigned threshold)
{
    char text[64 + SETUP_SIGNERS_MAX * 72];
    jw_t w = jw_in(text, sizeof text);
    *out = SETUP_NO_SIGNERS;
    if (!count)
        return;
    jw_object(&w, NULL);
    jw_array(&w, "keys");
    for (size_t i = 0; i < count; i++)
        jw_hex(&w, NULL, view_of(keys[i], sizeof keys[i]));
    jw_end(&w);
    jw_u64(&w, "threshold", threshold);
    jw_end(&w);
    sha256(out, jw_done(&w));
}

bool setup_shares_are_right(unsigned threshold, unsigned count)
{
    return threshold >= 2 && threshold <= count && count <= SETUP_OPERATORS_MAX;
}

bool setup_recovery_eq(const setup_recovery_t *a, const setup_recovery_t *b)
{
    return a->mode == b->mode && a->threshold == b->threshold && a->count == b->count &&
           memcmp(a->keys, b->keys, a->count * sizeof a->keys[0]) == 0;
}

const char *setup_by_name(setup_by_t by)
{
    return by_names[by];
}

const char *setup_found_name(setup_found_t found)
{
    return found_names[found];
}

/* --- writing: members in the order of their names --- */

static bool is_plain(view_t text, size_t max)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] < 0x20 || text.p[i] > '~' || text.p[i] == '"' || text.p[i] == '\\')
            return false;
    return text.n > 0 && text.n <= max;
}

bool setup_is_name(view_t text)
{
    return is_plain(text, SETUP_NAME_MAX);
}

/* Of what has no place in a statement nothing is written. */
static void need(jw_t *w, bool has_place)
{
    if (!has_place && !w->rc)
        w->rc = RC_BUG;
}

static void put_number(jw_t *w, const char *key, uint64_t n)
{
    need(w, n <= SETUP_INT_MAX);
    jw_u64(w, key, n);
}

static void put_name(jw_t *w, const char *key, const char *text)
{
    need(w, setup_is_name(view_str(text)));
    jw_str(w, key, text);
}

static void put_hash(jw_t *w, const char *key, const hash32_t *hash)
{
    jw_hex(w, key, view_of(hash->b, 32));
}

static void put_rules(jw_t *w, const setup_rules_t *r)
{
    static const setup_by_t order[] = { SETUP_BY_BLOCK, SETUP_BY_FINALIZED, SETUP_BY_LATEST, SETUP_BY_SAFE };
    jw_object(w, "rules");
    put_number(w, "call_gas", r->call_gas);
    put_number(w, "finalized_age_s", r->finalized_age_s);
    put_number(w, "head_age_s", r->head_age_s);
    jw_object(w, "valid_s");
    for (size_t i = 0; i < SETUP_BY_COUNT; i++)
        put_number(w, by_names[order[i]], r->valid_s[order[i]]);
    jw_end(w);
    jw_end(w);
}

/* Who named the checkpoint, if servers did. */
static void put_by(jw_t *w, const setup_cluster_t *s)
{
    need(w, s->of <= SETUP_HOSTS_MAX && s->by_count <= s->of && (s->by_count || !s->of));
    if (!s->of || w->rc)
        return;
    jw_array(w, "by");
    for (size_t i = 0; i < s->by_count; i++) {
        need(w, is_plain(view_str(s->by[i]), SETUP_HOST_MAX));
        jw_str(w, NULL, s->by[i]);
    }
    jw_end(w);
}

static void put_checkpoint(jw_t *w, const setup_cluster_t *s)
{
    jw_object(w, "checkpoint");
    put_number(w, "age_max_s", s->checkpoint_age_s);
    put_by(w, s);
    jw_str(w, "found", found_names[s->found]);
    if (s->of)
        put_number(w, "of", s->of);
    put_hash(w, "root", &s->checkpoint);
    jw_end(w);
}

static void put_recovery(jw_t *w, const setup_recovery_t *x)
{
    const bool shares = x->mode == SETUP_RECOVERY_SHARES;
    need(w, shares ? setup_shares_are_right(x->threshold, x->count) : !x->count && !x->threshold);
    jw_str(w, "recovery", SETUP_RECOVERY_WORDS[x->mode]);
    if (!shares || w->rc)
        return;
    jw_object(w, "recovery_shares");
    jw_array(w, "keys");
    for (size_t i = 0; i < x->count; i++) {
        need(w, !i || memcmp(x->keys[i - 1], x->keys[i], sizeof x->keys[i]) < 0);
        jw_hex(w, NULL, view_of(x->keys[i], sizeof x->keys[i]));
    }
    jw_end(w);
    put_number(w, "threshold", x->threshold);
    jw_end(w);
}

static void put_cluster(jw_t *w, const setup_cluster_t *s)
{
    jw_object(w, NULL);
    put_number(w, "chain_id", s->chain_id);
    put_checkpoint(w, s);
    jw_bool(w, "development", s->development);
    jw_str(w, "kettle", CLUSTER_FORM);
    jw_object(w, "network");
    put_hash(w, "digest", &s->network_digest);
    put_number(w, "forks_until", s->forks_until);
    put_hash(w, "genesis_validators_root", &s->genesis_validators_root);
    put_name(w, "name", s->network);
    jw_end(w);
    put_hash(w, "policy_signers", &s->policy_signers);
    put_recovery(w, &s->recovery);
    put_rules(w, &s->rules);
    jw_bool(w, "simulated", s->simulated);
    jw_end(w);
}

static void put_names(jw_t *w, const char *key, const setup_names_t *list)
{
    jw_array(w, key);
    for (size_t i = 0; i < list->count; i++)
        put_name(w, NULL, list->names[i]);
    jw_end(w);
}

static void put_node(jw_t *w, const setup_node_t *s)
{
    jw_object(w, NULL);
    jw_str(w, "default_block", by_names[s->default_block]);
    jw_str(w, "kettle", NODE_FORM);
    jw_object(w, "may_set");
    put_names(w, "environment", &s->environment);
    put_names(w, "flags", &s->flags);
    put_names(w, "setup", &s->setup);
    jw_end(w);
    jw_object(w, "policy");
    put_hash(w, "digest", &s->policy_digest);
    put_number(w, "version", s->policy_version);
    jw_end(w);
    put_name(w, "program", s->program);
    jw_end(w);
}

static rc_t finish(view_t *out, hash32_t *hash, jw_t *w)
{
    const view_t text = jw_done(w);
    if (w->rc)
        return w->rc;
    if (hash)
        sha256(hash, text);
    *out = text;
    return RC_OK;
}

rc_t setup_cluster_write(view_t *out, hash32_t *hash, arena_t *a, const setup_cluster_t *in)
{
    jw_t w = jw_of(a, SETUP_STATEMENT_MAX);
    put_cluster(&w, in);
    return finish(out, hash, &w);
}

rc_t setup_node_write(view_t *out, hash32_t *hash, arena_t *a, const setup_node_t *in)
{
    jw_t w = jw_of(a, SETUP_STATEMENT_MAX);
    put_node(&w, in);
    return finish(out, hash, &w);
}

/* --- reading --- */

static uint64_t read_number(const jo_t *o, const char *key)
{
    return jo_u64(o, key, 0, SETUP_INT_MAX);
}

/* A name, into the arena. */
static const char *read_name(const jo_t *o, arena_t *a, const char *key)
{
    const view_t text = jo_text_copy(o, a, key, 1, SETUP_NAME_MAX);
    if (!jo_rc(o) && !setup_is_name(text))
        jo_fail(o, key, RC_MALFORMED, "must be printable ASCII");
    return (const char *)text.p;
}

/* A text that has one value. */
static void read_constant(const jo_t *o, const char *key, const char *value)
{
    const char *const words[] = { value, NULL };
    jo_word(o, key, words);
}

static void read_rules(setup_rules_t *r, const jo_t *o)
{
    r->call_gas = read_number(o, "call_gas");
    r->finalized_age_s = read_number(o, "finalized_age_s");
    r->head_age_s = read_number(o, "head_age_s");
    const jo_t valid = jo_object(o, "valid_s");
    for (size_t i = 0; i < SETUP_BY_COUNT; i++)
        r->valid_s[i] = read_number(&valid, by_names[i]);
}

/* Whether "by" and "of" stand there is part of the one form: what was read is written again and compared. */
static void read_by(setup_cluster_t *s, arena_t *a, const jo_t *o)
{
    jo_t list, one;
    if (!jo_opt_list(o, &list, "by", 1, SETUP_HOSTS_MAX))
        return;
    while (jo_next(&list, &one)) {
        const view_t host = jo_text_copy(&one, a, NULL, 1, SETUP_HOST_MAX);
        if (!jo_rc(o) && !is_plain(host, SETUP_HOST_MAX))
            jo_fail(&one, NULL, RC_MALFORMED, "must be printable ASCII");
        s->by[s->by_count++] = (const char *)host.p;
    }
    s->of = jo_u64(o, "of", s->by_count, SETUP_HOSTS_MAX);
}

static void read_checkpoint(setup_cluster_t *s, arena_t *a, const jo_t *o)
{
    const jo_t checkpoint = jo_object(o, "checkpoint");
    s->checkpoint_age_s = read_number(&checkpoint, "age_max_s");
    read_by(s, a, &checkpoint);
    s->found = (setup_found_t)jo_word(&checkpoint, "found", found_names);
    jo_hex(&checkpoint, s->checkpoint.b, 32, "root", HEX_0X);
}

/* That the keys ascend is part of the one form. */
static void read_recovery(setup_recovery_t *x, const jo_t *o)
{
    x->mode = (setup_recovery_mode_t)jo_word(o, "recovery", SETUP_RECOVERY_WORDS);
    if (x->mode != SETUP_RECOVERY_SHARES || jo_rc(o))
        return;
    const jo_t shares = jo_object(o, "recovery_shares");
    jo_t list = jo_list(&shares, "keys", 2, SETUP_OPERATORS_MAX), one;
    for (x->count = 0; jo_next(&list, &one); x->count++)
        jo_hex(&one, x->keys[x->count], sizeof x->keys[0], NULL, HEX_0X);
    x->threshold = (unsigned)jo_u64(&shares, "threshold", 2, x->count < 2 ? 2 : x->count);
}

static void read_cluster(setup_cluster_t *s, arena_t *a, const jo_t *o)
{
    read_constant(o, "kettle", CLUSTER_FORM); /* first: of another form nothing else makes sense */
    s->chain_id = read_number(o, "chain_id");
    read_checkpoint(s, a, o);
    s->development = jo_bool(o, "development");
    const jo_t network = jo_object(o, "network");
    jo_hex(&network, s->network_digest.b, 32, "digest", HEX_0X);
    s->forks_until = read_number(&network, "forks_until");
    jo_hex(&network, s->genesis_validators_root.b, 32, "genesis_validators_root", HEX_0X);
    const char *name = read_name(&network, a, "name");
    snprintf(s->network, sizeof s->network, "%s", name ? name : "");
    jo_hex(o, s->policy_signers.b, 32, "policy_signers", HEX_0X);
    read_recovery(&s->recovery, o);
    const jo_t rules = jo_object(o, "rules");
    read_rules(&s->rules, &rules);
    s->simulated = jo_bool(o, "simulated");
}

static void read_names(setup_names_t *list, const jo_t *o, arena_t *a, const char *key)
{
    jo_t names = jo_list(o, key, 0, SETUP_NAMES_MAX), one;
    while (jo_next(&names, &one))
        list->names[list->count++] = read_name(&one, a, NULL);
}

static void read_node(setup_node_t *s, arena_t *a, const jo_t *o)
{
    read_constant(o, "kettle", NODE_FORM);
    s->default_block = (setup_by_t)jo_word(o, "default_block", by_names);
    if (s->default_block == SETUP_BY_BLOCK)
        jo_fail(o, "default_block", RC_MALFORMED, "must be a tag");
    const jo_t may_set = jo_object(o, "may_set");
    read_names(&s->environment, &may_set, a, "environment");
    read_names(&s->flags, &may_set, a, "flags");
    read_names(&s->setup, &may_set, a, "setup");
    const jo_t policy = jo_object(o, "policy");
    jo_hex(&policy, s->policy_digest.b, 32, "digest", HEX_0X);
    s->policy_version = read_number(&policy, "version");
    s->program = read_name(o, a, "program");
}

/* What was read says it in the one way there is. */
static rc_t check_canonical(err_t *e, rc_t written, view_t again, view_t text)
{
    if (written)
        return err_set(e, written, "cannot be written again: %s", rc_name(written));
    if (!view_eq(again, text))
        return err_say(e, RC_MALFORMED, "is not canonical JSON (RFC 8785)");
    return RC_OK;
}

rc_t setup_cluster_read(setup_cluster_t *out, err_t *e, arena_t *a, view_t text)
{
    jo_doc_t doc;
    setup_cluster_t s = { .chain_id = 0 };
    view_t again = { NULL, 0 };
    const jo_t o = jo_open(&doc, e, text, SETUP_STATEMENT_MAX, JO_STRICT);
    read_cluster(&s, a, &o);
    rc_t rc = jo_done(&o);
    jo_close(&doc);
    if (!rc)
        rc = check_canonical(e, setup_cluster_write(&again, NULL, a, &s), again, text);
    if (!rc)
        *out = s;
    return rc;
}

rc_t setup_node_read(setup_node_t *out, err_t *e, arena_t *a, view_t text)
{
    jo_doc_t doc;
    setup_node_t s = { .program = NULL };
    view_t again = { NULL, 0 };
    const jo_t o = jo_open(&doc, e, text, SETUP_STATEMENT_MAX, JO_STRICT);
    read_node(&s, a, &o);
    rc_t rc = jo_done(&o);
    jo_close(&doc);
    if (!rc)
        rc = check_canonical(e, setup_node_write(&again, NULL, a, &s), again, text);
    if (!rc)
        *out = s;
    return rc;
}

/* --- comparing --- */

typedef struct {
    const char *member;
    bool same;
} compared_t;

static rc_t first_that_differs(err_t *e, const compared_t *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!rows[i].same)
            return err_in(e, RC_REFUSED, rows[i].member, "is not what this node would say");
    return RC_OK;
}

static bool same_hosts(const setup_cluster_t *t, const setup_cluster_t *o)
{
    bool same = t->by_count == o->by_count;
    for (size_t i = 0; same && i < t->by_count; i++)
        same = !strcmp(t->by[i], o->by[i]);
    return same;
}

static rc_t check_rules(const setup_rules_t *t, err_t *e, const setup_rules_t *o)
{
    const compared_t rows[] = {
        { "rules.call_gas", t->call_gas == o->call_gas },
        { "rules.finalized_age_s", t->finalized_age_s == o->finalized_age_s },
        { "rules.head_age_s", t->head_age_s == o->head_age_s },
        { "rules.valid_s.block", t->valid_s[SETUP_BY_BLOCK] == o->valid_s[SETUP_BY_BLOCK] },
        { "rules.valid_s.finalized", t->valid_s[SETUP_BY_FINALIZED] == o->valid_s[SETUP_BY_FINALIZED] },
        { "rules.valid_s.latest", t->valid_s[SETUP_BY_LATEST] == o->valid_s[SETUP_BY_LATEST] },
        { "rules.valid_s.safe", t->valid_s[SETUP_BY_SAFE] == o->valid_s[SETUP_BY_SAFE] },
    };
    return first_that_differs(e, rows, sizeof rows / sizeof rows[0]);
}

rc_t setup_cluster_check(const setup_cluster_t *t, err_t *e, const setup_cluster_t *o)
{
    const compared_t rows[] = {
        { "network.name", !strcmp(t->network, o->network) },
        { "network.genesis_validators_root", hash32_eq(&t->genesis_validators_root, &o->genesis_validators_root) },
        { "chain_id", t->chain_id == o->chain_id },
        { "network.forks_until", t->forks_until == o->forks_until },
        { "network.digest", hash32_eq(&t->network_digest, &o->network_digest) },
        { "checkpoint.root", hash32_eq(&t->checkpoint, &o->checkpoint) },
        { "checkpoint.found", t->found == o->found },
        { "checkpoint.of", t->of == o->of },
        { "checkpoint.by", same_hosts(t, o) },
        { "checkpoint.age_max_s", t->checkpoint_age_s == o->checkpoint_age_s },
        { "policy_signers", hash32_eq(&t->policy_signers, &o->policy_signers) },
        { "recovery", setup_recovery_eq(&t->recovery, &o->recovery) },
        { "development", t->development == o->development },
        { "simulated", t->simulated == o->simulated },
    };
    const rc_t rc = first_that_differs(e, rows, sizeof rows / sizeof rows[0]);
    return rc ? rc : check_rules(&t->rules, e, &o->rules);
}
