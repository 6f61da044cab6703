#include "rpc/api/rpc.h"

#include "lightclient/exec/head.h"
#include "lightclient/exec/logs.h"
#include "lightclient/exec/simulate.h"
#include "lightclient/exec/then.h"
#include "lightclient/exec/wait.h"
#include "rpc/api/past.h"

#include <ctype.h>
#include <stdlib.h>

#define PLAIN_DIGITS_MAX 18u /* of an id that any reader of JSON takes for a number */
#define ESCAPE_LEN 6u        /* of \uXXXX in a text */
#define NAME_MAX_LEN 2048u   /* bytes of a method's name, as in geth */

#define AGAIN_ARENA_MAX ((size_t)128 << 20)

typedef struct {
    api_call_t call;
    view_t text; /* the whole of it */
    view_t id;   /* its text; p NULL: null */
    bool silent; /* a notification */
    bool twice;  /* its function was to be called again: it has */
    bool held;   /* it waits for those before it */
    bool over;   /* its result or error is there */
    arena_t own; /* memory of its own, as others run at the same time */
    ex_block_t at;
    bool ended; /* so has its query, */
    rc_t rc;    /* and how */
    err_t why;
} item_t;

struct api_rpc {
    api_world_t world;
    arena_t *arena;
    bool batch; /* the answer is a list */
    size_t count;
    item_t *items;
    size_t held;  /* of them */
    size_t bytes; /* of the results before the call that is being begun */
    bool open;    /* of these not all are known */
};

/* ---- ids as they are written: the text is known to be JSON by now ---- */

static size_t skip_space(view_t t, size_t at)
{
    while (at < t.n && (t.p[at] == ' ' || t.p[at] == '\t' || t.p[at] == '\n' || t.p[at] == '\r'))
        at++;
    return at;
}

/* The end of the value that begins at a place. */
static size_t value_end(view_t t, size_t at)
{
    size_t depth = 0;
    bool quoted = false;
    for (; at < t.n; at++) {
        const uint8_t b = t.p[at];
        if (quoted) {
            at += b == '\\';
            quoted = b != '"';
        } else if (b == '"')
            quoted = true;
        else if (b == '{' || b == '[')
            depth++;
        else if (b == '}' || b == ']') {
            if (!depth--)
                return at;
        } else if (!depth && (b == ',' || b == ':' || skip_space(t, at) != at))
            return at;
        else if (!depth)
            continue; /* inside a number or a word */
        if (!depth && !quoted)
            return at + 1;
    }
    return t.n;
}

/* The elements of a list, or the members of an object: the value at *at, which moves behind it. False: no more. */
static bool next_value(view_t *out, view_t t, size_t *at)
{
    const size_t from = skip_space(t, *at);
    if (from >= t.n || t.p[from] == ']' || t.p[from] == '}')
        return false;
    const size_t end = value_end(t, from);
    *out = view_of(t.p + from, end - from);
    *at = skip_space(t, end);
    *at += *at < t.n && (t.p[*at] == ',' || t.p[*at] == ':');
    return end > from;
}

/* Whether a name, as it is written, is "id". */
static bool is_id(view_t name)
{
    static const char *const forms[] = { "\"id\"", "\"\\u0069d\"", "\"i\\u0064\"", "\"\\u0069\\u0064\"" };
    bool is = false;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        is |= view_eq(name, view_str(forms[i]));
    return is;
}

/* The text of an object's id; p NULL: it has none. */
static view_t raw_id(view_t object)
{
    size_t at = skip_space(object, 0) + 1;
    view_t name, value;
    while (next_value(&name, object, &at) && next_value(&value, object, &at))
        if (is_id(name))
            return value;
    return view_of(NULL, 0);
}

static size_t digits_end(view_t t, size_t at)
{
    while (at < t.n && t.p[at] >= '0' && t.p[at] <= '9')
        at++;
    return at;
}

