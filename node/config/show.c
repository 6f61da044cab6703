#include "node/config/show.h"

#include "base/crypto/hash.h"
#include "http/url.h"
#include "lightclient/networks.h"
#include "tee/verify/policy.h"

#define SHOWN_MAX ((size_t)4 * CONFIG_TEXT_MAX)
#define ORIGIN_MAX 300u

rc_t config_check(err_t *e, view_t base)
{
    config_t *c = NULL;
    rc_t rc = config_read_base(&c, e, base);
    if (!rc && !c->development)
        rc = config_check_supply(e, base);
    const bool settled = !rc && !c->development && !c->may_set.count;
    config_free(c);
    c = NULL;
    if (settled)
        rc = config_read(&c, e, base, view_of(NULL, 0), false);
    config_free(c);
    return rc;
}

/* --- what is missing --- */

/* Whether the file says that there is nobody to join. */
static bool is_alone(const jo_t *base)
{
    if (jo_kind(base, "peers") != JO_LIST)
        return false;
    const jo_t peers = jo_list(base, "peers", 0, CONFIG_PEERS_MAX);
    return !jo_size(&peers);
}

static bool has_beacon_api(const jo_t *base, const config_t *c)
{
    const lc_builtin_t *chain = lc_builtin_find(c->network.name);
    return jo_has(base, "consensus_rpc") || (chain && chain->beacon_api);
}

static size_t list_missing(const char *names[CONFIG_MISSING_MAX], const jo_t *base, const config_t *c)
{
    const struct {
        const char *key;
        bool there;
    } rows[] = {
        { "peers", jo_has(base, "peers") },
        { "port", jo_has(base, "port") },
        { "execution_rpc", jo_has(base, "execution_rpc") || jo_has(base, "execution_rpc_file") },
        { "consensus_rpc", has_beacon_api(base, c) },
        { "checkpoint", jo_has(base, "checkpoint") || !is_alone(base) }, /* or config_may_lack_start */
    };
    size_t n = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (!rows[i].there)
            names[n++] = rows[i].key;
    return n;
}

size_t config_missing(const char *names[CONFIG_MISSING_MAX], view_t text)
{
    jo_doc_t doc;
    config_t *c = NULL;
    if (config_read_base(&c, NULL, text))
        return 0;
    const jo_t base = jo_open(&doc, NULL, text, CONFIG_TEXT_MAX, JO_LENIENT);
    const size_t n = list_missing(names, &base, c);
    jo_close(&doc);
    config_free(c);
    return n;
}

bool config_may_lack_start(view_t text)
{
    jo_doc_t doc;
    const jo_t base = jo_open(&doc, NULL, text, CONFIG_TEXT_MAX, JO_LENIENT);
    const bool lacks = !jo_has(&base, "peers") && !jo_has(&base, "checkpoint");
    jo_close(&doc);
    return lacks;
}

/* --- the values --- */

static void put_origins(jw_t *w, const char *key, const option_urls_t *urls)
{
    jw_array(w, key);
    for (size_t i = 0; i < urls->count; i++) {
        char origin[ORIGIN_MAX];
        hc_url_origin(origin, sizeof origin, urls->urls[i]);
        jw_str(w, NULL, origin);
    }
    jw_end(w);
}

static void put_checkpoint(jw_t *w, const char *key, const config_checkpoint_t *c)
{
    switch (c->kind) {
    case CHECKPOINT_ABSENT: jw_null(w, key); break;
    case CHECKPOINT_ROOT: jw_hex(w, key, view_of(c->root.b, sizeof c->root.b)); break;
    case CHECKPOINT_PEERS: jw_str(w, key, "peers"); break;
    case CHECKPOINT_QUORUM:
        jw_object(w, key);
        jw_u64(w, "quorum", c->quorum);
        put_origins(w, "of", &c->of);
        jw_end(w);
        break;
    }
}

/* What holds without the key. */
static void put_normal(jw_t *w, const option_t *row)
{
    switch (row->kind) {
    case OPTION_FLAG: jw_bool(w, row->key, row->normal != 0); break;
    case OPTION_CHOICE: jw_str(w, row->key, row->words[row->normal]); break;
    case OPTION_NUMBER:
        if (row->normal >= row->min) {
            jw_u64(w, row->key, row->normal);
            break;
        }
        jw_null(w, row->key);
        break;
    case OPTION_PORT:
    case OPTION_WORD:
    case OPTION_PATH:
    case OPTION_URLS:
    case OPTION_OTHER: jw_null(w, row->key); break;
    }
}

