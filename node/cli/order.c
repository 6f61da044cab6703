/* order.c - `kettle order`: what operators sign. prepare asks nodes and writes an order, sign adds a signature offline,
 * send brings it to nodes. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "base/crypto/keyring.h"
#include "base/crypto/secret.h"
#include "base/hex.h"
#include "base/os/clock.h"
#include "base/os/file.h"
#include "node/cli/command.h"
#include "node/cli/keyfile.h"
#include "node/cli/verify.h"
#include "node/cluster/order_text.h"

#define NODES_MAX 64u
#define ARENA_MAX ((size_t)256 << 20)
#define KEYS_MAX (4u << 20) /* bytes of an answer of GET /v1/keys */

typedef struct {
    const char *nodes[NODES_MAX];
    size_t node_count;
    const char *policy, *key, *out;
    bool no_key;
    uint64_t void_slot, maker_count;
    uint8_t makers[ORDER_MAKERS_MAX][33];
    size_t named; /* makers */
    hash32_t seats[ORDER_SEATS_MAX];
    size_t seat_count;
} order_options_t;

/* ---- options ---- */

static rc_t read_node(void *values, err_t *e, char *text)
{
    order_options_t *o = values;
    if (!evidence_is_url(text))
        return err_say(e, RC_MALFORMED, "must be a URL");
    if (o->node_count == NODES_MAX)
        return err_set(e, RC_LIMIT, "more than %u", NODES_MAX);
    o->nodes[o->node_count++] = text;
    return RC_OK;
}

static rc_t read_maker(void *values, err_t *e, char *text)
{
    order_options_t *o = values;
    if (o->named == ORDER_MAKERS_MAX)
        return err_set(e, RC_LIMIT, "more than %u", ORDER_MAKERS_MAX);
    if (hex_decode_exact(o->makers[o->named++], 33, text, strlen(text)))
        return err_say(e, RC_MALFORMED, "must be a node's public key, 33 bytes as hex");
    return RC_OK;
}

static rc_t read_seat(void *values, err_t *e, char *text)
{
    order_options_t *o = values;
    if (o->seat_count == ORDER_SEATS_MAX)
        return err_set(e, RC_LIMIT, "more than %u", ORDER_SEATS_MAX);
    if (hex_decode_exact(o->seats[o->seat_count++].b, 32, text, strlen(text)))
        return err_say(e, RC_MALFORMED, "must be a platform, 32 bytes as hex");
    return RC_OK;
}

static rc_t read_number(uint64_t *out, err_t *e, const char *text, uint64_t max)
{
    char *end;
    errno = 0;
    const unsigned long long n = strtoull(text, &end, 10);
    if (errno || text[0] < '0' || text[0] > '9' || *end || n > max)
        return err_set(e, RC_MALFORMED, "must be a number of at most %llu", (unsigned long long)max);
    *out = n;
    return RC_OK;
}

static rc_t read_void_slot(void *values, err_t *e, char *text)
{
    return read_number(&((order_options_t *)values)->void_slot, e, text, UINT64_MAX);
}

static rc_t read_makers(void *values, err_t *e, char *text)
{
    return read_number(&((order_options_t *)values)->maker_count, e, text, ORDER_MAKERS_MAX);
}

static const cli_option_t options[] = {
    { .name = "node",
      .argument = "URL",
      .help =
          "the API of a node of the cluster (http://host:3032); may be repeated. prepare asks each, send sends to each",
      .read = read_node },
    { .name = "policy",
      .argument = "FILE",
      .help = "prepare: the policy that is to be in force (docs/policy.md)",
      .at = offsetof(order_options_t, policy) },
    { .name = "makers",
      .argument = "N",
      .help =
          "prepare: how many nodes may make the new key, one after the other: those that run longest of the nodes that "
          "the policy admits",
      .normal = "2",
      .read = read_makers },
    { .name = "maker",
      .argument = "HEX",
      .help = "prepare: a node that may make the new key, by its node_pubkey, in place of the choice; may be repeated",
      .read = read_maker },
    { .name = "no-key",
      .help = "prepare: the policy changes, the key does not",
      .at = offsetof(order_options_t, no_key) },
    { .name = "void-slot",
      .argument = "N",
      .help = "prepare: statements of older keys for slots from here on are void, whenever they were signed; 0 when a "
              "member lost trust, since it can date back",
      .normal = "none are: a routine change",
      .read = read_void_slot },
    { .name = "seat",
      .argument = "HEX",
      .help = "prepare: a platform that takes part in agreement; may be repeated, at least 4",
      .read = read_seat },
    { .name = "key",
      .argument = "FILE",
      .help = "sign: the signer's secret key, 32 bytes as hex",
      .at = offsetof(order_options_t, key) },
    { .name = "output",
      .argument = "FILE",
      .help = "prepare, sign: where the order is written",
      .normal = "standard output",
      .at = offsetof(order_options_t, out) },
};

