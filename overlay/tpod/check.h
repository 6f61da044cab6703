/* check.h - whether a request to provision makes sense: everything in it that refers to something else, every number
 * that has a range, and the units of amounts. What is read from it afterwards needs no further look.
 *
 * An absent keyIdx means the first key, so that with no keys it is an error, and never "not encrypted". Without
 * replicas, at which upstream crashed, there is one.
 *
 * Spec:   sdk-facts 7 (rules and units), overlay-facts 13
 * Floor:  4, overlay/tpod. Pure.
 * Tests:  tests/unit/test_tpod_check.c
 */
#ifndef OVERLAY_TPOD_CHECK_H
#define OVERLAY_TPOD_CHECK_H

#include "base/err.h"
#include "overlay/tpod/pod.h"

#define TPOD_KEYS_MAX 16u         /* keys of a request */
#define TPOD_KEY_MAX (16u << 10)  /* bytes of one */
#define TPOD_SECRETS_MAX 16u      /* secrets that stand in a request themselves */
#define TPOD_CONTAINERS_MAX 32u   /* of a pod */
#define TPOD_PORTS_MAX 64u        /* of a container */
#define TPOD_NAME_MAX 63u         /* characters of a container's name */
#define TPOD_TEXT_MAX 4096u       /* bytes of a path, a host, a CID, an argument; */
#define TPOD_ENV_MAX (128u << 10) /* ... of a variable */

/* RC_REFUSED, RC_LIMIT: e names the field: "podManifest.containers[0].image.keyIdx". */
NODISCARD rc_t tpod_check(err_t *e, const tpod_provision_request_t *r);

/* An amount in thousandths of a unit. RC_LIMIT: it does not fit; RC_REFUSED: there is no amount. */
NODISCARD rc_t tpod_millis(uint64_t *out, const tpod_resource_t *r);

/* What a pod's replicas are, given or not: when not, exactly one. */
tpod_replicas_t tpod_replicas(const tpod_pod_t *pod);

/* Whether a secret's cid holds the secret itself (identity multibase, CIDv1, raw, identity hash); content is it then.
 * RC_NEED_DATA: it is a CID; RC_REFUSED: neither. */
NODISCARD rc_t tpod_inline(view_t *content, view_t cid);

/* The same table, in the same order? */
bool tpod_pricing_eq(const tpod_pricing_t *a, const tpod_pricing_t *b);

#endif
