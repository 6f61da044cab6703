/* bracha_out.c - what a node of reliable broadcast wants done. */
#include <stdlib.h>

#include "overlay/bracha_state.h"

/* One more action; to NULL: all. NULL: the edge is behind; what is lost is said again on the next connection. */
static br_action_t *act(bracha_t *b, bracha_out_kind_t kind, const uint8_t *to, const hash32_t *instance)
{
    if (b->out_count == BR_OUT_MAX)
        return NULL;
    br_action_t *a = &b->out[(b->out_first + b->out_count++) % BR_OUT_MAX];
    *a = (br_action_t){ .kind = kind, .to_all = !to, .instance = *instance };
    if (to)
        memcpy(a->to, to, sizeof a->to);
    return a;
}

void br_say(bracha_t *b, const uint8_t *to, bracha_step_t step, const hash32_t *instance, const hash32_t *hash,
            const uint8_t *signature)
{
    br_action_t *a = act(b, BRACHA_OUT_VOTE, to, instance);
    if (!a)
        return;
    a->step = step;
    a->hash = *hash;
    if (signature)
        memcpy(a->signature, signature, sizeof a->signature);
}

void br_show(bracha_t *b, bracha_out_kind_t kind, const uint8_t *to, const hash32_t *instance, const hash32_t *hash)
{
    br_action_t *a = act(b, kind, to, instance);
    if (a)
        a->hash = *hash;
}

/* The certificate of what was delivered; false: its READYs are not all here. */
static bool fill_cert(bracha_cert_t *out, const bs_instance_t *in)
{
    *out = (bracha_cert_t){ .instance = in->id, .hash = in->delivered_hash };
    for (uint8_t s = 0; in->seats && s < in->send.boot_count; s++)
        if (in->votes[s].ready && hash32_eq(&in->votes[s].ready_hash, &in->delivered_hash)) {
            bracha_share_t *share = &out->shares[out->count++];
            share->seat = s;
            memcpy(share->signature, in->votes[s].signature, sizeof share->signature);
        }
    return in->seats && out->count >= bracha_quorum(in->send.boot_count).deliver;
}

/* SEND with a value of the instance; false: no memory, or it is gone. */
static bool fill_send(bracha_t *b, bracha_send_t *out, bs_instance_t *in, const hash32_t *hash)
{
    const bs_value_t *v = bs_value(in, hash);
    b->polled = v ? malloc(v->n + 1) : NULL;
    if (!b->polled)
        return false;
    memcpy(b->polled, v->payload, v->n);
    *out = in->send;
    out->kind = v->kind;
    out->again = v->again;
    out->payload = view_of(b->polled, v->n);
    memcpy(out->signature, v->signature, sizeof out->signature);
    return true;
}

static bool fill(bracha_t *b, bracha_out_t *out, const br_action_t *a)
{
    bs_instance_t *in = bs_find(&b->store, &a->instance);
    *out = (bracha_out_t){ .kind = a->kind, .to_all = a->to_all, .instance = a->instance };
    memcpy(out->to, a->to, sizeof out->to);
    switch (a->kind) {
    case BRACHA_OUT_VOTE:
        out->vote = (bracha_vote_t){ .step = a->step, .instance = a->instance, .hash = a->hash };
        memcpy(out->vote.signature, a->signature, sizeof a->signature);
        return true;
    case BRACHA_OUT_EVIDENCE: return false; /* has a list of its own */
    case BRACHA_OUT_CERT: return in && in->delivered && fill_cert(&out->cert, in);
    case BRACHA_OUT_SEND:
    case BRACHA_OUT_DELIVER: return in && fill_send(b, &out->send, in, &a->hash);
    }
    return false;
}

bool bracha_poll(bracha_t *b, bracha_out_t *out)
{
    free(b->polled);
    b->polled = NULL;
    if (b->evidence_count) {
        *out = (bracha_out_t){ .kind = BRACHA_OUT_EVIDENCE, .evidence = b->evidence[--b->evidence_count] };
        return true;
    }
    while (b->out_count) {
        const br_action_t *a = &b->out[b->out_first];
        b->out_first = (b->out_first + 1) % BR_OUT_MAX;
        b->out_count--;
        if (fill(b, out, a))
            return true;
    }
    return false;
}

void br_accuse(bracha_t *b, bracha_step_t step, const uint8_t who[33], const hash32_t *instance,
               const hash32_t *const hashes[2], const uint8_t *const signatures[2])
{
    if (b->evidence_count == BR_EVIDENCE_MAX)
        return;
    bracha_evidence_t *x = &b->evidence[b->evidence_count++];
    *x = (bracha_evidence_t){ .step = step, .instance = *instance, .hashes = { *hashes[0], *hashes[1] } };
    memcpy(x->who, who, sizeof x->who);
    for (size_t i = 0; i < 2; i++)
        memcpy(x->signatures[i], signatures[i], sizeof x->signatures[i]);
}