static bool is_one_of(view_t t, size_t at, const char *chars)
{
    return at < t.n && t.p[at] && strchr(chars, t.p[at]);
}

/* A number as JSON has it, of any size. */
static bool is_number(view_t t)
{
    const size_t from = is_one_of(t, 0, "-");
    size_t end = digits_end(t, from), begin;
    if (end == from || (t.p[from] == '0' && end > from + 1))
        return false;
    if (is_one_of(t, end, ".")) {
        begin = end + 1;
        end = digits_end(t, begin);
        if (end == begin)
            return false;
    }
    if (is_one_of(t, end, "eE")) {
        begin = end + 1 + is_one_of(t, end + 1, "+-");
        end = digits_end(t, begin);
        if (end == begin)
            return false;
    }
    return end == t.n;
}

/* Whether it is a number that perhaps no reader here can hold. */
static bool is_large(view_t id)
{
    return (id.n > PLAIN_DIGITS_MAX || (id.n && (memchr(id.p, 'e', id.n) || memchr(id.p, 'E', id.n)))) && is_number(id);
}

/* Where the next \uXXXX of a text begins, from a place on; its end: there is none. */
static size_t next_escape(view_t t, size_t at)
{
    for (; at + ESCAPE_LEN < t.n; at++) {
        if (t.p[at] != '\\')
            continue;
        size_t digits = 0;
        while (t.p[at + 1] == 'u' && digits < 4 && isxdigit(t.p[at + 2 + digits]))
            digits++;
        if (digits == 4)
            return at;
        at++;
    }
    return t.n;
}

/* What no reader here can hold of an object's id is something else in the copy: a number 0, an escape of a text, which
 * may be a zero or half a character, spaces. */
static bool blank_id(uint8_t **copy, arena_t *a, view_t body, view_t object)
{
    const size_t start = skip_space(object, 0);
    const view_t id = start < object.n && object.p[start] == '{' ? raw_id(object) : view_of(NULL, 0);
    const bool large = is_large(id);
    size_t at = id.n && id.p[0] == '"' ? next_escape(id, 0) : id.n;
    if (!large && at == id.n)
        return true;
    if (!*copy && !(*copy = (uint8_t *)(uintptr_t)arena_dup(a, body).p))
        return false;
    uint8_t *const p = *copy + (id.p - body.p);
    if (large) {
        memset(p, ' ', id.n);
        p[0] = '0';
    }
    for (; at < id.n; at = next_escape(id, at + ESCAPE_LEN))
        memset(p + at, ' ', ESCAPE_LEN);
    return true;
}

/* A body as it is read: ids are only ever repeated, so what cannot be read of them is blanked there. p NULL: no
 * memory. */
static view_t readable(arena_t *a, view_t body)
{
    uint8_t *copy = NULL;
    size_t at = skip_space(body, 0);
    view_t element;
    bool ok = blank_id(&copy, a, body, body);
    if (at < body.n && body.p[at++] == '[')
        while (ok && next_value(&element, body, &at))
            ok = blank_id(&copy, a, body, element);
    return !ok ? view_of(NULL, 0) : copy ? view_of(copy, body.n) : body;
}

bool api_rpc_at_once(view_t body)
{
    size_t at = skip_space(body, 0);
    view_t name, value;
    if (body.n > API_RPC_AT_ONCE || at >= body.n || body.p[at++] != '{')
        return false;
    while (next_value(&name, body, &at) && next_value(&value, body, &at)) {
        if (value.n < 2 || !view_eq(name, view_str("\"method\"")))
            continue;
        const api_method_t *m = api_method(view_of(value.p + 1, value.n - 2));
        return m && !m->params_max && !(m->wants & (WANTS_STATE | FORWARDS));
    }
    return false;
}

