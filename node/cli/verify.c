/* verify.c - `kettle verify`: what consumers and auditors run. Checks an attestation, then what it binds, then answers
 * signed with the attested key; every step is printed with its result. Works offline on files; asks only the node that
 * it is told to ask. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/crypto/secret.h"
#include "base/hex.h"
#include "base/os/clock.h"
#include "base/os/file.h"
#include "node/cli/command.h"
#include "node/cli/verify.h"
#include "node/cli/verify_grounds.h"
#include "tee/collateral/collateral.h"
#include "tee/fault.h"

#define ARENA_MAX ((size_t)256 << 20)

/* --- what is judged --- */

static bool read_policy(policy_t **out, results_t *r, const char *path)
{
    err_t e;
    view_t text;
    char digest[65];
    if (file_read(&text, &e, path, POLICY_MAX, FILE_DASH_IS_STDIN))
        return step_unreached(r, "policy", &e);
    rc_t rc = policy_read_consumer(out, &e, text);
    file_free(text);
    if (rc)
        return step(r, "policy", false, tee_code_name(E_POLICY), "%s: %s%s%s", path, e.field, e.field[0] ? ": " : "",
                    e.text);
    hex_encode(digest, view_of(policy_digest(*out)->b, 32));
    return step(r, "policy", true, NULL, "%s, digest 0x%s", path, digest);
}

/* Files that are to be freed. */
typedef struct {
    view_t attestation, collateral;
} files_t;

/* One more answer of the node; what does not come is told, and the rest is judged nevertheless. */
static void ask_more(view_t *out, results_t *r, arena_t *a, const verify_options_t *o, const char *name,
                     const char *route)
{
    view_t other; /* such answers are signed: whose connection brings them does not matter */
    err_t e;
    if (evidence_ask(out, o->ra_tls ? &other : NULL, &e, a, o->source, route)) {
        *out = view_of(NULL, 0);
        step_unreached(r, name, &e);
    }
}

/* Asks a node. */
static bool ask_node(results_t *r, verify_input_t *in, arena_t *a, verify_options_t *o)
{
    char query[128], nonce[65];
    err_t e;
    if (!o->has_nonce)
        secret_random(o->nonce, sizeof o->nonce);
    o->has_nonce = true;
    in->asked = true;
    hex_encode(nonce, view_of(o->nonce, 32));
    snprintf(query, sizeof query, "/v1/attest?nonce=0x%s&collateral=1", nonce);
    if (evidence_ask(&in->attestation, o->ra_tls ? &in->cert : NULL, &e, a, o->source, query))
        return step_unreached(r, "attestation", &e);
    ask_more(&in->block, r, a, o, "block", "/block");
    ask_more(&in->head, r, a, o, "head", "/v1/block/latest");
    if (!o->at_given)
        o->now = (int64_t)(clock_system_ms() / 1000); /* a quote takes its time, and the head goes on meanwhile */
    return true;
}

static bool gather(results_t *r, verify_input_t *in, files_t *files, arena_t *a, verify_options_t *o)
{
    err_t e;
    if (evidence_is_url(o->source)) {
        if (!ask_node(r, in, a, o))
            return false;
    } else if (file_read(&files->attestation, &e, o->source, ATTESTATION_MAX, FILE_DASH_IS_STDIN))
        return step_unreached(r, "attestation", &e);
    else
        in->attestation = files->attestation;
    if (o->collateral && file_read(&files->collateral, &e, o->collateral, COLLATERAL_MAX, FILE_DASH_IS_STDIN))
        return step_unreached(r, "collateral", &e);
    in->collateral = files->collateral;
    return true;
}

static void check_files(results_t *r, arena_t *a, const verify_options_t *o, const uint8_t pubkey[33])
{
    for (size_t i = 0; i < o->block_count + o->call_count; i++) {
        const bool block = i < o->block_count;
        const char *path = block ? o->blocks[i] : o->calls[i - o->block_count];
        view_t body;
        err_t e;
        if (file_read(&body, &e, path, ATTESTATION_MAX, FILE_DASH_IS_STDIN)) {
            step_unreached(r, block ? "block" : "call", &e);
            continue;
        }
        (block ? verify_block : verify_call)(r, a, body, path, pubkey);
        file_free(body);
    }
}

