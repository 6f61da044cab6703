/* Block access lists, by the first byte as RLP or as JSON. What is read from RLP rises in address and key and is found
 * again; written as JSON and read back it is the same RLP. */
#include <stdlib.h>
#include <string.h>

#include "base/crypto/hash.h"
#include "lightclient/exec/changes.h"
#include "rpc/upstream/changes.h"
#include "tests/fuzz/fuzz.h"

#define ARENA_MAX ((size_t)64 << 20)

static void check_order(const ex_changes_t *c)
{
    for (size_t i = 0; i < c->account_count; i++) {
        const ex_account_change_t *a = &c->accounts[i];
        if (ex_changes_account(c, &a->addr) != a || a->slots + a->slot_count > c->slot_count)
            abort();
        for (size_t k = 0; k < a->slot_count; k++)
            if (ex_changes_slot(c, a, &c->slots[a->slots + k].key) != &c->slots[a->slots + k])
                abort();
    }
}

static rc_t from_json(view_t *out, arena_t *a, view_t text)
{
    jo_doc_t doc;
    const jo_t o = jo_open(&doc, NULL, text, SIZE_MAX, JO_LENIENT);
    const rc_t rc = jr_read_changes(out, a, &o, NULL);
    jo_close(&doc);
    return rc;
}

/* Reads a list; what has its form goes to JSON and comes back as it was. */
static void check_rlp(arena_t *a, view_t rlp)
{
    ex_changes_t c;
    hash32_t hash;
    view_t again;
    keccak256(&hash, rlp);
    if (ex_changes_verify(&c, NULL, a, &hash, rlp))
        return;
    check_order(&c);
    jw_t w = jw_of(a, ARENA_MAX);
    if (jr_put_changes(&w, NULL, rlp))
        return; /* a read slot that is no number: nobody looks at those but here */
    const view_t text = jw_done(&w);
    if (!from_json(&again, a, text) && !view_eq(again, rlp))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    arena_t a;
    view_t rlp;
    if (!len)
        return 0;
    arena_init(&a, ARENA_MAX);
    const view_t rest = view_of(data + 1, len - 1);
    if (data[0] & 1)
        check_rlp(&a, rest);
    else if (!from_json(&rlp, &a, rest))
        check_rlp(&a, rlp);
    arena_free(&a);
    return 0;
}
