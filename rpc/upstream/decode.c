#include "rpc/upstream/decode.h"

#include <stddef.h>

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
    FIXED("blockAccessListHash", block_access_list_hash),
    WORD64("slotNumber", slot_number),
};

static void read_field(ex_header_t *h, const jo_t *o, const field_t *f)
{
    uint8_t *out = (uint8_t *)h + f->at;
    if (f->form == FIELD_FIXED) {
        jo_hex(o, out, f->n, f->name, HEX_0X);
    } else if (f->form == FIELD_U64) {
        const uint64_t x = jo_quantity(o, f->name);
        memcpy(out, &x, sizeof x);
    } else {
        const u256_t x = jo_quantity256(o, f->name);
        memcpy(out, &x, sizeof x);
    }
}

static void read_extra_data(ex_header_t *h, const jo_t *o)
{
    const size_t chars = jo_text(o, "extraData", 2, 2 + 2 * EX_EXTRA_DATA_MAX).n;
    const size_t len = chars ? chars / 2 - 1 : 0; /* an odd digit makes jo_hex refuse the text */
    if (jo_hex(o, h->extra_data, len, "extraData", HEX_0X))
        h->extra_data_len = (uint8_t)len;
}

/* The optional fields come in order and without gaps. */
static void read_tail(ex_header_t *h, const jo_t *o)
{
    bool ended = false;
    for (size_t i = 0; i < sizeof tail_fields / sizeof tail_fields[0]; i++) {
        if (!jo_has(o, tail_fields[i].name)) {
            ended = true;
            continue;
        }
        if (ended)
            jo_fail(o, tail_fields[i].name, RC_MALFORMED, "stands without a field that came before it");
        read_field(h, o, &tail_fields[i]);
        h->tail++;
    }
}

rc_t jr_read_head(ex_header_t *out, const jo_t *o)
{
    ex_header_t h = { .tail = 0 };
    for (size_t i = 0; i < sizeof head_fields / sizeof head_fields[0]; i++)
        read_field(&h, o, &head_fields[i]);
    read_extra_data(&h, o);
    read_tail(&h, o);
    jo_rest(o);
    if (!jo_rc(o))
        *out = h;
    return jo_rc(o);
}

rc_t jr_read_header(ex_header_t *out, const jo_t *o)
{
    ex_header_t h;
    rc_t rc = jr_read_head(&h, o);
    if (!rc && !ex_header_tail_known(h.tail))
        rc = jo_fail(o, NULL, RC_MALFORMED, "has %u fields, and no header has so many", EX_HEADER_FIXED + h.tail);
    if (!rc)
        *out = h;
    return rc;
}

/* Whether a name is among so many fields. */
static bool is_field(const field_t *fields, size_t count, const char *name)
{
    size_t i = 0;
    while (i < count && strcmp(fields[i].name, name))
        i++;
    return i < count;
}

bool jr_block_has_more(const jo_t *o)
{
    static const char *const others[] = { "extraData", "hash",         "size",       "totalDifficulty",
                                          "uncles",    "transactions", "withdrawals" };
    jo_t members = *o, one;
    while (jo_next(&members, &one)) {
        size_t i = 0;
        while (i < sizeof others / sizeof others[0] && strcmp(others[i], one.name))
            i++;
        if (i == sizeof others / sizeof others[0] &&
            !is_field(head_fields, sizeof head_fields / sizeof head_fields[0], one.name) &&
            !is_field(tail_fields, sizeof tail_fields / sizeof tail_fields[0], one.name))
            return true;
    }
    return false;
}

/* An array for the elements of a list. NULL, with a fault of the list: out of memory. */
static void *rows(arena_t *a, const jo_t *list, size_t size)
{
    void *p = arena_calloc(a, jo_size(list), size);
    if (!p)
        jo_fail(list, NULL, RC_NOMEM, "out of memory");
    return p;
}

static void read_nodes(ex_nodes_t *out, arena_t *a, const jo_t *o, const char *key)
{
    jo_t list = jo_list(o, key, 0, MPT_PROOF_NODES_MAX + 1), node; /* one empty element more is known to happen */
    view_t *nodes = rows(a, &list, sizeof *nodes);
    *out = (ex_nodes_t){ nodes, jo_size(&list) };
    while (nodes && jo_next(&list, &node))
        nodes[node.index] = jo_bytes(&node, a, NULL, 0, SIZE_MAX, HEX_0X);
}

static void read_slot(ex_slot_answer_t *out, arena_t *a, const jo_t *o)
{
    out->key = jo_padded256(o, "key", HEX_0X);
    out->value = jo_padded256(o, "value", HEX_0X);
    read_nodes(&out->proof, a, o, "proof");
}

rc_t jr_read_proof(ex_proof_answer_t *out, arena_t *a, const jo_t *o, size_t slots_max)
{
    jo_hex(o, out->address.b, sizeof out->address.b, "address", HEX_0X);
    out->nonce = jo_quantity(o, "nonce");
    out->balance = jo_quantity256(o, "balance");
    jo_hex(o, out->code_hash.b, sizeof out->code_hash.b, "codeHash", HEX_0X);
    jo_hex(o, out->storage_hash.b, sizeof out->storage_hash.b, "storageHash", HEX_0X);
    read_nodes(&out->account_proof, a, o, "accountProof");
    jo_t list = jo_list(o, "storageProof", 0, slots_max), slot;
    out->slot_count = jo_size(&list);
    out->slots = rows(a, &list, sizeof *out->slots);
    while (out->slots && jo_next(&list, &slot))
        read_slot(&out->slots[slot.index], a, &slot);
    return jo_rc(o);
}

static void read_access(evm_access_t *out, arena_t *a, const jo_t *o)
{
    jo_hex(o, out->addr.b, sizeof out->addr.b, "address", HEX_0X);
    jo_t list = jo_list(o, "storageKeys", 0, SIZE_MAX), key;
    hash32_t *keys = rows(a, &list, sizeof *keys);
    out->keys = keys;
    out->key_count = jo_size(&list);
    while (keys && jo_next(&list, &key))
        jo_hex(&key, keys[key.index].b, sizeof keys[key.index].b, NULL, HEX_0X);
}

rc_t jr_read_access_list(const evm_access_t **out, size_t *count, arena_t *a, const jo_t *o)
{
    jo_t list = jo_list(o, NULL, 0, SIZE_MAX), entry;
    evm_access_t *access = rows(a, &list, sizeof *access);
    *out = access;
    *count = jo_size(&list);
    while (access && jo_next(&list, &entry))
        read_access(&access[entry.index], a, &entry);
    return jo_rc(o);
}
