#include "overlay/tpod/check.h"

#include <stdio.h>

#include "base/utf8.h"
#include "overlay/wire/multiaddr.h"
#include "overlay/wire/varint.h"

#define PORT_MAX 65535u
#define HOST_MAX 253u

/* What is seen on the way through a pod. */
typedef struct {
    const tpod_provision_request_t *r;
    const tpod_pod_t *pod;
    err_t *e;
    size_t http_hosts, inline_secrets;
} walk_t;

/* ---- texts ---- */

/* Without NUL and what a terminal would obey; a line's end and a tab are allowed in long texts. */
static bool is_plain(view_t v, bool lines)
{
    for (size_t n; v.n; v = view_of(v.p + n, v.n - n)) {
        n = utf8_len(v);
        const bool space = n == 1 && (v.p[0] == '\n' || v.p[0] == '\t' || v.p[0] == '\r');
        if (!n || (utf8_is_control(v.p, n) && !(lines && space)))
            return false;
    }
    return true;
}

static rc_t check_text(err_t *e, const char *field, view_t v, size_t min, size_t max)
{
    if (v.n < min)
        return err_in(e, RC_REFUSED, field, "is missing");
    if (v.n > max)
        return err_in(e, RC_LIMIT, field, "has more than %zu bytes", max);
    return is_plain(v, false) ? RC_OK : err_in(e, RC_REFUSED, field, "has control characters");
}

