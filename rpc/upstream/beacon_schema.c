#include "rpc/upstream/beacon_schema.h"

#define FROM(fork) (~(uint32_t)0 << (fork))
#define FROM_UNTIL(fork, next) (FROM(fork) & ~FROM(next))

static const bn_type_t U64 = { BN_UINT, BN_FIXED, 8, NULL, NULL };
static const bn_type_t U256 = { BN_UINT, BN_FIXED, 32, NULL, NULL };
static const bn_type_t ROOT = { BN_BYTES, BN_FIXED, 32, NULL, NULL };
static const bn_type_t ADDRESS = { BN_BYTES, BN_FIXED, 20, NULL, NULL };
static const bn_type_t BLOOM = { BN_BYTES, BN_FIXED, 256, NULL, NULL };
static const bn_type_t PUBKEY = { BN_BYTES, BN_FIXED, BLS_PUBKEY_LEN, NULL, NULL };
static const bn_type_t SIGNATURE = { BN_BYTES, BN_FIXED, BLS_SIG_LEN, NULL, NULL };
static const bn_type_t BITS = { BN_BYTES, BN_COMMITTEE_BITS, 0, NULL, NULL };
static const bn_type_t EXTRA_DATA = { BN_BYTE_LIST, BN_FIXED, LC_EXTRA_DATA_MAX, NULL, NULL };
static const bn_type_t PUBKEYS = { BN_VECTOR, BN_COMMITTEE, 0, &PUBKEY, NULL };
static const bn_type_t BRANCH_OF_EXECUTION = { BN_VECTOR, BN_EXECUTION_BRANCH, 0, &ROOT, NULL };
static const bn_type_t BRANCH_OF_COMMITTEE = { BN_VECTOR, BN_COMMITTEE_BRANCH, 0, &ROOT, NULL };
static const bn_type_t BRANCH_OF_FINALITY = { BN_VECTOR, BN_FINALITY_BRANCH, 0, &ROOT, NULL };

#define CONTAINER_OF(name, ...)                                                                                        \
    static const bn_field_t name##_FIELDS[] = { __VA_ARGS__, { NULL, NULL, 0 } };                                      \
    static const bn_type_t name = { BN_CONTAINER, BN_FIXED, 0, NULL, name##_FIELDS }

CONTAINER_OF(BEACON, { "slot", &U64, 0 }, { "proposer_index", &U64, 0 }, { "parent_root", &ROOT, 0 },
             { "state_root", &ROOT, 0 }, { "body_root", &ROOT, 0 });
CONTAINER_OF(EXECUTION, { "parent_hash", &ROOT, 0 }, { "fee_recipient", &ADDRESS, 0 }, { "state_root", &ROOT, 0 },
             { "receipts_root", &ROOT, 0 }, { "logs_bloom", &BLOOM, 0 }, { "prev_randao", &ROOT, 0 },
             { "block_number", &U64, 0 }, { "gas_limit", &U64, 0 }, { "gas_used", &U64, 0 }, { "timestamp", &U64, 0 },
             { "extra_data", &EXTRA_DATA, 0 }, { "base_fee_per_gas", &U256, 0 }, { "block_hash", &ROOT, 0 },
             { "transactions_root", &ROOT, 0 }, { "withdrawals_root", &ROOT, 0 },
             { "blob_gas_used", &U64, FROM(LC_DENEB) }, { "excess_blob_gas", &U64, FROM(LC_DENEB) });
CONTAINER_OF(HEADER, { "beacon", &BEACON, 0 }, { "execution", &EXECUTION, FROM_UNTIL(LC_CAPELLA, LC_GLOAS) },
             { "execution_block_hash", &ROOT, FROM(LC_GLOAS) },
             { "execution_branch", &BRANCH_OF_EXECUTION, FROM(LC_CAPELLA) });
CONTAINER_OF(SYNC_COMMITTEE, { "pubkeys", &PUBKEYS, 0 }, { "aggregate_pubkey", &PUBKEY, 0 });
CONTAINER_OF(SYNC_AGGREGATE, { "sync_committee_bits", &BITS, 0 }, { "sync_committee_signature", &SIGNATURE, 0 });
CONTAINER_OF(BOOTSTRAP, { "header", &HEADER, 0 }, { "current_sync_committee", &SYNC_COMMITTEE, 0 },
             { "current_sync_committee_branch", &BRANCH_OF_COMMITTEE, 0 });
CONTAINER_OF(UPDATE, { "attested_header", &HEADER, 0 }, { "next_sync_committee", &SYNC_COMMITTEE, 0 },
             { "next_sync_committee_branch", &BRANCH_OF_COMMITTEE, 0 }, { "finalized_header", &HEADER, 0 },
             { "finality_branch", &BRANCH_OF_FINALITY, 0 }, { "sync_aggregate", &SYNC_AGGREGATE, 0 },
             { "signature_slot", &U64, 0 });
CONTAINER_OF(FINALITY, { "attested_header", &HEADER, 0 }, { "finalized_header", &HEADER, 0 },
             { "finality_branch", &BRANCH_OF_FINALITY, 0 }, { "sync_aggregate", &SYNC_AGGREGATE, 0 },
             { "signature_slot", &U64, 0 });
CONTAINER_OF(OPTIMISTIC, { "attested_header", &HEADER, 0 }, { "sync_aggregate", &SYNC_AGGREGATE, 0 },
             { "signature_slot", &U64, 0 });

const bn_type_t *bn_type(lc_kind_t kind)
{
    switch (kind) {
    case LC_BOOTSTRAP: return &BOOTSTRAP;
    case LC_UPDATE: return &UPDATE;
    case LC_FINALITY: return &FINALITY;
    default: return &OPTIMISTIC;
    }
}

/* Length of the Merkle branch of a generalized index. */
static size_t depth_of(uint64_t gindex)
{
    return 63u - (unsigned)__builtin_clzll(gindex);
}

size_t bn_size(const bn_form_t *c, const bn_type_t *t)
{
    switch (t->length) {
    case BN_COMMITTEE: return c->net->preset.committee_size;
    case BN_COMMITTEE_BITS: return c->net->preset.committee_size / 8;
    case BN_COMMITTEE_BRANCH:
        return depth_of(lc_layout(c->fork)->next_committee_gindex); /* as deep as the current one */
    case BN_EXECUTION_BRANCH: return lc_layout(c->fork)->execution_branch_len;
    case BN_FINALITY_BRANCH: return depth_of(lc_layout(c->fork)->finalized_gindex);
    default: return t->size;
    }
}

bool bn_has_field(const bn_form_t *c, const bn_field_t *f)
{
    return !f->forks || (f->forks >> c->fork & 1);
}

bool bn_is_variable(const bn_form_t *c, const bn_type_t *t)
{
    if (t->kind == BN_BYTE_LIST)
        return true;
    for (const bn_field_t *f = t->fields; f && f->name; f++)
        if (bn_has_field(c, f) && bn_is_variable(c, f->type))
            return true;
    return false;
}
