#include "node/config/config.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/crypto/hash.h"
#include "base/hex.h"
#include "base/json_tree.h"
#include "http/client.h"
#include "lightclient/networks.h"
#include "node/config/network.h"
#include "tee/verify/policy.h"

/* A reader of one key. value is never NULL. */
typedef rc_t (*read_fn)(config_t *c, err_t *e, const json_t *value);

static rc_t read_port(uint16_t *out, err_t *e, const char *field, const json_t *value)
{
    if (!json_is_integer(value))
        return err_in(e, RC_MALFORMED, field, "must be a number");
    json_int_t n = json_integer_value(value);
    if (n < 1 || n > 65535)
        return err_in(e, RC_MALFORMED, field, "must be between 1 and 65535, not %" JSON_INTEGER_FORMAT, n);
    *out = (uint16_t)n;
    return RC_OK;
}

static rc_t read_url(config_urls_t *out, err_t *e, const char *field, const json_t *value)
{
    const char *url = json_string_value(value);
    if (!url)
        return err_in(e, RC_MALFORMED, field, "must be a URL, or a list of URLs in order of preference");
    if (strlen(url) > CONFIG_URL_LEN_MAX)
        return err_in(e, RC_LIMIT, field, "a URL is longer than %u characters", CONFIG_URL_LEN_MAX);
    for (const char *p = url; *p; p++)
        if (*p <= ' ' || *p > '~')
            return err_in(e, RC_MALFORMED, field, "a URL has a space, a control character or a letter outside ASCII");
    if (hc_url_check(url))
        return err_in(e, RC_MALFORMED, field, "must be an http:// or https:// URL with a host");
    if (out->count == CONFIG_URLS_MAX)
        return err_in(e, RC_LIMIT, field, "more than %u URLs", CONFIG_URLS_MAX);
    out->urls[out->count] = strdup(url);
    if (!out->urls[out->count])
        return err_in(e, RC_NOMEM, field, "out of memory");
    out->count++;
    return RC_OK;
}

static rc_t read_urls(config_urls_t *out, err_t *e, const char *field, const json_t *value)
{
    if (!json_is_array(value))
        return read_url(out, e, field, value);
    if (json_array_size(value) == 0)
        return err_in(e, RC_MALFORMED, field, "the list of URLs is empty");
    rc_t rc = RC_OK;
    for (size_t i = 0; !rc && i < json_array_size(value); i++)
        rc = read_url(out, e, field, json_array_get(value, i));
    return rc;
}

static rc_t read_peers(config_t *c, err_t *e, const json_t *value)
{
    (void)c;
    if (!json_is_array(value))
        return err_in(e, RC_MALFORMED, "peers", "must be a list of peers; an empty list starts a new cluster");
    for (size_t i = 0; i < json_array_size(value); i++)
        if (!json_is_string(json_array_get(value, i)))
            return err_in(e, RC_MALFORMED, "peers", "entry %zu is not text", i);
    if (json_array_size(value))
        return err_in(e, RC_REFUSED, "peers",
                      "this version has no overlay and cannot join a cluster; an empty list starts a new one");
    return RC_OK;
}

static rc_t read_overlay_port(config_t *c, err_t *e, const json_t *value)
{
    return read_port(&c->overlay_port, e, "port", value);
}

static rc_t read_api_port(config_t *c, err_t *e, const json_t *value)
{
    return read_port(&c->api_port, e, "api_port", value);
}

static rc_t read_api_tls(config_t *c, err_t *e, const json_t *value)
{
    c->api_tls = json_is_true(value);
    return json_is_boolean(value) ? RC_OK : err_in(e, RC_MALFORMED, "api_tls", "must be true or false");
}

static rc_t read_execution_rpc(config_t *c, err_t *e, const json_t *value)
{
    return read_urls(&c->execution_rpc, e, "execution_rpc", value);
}

static rc_t read_consensus_rpc(config_t *c, err_t *e, const json_t *value)
{
    return read_urls(&c->consensus_rpc, e, "consensus_rpc", value);
}