static int run(int argc, char **argv);

const cli_command_t COMMAND_ORDER = {
    .name = "order",
    .what = "prepares, signs and sends an order that changes a running cluster",
    .usage = "kettle order prepare --policy FILE --node URL [OPTIONS]\n"
             "       kettle order sign --key FILE ORDER\n"
             "       kettle order send --node URL ORDER\n",
    .about =
        "An order is what a cluster's operators sign to change its policy while it runs, and to have a new key made "
        "(docs/overlay.md). prepare asks the nodes for a fresh attestation each, judges it by the new policy, and "
        "writes an order. sign adds the signature of one operator, offline. send brings it to nodes, which tell each "
        "other: it is repeated until every node shows it, since one that had the only copy may have restarted.",
    .status = "0 done, 1 failed, or a node refused the order, 3 something could not be fetched or read",
    .operand = "the order, or - for standard input",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};

/* ---- what all do ---- */

static int write_order(const order_options_t *o, const order_signed_t *order)
{
    jw_t w = jw_of(NULL, ORDER_JSON_MAX);
    err_t e;
    jw_indent(&w, 2);
    order_text_write(&w, NULL, order);
    const view_t text = jw_done(&w);
    rc_t rc = text.p ? command_write(&e, o->out, text) : err_say(&e, RC_NOMEM, "out of memory");
    if (!rc && !o->out)
        rc = command_write(&e, NULL, view_str("\n"));
    jw_free(&w);
    return rc ? command_failed_by(&e, NULL) : COMMAND_DONE;
}

static rc_t read_order(order_signed_t *out, view_t *text, err_t *e, arena_t *a, const char *path)
{
    const rc_t rc = file_read(text, e, path, ORDER_JSON_MAX, FILE_DASH_IS_STDIN);
    return rc ? rc : order_text_read(out, e, a, *text);
}

/* ---- prepare ---- */

typedef struct {
    uint8_t key[33];
    uint64_t uptime_s;
} candidate_t;

/* What the nodes say of the cluster; they must agree on which one it is. */
static rc_t ask_keys(order_t *o, err_t *e, arena_t *a, const char *url, bool first)
{
    jo_doc_t doc;
    view_t text, any;
    uint8_t cluster[33] = { 0 };
    rc_t rc = evidence_ask(&text, &any, e, a, url, "/v1/keys");
    if (rc)
        return rc;
    const jo_t root = jo_open(&doc, e, text, KEYS_MAX, JO_LENIENT);
    const jo_t order = jo_object(&root, "order");
    const uint64_t version = jo_u64(&order, "version", 0, ORDER_VERSION_END - 2);
    jo_hex(&root, cluster, sizeof cluster, "cluster", HEX_0X);
    rc = err_before(e, jo_done(&root), "%s/v1/keys: ", url);
    jo_close(&doc);
    if (!rc && !first && memcmp(o->cluster, cluster, sizeof cluster) != 0)
        rc = err_set(e, RC_REFUSED, "%s is in another cluster than the first node", url);
    if (rc)
        return rc;
    memcpy(o->cluster, cluster, sizeof cluster);
    o->version = version >= o->version ? version + 1 : o->version;
    return RC_OK;
}

static rc_t ask_uptime(uint64_t *out, err_t *e, arena_t *a, const char *url)
{
    jo_doc_t doc;
    view_t text, any;
    rc_t rc = evidence_ask(&text, &any, e, a, url, "/v1/status");
    if (rc)
        return rc;
    const jo_t root = jo_open(&doc, e, text, KEYS_MAX, JO_LENIENT);
    *out = jo_u64(&root, "uptime_s", 0, UINT64_MAX);
    rc = jo_done(&root);
    jo_close(&doc);
    return rc;
}

