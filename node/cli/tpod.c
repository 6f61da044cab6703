/* tpod.c - `kettle tpod`: a provider of trusted pods, and the publisher who asks one. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto/secret.h"
#include "base/os/clock.h"
#include "base/os/file.h"
#include "base/os/harden.h"
#include "base/os/log.h"
#include "node/cli/command.h"
#include "node/cli/verify.h"
#include "node/tpod/hook.h"
#include "node/tpod/provider.h"
#include "node/tpod/publisher.h"
#include "overlay/lookup.h"
#include "overlay/tpod/attest.h"
#include "overlay/tpod/check.h"
#include "overlay/tpod/codec.h"
#include "overlay/tpod/text.h"
#include "tee/provider/open.h"

#define ARENA_MAX ((size_t)64 << 20)
#define ANSWER_MAX ((size_t)2 << 20)
#define POLICY_TEXT_MAX (256u << 10)
#define ATTEST_MS 120000u /* a quote takes seconds, and others may wait for theirs */
#define CAPACITY_MS 15000u

typedef struct {
    const char *config, *tee, *tee_socket, *simulator_seed, *simulator_image; /* of a provider */
    const char *policy;                                                       /* of a publisher */
    bool as_json;
    maddr_t bootstrap[LOOKUP_SEEDS_MAX];
    size_t bootstrap_count;
} tpod_options_t;

/* An address with the id of who is there. */
static rc_t read_bootstrap(void *values, err_t *e, char *text)
{
    tpod_options_t *o = values;
    if (o->bootstrap_count == LOOKUP_SEEDS_MAX)
        return err_set(e, RC_LIMIT, "may be given %u times", LOOKUP_SEEDS_MAX);
    maddr_t *m = &o->bootstrap[o->bootstrap_count];
    const rc_t rc = maddr_read_text(m, e, view_str(text));
    if (rc)
        return rc;
    if (m->circuit || !m->peer.n)
        return err_say(e, RC_MALFORMED, "needs the peer's id at its end, /p2p/..., and no relay");
    o->bootstrap_count++;
    return RC_OK;
}

static const cli_option_t options[] = {
    { .name = "config",
      .argument = "FILE",
      .help = "provider: its configuration, JSON (docs/tpod.md)",
      .at = offsetof(tpod_options_t, config) },
    { .name = "policy",
      .argument = "FILE",
      .help = "attest, capacity, provision: which providers are trusted (docs/policy.md)",
      .at = offsetof(tpod_options_t, policy) },
    { .name = "bootstrap",
      .argument = "ADDRESS",
      .help = "attest, capacity, provision: a peer of the Kademlia table in which a PEER that is an id is looked for, "
              "a multiaddr with its peer id; may be repeated, up to 8",
      .read = read_bootstrap },
    { .name = "json", .help = "attest: the steps as JSON", .at = offsetof(tpod_options_t, as_json) },
    { .name = "tee",
      .argument = "WHICH",
      .help = "provider: as of kettle run",
      .normal = "auto",
      .at = offsetof(tpod_options_t, tee) },
    { .name = "tee-socket",
      .argument = "PATH",
      .help = "provider: as of kettle run",
      .at = offsetof(tpod_options_t, tee_socket) },
    { .name = "simulator-seed",
      .argument = "TEXT",
      .help = "provider: as of kettle run",
      .at = offsetof(tpod_options_t, simulator_seed) },
    { .name = "simulator-image",
      .argument = "TEXT",
      .help = "provider: as of kettle run",
      .at = offsetof(tpod_options_t, simulator_image) },
};

/* ---- the provider ---- */

static void wait_for_end(void)
{
    sigset_t signals;
    int got;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    while (sigwait(&signals, &got))
        ;
}

/* Before any thread: only wait_for_end takes them. */
static void block_signals(void)
{
    sigset_t signals;
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
}

