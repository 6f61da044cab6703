#include "rpc/upstream/json.h"

/* One field of a header: how it is written and where it goes. */
enum { FIELD_FIXED, FIELD_U64, FIELD_U256 };

typedef struct {
    const char *name;
    int form;
    size_t at, n; /* place in ex_header_t */
} field_t;

#define FIXED(name, member)                                                                                            \
    {                                                                                                                  \
        name, FIELD_FIXED, offsetof(ex_header_t, member), sizeof((ex_header_t *)0)->member                             \
    }
#define WORD64(name, member)                                                                                           \
    {                                                                                                                  \
        name, FIELD_U64, offsetof(ex_header_t, member), 8                                                              \
    }
#define WORD256(name, member)                                                                                          \
    {                                                                                                                  \
        name, FIELD_U256, offsetof(ex_header_t, member), 32                                                            \
    }

static const field_t head_fields[] = {
    FIXED("parentHash", parent_hash),
    FIXED("sha3Uncles", ommers_hash),
    FIXED("miner", coinbase),
    FIXED("stateRoot", state_root),
    FIXED("transactionsRoot", transactions_root),
    FIXED("receiptsRoot", receipts_root),
    FIXED("logsBloom", logs_bloom),
    WORD256("difficulty", difficulty),
    WORD64("number", number),
    WORD64("gasLimit", gas_limit),
    WORD64("gasUsed", gas_used),
    WORD64("timestamp", timestamp),
    FIXED("mixHash", mix_hash),
    FIXED("nonce", nonce),
};

static const field_t tail_fields[] = {
    WORD256("baseFeePerGas", base_fee),
    FIXED("withdrawalsRoot", withdrawals_root),
    WORD64("blobGasUsed", blob_gas_used),
    WORD64("excessBlobGas", excess_blob_gas),
    FIXED("parentBeaconBlockRoot", parent_beacon_root),
    FIXED("requestsHash", requests_hash),
};

static bool read_field(ex_header_t *h, const field_t *f, const json_t *block)
{
    const json_t *value = json_object_get(block, f->name);
    void *out = (uint8_t *)h + f->at;
    if (f->form == FIELD_FIXED)
        return jr_fixed(out, f->n, value);
    return f->form == FIELD_U64 ? jr_u64(out, value) : jr_u256(out, value);
}

rc_t jr_header(ex_header_t *out, const char **field, const json_t *block)
{
    ex_header_t h = { .tail = 0 };
    const json_t *extra = json_object_get(block, "extraData");
    const size_t extra_len = json_string_length(extra) / 2 - 1; /* when it is well-formed: "0x" and two digits each */
    for (size_t i = 0; i < sizeof head_fields / sizeof head_fields[0]; i++)
        if (!read_field(&h, &head_fields[i], block)) {
            *field = head_fields[i].name;
            return RC_MALFORMED;
        }
    *field = "extraData";
    if (extra_len > EX_EXTRA_DATA_MAX || !jr_fixed(h.extra_data, extra_len, extra))
        return RC_MALFORMED;
    h.extra_data_len = (uint8_t)extra_len;
    bool ended = false; /* the optional fields come in order and without gaps */
    for (size_t i = 0; i < sizeof tail_fields / sizeof tail_fields[0]; i++) {
        *field = tail_fields[i].name;
        const json_t *value = json_object_get(block, tail_fields[i].name);
        if (!value || json_is_null(value)) {
            ended = true;
            continue;
        }
        if (ended || !read_field(&h, &tail_fields[i], block))
            return RC_MALFORMED;
        h.tail++;
    }
    *field = NULL;
    *out = h;
    return RC_OK;
}

static bool read_nodes(ex_nodes_t *out, arena_t *a, const json_t *list)
{
    size_t n = json_array_size(list);
    if (!json_is_array(list) || n > MPT_PROOF_NODES_MAX + 1) /* one empty element more is known to happen */
        return false;
    view_t *nodes = arena_calloc(a, n, sizeof *nodes);
    for (size_t i = 0; i < n; i++)
        if (!nodes || !jr_bytes(&nodes[i], a, json_array_get(list, i)))
            return false;
    *out = (ex_nodes_t){ nodes, n };
    return nodes != NULL;
}

/* Returns the field at fault, or NULL. */
static const char *read_slot(ex_slot_answer_t *out, arena_t *a, json_t *slot)
{
    static const char *const names[] = { "key", "value", "proof", NULL };
    const char *unknown;
    if (!json_is_object(slot))
        return "storageProof element";
    if (!json_only_members(&unknown, slot, names))
        return unknown;
    if (!jr_word(&out->key, json_object_get(slot, "key")))
        return "storageProof key";
    if (!jr_word(&out->value, json_object_get(slot, "value")))
        return "storageProof value";
    return read_nodes(&out->proof, a, json_object_get(slot, "proof")) ? NULL : "storageProof proof";
}

const char *jr_proof(ex_proof_answer_t *out, arena_t *a, json_t *result, size_t slots_max)
{
    static const char *const names[] = { "address", "accountProof", "balance",      "codeHash",
                                         "nonce",   "storageHash",  "storageProof", NULL };
    const char *unknown;
    const json_t *slots = json_object_get(result, "storageProof");
    if (!json_is_object(result))
        return "result";
    if (!json_only_members(&unknown, result, names))
        return unknown;
    if (!jr_fixed(out->address.b, sizeof out->address.b, json_object_get(result, "address")))
        return "address";
    if (!jr_u64(&out->nonce, json_object_get(result, "nonce")))
        return "nonce";
    if (!jr_u256(&out->balance, json_object_get(result, "balance")))
        return "balance";
    if (!jr_fixed(out->code_hash.b, sizeof out->code_hash.b, json_object_get(result, "codeHash")))
        return "codeHash";
    if (!jr_fixed(out->storage_hash.b, sizeof out->storage_hash.b, json_object_get(result, "storageHash")))
        return "storageHash";
    if (!read_nodes(&out->account_proof, a, json_object_get(result, "accountProof")))
        return "accountProof";
    out->slot_count = json_array_size(slots);
    if (!json_is_array(slots) || out->slot_count > slots_max)
        return "storageProof";
    out->slots = arena_calloc(a, out->slot_count, sizeof *out->slots);
    const char *field = out->slots ? NULL : "storageProof";
    for (size_t i = 0; i < out->slot_count && !field; i++)
        field = read_slot(&out->slots[i], a, json_array_get(slots, i));
    return field;
}
