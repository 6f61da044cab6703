/* amsterdam: block access lists (EIP-7928): Besu's exchanges of eth_getBlockAccessList and debug_getRawBlockAccessList, a
 * list that @ethereumjs made, and EEST's that a block must not have. The headers beside them are of the kind headers. */
#include <string.h>

#include "base/crypto/hash.h"
#include "base/hex.h"
#include "lightclient/exec/changes.h"
#include "rpc/upstream/changes.h"
#include "tests/vectors/same.h"
#include "tests/vectors/vec.h"

typedef struct {
    vec_t *v;
    arena_t arena;
} run_t;

/* A member of an object as a list; o itself without a key. */
static rc_t read_list(view_t *rlp, run_t *r, const json_t *tree, const char *key)
{
    jo_doc_t doc;
    err_t why = { 0 };
    char *text = json_dumps(tree, JSON_COMPACT);
    const jo_t o = jo_open(&doc, &why, view_str(text), SIZE_MAX, JO_LENIENT);
    const rc_t rc = jr_read_changes(rlp, &r->arena, &o, key);
    jo_close(&doc);
    free(text);
    return rc;
}

static rc_t verify(run_t *r, const hash32_t *expected, view_t rlp)
{
    ex_changes_t out;
    err_t why;
    return ex_changes_verify(&out, &why, &r->arena, expected, rlp);
}

/* --- Besu's exchanges --- */

static bool is_written_back(run_t *r, const json_t *want, view_t rlp)
{
    char why[400];
    jw_t w = jw_of(&r->arena, 1 << 20);
    if (jr_put_changes(&w, NULL, rlp))
        return false;
    const view_t text = jw_done(&w);
    json_t *got = json_loadb((const char *)text.p, text.n, 0, NULL);
    const bool same = same_json(why, sizeof why, want, got, NULL);
    json_decref(got);
    return same;
}

/* The bytes that debug_getRawBlockAccessList has for the block that an exchange asks for; p NULL: there are none. */
static view_t raw_of(run_t *r, const json_t *request)
{
    json_t *raw = vec_json(r->v, "amsterdam/rpc-besu/debug_getRawBlockAccessList_byHash.json");
    view_t rlp = { NULL, 0 };
    if (json_equal(json_object_get(json_object_get(raw, "request"), "params"), json_object_get(request, "params")))
        (void)vec_bytes(&rlp, &r->arena, json_object_get(json_object_get(raw, "response"), "result"));
    json_decref(raw);
    return rlp;
}

static void run_exchange(run_t *r, const char *file, const json_t *root)
{
    const json_t *request = json_object_get(root, "request"), *response = json_object_get(root, "response");
    const json_t *result = json_object_get(response, "result");
    view_t rlp = { NULL, 0 }, raw = raw_of(r, request);
    hash32_t hash;
    const bool is_raw = json_is_string(result);
    if (is_raw ? !vec_bytes(&rlp, &r->arena, result) : read_list(&rlp, r, response, "result") != RC_OK) {
        if (json_is_array(result) || is_raw)
            vec_fail(r->v, file, "the list is not read");
        else
            vec_pass(r->v); /* an error, or null */
        return;
    }
    keccak256(&hash, rlp);
    if (!is_raw && !json_is_array(result))
        vec_fail(r->v, file, "a list is read where there is none");
    else if (verify(r, &hash, rlp))
        vec_fail(r->v, file, "no list of the form that EIP-7928 says");
    else if (!is_raw && !is_written_back(r, result, rlp))
        vec_fail(r->v, file, "another JSON comes back");
    else if (!is_raw && raw.p && !view_eq(raw, rlp))
        vec_fail(r->v, file, "other bytes than debug_getRawBlockAccessList has");
    else
        vec_pass(r->v);
}

/* --- lists with names of EEST and @ethereumjs --- */