static int serve(const offer_t *offer, const tee_provider_t *tee, hc_t *http)
{
    provider_t *p;
    char at[MADDR_TEXT_MAX + 1];
    size_t n;
    err_t e;
    if (provider_start(&p, &e, offer, tee, http))
        return command_failed_by(&e, NULL);
    const maddr_t *list = provider_listening(p, &n);
    for (size_t i = 0; i < n; i++) {
        maddr_text(at, &list[i]);
        say(stdout, "%s", at);
    }
    fflush(stdout);
    wait_for_end();
    provider_stop(p);
    return COMMAND_DONE;
}

static int run_provider(const tpod_options_t *o, const offer_t *offer)
{
    const tee_open_t which = { .which = o->tee ? o->tee : "auto",
                               .socket = o->tee_socket,
                               .seed = o->simulator_seed,
                               .image = o->simulator_image };
    tee_provider_t tee;
    err_t e;
    block_signals();
    if (harden_process(&e))
        return command_failed_by(&e, NULL);
    if (tee_open(&tee, &e, &which))
        return command_failed_by(&e, "--tee");
    log_write(tee.simulated ? LOG_WARN : LOG_INFO, "tee", "%s", tee.where);
    hc_t *http = hc_new(NULL);
    const int status = http ? serve(offer, &tee, http) : command_failed("out of memory");
    hc_free(http);
    tee.free(tee.ctx);
    return status;
}

static int do_provider(const tpod_options_t *o, arena_t *a)
{
    view_t text;
    offer_t offer;
    err_t e;
    if (!o->config)
        return command_usage("tpod provider needs --config");
    if (file_read(&text, &e, o->config, OFFER_MAX, 0))
        return command_failed_by(&e, NULL);
    const rc_t rc = offer_read(&offer, &e, a, text);
    file_free(text);
    return rc ? command_failed_by(&e, o->config) : run_provider(o, &offer);
}

/* ---- the publisher ---- */

typedef struct {
    const tpod_options_t *o;
    arena_t *a;
    policy_t *policy;
    publisher_t *to;
    tpod_capacity_t *offered; /* with the attestation; NULL: nothing */
    results_t results;
} publish_t;

/* The provider's evidence is of this connection, and its TD is one that the policy admits. Nothing has been sent
 * before but a nonce. */
static bool judge(publish_t *p)
{
    uint8_t nonce[TPOD_NONCE_LEN], expected[TEE_REPORT_DATA_LEN];
    tpod_attest_response_t answer;
    tee_claim_t claim;
    err_t e;
    secret_random(nonce, sizeof nonce);
    const tpod_attest_request_t q = { .nonce = view_of(nonce, sizeof nonce), .want_capacity = true };
    if (publisher_ask(p->to, &answer, &e, p->a, TPOD_ATTEST, &q, ATTEST_MS))
        return step_unreached(&p->results, "attestation", &e);
    if (answer.error.n)
        return step(&p->results, "attestation", false, "E_ATTESTATION", "the provider: %.*s", (int)answer.error.n,
                    (const char *)answer.error.p);
    if (answer.version != TPOD_ATTEST_VERSION)
        return step(&p->results, "attestation", false, "E_REPORTDATA", "binds in a way, %u, that is not known",
                    answer.version);
    if (tpod_evidence_read(&claim, &e, p->a, answer.evidence))
        return step_failed(&p->results, "attestation", "E_ATTESTATION", &e);
    tpod_report_data(expected, nonce, publisher_server(p->to), publisher_self(p->to));
    const attestation_t x = { .evidence_type = (uint8_t)claim.type,
                              .quote = claim.quote,
                              .event_log = claim.event_log,
                              .vm_config = claim.vm_config };
    p->offered = answer.capacity;
    return verify_evidence(&p->results, p->a, &x, claim.collateral, p->policy, expected,
                           (int64_t)(clock_system_ms() / 1000));
}

static int print_message(arena_t *a, const tpod_message_t *m, const void *in)
{
    jw_t w = jw_of(a, ANSWER_MAX);
    err_t e;
    jw_indent(&w, 2);
    tpod_put_json(&w, NULL, m, in, NULL, NULL);
    const view_t text = jw_done(&w);
    if (w.rc)
        return command_failed("the answer cannot be written: %s", rc_name(w.rc));
    const bool written = !command_write(&e, NULL, text) && !command_write(&e, NULL, view_str("\n"));
    return written ? COMMAND_DONE : command_failed_by(&e, NULL);
}

