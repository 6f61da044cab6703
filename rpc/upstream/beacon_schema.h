/* beacon_schema.h - light-client objects as a table: names, forms and lengths of their fields, fork by fork. One table
 * for both ways between JSON and SSZ. Private to rpc/upstream: beacon.c reads by it, beacon_write.c writes.
 *
 * Spec:   consensus-specs light-client sync-protocol.md of each fork; ssz/simple-serialize.md (JSON mapping)
 * Floor:  3, rpc/upstream. Constants, and functions of them.
 * Tests:  tests/unit/test_beacon.c
 */
#ifndef RPC_UPSTREAM_BEACON_SCHEMA_H
#define RPC_UPSTREAM_BEACON_SCHEMA_H

#include "lightclient/consensus/sync.h"

#define BN_FIELDS_MAX 24u /* of a container */

typedef struct bn_type bn_type_t;

typedef struct {
    const char *name;
    const bn_type_t *type;
    uint32_t forks; /* bits by lc_fork_t: in which the field is there; 0: in all */
} bn_field_t;

struct bn_type {
    enum { BN_UINT, BN_BYTES, BN_BYTE_LIST, BN_VECTOR, BN_CONTAINER } kind;
    enum {
        BN_FIXED,
        BN_COMMITTEE,
        BN_COMMITTEE_BITS,
        BN_COMMITTEE_BRANCH,
        BN_FINALITY_BRANCH,
        BN_EXECUTION_BRANCH
    } length;                 /* of size */
    size_t size;              /* bytes (UINT, BYTES), most bytes (BYTE_LIST), elements (VECTOR) */
    const bn_type_t *element; /* VECTOR */
    const bn_field_t *fields; /* CONTAINER; ends with a NULL name */
};

/* What lengths and fields depend on. */
typedef struct {
    const lc_network_t *net;
    lc_fork_t fork;
} bn_form_t;

/* The container of a kind of object. */
const bn_type_t *bn_type(lc_kind_t kind);

/* Bytes (UINT, BYTES), most bytes (BYTE_LIST) or elements (VECTOR). */
size_t bn_size(const bn_form_t *c, const bn_type_t *t);

/* Whether the fork has a field of a container. */
bool bn_has_field(const bn_form_t *c, const bn_field_t *f);

/* Whether its length is not the same in all objects of a fork: SSZ has an offset in its place. */
bool bn_is_variable(const bn_form_t *c, const bn_type_t *t);

#endif