static void judge(results_t *r, arena_t *a, const verify_input_t *in, const policy_t *policy, const verify_options_t *o)
{
    verify_attested_t at;
    if (!verify_attestation(&at, r, a, in, policy, o))
        return;
    if (at.bound && at.form == EVIDENCE_V1) {
        verify_setup(r, &at, policy, o);
        verify_head(r, a, in, &at, o);
    }
    if (in->block.p)
        verify_block(r, a, in->block, "/block", at.x.pubkey);
    check_files(r, a, o, at.x.pubkey);
}

static void verify(results_t *r, arena_t *a, verify_options_t *o)
{
    verify_input_t in = { .attestation = { NULL, 0 } };
    files_t files = { .attestation = { NULL, 0 } };
    policy_t *policy = NULL;
    if (read_policy(&policy, r, o->policy) && gather(r, &in, &files, a, o))
        judge(r, a, &in, policy, o);
    policy_free(policy);
    file_free(files.attestation);
    file_free(files.collateral);
}

/* --- the command --- */

static rc_t read_nonce(void *values, err_t *e, char *text)
{
    static const uint8_t zeros[32];
    verify_options_t *o = values;
    o->has_nonce = !hex_decode_exact(o->nonce, 32, text, strlen(text));
    if (o->has_nonce && !memcmp(o->nonce, zeros, sizeof zeros))
        return err_say(e, RC_MALFORMED, "is all zeros: an attestation without a nonce has those");
    return o->has_nonce ? RC_OK : err_say(e, RC_MALFORMED, "must be 32 bytes as hex");
}

static rc_t read_pubkey(void *values, err_t *e, char *text)
{
    verify_options_t *o = values;
    o->has_pubkey = !hex_decode_exact(o->pubkey, 33, text, strlen(text));
    return o->has_pubkey ? RC_OK : err_say(e, RC_MALFORMED, "must be a compressed secp256k1 key, 33 bytes as hex");
}

static rc_t read_hash(hash32_t *out, bool *has, err_t *e, const char *text)
{
    *has = !hex_decode_exact(out->b, 32, text, strlen(text));
    return *has ? RC_OK : err_say(e, RC_MALFORMED, "must be 32 bytes as hex");
}

static rc_t read_checkpoint(void *values, err_t *e, char *text)
{
    verify_options_t *o = values;
    return read_hash(&o->checkpoint, &o->has_checkpoint, e, text);
}

static rc_t read_setup_hash(void *values, err_t *e, char *text)
{
    verify_options_t *o = values;
    const rc_t rc = read_hash(&o->setup, &o->has_setup, e, text);
    return rc ? rc : statement_read_setup(values, e, text);
}

/* A number from 1 on. */
static rc_t read_number(uint64_t *out, err_t *e, const char *text)
{
    char *end;
    errno = 0;
    const unsigned long long n = strtoull(text, &end, 10);
    if (errno || text[0] < '0' || text[0] > '9' || *end || !n || n > SETUP_INT_MAX)
        return err_say(e, RC_MALFORMED, "must be a number of at least 1");
    *out = n;
    return RC_OK;
}

static rc_t read_chain_id(void *values, err_t *e, char *text)
{
    verify_options_t *o = values;
    o->has_chain_id = true;
    const rc_t rc = read_number(&o->chain_id, e, text);
    return rc ? rc : statement_read_chain(values, e, text);
}

static rc_t read_time(void *values, err_t *e, char *text)
{
    char *end;
    long long n = strtoll(text, &end, 10);
    if (end == text || *end || n <= 0)
        return err_say(e, RC_MALFORMED, "must be a number of seconds since 1970");
    ((verify_options_t *)values)->now = n;
    ((verify_options_t *)values)->at_given = true;
    return RC_OK;
}

