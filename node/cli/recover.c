/* recover.c - `kettle recover`: one operator's share for a node that is to bring a dead cluster's key back. The node's
 * quote, over the key to which the share is sealed, is judged by the operator's policy before the share leaves. */
#include <stddef.h>
#include <stdio.h>

#include "base/crypto/hash.h"
#include "base/crypto/secret.h"
#include "base/hex.h"
#include "base/os/clock.h"
#include "base/os/file.h"
#include "node/cli/command.h"
#include "node/cli/verify.h"
#include "node/cluster/recovery_text.h"

#define ARENA_MAX ((size_t)256 << 20)
#define KEY_FILE_MAX 256u

typedef struct {
    const char *policy, *share, *key;
    bool public, as_json;
} recover_options_t;

/* What is secret: locked, and wiped with the rest. */
typedef struct {
    uint8_t key[X25519_LEN], share[KEY_SHARE_LEN];
} secrets_t;

static const cli_option_t options[] = {
    { .name = "policy",
      .argument = "FILE",
      .help = "the policy that the node must pass before the share leaves (docs/policy.md)",
      .at = offsetof(recover_options_t, policy) },
    { .name = "share",
      .argument = "FILE",
      .help = "the cluster's shares, as GET /v1/recovery/shares gave them while a node lived",
      .at = offsetof(recover_options_t, share) },
    { .name = "key",
      .argument = "FILE",
      .help = "the operator's secret X25519 key, 32 bytes as hex",
      .at = offsetof(recover_options_t, key) },
    { .name = "public",
      .help = "prints the public key of --key, for recovery_shares, and does nothing else",
      .at = offsetof(recover_options_t, public) },
    { .name = "json", .help = "results as JSON", .at = offsetof(recover_options_t, as_json) },
};

static int run(int argc, char **argv);

const cli_command_t COMMAND_RECOVER = {
    .name = "recover",
    .what = "gives an operator's share to a node that brings a key back",
    .usage = "kettle recover --policy FILE --share FILE --key FILE [OPTIONS] URL\n"
             "       kettle recover --public --key FILE\n",
    .about = "After all nodes of a cluster have died, a node that runs with recovery shares waits for so many of its "
             "operators. This opens one operator's share, asks the node for a fresh quote over the key that shares are "
             "sent to, judges it by the policy, and only then sends the share, sealed to that key (docs/overlay.md). "
             "URL is the node's API (http://host:3032).",
    .status = "0 the node has taken the share, 1 something does not hold and nothing was sent, or the node refused it, "
              "3 something could not be fetched or read",
    .operand = "URL of the node",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};

/* ---- the operator's own ---- */

static rc_t read_key(secrets_t *s, err_t *e, const char *path)
{
    view_t text;
    rc_t rc = file_read(&text, e, path, KEY_FILE_MAX, 0);
    if (rc)
        return rc;
    size_t n = text.n;
    while (n && (text.p[n - 1] == '\n' || text.p[n - 1] == ' '))
        n--;
    if (hex_decode_exact(s->key, sizeof s->key, (const char *)text.p, n))
        rc = err_set(e, RC_MALFORMED, "%s: must hold 32 bytes as hex", path);
    secret_wipe((void *)(uintptr_t)text.p, text.n);
    file_free(text);
    return rc;
}

/* Whose share the key opens; count: nobody's. */
static unsigned holder_of(const recovery_t *r, const secrets_t *s)
{
    uint8_t pubkey[X25519_LEN];
    unsigned i = 0;
    x25519_pubkey(pubkey, s->key);
    while (i < r->count && memcmp(r->keys[i], pubkey, sizeof pubkey) != 0)
        i++;
    return i;
}

static bool open_share(results_t *r, secrets_t *s, const recovery_t *x, unsigned holder)
{
    hash32_t hash;
    if (holder == x->count)
        return step(r, "share", false, "E_KEY", "--key is none of the %u operators who have shares", x->count);
    if (box_open(s->share, view_of(x->boxes[holder].sealed, sizeof x->boxes[holder].sealed), s->key))
        return step(r, "share", false, "E_SHARE", "the share of operator %u does not open", holder);
    sha256(&hash, view_of(s->share, sizeof s->share));
    if (!hash32_eq(&hash, &x->boxes[holder].hash))
        return step(r, "share", false, "E_SHARE", "the share of operator %u is not the one that was announced", holder);
    return step(r, "share", true, NULL, "operator %u of %u; %u shares together are the key", holder, x->count,
                x->threshold);
}

/* The shares of the file: they belong together, and the generation's key has signed them. */
static bool read_shares(results_t *r, recovery_t *x, view_t *bytes, arena_t *a, const char *path)
{
    view_t file, covered;
    err_t e;
    uint8_t blind[32];
    char key[67];
    if (file_read(&file, &e, path, RECOVERY_JSON_MAX, 0))
        return step_unreached(r, "recovery", &e);
    rc_t rc = recovery_shares_read(bytes, &e, a, file);
    file_free(file);
    if (!rc)
        rc = recovery_read(x, &covered, &e, *bytes);
    if (!rc && x->mode != RECOVERY_SHARES)
        rc = err_say(&e, RC_MALFORMED, "holds no shares");
    secret_random(blind, sizeof blind);
    ecdsa_t *ecdsa = rc ? NULL : ecdsa_new(blind);
    if (!rc)
        rc = ecdsa ? recovery_judge(&e, x, covered, ecdsa) : err_say(&e, RC_NOMEM, "out of memory");
    ecdsa_free(ecdsa);
    if (rc)
        return step_failed(r, "recovery", "E_RECOVERY", &e);
    hex_encode(key, view_of(recovery_cluster(x), 33));
    return step(r, "recovery", true, NULL, "of cluster 0x%s, generation %llu.%u", key,
                (unsigned long long)x->proof.entry.entry.name.version, x->proof.entry.entry.name.index);
}