/* What did not hold, on standard error; the exit status. */
static int refused(publish_t *p)
{
    const size_t last = p->results.count - 1;
    say(stderr, "kettle: not trusted: %s: %s", p->results.steps[last].name, p->results.steps[last].detail);
    return p->results.unreached && !p->results.failed ? COMMAND_UNREACHED : COMMAND_FAILED;
}

static int do_attest(publish_t *p, const char *manifest)
{
    (void)manifest;
    (void)judge(p);
    return results_print(&p->results, p->o->as_json);
}

static int do_capacity(publish_t *p, const char *manifest)
{
    const tpod_capacity_request_t all = { .resources = NULL };
    tpod_capacity_t answer;
    err_t e;
    (void)manifest;
    if (!judge(p))
        return refused(p);
    if (publisher_ask(p->to, &answer, &e, p->a, TPOD_CAPACITY, &all, CAPACITY_MS))
        return command_failed_by(&e, NULL), COMMAND_UNREACHED;
    return print_message(p->a, &TPOD_CAPACITY_RESPONSE, &answer);
}

static rc_t read_manifest(tpod_provision_request_t *out, err_t *e, arena_t *a, const char *path)
{
    view_t text;
    jo_doc_t doc;
    rc_t rc = file_read(&text, e, path, TPOD_MESSAGE_MAX, FILE_DASH_IS_STDIN);
    if (rc)
        return rc;
    const jo_t o = jo_open(&doc, e, text, TPOD_MESSAGE_MAX, JO_STRICT);
    tpod_get_json(out, a, &TPOD_PROVISION_REQUEST, &o);
    rc = jo_done(&o);
    jo_close(&doc);
    file_free(text);
    return rc ? rc : tpod_check(e, out);
}

/* The prices under which the pod is wanted are those of the manifest, or whatever was offered. */
static bool agree_price(publish_t *p, tpod_provision_request_t *r)
{
    tpod_pricing_t *offered = p->offered ? p->offered->pricing : NULL;
    if (!r->pricing)
        r->pricing = offered;
    return !r->pricing || (offered && tpod_pricing_eq(r->pricing, offered));
}

static int send_pod(publish_t *p, tpod_provision_request_t *r)
{
    tpod_provision_response_t answer;
    err_t e;
    if (!judge(p))
        return refused(p);
    if (!agree_price(p, r))
        return command_failed("pricing: the provider does not offer this table");
    if (publisher_ask(p->to, &answer, &e, p->a, TPOD_PROVISION, r, HOOK_MS + 30000u))
        return command_failed_by(&e, NULL), COMMAND_UNREACHED;
    if (answer.error.n)
        return command_failed("the provider: %.*s", (int)answer.error.n, (const char *)answer.error.p);
    return print_message(p->a, &TPOD_PROVISION_RESPONSE, &answer);
}

static int do_provision(publish_t *p, const char *manifest)
{
    tpod_provision_request_t r;
    err_t e;
    if (read_manifest(&r, &e, p->a, manifest))
        return command_failed_by(&e, manifest);
    return send_pod(p, &r);
}

static rc_t read_policy(policy_t **out, err_t *e, const char *path)
{
    view_t text;
    rc_t rc = file_read(&text, e, path, POLICY_TEXT_MAX, 0);
    if (rc)
        return rc;
    rc = err_before(e, policy_read(out, e, text), "%s: ", path);
    file_free(text);
    return rc;
}

/* PEER: where it is, or an id alone. */
typedef struct {
    bool by_id;
    maddr_t at;
    peerid_t id;
} target_t;

static rc_t read_peer(target_t *out, err_t *e, const tpod_options_t *o, const char *text)
{
    out->by_id = text[0] != '/';
    if (!out->by_id)
        return maddr_read_text(&out->at, e, view_str(text));
    if (peerid_read_text(&out->id, view_str(text)))
        return err_say(e, RC_MALFORMED, "neither a multiaddr nor a peer id");
    return o->bootstrap_count ? RC_OK : err_say(e, RC_MALFORMED, "a peer id alone needs --bootstrap");
}