/* An id that stands for itself: digits, or a text of letters, digits and dashes. */
static bool is_plain_id(view_t id)
{
    const bool quoted = id.n >= 2 && id.p[0] == '"';
    const view_t text = quoted ? view_of(id.p + 1, id.n - 2) : id;
    bool plain = text.n > 0 && text.n <= (quoted ? 64 : PLAIN_DIGITS_MAX);
    for (size_t i = 0; i < text.n && plain; i++) {
        const uint8_t c = text.p[i], letter = c | 0x20;
        plain = (c >= '0' && c <= '9') || (quoted && ((letter >= 'a' && letter <= 'z') || c == '-'));
    }
    return plain && (quoted ? id.p[id.n - 1] == '"' : text.p[0] != '0' || text.n == 1);
}

bool api_rpc_split(view_t *before, view_t *id, view_t *after, view_t body)
{
    const size_t at = skip_space(body, 0);
    if (at >= body.n || body.p[at] != '{')
        return false;
    *id = raw_id(body);
    if (!id->p || !is_plain_id(*id))
        return false;
    const size_t start = (size_t)(id->p - body.p);
    *before = view_of(body.p, start);
    *after = view_of(id->p + id->n, body.n - start - id->n);
    return true;
}

/* ---- one call ---- */

/* An id that an answer can repeat: present, neither object nor list. */
static bool has_id(const jo_t *o)
{
    const jo_kind_t kind = jo_kind(o, "id");
    return kind != JO_ABSENT && kind != JO_OBJECT && kind != JO_LIST;
}

static void read_id(item_t *it, const jo_t *o, view_t text)
{
    if (has_id(o))
        it->id = raw_id(text);
}

/* The positional parameters; those that are left out stand as absent ones. False: the call has failed. */
static bool read_params(jo_t args[API_PARAMS_MAX], jo_t *list, api_call_t *c, const jo_t *o)
{
    const api_method_t *m = c->method;
    const jo_kind_t kind = jo_kind(o, "params");
    size_t n = 0;
    if (kind == JO_LIST)
        *list = jo_list(o, "params", 0, SIZE_MAX);
    else if (kind != JO_ABSENT && kind != JO_NULL)
        api_fail(c, API_INVALID_PARAMS, "non-array args");
    else
        *list = (jo_t){ .doc = o->doc, .up = o, .name = "params" };
    if (c->error)
        return false;
    if (jo_size(list) > m->params_max) {
        api_fail(c, API_INVALID_PARAMS, "too many arguments, want at most %u", m->params_max);
        return false;
    }
    for (jo_t arg; jo_next(list, &arg);)
        args[n++] = arg;
    for (size_t i = n; i < API_PARAMS_MAX; i++)
        args[i] = (jo_t){ .doc = o->doc, .up = list, .index = i };
    for (unsigned i = 0; i < m->params_min; i++)
        if (!jo_has(&args[i], NULL)) {
            api_fail(c, API_INVALID_PARAMS, "missing value for required argument %u", i);
            return false;
        }
    return true;
}

/* Turns a fault of the reader into an error: "params[0].gas" is argument 0. */
static void fail_argument(api_call_t *c, rc_t rc, const err_t *e)
{
    char *rest = NULL;
    const bool numbered = !strncmp(e->field, "params[", 7);
    const unsigned long index = numbered ? strtoul(e->field + 7, &rest, 10) : 0;
    const char *path = numbered && *rest == ']' ? rest + 1 : e->field;
    path += *path == '.';
    if (rc == RC_NOMEM)
        api_fail(c, API_INTERNAL, "out of memory");
    else if (rc == RC_REFUSED) /* well-formed, and still not to be had: geth finds that later */
        api_fail(c, API_FAILED, "%s", e->text);
    else
        api_fail(c, API_INVALID_PARAMS, "invalid argument %lu: %s%s%s", index, path, *path ? ": " : "", e->text);
}