static rc_t add(const char *list[VERIFY_ANSWERS_MAX], size_t *count, err_t *e, const char *path)
{
    if (*count == VERIFY_ANSWERS_MAX)
        return err_set(e, RC_LIMIT, "more than %u", VERIFY_ANSWERS_MAX);
    list[(*count)++] = path;
    return RC_OK;
}

static rc_t read_block(void *values, err_t *e, char *text)
{
    verify_options_t *o = values;
    return add(o->blocks, &o->block_count, e, text);
}

static rc_t read_call(void *values, err_t *e, char *text)
{
    verify_options_t *o = values;
    return add(o->calls, &o->call_count, e, text);
}

static rc_t read_also(void *values, err_t *e, char *text)
{
    verify_options_t *o = values;
    return evidence_is_url(text) ? add(o->also, &o->also_count, e, text) : err_say(e, RC_MALFORMED, "must be a URL");
}

static rc_t read_kept(void *values, err_t *e, char *text)
{
    verify_options_t *o = values;
    return add(o->kept, &o->kept_count, e, text);
}

static const cli_option_t options[] = {
    { .name = "policy",
      .with = VERIFY_NODE | VERIFY_FOLLOW_QUOTE,
      .argument = "FILE",
      .help = "which TDs are accepted (docs/policy.md); required: without one nothing is",
      .at = offsetof(verify_options_t, policy) },
    { .name = "nonce",
      .with = VERIFY_NODE | VERIFY_FOLLOW_QUOTE,
      .argument = "HEX",
      .help = "nonce that the attestation must answer; required with a FILE of GET /v1/attest",
      .read = read_nonce },
    { .name = "collateral",
      .with = VERIFY_NODE,
      .argument = "FILE",
      .help = "Intel's documents, flattened JSON",
      .normal = "those stapled to the attestation",
      .at = offsetof(verify_options_t, collateral) },
    { .name = "ra-tls",
      .with = VERIFY_NODE | VERIFY_FOLLOW_QUOTE,
      .help = "the node serves HTTPS (api_tls): its certificate's quote is checked instead of name and issuer",
      .at = offsetof(verify_options_t, ra_tls) },
    { .name = "pubkey",
      .with = VERIFY_NODE | VERIFY_FOLLOW | VERIFY_FOLLOW_QUOTE,
      .argument = "HEX",
      .help = "the cluster key that is expected",
      .normal = "any that the quote vouches for",
      .read = read_pubkey },
    { .name = "network",
      .with = VERIFY_NODE | VERIFY_FOLLOW_QUOTE | VERIFY_EVIDENCE,
      .argument = "NAME",
      .help = "the chain that the node must follow, as its setup names it; any: whichever it says. With --evidence a "
              "name that is built in, or a file: a configuration, whose network is taken",
      .normal = "mainnet",
      .at = offsetof(verify_options_t, network) },
    { .name = "chain-id",
      .with = VERIFY_NODE | VERIFY_FOLLOW_QUOTE | VERIFY_STATEMENT | VERIFY_EVIDENCE,
      .argument = "N",
      .help = "the chain id that is expected",
      .normal = "that of the network, where it is built in",
      .read = read_chain_id },
    { .name = "checkpoint",
      .with = VERIFY_NODE | VERIFY_FOLLOW_QUOTE | VERIFY_EVIDENCE,
      .argument = "HEX",
      .help = "the beacon block root that the cluster must have started from; with --evidence, which needs it, the one "
              "that is trusted",
      .normal = "any",
      .read = read_checkpoint },
    { .name = "setup-hash",
      .with = VERIFY_ALL,
      .argument = "HEX",
      .help = "the setup that is expected, by the SHA-256 of its cluster statement",
      .normal = "any",
      .read = read_setup_hash },
    { .name = "development",
      .with = VERIFY_NODE | VERIFY_FOLLOW_QUOTE,
      .help = "accepts a node that runs in development, whose operator chose all that is trusted",
      .at = offsetof(verify_options_t, development) },
    { .name = "block",
      .with = VERIFY_NODE,
      .argument = "FILE",
      .help = "an answer of GET /block to check under the attested key; may be repeated",
      .read = read_block },
    { .name = "call",
      .with = VERIFY_NODE,
      .argument = "FILE",
      .help = "an answer of POST /call to check under the attested key; may be repeated",
      .read = read_call },
    { .name = "follow",
      .with = VERIFY_FOLLOW | VERIFY_FOLLOW_QUOTE,
      .help =
          "goes from the first key of a cluster (--pubkey, --setup-hash) to the one that signs now, by the orders of "
          "its operators; with --policy the node's fresh quote over that key, too",
      .at = offsetof(verify_options_t, follow) },
    { .name = "also",
      .with = VERIFY_FOLLOW | VERIFY_FOLLOW_QUOTE,
      .argument = "URL",
      .help = "follow: another node of the cluster, so that none can hide a newer key alone; may be repeated",
      .read = read_also },
    { .name = "kept",
      .with = VERIFY_FOLLOW | VERIFY_FOLLOW_QUOTE,
      .argument = "FILE",
      .help = "follow: a kept signed statement, whose key must not have been retired; may be repeated",
      .read = read_kept },
    { .name = "at",
      .with = VERIFY_ALL,
      .argument = "SECONDS",
      .help = "Unix time to verify at",
      .normal = "now",
      .read = read_time },
    { .name = "json", .with = VERIFY_ALL, .help = "results as JSON", .at = offsetof(verify_options_t, as_json) },
    { .name = "evidence",
      .with = VERIFY_EVIDENCE,
      .argument = "FILE",
      .help = "verifies that a statement follows from its evidence (an answer with evidence=inline, or of "
              "/v1/evidence), and nothing else; needs --checkpoint",
      .at = offsetof(verify_options_t, grounds) },
    STATEMENT_OPTIONS,
};

