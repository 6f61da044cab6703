/* eip712.h - typed data: type strings, hashes of structs, digests. A type is a table that says where its members lie in
 * a C struct; the same tables are walked by the JSON of statements (rpc/api/statement.h) and by rpc/api/abi.h.
 *
 * Spec:   EIP-712; api-facts section 12
 * Floor:  3, rpc/api. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_statement.c
 */
#ifndef RPC_API_EIP712_H
#define RPC_API_EIP712_H

#include "base/bytes.h"

#define EIP712_MEMBERS_MAX 12u /* of one type */
#define EIP712_STRING_MAX 512u /* bytes of a type string */

/* A member's type, and the C type of its value. */
typedef enum {
    EIP712_ADDRESS, /* addr_t */
    EIP712_BYTES32, /* hash32_t */
    EIP712_BYTES,   /* view_t */
    EIP712_STRING,  /* view_t */
    EIP712_BOOL,    /* bool */
    EIP712_UINT8,   /* uint8_t */
    EIP712_UINT16,  /* uint16_t */
    EIP712_UINT32,  /* uint32_t */
    EIP712_UINT64,  /* uint64_t */
    EIP712_UINT256, /* u256_t */
    EIP712_STRUCT   /* what its own table says */
} eip712_kind_t;

typedef struct eip712_type eip712_type_t;

typedef struct {
    const char *name;
    eip712_kind_t kind;
    size_t at;                 /* offset of its value */
    const eip712_type_t *type; /* EIP712_STRUCT */
    unsigned max;              /* highest value of a UINT8; 0: 255. Readers look at it, hashes do not */
} eip712_member_t;

/* Members that are structs have none themselves, are of different types, and stand in the order of their types' names:
 * so a type string is the type's own part and then theirs. */
struct eip712_type {
    const char *name;
    const eip712_member_t *members;
    size_t count; /* at most EIP712_MEMBERS_MAX */
};

/* A member's value inside the struct at value. */
static inline const void *eip712_value(const eip712_member_t *m, const void *value)
{
    return (const uint8_t *)value + m->at;
}

/* Whether its value is a view_t. */
static inline bool eip712_is_view(const eip712_member_t *m)
{
    return m->kind == EIP712_BYTES || m->kind == EIP712_STRING;
}

/* The 32 bytes by which a member stands in encodings that have fixed lengths; not for BYTES, STRING and STRUCT. */
void eip712_word(uint8_t out[32], const eip712_member_t *m, const void *value);

/* encodeType, "Mail(address from,bytes data)"; and its Keccak-256. */
void eip712_type_string(wr_t *w, const eip712_type_t *t);
void eip712_type_hash(hash32_t *out, const eip712_type_t *t);

/* hashStruct of the struct at value. */
void eip712_hash_struct(hash32_t *out, const eip712_type_t *t, const void *value);

/* The separator of a domain that has name, version and chainId. */
void eip712_domain(hash32_t *out, const char *name, const char *version, uint64_t chain_id);

/* What is signed. out may be either of the others. */
void eip712_digest(hash32_t *out, const hash32_t *domain, const hash32_t *struct_hash);

#endif