static rc_t read_network(config_t *c, err_t *e, const json_t *value)
{
    return network_read(c, e, value);
}

static rc_t read_checkpoint(config_t *c, err_t *e, const json_t *value)
{
    const char *text = json_string_value(value);
    hash32_t root;
    if (!text || hex_decode_exact(root.b, sizeof root.b, text, strlen(text)) || hash32_is_zero(&root))
        return err_in(e, RC_MALFORMED, "checkpoint", "must be a beacon block root: 32 bytes as hex");
    c->checkpoint = root;
    return RC_OK;
}

static rc_t read_checkpoint_age(config_t *c, err_t *e, const json_t *value)
{
    json_int_t n = json_is_integer(value) ? json_integer_value(value) : 0;
    if (n < 1 || n > (json_int_t)10 * 365 * 86400)
        return err_in(e, RC_MALFORMED, "checkpoint_age_max_s", "must be a number of seconds, at least 1");
    c->checkpoint_age_max_s = (uint64_t)n;
    return RC_OK;
}

/* A text that must be one of the words; *which is its index. */
static rc_t read_word(size_t *which, err_t *e, const char *field, const json_t *value, const char *const *words)
{
    const char *text = json_string_value(value);
    char list[128] = "";
    for (size_t i = 0; words[i]; i++) {
        if (text && !strcmp(text, words[i])) {
            *which = i;
            return RC_OK;
        }
        size_t at = strlen(list);
        snprintf(list + at, sizeof list - at, "%s%s", i ? ", " : "", words[i]);
    }
    return err_in(e, RC_MALFORMED, field, "must be one of: %s", list);
}

static rc_t read_transport(config_t *c, err_t *e, const json_t *value)
{
    static const char *const words[] = { "quic", "tcp", NULL };
    size_t which;
    (void)c; /* nothing listens before the overlay exists; peers refuses any use of it */
    return read_word(&which, e, "transport", value, words);
}

static rc_t read_tee(config_t *c, err_t *e, const json_t *value)
{
    static const char *const words[] = { "auto", "dstack", "tdx", "simulator", NULL };
    size_t which;
    rc_t rc = read_word(&which, e, "tee", value, words);
    if (!rc)
        snprintf(c->tee, sizeof c->tee, "%s", words[which]);
    return rc;
}

static rc_t read_default_block(config_t *c, err_t *e, const json_t *value)
{
    static const char *const words[] = { "latest", "safe", "finalized", NULL };
    size_t which = 0;
    rc_t rc = read_word(&which, e, "default_block", value, words);
    if (!rc)
        c->default_block = (config_block_t)which;
    return rc;
}

static rc_t read_policy(config_t *c, err_t *e, const json_t *value)
{
    policy_error_t pe;
    policy_t *p = NULL;
    if (!json_is_object(value))
        return err_in(e, RC_MALFORMED, "policy", "must be an object (docs/policy.md)");
    c->policy = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS);
    if (!c->policy)
        return err_in(e, RC_NOMEM, "policy", "out of memory");
    rc_t rc = policy_read(&p, &pe, view_str(c->policy));
    policy_free(p);
    if (!rc)
        return RC_OK;
    err_in(e, rc, pe.field, "%s", pe.error);
    return err_under(e, rc, "policy");
}

static rc_t read_pccs(config_t *c, err_t *e, const json_t *value)
{
    return read_urls(&c->pccs, e, "pccs", value);
}

static rc_t read_collateral_file(config_t *c, err_t *e, const json_t *value)
{
    const char *path = json_string_value(value);
    if (!path || path[0] != '/' || strlen(path) > CONFIG_URL_LEN_MAX)
        return err_in(e, RC_MALFORMED, "collateral_file", "must be an absolute path");
    c->collateral_file = strdup(path);
    return c->collateral_file ? RC_OK : err_in(e, RC_NOMEM, "collateral_file", "out of memory");
}

static rc_t read_unsupported(config_t *c, err_t *e, const json_t *value)
{
    (void)c, (void)value;
    return err_set(e, RC_REFUSED, "this version does not support this key");
}