static int run(int argc, char **argv);

const cli_command_t COMMAND_VERIFY = {
    .name = "verify",
    .what = "verifies an attestation, and answers signed with its key",
    .usage = "kettle verify --policy FILE [OPTIONS] URL | FILE | -\n"
             "       kettle verify --follow --pubkey HEX --setup-hash HEX [--also URL] [--policy FILE] [OPTIONS] URL\n"
             "       kettle verify --statement FILE --signer HEX --chain-id N [OPTIONS]\n"
             "       kettle verify --evidence FILE --checkpoint HEX [--network NAME] [--signer HEX]\n",
    .about =
        "Checks an attestation of a node, the chain and the setup that it binds, and answers that the node signed. URL "
        "is a node's API (http://host:3032): it is asked for a fresh attestation over a random nonce, and for its "
        "head. FILE is a kept answer of GET /v1/attest or GET /attest. With --statement it checks one signed "
        "statement, and nothing else; with --evidence whether one follows from its evidence, without trust in any TEE.",
    .status = "0 all holds, 1 something does not hold, 3 something could not be fetched or read, 4 the evidence of a "
              "statement shows that its signer lied",
    .operand = "URL, file, or - for standard input",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};

static bool has(uint32_t given, const char *name)
{
    for (size_t i = 0; i < COMMAND_VERIFY.option_count; i++)
        if (!strcmp(options[i].name, name))
            return given >> i & 1;
    return false;
}

static unsigned mode_of(uint32_t given)
{
    if (has(given, "evidence"))
        return VERIFY_EVIDENCE;
    if (has(given, "statement"))
        return VERIFY_STATEMENT;
    return !has(given, "follow") ? VERIFY_NODE : has(given, "policy") ? VERIFY_FOLLOW_QUOTE : VERIFY_FOLLOW;
}

