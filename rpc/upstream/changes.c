#include "rpc/upstream/changes.h"

#include "lightclient/exec/changes.h"
#include "lightclient/exec/query.h"
#include "lightclient/rlp/rlp.h"

#define CAP_FIRST (EX_CHANGES_RLP_MAX >> 8) /* bytes of the first try; sixteen times as many for each further one */

/* ---- JSON to RLP ---- */

static void put_number(wr_t *w, const jo_t *o, const char *key)
{
    const u256_t x = jo_padded256(o, key, HEX_0X);
    rlp_put_u256(w, &x);
}

/* [[index, value] ...]; the code of an account is bytes, all else numbers. */
static void put_changes(wr_t *w, arena_t *a, const jo_t *o, const char *key, const char *value)
{
    const size_t began = w->n;
    jo_t list = jo_list(o, key, 0, SIZE_MAX), one;
    while (jo_next(&list, &one)) {
        const size_t change = w->n;
        put_number(w, &one, "index");
        if (strcmp(value, "code"))
            put_number(w, &one, value);
        else
            rlp_put_bytes(w, jo_bytes(&one, a, value, 0, EX_CODE_MAX, HEX_0X));
        rlp_wrap_list(w, change);
    }
    rlp_wrap_list(w, began);
}

static void put_writes(wr_t *w, arena_t *a, const jo_t *o)
{
    const size_t began = w->n;
    jo_t list = jo_list(o, "storageChanges", 0, SIZE_MAX), one;
    while (jo_next(&list, &one)) {
        const size_t slot = w->n;
        put_number(w, &one, "key");
        put_changes(w, a, &one, "changes", "value");
        rlp_wrap_list(w, slot);
    }
    rlp_wrap_list(w, began);
}

static void put_reads(wr_t *w, const jo_t *o)
{
    const size_t began = w->n;
    jo_t list = jo_list(o, "storageReads", 0, SIZE_MAX), one;
    while (jo_next(&list, &one))
        put_number(w, &one, NULL);
    rlp_wrap_list(w, began);
}

static void put_account(wr_t *w, arena_t *a, const jo_t *o)
{
    const size_t began = w->n;
    addr_t addr = { { 0 } };
    jo_hex(o, addr.b, sizeof addr.b, "address", HEX_0X);
    rlp_put_bytes(w, view_of(addr.b, sizeof addr.b));
    put_writes(w, a, o);
    put_reads(w, o);
    put_changes(w, a, o, "balanceChanges", "value");
    put_changes(w, a, o, "nonceChanges", "value");
    put_changes(w, a, o, "codeChanges", "code");
    rlp_wrap_list(w, began);
}

rc_t jr_read_changes(view_t *rlp, arena_t *a, const jo_t *o, const char *key)
{
    for (size_t cap = CAP_FIRST; !jo_rc(o); cap *= 16) {
        const arena_mark_t mark = arena_mark(a);
        jo_t list = jo_list(o, key, 0, SIZE_MAX), one;
        uint8_t *buf = arena_alloc(a, cap);
        if (!buf) {
            arena_rollback(a, mark);
            return jo_fail(o, key, RC_NOMEM, "out of memory");
        }
        wr_t w = wr_of(buf, cap);
        while (!w.bad && jo_next(&list, &one))
            put_account(&w, a, &one);
        rlp_wrap_list(&w, 0);
        if (!jo_rc(o) && !w.bad) {
            *rlp = wr_view(&w);
            break;
        }
        arena_rollback(a, mark); /* whatever else its answer has finds the memory */
        if (jo_rc(o))
            break;
        if (cap >= EX_CHANGES_RLP_MAX)
            return jo_fail(o, key, RC_LIMIT, "is longer than any block's");
    }
    return jo_rc(o);
}

/* ---- RLP to JSON ---- */

/* Stops at what has another form: nothing of a list is left out of its JSON. */
static void demand(rc_t *rc, bool holds)
{
    if (!*rc && !holds)
        *rc = RC_MALFORMED;
}