static const struct {
    const char *name;
    bool required;
    read_fn read;
} keys[] = {
    { "peers", true, read_peers },
    { "port", true, read_overlay_port },
    { "execution_rpc", true, read_execution_rpc },
    { "consensus_rpc", false, read_consensus_rpc },
    { "network", false, read_network },
    { "checkpoint", false, read_checkpoint },
    { "checkpoint_age_max_s", false, read_checkpoint_age },
    { "api_port", false, read_api_port },
    { "api_tls", false, read_api_tls },
    { "transport", false, read_transport },
    { "tee", false, read_tee },
    { "default_block", false, read_default_block },
    { "policy", false, read_policy },
    { "pccs", false, read_pccs },
    { "collateral_file", false, read_collateral_file },
    { "operator_key", false, read_unsupported },
    { "membership", false, read_unsupported },
};
#define KEYS (sizeof keys / sizeof keys[0])

static const char SETUP_MAY_SET[] = "setup_may_set";

static size_t key_find(const char *name)
{
    size_t i = 0;
    while (i < KEYS && strcmp(keys[i].name, name))
        i++;
    return i;
}

static rc_t parse_object(json_t **out, err_t *e, view_t text, const char *what)
{
    json_error_t je;
    *out = NULL;
    if (text.n > CONFIG_TEXT_MAX)
        return err_set(e, RC_LIMIT, "the %s is larger than %u bytes", what, CONFIG_TEXT_MAX);
    *out = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, &je);
    if (!*out)
        return err_set(e, RC_MALFORMED, "the %s is not valid JSON: %.*s (line %d, column %d)", what,
                       (int)strcspn(je.text, "'"), je.text, je.line,
                       je.column); /* without the piece of text: it may be a key */
    if (!json_is_object(*out))
        return err_set(e, RC_MALFORMED, "the %s must be a JSON object", what);
    return RC_OK;
}

/* Whether the base lets /setup set this key. */
static bool may_set(const json_t *base, const char *name)
{
    const json_t *list = json_object_get(base, SETUP_MAY_SET);
    if (!list)
        return base == NULL;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *allowed = json_string_value(json_array_get(list, i));
        if (allowed && !strcmp(allowed, name))
            return true;
    }
    return false;
}

static rc_t check_may_set(err_t *e, const json_t *base)
{
    const json_t *list = json_object_get(base, SETUP_MAY_SET);
    if (list && !json_is_array(list))
        return err_in(e, RC_MALFORMED, SETUP_MAY_SET, "must be a list of key names");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = json_string_value(json_array_get(list, i));
        if (!name || key_find(name) == KEYS)
            return err_in(e, RC_MALFORMED, SETUP_MAY_SET, "entry %zu is not the name of a key", i);
    }
    return RC_OK;
}

/* Puts the keys of setup over those of base. */
static rc_t merge(json_t *merged, err_t *e, const json_t *base, json_t *setup)
{
    const char *name;
    json_t *value;
    json_object_foreach (setup, name, value) {
        if (key_find(name) == KEYS)
            return err_in(e, RC_MALFORMED, name, "unknown key");
        if (!may_set(base, name))
            return err_in(e, RC_REFUSED, name,
                          "the measured configuration of this image does not let /setup set this key");
        if (json_object_set(merged, name, value))
            return err_in(e, RC_NOMEM, name, "out of memory");
    }
    return RC_OK;
}

/* Reads every key that is there; complete: the required ones must be. */
static rc_t read_all(config_t *c, err_t *e, const json_t *merged, bool complete)
{
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)merged, name, value)
        if (key_find(name) == KEYS)
            return err_in(e, RC_MALFORMED, name, "unknown key");
    for (size_t i = 0; i < KEYS; i++) {
        value = json_object_get(merged, keys[i].name);
        if (!value && keys[i].required && complete)
            return err_in(e, RC_MALFORMED, keys[i].name, "is required");
        rc_t rc = value ? keys[i].read(c, e, value) : RC_OK;
        if (rc && e && !e->field[0])
            err_under(e, rc, keys[i].name);
        if (rc)
            return rc;
    }
    if (!json_object_get(merged, "network") && network_builtin(c, "mainnet"))
        return err_in(e, RC_BUG, "network", "mainnet is not built in");
    return RC_OK;
}