/* Judges a node by the new policy. True: it may be a maker. */
static bool admits(candidate_t *out, arena_t *a, const policy_t *policy, const char *url)
{
    static results_t results;
    verify_options_t o = { .network = "any", .has_nonce = true, .now = (int64_t)(clock_system_ms() / 1000) };
    verify_input_t in = { .asked = true };
    verify_attested_t at;
    char query[128], nonce[65];
    view_t any;
    err_t e;
    memset(&results, 0, sizeof results);
    secret_random(o.nonce, sizeof o.nonce);
    hex_encode(nonce, view_of(o.nonce, 32));
    snprintf(query, sizeof query, "/v1/attest?nonce=0x%s&collateral=1", nonce);
    if (evidence_ask(&in.attestation, &any, &e, a, url, query) || ask_uptime(&out->uptime_s, &e, a, url)) {
        say(stderr, "%s: %s", url, e.text);
        return false;
    }
    const bool read = verify_attestation(&at, &results, a, &in, policy, &o);
    if (!read || results.failed) {
        for (size_t i = 0; i < results.count; i++)
            if (!results.steps[i].ok)
                say(stderr, "%s is not admitted: %s: %s", url, results.steps[i].code, results.steps[i].detail);
        return false;
    }
    memcpy(out->key, at.x.node_pubkey, sizeof out->key);
    hex_encode(nonce, view_of(out->key, 32));
    say(stderr, "%s is admitted: node %.16s..., up for %llu s", url, nonce, (unsigned long long)out->uptime_s);
    return true;
}

/* Longest first. */
static int by_uptime(const void *a, const void *b)
{
    const candidate_t *x = a, *y = b;
    return (x->uptime_s < y->uptime_s) - (x->uptime_s > y->uptime_s);
}

static rc_t choose_makers(order_t *out, err_t *e, arena_t *a, const order_options_t *o, view_t text)
{
    candidate_t found[NODES_MAX];
    policy_t *policy = NULL;
    size_t n = 0;
    rc_t rc = err_before(e, policy_read(&policy, e, text), "%s: ", o->policy);
    for (size_t i = 0; !rc && i < o->node_count; i++)
        n += admits(&found[n], a, policy, o->nodes[i]);
    policy_free(policy);
    if (!rc && !n)
        rc = err_say(e, RC_REFUSED, "the policy admits none of the nodes: nobody could make the new key");
    if (rc)
        return rc;
    qsort(found, n, sizeof found[0], by_uptime);
    for (out->maker_count = 0; out->maker_count < n && out->maker_count < o->maker_count; out->maker_count++)
        memcpy(out->makers[out->maker_count], found[out->maker_count].key, 33);
    return RC_OK;
}

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, 32);
}

static rc_t fill(order_signed_t *s, err_t *e, arena_t *a, const order_options_t *o)
{
    order_t *x = &s->order, check;
    uint8_t body[ORDER_BODY_MAX];
    wr_t w = wr_of(body, sizeof body);
    rc_t rc = RC_OK;
    for (size_t i = 0; !rc && i < o->node_count; i++)
        rc = ask_keys(x, e, a, o->nodes[i], i == 0);
    x->void_slot = o->void_slot;
    sha256(&x->policy, s->text);
    memcpy(x->makers, o->makers, sizeof o->makers);
    x->maker_count = (uint8_t)o->named;
    if (!rc && !o->no_key && !o->named)
        rc = choose_makers(x, e, a, o, s->text);
    x->seat_count = (uint8_t)o->seat_count;
    memcpy(x->seats, o->seats, sizeof o->seats);
    qsort(x->seats, x->seat_count, sizeof x->seats[0], by_bytes);
    if (rc)
        return rc;
    order_write_body(&w, x);
    s->id.version = x->version;
    order_digest(&s->id.digest, x);
    return order_read_body(&check, e, wr_view(&w)); /* nobody signs what no node takes */
}