static void put_urls(jw_t *w, const option_t *row, const config_t *c)
{
    option_urls_t urls = *(const option_urls_t *)(const void *)((const char *)c + row->at);
    const lc_builtin_t *chain = lc_builtin_find(c->network.name);
    if (!urls.given && !strcmp(row->key, "consensus_rpc") && chain && chain->beacon_api)
        urls = (option_urls_t){ .urls = { chain->beacon_api }, .count = 1, .given = true };
    if (urls.given)
        put_origins(w, row->key, &urls);
    else
        jw_null(w, row->key);
}

/* As the file has it. */
static void put_written(jw_t *w, const char *key, arena_t *a, const jo_t *base)
{
    const view_t text = jo_as_written(base, a, key);
    if (text.p)
        jw_raw(w, key, text);
    else if (!w->rc)
        w->rc = RC_NOMEM;
}

static void put_value(jw_t *w, const option_t *row, const config_t *c, arena_t *a, const jo_t *base)
{
    if (row->kind == OPTION_URLS)
        put_urls(w, row, c);
    else if (!strcmp(row->key, "checkpoint"))
        put_checkpoint(w, row->key, &c->checkpoint);
    else if (!strcmp(row->key, "network"))
        jw_str(w, row->key, c->network.name);
    else if (!strcmp(row->key, "setup_token_sha256"))
        jw_str(w, row->key, c->hosting.has_token ? "(is set)" : "(is not set)");
    else if (jo_has(base, row->key))
        put_written(w, row->key, a, base);
    else
        put_normal(w, row);
}

static void put_effective(jw_t *w, const config_t *c, arena_t *a, const jo_t *base)
{
    size_t count;
    const option_t *rows = config_options(&count);
    jw_object(w, "effective");
    for (size_t i = 0; i < count; i++)
        if (!rows[i].setup_only && (rows[i].read || rows[i].kind != OPTION_OTHER))
            put_value(w, &rows[i], c, a, base);
    jw_end(w);
}

static void put_names(jw_t *w, const char *key, const char *const *names, size_t count)
{
    jw_array(w, key);
    for (size_t i = 0; i < count; i++)
        jw_str(w, NULL, names[i]);
    jw_end(w);
}

static rc_t put_network(jw_t *w, const config_t *c, uint64_t now_s)
{
    hash32_t digest;
    const uint64_t until = network_forks_until(&c->network, &c->chain, now_s);
    const rc_t rc = network_digest(&digest, &c->network, &c->chain, until);
    if (rc)
        return rc;
    jw_object(w, "network");
    jw_str(w, "name", c->network.name);
    jw_u64(w, "chain_id", c->chain.chain_id);
    jw_hex(w, "digest", view_of(digest.b, sizeof digest.b));
    jw_u64(w, "forks_until", until);
    jw_end(w);
    return RC_OK;
}

static void put_sha256(jw_t *w, const char *key, view_t text)
{
    hash32_t digest;
    sha256(&digest, text);
    jw_hex(w, key, view_of(digest.b, sizeof digest.b));
}

static rc_t show(view_t *out, err_t *e, arena_t *a, const config_t *c, const jo_t *base, view_t text, uint64_t now_s)
{
    jw_t w = jw_of(a, SHOWN_MAX);
    const char *missing[CONFIG_MISSING_MAX];
    jw_indent(&w, 2);
    jw_object(&w, NULL);
    put_sha256(&w, "sha256", text);
    jw_bool(&w, "development", c->development);
    rc_t rc = put_network(&w, c, now_s);
    put_sha256(&w, "policy_digest", view_str(c->policy ? c->policy : POLICY_DEFAULT));
    put_names(&w, "setup_must_set", missing, list_missing(missing, base, c));
    put_names(&w, "setup_may_set", c->may_set.names, c->may_set.count);
    put_effective(&w, c, a, base);
    jw_end(&w);
    const view_t shown = jw_done(&w);
    if (!rc && !shown.p)
        rc = w.rc;
    if (rc)
        return err_set(e, rc, "it cannot be shown: %s", rc_name(rc));
    *out = shown;
    return RC_OK;
}

rc_t config_show(view_t *out, err_t *e, arena_t *a, view_t text, uint64_t now_s)
{
    jo_doc_t doc;
    config_t *c = NULL;
    rc_t rc = config_check(e, text);
    if (!rc)
        rc = config_read_base(&c, e, text);
    if (rc)
        return rc;
    const jo_t base = jo_open(&doc, e, text, CONFIG_TEXT_MAX, JO_LENIENT);
    rc = show(out, e, a, c, &base, text, now_s);
    jo_close(&doc);
    config_free(c);
    return rc;
}