/* The next item of a list, or false at its end and at the first fault. */
static bool next(rlp_item_t *out, view_t *rest, rc_t *rc)
{
    if (*rc || !rest->n)
        return false;
    *rc = rlp_next(out, rest);
    return !*rc;
}

/* The n fields of an item, which is a list of no more. */
static bool fields_of(rlp_item_t *f, size_t n, const rlp_item_t *item, rc_t *rc)
{
    size_t count = 0;
    demand(rc, item->is_list);
    if (!*rc)
        *rc = rlp_split(f, &count, n, item->payload);
    demand(rc, count == n);
    return !*rc;
}

static void write_word(jw_t *w, const char *key, const rlp_item_t *item, rc_t *rc)
{
    u256_t x;
    uint8_t word[32];
    if (!*rc && !(*rc = rlp_u256(&x, item))) {
        u256_to_be32(word, &x);
        jw_hex(w, key, view_of(word, sizeof word));
    }
}

static void write_quantity(jw_t *w, const char *key, const rlp_item_t *item, rc_t *rc)
{
    u256_t x;
    if (!*rc && !(*rc = rlp_u256(&x, item)))
        jw_quantity256(w, key, &x);
}

static void write_bytes(jw_t *w, const char *key, const rlp_item_t *item, rc_t *rc)
{
    demand(rc, !item->is_list);
    if (!*rc)
        jw_hex(w, key, item->payload);
}

typedef void (*write_fn)(jw_t *w, const char *key, const rlp_item_t *item, rc_t *rc);

/* name: of the value, which put writes. */
static void write_changes(jw_t *w, const char *key, const rlp_item_t *list, const char *name, write_fn put, rc_t *rc)
{
    rlp_item_t change, f[2];
    demand(rc, list->is_list);
    jw_array(w, key);
    for (view_t rest = list->payload; next(&change, &rest, rc) && fields_of(f, 2, &change, rc);) {
        jw_object(w, NULL);
        write_quantity(w, "index", &f[0], rc);
        put(w, name, &f[1], rc);
        jw_end(w);
    }
    jw_end(w);
}

static void write_storage(jw_t *w, const rlp_item_t *writes, const rlp_item_t *reads, rc_t *rc)
{
    rlp_item_t slot, f[2];
    demand(rc, writes->is_list && reads->is_list);
    jw_array(w, "storageChanges");
    for (view_t rest = writes->payload; next(&slot, &rest, rc) && fields_of(f, 2, &slot, rc);) {
        jw_object(w, NULL);
        write_word(w, "key", &f[0], rc);
        write_changes(w, "changes", &f[1], "value", write_word, rc);
        jw_end(w);
    }
    jw_end(w);
    jw_array(w, "storageReads");
    for (view_t rest = reads->payload; next(&slot, &rest, rc);)
        write_word(w, NULL, &slot, rc);
    jw_end(w);
}

static void write_account(jw_t *w, const rlp_item_t *account, rc_t *rc)
{
    rlp_item_t f[6];
    if (!fields_of(f, 6, account, rc))
        return;
    demand(rc, f[0].payload.n == sizeof(addr_t));
    jw_object(w, NULL);
    write_bytes(w, "address", &f[0], rc);
    write_storage(w, &f[1], &f[2], rc);
    write_changes(w, "balanceChanges", &f[3], "value", write_quantity, rc);
    write_changes(w, "nonceChanges", &f[4], "value", write_quantity, rc);
    write_changes(w, "codeChanges", &f[5], "code", write_bytes, rc);
    jw_end(w);
}

rc_t jr_put_changes(jw_t *w, const char *key, view_t rlp)
{
    rlp_item_t list, account;
    rc_t rc = rlp_decode(&list, rlp);
    if (rc)
        return rc;
    demand(&rc, list.is_list);
    jw_array(w, key);
    for (view_t rest = list.payload; next(&account, &rest, &rc);)
        write_account(w, &account, &rc);
    jw_end(w);
    return rc == RC_LIMIT ? RC_MALFORMED : rc; /* more fields than there are */
}
