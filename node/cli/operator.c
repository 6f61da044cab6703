/* operator.c - `kettle operator sign`: a command to a node, signed by its operator, as a configuration of curl. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/crypto/secret.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/os/clock.h"
#include "base/os/file.h"
#include "node/cli/command.h"
#include "node/cli/keyfile.h"
#include "rpc/api/operator.h"

#define GOOD_FOR_S 300u
#define TARGET_MAX 1024u

typedef struct {
    const char *key, *url, *body;
    uint8_t node[OPERATOR_KEY_LEN];
    bool has_node;
    operator_terms_t terms;
} sign_options_t;

static rc_t read_node(void *values, err_t *e, char *text)
{
    sign_options_t *o = values;
    o->has_node = true;
    if (hex_decode_exact(o->node, sizeof o->node, text, strlen(text)))
        return err_say(e, RC_MALFORMED, "must be a node's public key, 33 bytes as hex");
    return RC_OK;
}

static rc_t read_number(uint64_t *out, err_t *e, const char *text)
{
    char *end;
    errno = 0;
    *out = strtoull(text, &end, 10);
    if (errno || text[0] < '0' || text[0] > '9' || *end || *out >= OPERATOR_NUMBER_MAX)
        return err_say(e, RC_MALFORMED, "must be a number below 2^53");
    return RC_OK;
}

static rc_t read_counter(void *values, err_t *e, char *text)
{
    return read_number(&((sign_options_t *)values)->terms.counter, e, text);
}

static rc_t read_not_after(void *values, err_t *e, char *text)
{
    return read_number(&((sign_options_t *)values)->terms.not_after_s, e, text);
}

static const cli_option_t options[] = {
    { .name = "key",
      .argument = "FILE",
      .help = "the operator's secret key, 32 bytes as hex",
      .at = offsetof(sign_options_t, key) },
    { .name = "node-key",
      .argument = "HEX",
      .help = "node_pubkey of /v1/status, which is another one after each start",
      .read = read_node },
    { .name = "url",
      .argument = "URL",
      .help = "the node's API, for curl",
      .normal = "http://127.0.0.1:3032",
      .at = offsetof(sign_options_t, url) },
    { .name = "body",
      .argument = "FILE",
      .help = "a JSON object, or - for standard input: the command is a POST of it; without, it is a GET",
      .at = offsetof(sign_options_t, body) },
    { .name = "counter",
      .argument = "N",
      .help = "above that of the last command",
      .normal = "the clock's milliseconds",
      .read = read_counter },
    { .name = "not-after",
      .argument = "SECONDS",
      .help = "Unix time until which the command holds, at most ten minutes ahead",
      .normal = "in five minutes",
      .read = read_not_after },
};

static int run(int argc, char **argv);

const cli_command_t COMMAND_OPERATOR = {
    .name = "operator",
    .what = "signs a command of a node's operator",
    .usage = "kettle operator sign --key FILE --node-key HEX [OPTIONS] PATH | curl -K -\n",
    .about = "Writes what curl needs to give a node a command (docs/operate.md): address, body and the header "
             "Kettle-Operator. Counter and not_after are put into the body, or into the query of a GET. Asks nobody.",
    .status = "0 written, 1 the input is not what it should be, 3 a file could not be read",
    .operand = "the command's path, such as /v1/log-level or /v1/log?after=0",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};

/* A value of curl's configuration, between its quotes. */
static void put_quoted(const char *name, const char *a, view_t b)
{
    printf("%s = \"%s", name, a);
    for (size_t i = 0; i < b.n; i++)
        if (b.p[i] == '\n')
            fputs("\\n", stdout);
        else if (b.p[i] == '"' || b.p[i] == '\\')
            printf("\\%c", b.p[i]);
        else
            putchar(b.p[i]);
    puts("\"");
}

/* The object with counter and not_after before its members; in the arena. */
static rc_t add_terms(view_t *out, err_t *e, arena_t *a, view_t text, const operator_terms_t *terms)
{
    jo_doc_t doc;
    char first[96];
    const jo_t o = jo_open(&doc, e, text, OPERATOR_BODY_MAX / 2, JO_LENIENT);
    const bool any = jo_size(&o) > 0, twice = jo_has(&o, "counter") || jo_has(&o, "not_after");
    rc_t rc = jo_done(&o);
    jo_close(&doc);
    if (!rc && twice)
        rc = err_say(e, RC_MALFORMED, "has counter or not_after already: they are options");
    const uint8_t *brace = rc ? NULL : memchr(text.p, '{', text.n);
    if (!brace)
        return rc ? rc : err_say(e, RC_MALFORMED, "must be an object");
    snprintf(first, sizeof first, "{\"counter\":%llu,\"not_after\":%llu%s", (unsigned long long)terms->counter,
             (unsigned long long)terms->not_after_s, any ? "," : "");
    const size_t n = strlen(first), rest = (size_t)(text.p + text.n - brace) - 1;
    uint8_t *p = arena_alloc(a, n + rest);
    if (!p)
        return err_say(e, RC_NOMEM, "out of memory");
    memcpy(p, first, n);
    memcpy(p + n, brace + 1, rest);
    *out = view_of(p, n + rest);
    return RC_OK;
}