/* Whether all that is given is looked at; 0, else the exit status plus one. */
static int check_given(uint32_t given, unsigned mode)
{
    static const struct {
        unsigned mode;
        const char *words;
    } modes[] = { { VERIFY_STATEMENT, "--statement" },
                  { VERIFY_EVIDENCE, "--evidence" },
                  { VERIFY_FOLLOW, "--follow" },
                  { VERIFY_FOLLOW_QUOTE, "--follow with --policy" },
                  { VERIFY_NODE, "an attestation to verify" } };
    for (size_t i = 0; i < COMMAND_VERIFY.option_count; i++) {
        char with[160] = "";
        size_t n = 0;
        if (!(given >> i & 1) || options[i].with & mode)
            continue;
        for (size_t k = 0; k < sizeof modes / sizeof modes[0] && n < sizeof with; k++)
            if (options[i].with & modes[k].mode)
                n += (size_t)snprintf(with + n, sizeof with - n, "%s%s", n ? " or " : "", modes[k].words);
        return 1 + command_usage("verify: --%s is not looked at here: it needs %s", options[i].name, with);
    }
    return 0;
}

static int run_grounds(verify_options_t *o)
{
    if (!o->has_checkpoint)
        return command_usage("verify --evidence needs --checkpoint: the beacon block root that you trust");
    if (secret_init())
        return command_failed("the system has no source of random numbers");
    const grounds_options_t options_of = { .source = o->grounds,
                                           .network = o->network,
                                           .checkpoint = o->checkpoint,
                                           .demands = &o->statement,
                                           .timed = o->at_given,
                                           .now_s = o->now };
    return verify_grounds(&options_of, o->as_json);
}

/* The quote of the node over the newest key, under a policy. */
static void verify_newest(results_t *r, arena_t *a, verify_options_t *o)
{
    verify_input_t in = { .attestation = { NULL, 0 } };
    policy_t *policy = NULL;
    verify_attested_t at;
    if (read_policy(&policy, r, o->policy) && ask_node(r, &in, a, o) && verify_attestation(&at, r, a, &in, policy, o) &&
        at.bound && at.form == EVIDENCE_V1)
        verify_setup(r, &at, policy, o);
    policy_free(policy);
}

static int run_follow(verify_options_t *o)
{
    static results_t results;
    arena_t a;
    if (!o->has_pubkey || !o->has_setup || !evidence_is_url(o->source))
        return command_usage("verify --follow needs --pubkey, --setup-hash and a URL");
    if (secret_init())
        return command_failed("the system has no source of random numbers");
    arena_init(&a, ARENA_MAX);
    if (verify_follow(o->pubkey, &results, &a, o) && o->policy)
        verify_newest(&results, &a, o);
    arena_free(&a);
    return results_print(&results, o->as_json);
}

static int run_node(verify_options_t *o)
{
    static results_t results;
    arena_t a;
    if (!o->policy)
        return command_usage("verify needs --policy: without one no TD is accepted");
    if (secret_init())
        return command_failed("the system has no source of random numbers");
    arena_init(&a, ARENA_MAX);
    verify(&results, &a, o);
    arena_free(&a);
    return results_print(&results, o->as_json);
}

static int run(int argc, char **argv)
{
    verify_options_t o = { .network = "mainnet", .now = (int64_t)(clock_system_ms() / 1000) };
    cli_command_t c = COMMAND_VERIFY;
    const uint32_t given = cli_given(&c, argc, argv);
    const unsigned mode = mode_of(given);
    if (mode & (VERIFY_STATEMENT | VERIFY_EVIDENCE))
        c.operand = NULL; /* it needs no source beside it */
    int status = cli_parse(&o, &o.source, &c, argc, argv);
    if (!status)
        status = check_given(given, mode);
    if (status)
        return status - 1;
    if (o.ra_tls && strncmp(o.source, "https://", 8) != 0)
        return command_usage("--ra-tls needs an https:// URL");
    switch (mode) {
    case VERIFY_EVIDENCE: return run_grounds(&o);
    case VERIFY_STATEMENT: return verify_statement(&o.statement, o.now, o.as_json);
    case VERIFY_NODE: return run_node(&o);
    default: return run_follow(&o);
    }
}