static rc_t fill_defaults(config_t *c, err_t *e)
{
    if (hash32_is_zero(&c->checkpoint))
        c->checkpoint = c->network.default_checkpoint;
    if (hash32_is_zero(&c->checkpoint))
        return err_in(
            e, RC_MALFORMED, "checkpoint",
            "is required: no checkpoint for network \"%s\" is built in (a recent finalized beacon block root)",
            c->network.name);
    if (!c->consensus_rpc.count) {
        const lc_builtin_t *chain = lc_builtin_find(c->network.name);
        const char *url = chain ? chain->beacon_api : NULL;
        if (!url)
            return err_in(e, RC_MALFORMED, "consensus_rpc", "is required: no default is built in for network \"%s\"",
                          c->network.name);
        c->consensus_rpc.urls[0] = strdup(url);
        if (!c->consensus_rpc.urls[0])
            return err_in(e, RC_NOMEM, "consensus_rpc", "out of memory");
        c->consensus_rpc.count = 1;
    }
    return RC_OK;
}

static rc_t hash_setup(hash32_t *out, err_t *e, const json_t *merged)
{
    char *text = json_dumps(merged, JSON_COMPACT | JSON_SORT_KEYS);
    if (!text)
        return err_set(e, RC_NOMEM, "out of memory");
    sha256(out, view_str(text));
    free(text);
    return RC_OK;
}

bool config_is_complete(view_t base)
{
    err_t e;
    config_t *c = NULL;
    bool complete = base.p && config_read(&c, &e, base, (view_t){ NULL, 0 }) == RC_OK;
    config_free(c);
    return complete;
}

rc_t config_read(config_t **out, err_t *error, view_t base_text, view_t setup_text)
{
    json_t *base = NULL, *setup = NULL, *merged = json_object();
    config_t *c = calloc(1, sizeof *c);
    err_clear(error);
    rc_t rc = c && merged ? RC_OK : err_set(error, RC_NOMEM, "out of memory");
    if (!rc && base_text.p)
        rc = parse_object(&base, error, base_text, "configuration file");
    if (!rc && setup_text.p)
        rc = parse_object(&setup, error, setup_text, "body");
    if (!rc)
        rc = check_may_set(error, base);
    if (!rc && base && (json_object_update(merged, base) || (json_object_del(merged, SETUP_MAY_SET), 0)))
        rc = err_set(error, RC_NOMEM, "out of memory");
    if (!rc)
        rc = merge(merged, error, base, setup);
    if (!rc)
        rc = read_all(c, error, merged, true);
    if (!rc)
        rc = fill_defaults(c, error);
    if (!rc)
        rc = hash_setup(&c->setup_hash, error, merged);
    json_decref(base);
    json_decref(setup);
    json_decref(merged);
    if (rc) {
        config_free(c);
        return rc;
    }
    *out = c;
    return RC_OK;
}

rc_t config_check_base(err_t *error, view_t text)
{
    json_t *base = NULL;
    config_t *c = calloc(1, sizeof *c);
    err_clear(error);
    rc_t rc = c ? parse_object(&base, error, text, "configuration file") : err_set(error, RC_NOMEM, "out of memory");
    if (!rc)
        rc = check_may_set(error, base);
    if (!rc) {
        json_object_del(base, SETUP_MAY_SET);
        rc = read_all(c, error, base, false);
    }
    json_decref(base);
    config_free(c);
    return rc;
}

static void urls_free(config_urls_t *u)
{
    for (size_t i = 0; i < u->count; i++)
        free(u->urls[i]);
}

void config_free(config_t *c)
{
    if (!c)
        return;
    urls_free(&c->execution_rpc);
    urls_free(&c->consensus_rpc);
    urls_free(&c->pccs);
    free(c->policy);
    free(c->collateral_file);
    free(c);
}