static void begin_method(api_call_t *c, const jo_t *o, const err_t *e)
{
    jo_t args[API_PARAMS_MAX], list;
    if (!read_params(args, &list, c, o))
        return;
    if (c->world->not_ready && (!c->world->chain || (c->method->wants & WANTS_HEAD))) {
        api_fail(c, API_UNAVAILABLE, "%s", c->world->not_ready);
        return;
    }
    c->method->begin(c, args);
    if (jo_rc(o))
        fail_argument(c, jo_rc(o), e);
}

/* The block that the function wanted is proven: calls it again. Once what it then asked for is there, nothing more. */
static rc_t begin_again(void *ctx, query_t **out, err_t *e, const query_t *done)
{
    item_t *it = ctx;
    api_call_t *c = &it->call;
    jo_doc_t doc;
    err_t fault = { .rc = RC_OK };
    (void)e;
    if (!c->again)
        return RC_OK;
    const ex_history_result_t *r = ex_history_result(done);
    c->again = false;
    c->arena = &it->own;
    c->out = jw_of(&it->own, API_RESULT_MAX);
    if (!r->count) {
        api_fail(c, API_FAILED, "header for hash not found");
        return RC_OK;
    }
    const ex_full_block_t *b = &r->blocks[0].block;
    ex_block_of_header(&it->at, &b->header, &b->hash, c->world->chain->chain_id);
    c->at = &it->at;
    const view_t text = readable(&it->own, it->text);
    if (!text.p)
        return RC_NOMEM;
    const jo_t o = jo_open(&doc, &fault, text, API_RPC_BODY_MAX, JO_LENIENT);
    begin_method(c, &o, &fault);
    jo_close(&doc);
    *out = c->query;
    c->query = NULL;
    return RC_OK;
}

/* Has the block that the function wants proven first. */
static void find_first(item_t *it)
{
    api_call_t *c = &it->call;
    query_t *first = c->query;
    err_t e;
    c->query = NULL;
    if (c->error) {
        query_free(first);
        c->again = false;
        return;
    }
    arena_init(&it->own, AGAIN_ARENA_MAX);
    it->twice = true;
    if (ex_then_new(&c->query, &e, first, begin_again, it))
        api_fail(c, API_INTERNAL, "out of memory");
}

static bool is_version_2(const jo_t *o)
{
    return jo_kind(o, "jsonrpc") == JO_TEXT && view_eq(jo_text(o, "jsonrpc", 0, SIZE_MAX), view_str("2.0"));
}

/* Begins a call whose method is known, unless those before it have to come to their end first. */
static void begin_known(item_t *it, api_rpc_t *r, const jo_t *o, const err_t *e)
{
    api_call_t *c = &it->call;
    if (r->bytes > API_RESULT_MAX)
        api_fail(c, API_TOO_LARGE, "response too large");
    else if (r->open && (c->method->wants & ACTS)) {
        it->held = true;
        r->held++;
    } else
        begin_method(c, o, e);
}

static void begin_object(item_t *it, api_rpc_t *r, const jo_t *o, const err_t *e, view_t text)
{
    api_call_t *c = &it->call;
    view_t name = { NULL, 0 };
    read_id(it, o, text);
    if (jo_kind(o, "method") == JO_TEXT)
        name = jo_text(o, "method", 0, SIZE_MAX);
    const bool valid = is_version_2(o) && name.n;
    it->silent = valid && jo_kind(o, "id") == JO_ABSENT;
    c->method = api_method(name);
    if (!valid || (!it->silent && !has_id(o)))
        api_fail(c, API_INVALID_REQUEST, "invalid request");
    else if (name.n > NAME_MAX_LEN)
        api_fail(c, API_INVALID_REQUEST, "method name too long: %zu > %u", name.n, NAME_MAX_LEN);
    else if (!c->method)
        api_fail(c, API_NO_METHOD, "the method %.*s does not exist/is not available",
                 (int)(name.n < 256 ? name.n : 256), (const char *)name.p);
    else
        begin_known(it, r, o, e);
}