static void move(json_t *object, const char *from, const char *to)
{
    json_t *value = json_object_get(object, from);
    if (value) {
        json_object_set(object, to, value);
        json_object_del(object, from);
    }
}

static json_t *padded(const json_t *word)
{
    uint8_t bytes[32] = { 0 };
    char text[67] = "0x";
    (void)vec_hex_fixed(bytes, sizeof bytes, json_string_value(word));
    hex_encode(text + 2, view_of(bytes, sizeof bytes));
    return json_string(text);
}

/* A list of changes of one thing. */
static void rename_changes(json_t *list, const char *value, bool is_word)
{
    size_t i;
    json_t *change;
    json_array_foreach (list, i, change) {
        move(change, "blockAccessIndex", "index");
        move(change, value, strcmp(value, "newCode") ? "value" : "code");
        if (is_word)
            json_object_set_new(change, "value", padded(json_object_get(change, "value")));
    }
}

/* The names of execution-apis instead. */
static void rename_list(json_t *list)
{
    size_t i, k;
    json_t *account, *slot, *read;
    json_array_foreach (list, i, account) {
        rename_changes(json_object_get(account, "nonceChanges"), "postNonce", false);
        rename_changes(json_object_get(account, "balanceChanges"), "postBalance", false);
        rename_changes(json_object_get(account, "codeChanges"), "newCode", false);
        json_array_foreach (json_object_get(account, "storageChanges"), k, slot) {
            json_object_set_new(slot, "key", padded(json_object_get(slot, "slot")));
            move(slot, "slotChanges", "changes");
            rename_changes(json_object_get(slot, "changes"), "postValue", true);
        }
        json_array_foreach (json_object_get(account, "storageReads"), k, read)
            json_array_set_new(json_object_get(account, "storageReads"), k, padded(read));
    }
}

/* A list, what is to be said of its form and order, and the hash in its block's header, which is another (NULL: there is
 * no header). */
static void run_list(run_t *r, const char *name, json_t *list, const char *header_hash, rc_t by_form)
{
    view_t rlp;
    hash32_t hash, own;
    rename_list(list);
    if (read_list(&rlp, r, list, NULL) != RC_OK) {
        vec_fail(r->v, name, "the list is not read");
        return;
    }
    keccak256(&own, rlp);
    if (verify(r, &own, rlp) != by_form)
        vec_fail(r->v, name, "its form and order are not judged rightly");
    else if (header_hash && (!vec_hex_fixed(hash.b, sizeof hash.b, header_hash) || verify(r, &hash, rlp) == RC_OK))
        vec_fail(r->v, name, "it passes for a list that its block's header does not name");
    else
        vec_pass(r->v);
}

static void run_test(run_t *r, const char *file, json_t *root)
{
    const char *name;
    json_t *test, *block;
    size_t i;
    const bool broken = strstr(file, "order") || strstr(file, "duplicate");
    json_object_foreach (root, name, test)
        json_array_foreach (json_object_get(test, "blocks"), i, block) {
            json_t *decoded = json_object_get(block, "rlp_decoded");
            run_list(r, file, json_object_get(decoded, "blockAccessList"),
                     vec_str(json_object_get(decoded, "blockHeader"), "blockAccessListHash"),
                     broken ? RC_UNSUPPORTED : RC_OK);
        }
}

void vec_kind_amsterdam(vec_t *v)
{
    run_t r = { .v = v };
    arena_init(&r.arena, 256u << 20);
    char **files = vec_walk(v, &r.arena, "amsterdam", ".json");
    for (; files && *files; files++) {
        json_t *root = vec_json(v, "%s", *files);
        if (json_object_get(root, "response"))
            run_exchange(&r, *files, root);
        else if (strstr(*files, "/bal-") && json_is_array(root))
            run_list(&r, *files, root, NULL, RC_OK);
        else if (strstr(*files, "/bal-"))
            run_test(&r, *files, root);
        json_decref(root);
    }
    arena_free(&r.arena);
}