static rc_t sign(char header[2 * ECDSA_SIG65_LEN + 32], err_t *e, const sign_options_t *o, const operator_command_t *c)
{
    keyring_t *key;
    hash32_t digest;
    uint8_t signature[ECDSA_SIG65_LEN];
    rc_t rc = keyfile_open(&key, e, o->key);
    if (rc)
        return rc;
    operator_digest(&digest, o->node, c, &o->terms);
    rc = keyring_sign65(key, signature, NULL, &digest);
    keyring_free(key);
    if (rc)
        return err_say(e, rc, "the command cannot be signed: take another counter");
    strcpy(header, "Kettle-Operator: 0x");
    hex_encode(header + strlen(header), view_of(signature, sizeof signature));
    return RC_OK;
}

/* Signs and writes. target: path and query, cut at the '?'. */
static rc_t write_command(const sign_options_t *o, err_t *e, arena_t *a, char *target, view_t body)
{
    char header[2 * ECDSA_SIG65_LEN + 32], query[TARGET_MAX + 96] = "", url[2 * TARGET_MAX + 128];
    char *mark = strchr(target, '?');
    operator_command_t c = { o->body ? "POST" : "GET", target, query, "", view_of(NULL, 0) };
    if (mark)
        *mark++ = '\0';
    rc_t rc = RC_OK;
    if (o->body) {
        snprintf(query, sizeof query, "%s", mark ? mark : "");
        rc = err_before(e, add_terms(&c.body, e, a, body, &o->terms), "%s: ", o->body);
    } else
        snprintf(query, sizeof query, "%s%scounter=%llu&not_after=%llu", mark ? mark : "", mark && *mark ? "&" : "",
                 (unsigned long long)o->terms.counter, (unsigned long long)o->terms.not_after_s);
    if (!rc)
        rc = sign(header, e, o, &c);
    if (rc)
        return rc;
    snprintf(url, sizeof url, "%s%s%s", target, query[0] ? "?" : "", query);
    put_quoted("url", o->url, view_str(url));
    put_quoted("header", header, view_of(NULL, 0));
    if (o->body) {
        puts("header = \"Content-Type: application/json\"");
        put_quoted("data-binary", "", c.body);
    }
    return RC_OK;
}

static int sign_command(sign_options_t *o, const char *path)
{
    char target[TARGET_MAX];
    view_t body = { NULL, 0 };
    err_t e;
    arena_t a;
    if (!o->key || !o->has_node)
        return command_usage("operator sign needs --key and --node-key");
    if (path[0] != '/' || strlen(path) >= sizeof target || strpbrk(path, "\"\\ #"))
        return command_usage("the path must be one, such as /v1/log-level");
    strcpy(target, path);
    if (!o->terms.counter)
        o->terms.counter = clock_system_ms();
    if (!o->terms.not_after_s)
        o->terms.not_after_s = clock_system_ms() / 1000 + GOOD_FOR_S;
    if (o->body && file_read(&body, &e, o->body, OPERATOR_BODY_MAX / 2, FILE_DASH_IS_STDIN))
        return command_failed_by(&e, NULL), COMMAND_UNREACHED;
    arena_init(&a, 2 * OPERATOR_BODY_MAX);
    const rc_t rc = write_command(o, &e, &a, target, body);
    arena_free(&a);
    file_free(body);
    return rc ? command_failed_by(&e, NULL) : COMMAND_DONE;
}

static int run(int argc, char **argv)
{
    sign_options_t o = { .url = "http://127.0.0.1:3032" };
    const char *path = NULL;
    if (argc > 1 && !strcmp(argv[1], "--help"))
        return cli_help(&COMMAND_OPERATOR), COMMAND_DONE;
    if (argc < 2 || strcmp(argv[1], "sign") != 0)
        return command_usage("operator needs an action: sign");
    const int status = cli_parse(&o, &path, &COMMAND_OPERATOR, argc - 1, argv + 1);
    if (status)
        return status - 1;
    if (secret_init())
        return command_failed("the system has no source of random numbers");
    return sign_command(&o, path);
}