static bool is_name_char(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Letters, digits, and '-', '_', '.' behind the first. */
static bool is_name(view_t v)
{
    for (size_t i = 0; i < v.n; i++)
        if (!is_name_char(v.p[i]) && (!i || !memchr("-_.", v.p[i], 3)))
            return false;
    return v.n;
}

static rc_t check_name(err_t *e, const char *field, view_t v, size_t max)
{
    if (v.n > max)
        return err_in(e, RC_LIMIT, field, "has more than %zu characters", max);
    return is_name(v) ? RC_OK : err_in(e, RC_REFUSED, field, "must be letters, digits, '-', '_' and '.'");
}

static rc_t check_ip(err_t *e, view_t v)
{
    char text[96];
    maddr_t m;
    if (!v.n)
        return RC_OK;
    for (int v6 = 0; v6 < 2 && v.n <= 48; v6++) {
        snprintf(text, sizeof text, "/ip%c/%.*s/tcp/1", v6 ? '6' : '4', (int)v.n, (const char *)v.p);
        if (!memchr(v.p, '/', v.n) && !memchr(v.p, 0, v.n) && !maddr_read_text(&m, NULL, view_str(text)))
            return RC_OK;
    }
    return err_in(e, RC_REFUSED, "hostIP", "is no IP address");
}

/* ---- amounts ---- */

rc_t tpod_millis(uint64_t *out, const tpod_resource_t *r)
{
    static const uint64_t factor[] = { [TPOD_AMOUNT] = 1000,
                                       [TPOD_MILLIS] = 1,
                                       [TPOD_KIBI] = 1000ull << 10,
                                       [TPOD_MEBI] = 1000ull << 20,
                                       [TPOD_GIBI] = 1000ull << 30 };
    uint64_t n;
    if (r->which < TPOD_AMOUNT || r->which > TPOD_GIBI)
        return RC_REFUSED;
    if (__builtin_mul_overflow(r->amount, factor[r->which], &n))
        return RC_LIMIT;
    *out = n;
    return RC_OK;
}

static rc_t check_resource(err_t *e, const tpod_resource_t *list, size_t i)
{
    uint64_t millis;
    rc_t rc = check_text(e, "resource", list[i].resource, 1, TPOD_TEXT_MAX);
    for (size_t k = 0; !rc && k < i; k++)
        if (view_eq(list[k].resource, list[i].resource))
            rc = err_in(e, RC_REFUSED, "resource", "is there twice");
    if (rc)
        return rc;
    rc = tpod_millis(&millis, &list[i]);
    if (rc)
        rc = err_in(e, rc, "amount", rc == RC_LIMIT ? "is too large" : "is missing");
    return rc;
}

static rc_t under(err_t *e, rc_t rc, const char *list, size_t i)
{
    char name[48];
    snprintf(name, sizeof name, "%s[%zu]", list, i);
    return err_under(e, rc, name);
}

static rc_t check_resources(err_t *e, const tpod_resource_t *list, size_t n)
{
    rc_t rc = RC_OK;
    for (size_t i = 0; !rc && i < n; i++)
        rc = under(e, check_resource(e, list, i), "resourceRequests", i);
    return rc;
}

/* ---- keys ---- */

static rc_t check_key_index(const walk_t *w, int32_t key)
{
    if (key == TPOD_NO_KEY || (key >= 0 && (size_t)key < w->r->key_count))
        return RC_OK;
    return err_in(w->e, RC_REFUSED, "keyIdx", "keyIdx %ld of %zu; -1 is what is not encrypted", (long)key,
                  w->r->key_count);
}

static rc_t check_keys(const walk_t *w)
{
    const tpod_provision_request_t *r = w->r;
    rc_t rc = RC_OK;
    if (r->key_count > TPOD_KEYS_MAX)
        return err_in(w->e, RC_LIMIT, "keys", "has more than %u elements", TPOD_KEYS_MAX);
    for (size_t i = 0; !rc && i < r->key_count; i++) {
        if (!r->keys[i].pem.n)
            rc = err_in(w->e, RC_REFUSED, "keyPem", "is missing");
        else if (r->keys[i].pem.n > TPOD_KEY_MAX)
            rc = err_in(w->e, RC_LIMIT, "keyPem", "has more than %u bytes", TPOD_KEY_MAX);
        rc = under(w->e, rc, "keys", i);
    }
    return rc;
}

/* ---- containers ---- */

static rc_t check_image(const walk_t *w, const tpod_image_t *image)
{
    if (!image)
        return err_in(w->e, RC_REFUSED, "image", "is missing");
    rc_t rc = check_text(w->e, "cid", image->cid, 1, TPOD_TEXT_MAX);
    if (!rc)
        rc = check_key_index(w, image->key);
    return err_under(w->e, rc, "image");
}

static rc_t check_host(walk_t *w, const tpod_port_t *p)
{
    if (p->which == TPOD_TCP_PORT && p->tcp_port > PORT_MAX)
        return err_in(w->e, RC_REFUSED, "hostTcpPort", "must be at most %u", PORT_MAX);
    if (p->which != TPOD_HTTP_HOST)
        return RC_OK;
    if (p->protocol != TPOD_TCP)
        return err_in(w->e, RC_REFUSED, "hostHttpHost", "is not for UDP");
    if (w->http_hosts++)
        return err_in(w->e, RC_REFUSED, "hostHttpHost", "is the second of this pod, which may have one");
    return check_name(w->e, "hostHttpHost", p->http_host, HOST_MAX);
}

static rc_t check_port(walk_t *w, const tpod_container_t *c, size_t i)
{
    const tpod_port_t *p = &c->ports[i];
    if (p->container_port < 1 || p->container_port > PORT_MAX)
        return err_in(w->e, RC_REFUSED, "containerPort", "must be between 1 and %u", PORT_MAX);
    if (p->service_port > PORT_MAX)
        return err_in(w->e, RC_REFUSED, "servicePort", "must be at most %u", PORT_MAX);
    if (p->protocol > TPOD_UDP)
        return err_in(w->e, RC_REFUSED, "protocol", "must be 0, TCP, or 1, UDP");
    for (size_t k = 0; k < i; k++)
        if (c->ports[k].container_port == p->container_port && c->ports[k].protocol == p->protocol)
            return err_in(w->e, RC_REFUSED, "containerPort", "is there twice");
    const rc_t rc = check_ip(w->e, p->host_ip);
    return rc ? rc : check_host(w, p);
}

static rc_t check_mount(const walk_t *w, const tpod_container_t *c, size_t i)
{
    const tpod_mount_t *m = &c->mounts[i];
    if (m->volume >= w->pod->volume_count)
        return err_in(w->e, RC_REFUSED, "volumeIdx", "volumeIdx %u of %zu", m->volume, w->pod->volume_count);
    const rc_t rc = check_text(w->e, "mountPath", m->path, 1, TPOD_TEXT_MAX);
    if (rc)
        return rc;
    if (m->path.p[0] != '/')
        return err_in(w->e, RC_REFUSED, "mountPath", "must begin with '/'");
    for (size_t k = 0; k < i; k++)
        if (view_eq(c->mounts[k].path, m->path))
            return err_in(w->e, RC_REFUSED, "mountPath", "is there twice");
    return RC_OK;
}

static rc_t check_env(err_t *e, const tpod_env_t *v)
{
    if (!v->key.n || memchr(v->key.p, '=', v->key.n) || !is_plain(v->key, false))
        return err_in(e, RC_REFUSED, "env", "has a name that is none");
    if (v->key.n + v->value.n > TPOD_ENV_MAX)
        return err_in(e, RC_LIMIT, "env", "has a variable of more than %u bytes", TPOD_ENV_MAX);
    return is_plain(v->value, true) ? RC_OK : err_in(e, RC_REFUSED, "env", "has control characters");
}

static rc_t check_words(err_t *e, const char *field, const view_t *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (words[i].n > TPOD_TEXT_MAX || !is_plain(words[i], true))
            return err_in(e, RC_REFUSED, field, "is too long, or has control characters");
    return RC_OK;
}

static rc_t check_program(err_t *e, const tpod_container_t *c)
{
    rc_t rc = check_words(e, "entrypoint", c->entrypoint, c->entrypoint_count);
    if (!rc)
        rc = check_words(e, "command", c->command, c->command_count);
    if (!rc)
        rc = check_text(e, "workingDir", c->working_dir, 0, TPOD_TEXT_MAX);
    for (size_t i = 0; !rc && i < c->env_count; i++)
        rc = check_env(e, &c->env[i]);
    return rc;
}

static rc_t check_container(walk_t *w, size_t i)
{
    const tpod_container_t *c = &w->pod->containers[i];
    rc_t rc = check_name(w->e, "name", c->name, TPOD_NAME_MAX);
    for (size_t k = 0; !rc && k < i; k++)
        if (view_eq(w->pod->containers[k].name, c->name))
            rc = err_in(w->e, RC_REFUSED, "name", "is there twice");
    if (!rc)
        rc = check_image(w, c->image);
    if (!rc)
        rc = check_program(w->e, c);
    if (!rc && c->port_count > TPOD_PORTS_MAX)
        rc = err_in(w->e, RC_LIMIT, "ports", "has more than %u elements", TPOD_PORTS_MAX);
    for (size_t k = 0; !rc && k < c->port_count; k++)
        rc = under(w->e, check_port(w, c, k), "ports", k);
    for (size_t k = 0; !rc && k < c->mount_count; k++)
        rc = under(w->e, check_mount(w, c, k), "volumes", k);
    return rc ? rc : check_resources(w->e, c->resources, c->resource_count);
}

/* ---- volumes ---- */

rc_t tpod_inline(view_t *content, view_t cid)
{
    static const uint8_t head[] = { 0, 1, 0x55, 0 };
    if (!cid.n || cid.p[0] != 0)
        return cid.n && is_plain(cid, false) ? RC_NEED_DATA : RC_REFUSED;
    rd_t r = rd_of(cid);
    const view_t got = rd_take(&r, sizeof head);
    const uint64_t n = varint_take(&r);
    if (r.bad || memcmp(got.p, head, sizeof head) != 0 || n != r.n)
        return RC_REFUSED;
    *content = rd_take(&r, (size_t)n);
    return RC_OK;
}

static rc_t check_secret(walk_t *w, const tpod_secret_t *s)
{
    view_t content;
    const rc_t rc = tpod_inline(&content, s->cid);
    if (rc == RC_REFUSED)
        return err_in(w->e, RC_REFUSED, "cid", "is neither a CID nor a secret inline (00 01 55 00, length, content)");
    if (rc == RC_OK && ++w->inline_secrets > TPOD_SECRETS_MAX)
        return err_in(w->e, RC_LIMIT, "cid", "is more than the %uth secret inline", TPOD_SECRETS_MAX);
    if (s->cid.n > (rc ? TPOD_TEXT_MAX : TPOD_ENV_MAX))
        return err_in(w->e, RC_LIMIT, "cid", "is too long");
    return check_key_index(w, s->key);
}

static rc_t check_volume(walk_t *w, const tpod_volume_t *v)
{
    if (v->type > TPOD_SEC)
        return err_in(w->e, RC_REFUSED, "type", "must be 0, 1 or 2");
    if (v->access != TPOD_RW_ONE && v->access != TPOD_RW_MANY)
        return err_in(w->e, RC_REFUSED, "accessMode", "must be 0 or 2");
    if ((v->type == TPOD_SEC) != (v->which == TPOD_SECRET) || (v->type == TPOD_EMPTY && v->which))
        return err_in(w->e, RC_REFUSED, "type", "is of another kind than what is configured");
    if (v->which == TPOD_SECRET)
        return err_under(w->e, check_secret(w, v->secret), "secret");
    if (v->which == TPOD_FILESYSTEM)
        return err_under(w->e, check_resources(w->e, v->filesystem->resources, v->filesystem->resource_count),
                         "filesystem");
    return RC_OK;
}

/* ---- the whole ---- */

static rc_t check_replicas(err_t *e, const tpod_replicas_t *r)
{
    if (r && r->max && r->min > r->max)
        return err_in(e, RC_REFUSED, "replicas.min", "is above max");
    return RC_OK;
}

tpod_replicas_t tpod_replicas(const tpod_pod_t *pod)
{
    return pod->replicas ? *pod->replicas : (tpod_replicas_t){ .min = 1, .max = 1 };
}

static rc_t check_pod(walk_t *w)
{
    const tpod_pod_t *pod = w->pod;
    rc_t rc = RC_OK;
    if (!pod->container_count)
        return err_in(w->e, RC_REFUSED, "containers", "is empty");
    if (pod->container_count > TPOD_CONTAINERS_MAX)
        return err_in(w->e, RC_LIMIT, "containers", "has more than %u elements", TPOD_CONTAINERS_MAX);
    for (size_t i = 0; !rc && i < pod->container_count; i++)
        rc = under(w->e, check_container(w, i), "containers", i);
    for (size_t i = 0; !rc && i < pod->volume_count; i++)
        rc = under(w->e, check_volume(w, &pod->volumes[i]), "volumes", i);
    return rc ? rc : check_replicas(w->e, pod->replicas);
}

static rc_t check_length(err_t *e, const char *field, view_t v, size_t n)
{
    return v.n == n ? RC_OK : err_in(e, RC_REFUSED, field, "must have %zu bytes", n);
}

static rc_t check_payment(err_t *e, const tpod_payment_t *p)
{
    if (!p->chain_id.n || p->chain_id.n > 32)
        return err_in(e, RC_REFUSED, "chainID", "must have 1 to 32 bytes");
    rc_t rc = check_length(e, "contractAddress", p->contract, 20);
    if (!rc)
        rc = check_length(e, "publisherAddress", p->publisher, 20);
    if (!rc)
        rc = check_length(e, "providerAddress", p->provider, 20);
    return rc ? rc : check_length(e, "podID", p->pod_id, 32);
}

rc_t tpod_check(err_t *e, const tpod_provision_request_t *r)
{
    walk_t w = { .r = r, .pod = r->pod, .e = e };
    if (!r->pod)
        return err_in(e, RC_REFUSED, "podManifest", "is missing");
    rc_t rc = check_keys(&w);
    if (!rc)
        rc = err_under(e, check_pod(&w), "podManifest");
    if (!rc && r->payment)
        rc = err_under(e, check_payment(e, r->payment), "payment");
    return rc;
}

bool tpod_pricing_eq(const tpod_pricing_t *a, const tpod_pricing_t *b)
{
    if (a->resource_count != b->resource_count || !view_eq(a->currency, b->currency))
        return false;
    for (size_t i = 0; i < a->resource_count; i++) {
        const tpod_priced_t *x = &a->resources[i], *y = &b->resources[i];
        if (!view_eq(x->resource, y->resource) || x->reservation != y->reservation || x->usage != y->usage)
            return false;
    }
    return true;
}