/* Begins one call, of the value at a place whose text this is. It becomes a document of its own, so that its faults
 * are. */
static void begin_item(item_t *it, api_rpc_t *r, const jo_t *value, view_t text)
{
    jo_doc_t doc;
    err_t e = { .rc = RC_OK };
    it->call = (api_call_t){ .world = &r->world, .arena = r->arena, .out = jw_of(r->arena, API_RESULT_MAX) };
    it->text = text;
    if (jo_kind(value, NULL) != JO_OBJECT) {
        api_fail(&it->call, API_INVALID_REQUEST, "invalid request");
        return;
    }
    const jo_t o = jo_merge(&doc, &e, NULL, value, NULL, JO_LENIENT);
    if (jo_rc(&o))
        fail_argument(&it->call, jo_rc(&o), &e);
    else
        begin_object(it, r, &o, &e, text);
    jo_close(&doc);
    if (it->call.again)
        find_first(it);
}

/* ---- its end ---- */

/* Whether a query is still to give the call's result. */
static bool is_asked(const item_t *it)
{
    return it->call.write || it->twice;
}

/* The error of a query that has no result. */
static void fail_query(api_call_t *c, rc_t rc, const err_t *e)
{
    if (e->code == QUERY_OVER_BUDGET) {
        api_fail(c, API_LIMIT, "%s", e->text);
        return;
    }
    if (e->code == EX_HISTORY_PRUNED || e->code == EX_LOGS_LIMIT) {
        api_fail(c, e->code == EX_LOGS_LIMIT ? API_LIMIT : API_PRUNED, "%s", e->text);
        if (e->code == EX_LOGS_LIMIT && c->explain)
            c->explain(c);
        return;
    }
    if (e->code == EX_HEAD_LIST_PRUNED || e->code == EX_HEAD_NO_LIST) {
        api_fail(c, e->code == EX_HEAD_NO_LIST ? API_NOT_FOUND : API_PRUNED, "%s", e->text);
        return;
    }
    if (e->code == EX_WAIT_LATE) {
        api_fail(c, API_NOT_YET, "%s", e->text);
        c->explain(c);
        return;
    }
    if ((e->code >= EX_SIMULATE_CODE_MIN && e->code <= EX_SIMULATE_CODE_MAX) || e->code == EX_SIMULATE_INVALID) {
        api_fail(c, -(int)e->code, "%s", e->text);
        return;
    }
    switch (rc) {
    case RC_IO: api_fail(c, API_UNAVAILABLE, "no upstream could prove it: %s", e->text); break;
    case RC_TIMEOUT: api_fail(c, API_UNAVAILABLE, "request timed out: %s", e->text); break;
    case RC_NOMEM:
    case RC_BUG: api_fail(c, API_INTERNAL, "%s", e->text); break;
    default: api_fail(c, API_FAILED, "%s", e->text);
    }
}

/* Brings a call to its result or its error. */
static void end_call(item_t *it)
{
    api_call_t *c = &it->call;
    view_t text = { NULL, 0 };
    const bool asked = is_asked(it);
    if (it->over)
        return;
    it->over = true;
    if (it->held)
        api_fail(c, API_INTERNAL, "it has not begun");
    else if (asked && !it->ended)
        api_fail(c, API_INTERNAL, "the query has not ended");
    else if (asked && it->rc)
        fail_query(c, it->rc, &it->why);
    else if (c->write && !c->error)
        c->write(c, it->twice ? ex_then_last(c->query) : c->query);
    query_free(c->query);
    c->query = NULL;
    if (c->error)
        return;
    text = jw_done(&c->out);
    if (!text.p && c->out.rc == RC_LIMIT)
        api_fail(c, API_TOO_LARGE, "response too large");
    else if (!text.p)
        api_fail(c, API_INTERNAL, "%s", c->out.rc == RC_NOMEM ? "out of memory" : "the method gave no result");
}

/* ---- how long the answers are, in their order ---- */