static rc_t reach(publisher_t **out, err_t *e, const tpod_options_t *o, const target_t *to)
{
    return to->by_id ? publisher_find(out, e, &to->id, o->bootstrap, o->bootstrap_count)
                     : publisher_open(out, e, &to->at);
}

static int publish(const tpod_options_t *o, arena_t *a, const char *peer, const char *manifest,
                   int (*run)(publish_t *p, const char *manifest))
{
    static publish_t p;
    target_t to;
    err_t e;
    p = (publish_t){ .o = o, .a = a };
    if (read_peer(&to, &e, o, peer))
        return command_usage("%s: %s", peer, e.text);
    if (read_policy(&p.policy, &e, o->policy))
        return command_failed_by(&e, NULL);
    int status = COMMAND_UNREACHED;
    if (reach(&p.to, &e, o, &to))
        command_failed_by(&e, peer);
    else
        status = run(&p, manifest);
    publisher_close(p.to);
    policy_free(p.policy);
    return status;
}

/* ---- the command ---- */

static const struct {
    const char *word;
    int (*run)(publish_t *p, const char *manifest); /* NULL: the provider */
    bool manifest;
} actions[] = {
    { "provider", NULL, false },
    { "attest", do_attest, false },
    { "capacity", do_capacity, false },
    { "provision", do_provision, true },
};
#define ACTIONS (sizeof actions / sizeof *actions)

static int run(int argc, char **argv);

const cli_command_t COMMAND_TPOD = {
    .name = "tpod",
    .what = "serves trusted pods, or asks who does",
    .usage = "kettle tpod provider --config FILE [OPTIONS]\n"
             "       kettle tpod attest --policy FILE [--json] PEER\n"
             "       kettle tpod capacity --policy FILE PEER\n"
             "       kettle tpod provision --policy FILE PEER MANIFEST\n",
    .about = "provider serves the three protocols of trusted pods over libp2p: it attests itself to whoever asks, and "
             "on that connection tells its capacity and takes pods, which its own program makes. It prints the "
             "addresses on which it listens. The others are a publisher's: attest checks a provider's quote by a "
             "policy, capacity asks what it has and for which price, provision sends a manifest (JSON, or - for "
             "standard input) with its keys. Each of them checks the quote first, on the same connection, and sends "
             "nothing else before. PEER is a multiaddr, /ip4/192.0.2.1/tcp/4011/p2p/16Uiu2..., or with --bootstrap the "
             "provider's peer id alone, which is then looked for.",
    .status = "0 done, 1 not trusted, refused or failed, 3 not reached",
    .operand = "PEER",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};

/* Behind its options an action has PEER, and provision MANIFEST. */
static int run_action(size_t i, int argc, char **argv)
{
    tpod_options_t o = { .tee = NULL };
    cli_command_t c = COMMAND_TPOD;
    const char *peer = NULL, *manifest = NULL;
    arena_t a;
    if (!actions[i].run)
        c.operand = NULL;
    if (actions[i].manifest && argc > 2 && (argv[argc - 1][0] != '-' || !argv[argc - 1][1])) {
        manifest = argv[--argc];
        argv[argc] = NULL;
    }
    int status = cli_parse(&o, actions[i].run ? &peer : NULL, &c, argc, argv);
    if (status)
        return status - 1;
    if (actions[i].manifest && !manifest)
        return command_usage("tpod provision needs PEER and MANIFEST");
    if (actions[i].run && !o.policy)
        return command_usage("tpod %s needs --policy", actions[i].word);
    if (secret_init())
        return command_failed("the system has no source of random numbers");
    arena_init(&a, ARENA_MAX);
    status = actions[i].run ? publish(&o, &a, peer, manifest, actions[i].run) : do_provider(&o, &a);
    arena_free(&a);
    return status;
}

static int run(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "--help"))
        return cli_help(&COMMAND_TPOD), COMMAND_DONE;
    for (size_t i = 0; argc > 1 && i < ACTIONS; i++)
        if (!strcmp(argv[1], actions[i].word))
            return run_action(i, argc - 1, argv + 1);
    return command_usage("tpod needs an action: provider, attest, capacity or provision");
}