static int prepare(const order_options_t *o, arena_t *a)
{
    order_signed_t s = { .signature_count = 0 };
    view_t file;
    err_t e;
    if (!o->policy || !o->node_count)
        return command_usage("order prepare needs --policy and --node");
    if (file_read(&file, &e, o->policy, ORDER_TEXT_MAX, 0))
        return command_failed_by(&e, NULL), COMMAND_UNREACHED;
    s.text = file;
    const rc_t rc = fill(&s, &e, a, o);
    const int status = rc ? command_failed_by(&e, NULL) : write_order(o, &s);
    file_free(file);
    return rc == RC_IO || rc == RC_TIMEOUT ? COMMAND_UNREACHED : status;
}

/* ---- sign ---- */

/* Puts a signature in its place, by ascending keys; over one of the same key. */
static rc_t add_signature(order_signed_t *s, err_t *e, const keyring_t *key)
{
    order_signature_t own;
    size_t at = 0;
    keyring_pubkey(key, own.key);
    const rc_t rc = keyring_sign(key, own.signature, NULL, &s->id.digest);
    while (at < s->signature_count && memcmp(s->signatures[at].key, own.key, sizeof own.key) < 0)
        at++;
    const bool again = at < s->signature_count && memcmp(s->signatures[at].key, own.key, sizeof own.key) == 0;
    if (rc || (!again && s->signature_count == ORDER_SIGNERS_MAX))
        return err_say(e, rc ? rc : RC_LIMIT, "the order cannot take another signature");
    if (!again)
        memmove(&s->signatures[at + 1], &s->signatures[at], (s->signature_count++ - at) * sizeof own);
    s->signatures[at] = own;
    return RC_OK;
}

static int sign(const order_options_t *o, arena_t *a, const char *path)
{
    order_signed_t s;
    keyring_t *key = NULL;
    view_t file = { NULL, 0 };
    err_t e;
    if (!o->key)
        return command_usage("order sign needs --key");
    rc_t rc = read_order(&s, &file, &e, a, path);
    if (!rc)
        rc = keyfile_open(&key, &e, o->key);
    if (!rc)
        rc = add_signature(&s, &e, key);
    const int status = rc ? command_failed_by(&e, NULL) : write_order(o, &s);
    keyring_free(key);
    file_free(file);
    return status;
}

/* ---- send ---- */

static int send(const order_options_t *o, arena_t *a, const char *path)
{
    order_signed_t s;
    view_t file = { NULL, 0 }, answer;
    err_t e;
    int status = COMMAND_DONE;
    if (!o->node_count)
        return command_usage("order send needs --node");
    if (read_order(&s, &file, &e, a, path))
        status = command_failed_by(&e, path);
    const size_t count = status ? 0 : o->node_count;
    for (size_t i = 0; i < count; i++) {
        const rc_t rc = evidence_post(&answer, &e, a, o->nodes[i], "/v1/orders", file);
        say(rc ? stderr : stdout, "%s: %s", o->nodes[i], rc ? e.text : "has taken the order");
        if (rc)
            status = COMMAND_FAILED;
    }
    file_free(file);
    return status;
}

/* ---- the command ---- */

static int run_action(const char *action, int argc, char **argv)
{
    order_options_t o = { .void_slot = UINT64_MAX, .maker_count = 2 };
    cli_command_t c = COMMAND_ORDER;
    const bool prepares = !strcmp(action, "prepare");
    const char *path = NULL;
    arena_t a;
    if (prepares)
        c.operand = NULL;
    else if (strcmp(action, "sign") != 0 && strcmp(action, "send") != 0)
        return command_usage("unknown action %s: prepare, sign or send", action);
    int status = cli_parse(&o, prepares ? NULL : &path, &c, argc, argv);
    if (status)
        return status - 1;
    if (secret_init())
        return command_failed("the system has no source of random numbers");
    arena_init(&a, ARENA_MAX);
    status = prepares ? prepare(&o, &a) : !strcmp(action, "sign") ? sign(&o, &a, path) : send(&o, &a, path);
    arena_free(&a);
    return status;
}

static int run(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "--help"))
        return cli_help(&COMMAND_ORDER), COMMAND_DONE;
    if (argc < 2 || argv[1][0] == '-')
        return command_usage("order needs an action: prepare, sign or send");
    return run_action(argv[1], argc - 1, argv + 1);
}