/* The next call comes behind this one. What is sent is answered by a hash: it needs no looking at. */
static void pass(api_rpc_t *r, item_t *it)
{
    const unsigned wants = it->call.method ? it->call.method->wants : 0;
    const bool is_short = (wants & FORWARDS) && !(wants & WANTS_STATE);
    if (it->held || (is_asked(it) && !it->ended && !it->call.error && !is_short))
        r->open = true;
    else if (!is_asked(it) || it->ended)
        end_call(it);
    r->bytes += it->over && !it->call.error ? it->call.out.n : 0;
}

/* Begins a call that was held, by its text. */
static void begin_held(item_t *it, api_rpc_t *r)
{
    jo_doc_t doc;
    err_t e = { .rc = RC_OK };
    it->held = false;
    r->held--;
    const view_t text = readable(r->arena, it->text);
    if (!text.p) {
        api_fail(&it->call, API_INTERNAL, "out of memory");
        return;
    }
    const jo_t o = jo_open(&doc, &e, text, API_RPC_BODY_MAX, JO_LENIENT);
    begin_known(it, r, &o, &e);
    jo_close(&doc);
    if (it->call.again)
        find_first(it);
}

bool api_rpc_waits(const api_rpc_t *r)
{
    return r->held > 0;
}

bool api_rpc_more(api_rpc_t *r)
{
    const size_t held = r->held;
    r->bytes = 0;
    r->open = false;
    for (size_t i = 0; i < r->count && !r->open; i++) {
        if (r->items[i].held)
            begin_held(&r->items[i], r);
        pass(r, &r->items[i]);
    }
    return r->held != held;
}

/* ---- the request ---- */

/* An answer that is one error for the request as a whole. */
static void fail_whole(api_rpc_t *r, int code, const char *text)
{
    r->items[0].call = (api_call_t){ .world = &r->world, .arena = r->arena };
    r->count = 1;
    api_fail(&r->items[0].call, code, "%s", text);
}

/* An answer that is a list of one error, with the id of the first call. */
static void fail_batch(api_rpc_t *r, const jo_t *list, view_t first)
{
    jo_t all = *list, element;
    fail_whole(r, API_INVALID_REQUEST, "batch too large");
    r->batch = true;
    if (jo_next(&all, &element) && jo_kind(&element, NULL) == JO_OBJECT)
        read_id(&r->items[0], &element, first);
}

static void begin_batch(api_rpc_t *r, const jo_t *root, view_t body)
{
    jo_t list = *root, element;
    size_t at = skip_space(body, 0) + 1;
    view_t text = { NULL, 0 };
    r->batch = true;
    while (jo_next(&list, &element) && next_value(&text, body, &at)) {
        item_t *it = &r->items[r->count++];
        begin_item(it, r, &element, text);
        pass(r, it);
    }
}

static rc_t begin_all(api_rpc_t *r, const jo_t *root, view_t body)
{
    const bool list = jo_kind(root, NULL) == JO_LIST;
    const size_t n = list ? jo_size(root) : 1;
    r->items = arena_calloc(r->arena, n && n <= API_RPC_BATCH_MAX ? n : 1, sizeof *r->items);
    if (!r->items)
        return RC_NOMEM;
    if (jo_rc(root) == RC_NOMEM)
        return RC_NOMEM;
    if (jo_rc(root)) {
        fail_whole(r, API_PARSE_ERROR, "parse error");
    } else if (!n) {
        fail_whole(r, API_INVALID_REQUEST, "empty batch");
    } else if (n > API_RPC_BATCH_MAX) {
        size_t at = skip_space(body, 0) + 1;
        view_t first = { NULL, 0 };
        (void)next_value(&first, body, &at);
        fail_batch(r, root, first);
    } else if (list) {
        begin_batch(r, root, body);
    } else {
        r->count = 1;
        begin_item(&r->items[0], r, root, body);
    }
    return RC_OK;
}