/* ---- the node ---- */

/* Asks the node, and judges what it shows. */
static bool judge_node(results_t *r, recovery_evidence_t *x, arena_t *a, const policy_t *policy, const char *url)
{
    uint8_t nonce[32], expected[TEE_REPORT_DATA_LEN];
    char hex[65], query[96];
    view_t body, any;
    err_t e;
    secret_random(nonce, sizeof nonce);
    hex_encode(hex, view_of(nonce, sizeof nonce));
    snprintf(query, sizeof query, "/v1/recovery?nonce=0x%s", hex);
    if (evidence_ask(&body, &any, &e, a, url, query))
        return step_unreached(r, "node", &e);
    if (recovery_evidence_read(x, &e, a, body))
        return step_failed(r, "node", "E_ATTESTATION", &e);
    if (!secret_eq(x->nonce, nonce, sizeof nonce))
        return step(r, "nonce", false, "E_NONCE", "the evidence does not answer the nonce");
    hex_encode(hex, view_of(x->node_pubkey, 32));
    step(r, "node", true, NULL, "0x%.16s..., has %u of %u shares", hex, x->have, x->needed);
    const attestation_t at = {
        .evidence_type = x->evidence_type, .quote = x->quote, .event_log = x->event_log, .vm_config = x->vm_config
    };
    tee_recover_report_data(expected, (tee_evidence_type_t)x->evidence_type, nonce, x->recovery_key, x->node_pubkey);
    return verify_evidence(r, a, &at, x->collateral, policy, expected, (int64_t)(clock_system_ms() / 1000));
}

static bool send_share(results_t *r, arena_t *a, const char *url, gather_share_t *share, const secrets_t *s,
                       const recovery_evidence_t *to)
{
    uint8_t sealed[KEY_SHARE_LEN + BOX_TAG_LEN];
    view_t answer;
    err_t e;
    secret_random(share->nonce, sizeof share->nonce);
    if (box_seal_from(sealed, view_of(s->share, sizeof s->share), to->recovery_key, s->key, share->nonce))
        return step(r, "sent", false, "E_KEY", "the node's key is none that a share can be sealed to");
    share->sealed = view_of(sealed, sizeof sealed);
    jw_t w = jw_of(a, RECOVERY_JSON_MAX);
    recovery_share_write(&w, share);
    const view_t text = jw_done(&w);
    const rc_t rc = w.rc ? err_say(&e, w.rc, "the share cannot be written")
                         : evidence_post(&answer, &e, a, url, "/v1/recovery", text);
    return rc ? step_failed(r, "sent", "E_REFUSED", &e) : step(r, "sent", true, NULL, "the node has taken the share");
}

static rc_t read_policy_file(policy_t **out, err_t *e, const char *path)
{
    view_t text;
    rc_t rc = file_read(&text, e, path, ORDER_TEXT_MAX, 0);
    if (rc)
        return rc;
    rc = err_before(e, policy_read(out, e, text), "%s: ", path);
    file_free(text);
    return rc;
}

static void recover(results_t *r, secrets_t *s, arena_t *a, const recover_options_t *o, const char *url)
{
    static recovery_t x;
    recovery_evidence_t node;
    policy_t *policy = NULL;
    gather_share_t share = { .holder = 0 };
    err_t e;
    if (read_key(s, &e, o->key) || read_policy_file(&policy, &e, o->policy)) {
        step_unreached(r, "input", &e);
        return;
    }
    bool ok = read_shares(r, &x, &share.recovery, a, o->share);
    if (ok) {
        share.holder = holder_of(&x, s);
        ok = open_share(r, s, &x, share.holder);
    }
    if (ok && judge_node(r, &node, a, policy, url))
        send_share(r, a, url, &share, s, &node);
    policy_free(policy);
}

static int print_public(secrets_t *s, const char *path)
{
    uint8_t pubkey[X25519_LEN];
    char hex[65];
    err_t e;
    if (read_key(s, &e, path))
        return command_failed_by(&e, NULL);
    x25519_pubkey(pubkey, s->key);
    hex_encode(hex, view_of(pubkey, sizeof pubkey));
    say(stdout, "0x%s", hex);
    return COMMAND_DONE;
}

/* --public needs no node. */
static bool is_public(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (!strcmp(argv[i], "--public"))
            return true;
    return false;
}

static int run(int argc, char **argv)
{
    static results_t results;
    recover_options_t o = { .policy = NULL };
    cli_command_t c = COMMAND_RECOVER;
    const char *url = NULL;
    const bool public = is_public(argc, argv);
    arena_t a;
    if (public)
        c.operand = NULL;
    int status = cli_parse(&o, public ? NULL : &url, &c, argc, argv);
    if (status)
        return status - 1;
    if (!o.key || (!public && (!o.policy || !o.share || !evidence_is_url(url))))
        return command_usage("recover needs --policy, --share, --key and a URL, or --public and --key");
    if (secret_init())
        return command_failed("the system has no source of random numbers");
    secrets_t *s = secret_alloc(sizeof *s);
    if (!s)
        return command_failed("out of memory that may be locked");
    if (public) {
        status = print_public(s, o.key);
    } else {
        arena_init(&a, ARENA_MAX);
        recover(&results, s, &a, &o, url);
        arena_free(&a);
        status = results_print(&results, o.as_json);
    }
    secret_free(s);
    return status;
}
