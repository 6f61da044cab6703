/* bracha_hash.c - quorums, and what is hashed and signed in broadcast. */
#include "base/crypto/hash.h"
#include "overlay/bracha.h"
#include "overlay/guard.h"

static const char send_tag[16] = "kettle-rbc-snd/1", ready_tag[16] = "kettle-rbc-rdy/1"; /* without a NUL */

void bracha_instance(hash32_t *out, const bracha_send_t *s)
{
    static const uint8_t tag[16] = "kettle-rbc/2";
    uint8_t seq[8];
    store_u64be(seq, s->seq);
    const view_t parts[] = { view_of(tag, sizeof tag), view_of(s->order.b, 32), view_of(s->sender, sizeof s->sender),
                             view_of(seq, sizeof seq), view_of(s->boots, (size_t)s->boot_count * sizeof s->boots[0]) };
    if (GUARD(BOUND_INSTANCE))
        sha256_parts(out, parts, 5);
    else
        sha256_parts(out, parts + 2, 2);
}

void bracha_hash(hash32_t *out, const hash32_t *instance, const bracha_send_t *s)
{
    uint8_t kind[4];
    wr_t w = wr_of(kind, sizeof kind);
    wr_be(&w, s->kind, 4);
    const view_t parts[] = { view_of(instance->b, 32), wr_view(&w), s->payload };
    sha256_parts(out, parts, 3);
}

void bracha_send_digest(hash32_t *out, const hash32_t *hash, const bracha_send_t *s)
{
    const view_t parts[] = { view_of(send_tag, sizeof send_tag), view_of(hash->b, 32), view_of(s->again.b, 32) };
    sha256_parts(out, parts, 3);
}

void bracha_ready_digest(hash32_t *out, const hash32_t *instance, const hash32_t *hash)
{
    const view_t parts[] = { view_of(ready_tag, sizeof ready_tag), view_of(instance->b, 32), view_of(hash->b, 32) };
    sha256_parts(out, parts, 3);
}

bracha_quorum_t bracha_quorum(unsigned n)
{
    const unsigned f = (n - 1) / 3;
    bracha_quorum_t q = { .f = f, .echo = (n + f) / 2 + 1, .amplify = f + 1, .deliver = 2 * f + 1 };
    if (!GUARD(ECHO_QUORUM))
        q.echo = f + 1;
    if (!GUARD(DELIVER_QUORUM))
        q.deliver = 1;
    return q;
}