rc_t api_rpc_begin(api_rpc_t **out, arena_t *a, const api_world_t *world, view_t body)
{
    jo_doc_t doc;
    api_rpc_t *r = arena_calloc(a, 1, sizeof *r);
    if (!r)
        return RC_NOMEM;
    r->arena = a;
    r->world = *world;
    const view_t text = readable(a, body);
    if (!text.p && body.n)
        return RC_NOMEM;
    const jo_t root = jo_open(&doc, NULL, text, API_RPC_BODY_MAX, JO_LENIENT | JO_ANY);
    const rc_t rc = begin_all(r, &root, body);
    jo_close(&doc);
    if (!rc)
        *out = r;
    return rc;
}

size_t api_rpc_count(const api_rpc_t *r)
{
    return r->count;
}

query_t *api_rpc_take(api_rpc_t *r, size_t i)
{
    item_t *it = &r->items[i];
    query_t *q = it->ended ? NULL : it->call.query; /* else it came back */
    if (q)
        it->call.query = NULL;
    return q;
}

bool api_rpc_forwards(const api_rpc_t *r, size_t i)
{
    return r->items[i].call.method && (r->items[i].call.method->wants & FORWARDS);
}

uint32_t api_rpc_wait_ms(const api_rpc_t *r, size_t i)
{
    return r->items[i].call.wait_ms;
}

void api_rpc_end(api_rpc_t *r, size_t i, rc_t rc, const err_t *e, query_t *take_q)
{
    item_t *it = &r->items[i];
    it->call.query = take_q;
    it->ended = true;
    it->rc = rc;
    if (rc)
        it->why = *e;
}

/* ---- the answer ---- */

static void put_error(jw_t *w, const api_call_t *c)
{
    jw_object(w, "error");
    jw_i64(w, "code", c->error);
    jw_text(w, "message", c->message);
    if (c->details.p)
        jw_raw(w, "data", c->details);
    else if (c->data.p)
        jw_hex(w, "data", c->data);
    jw_end(w);
}

static void put_item(jw_t *w, item_t *it)
{
    api_call_t *c = &it->call;
    jw_object(w, NULL);
    jw_str(w, "jsonrpc", "2.0");
    if (it->id.p)
        jw_raw(w, "id", it->id);
    else
        jw_null(w, "id");
    if (c->error)
        put_error(w, c);
    else
        jw_raw(w, "result", jw_done(&c->out));
    jw_end(w);
}

/* Ends all calls; from where the results are too long together the rest has none. */
static size_t end_all(api_rpc_t *r)
{
    size_t spoken = 0, bytes = 0;
    for (size_t i = 0; i < r->count; i++) {
        item_t *it = &r->items[i];
        if (bytes > API_RESULT_MAX)
            api_fail(&it->call, API_TOO_LARGE, "response too large");
        end_call(it);
        bytes += it->call.error ? 0 : it->call.out.n;
        spoken += !it->silent;
    }
    return spoken;
}

static void free_own(api_rpc_t *r)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->items[i].twice)
            arena_free(&r->items[i].own);
}

rc_t api_rpc_finish(api_rpc_t *r, view_t *body)
{
    jw_t w = jw_of(r->arena, API_RPC_ANSWER_MAX);
    const size_t spoken = end_all(r);
    *body = view_of(NULL, 0);
    if (!spoken) {
        free_own(r);
        return RC_OK;
    }
    if (r->batch)
        jw_array(&w, NULL);
    for (size_t i = 0; i < r->count; i++)
        if (!r->items[i].silent)
            put_item(&w, &r->items[i]);
    if (r->batch)
        jw_end(&w);
    *body = jw_done(&w);
    free_own(r);
    return w.rc;
}

const api_method_t *api_rpc_outcome(const api_rpc_t *r, size_t i, int *error)
{
    *error = r->items[i].call.error;
    return r->items[i].call.method;
}
