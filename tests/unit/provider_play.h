/* provider_play.h - an HTTP server that plays an execution RPC over seven recorded mainnet calls, honest but for what a
 * test tells it: how it refuses, lags, limits, redirects, packs or lies. */
#ifndef TESTS_PROVIDER_PLAY_H
#define TESTS_PROVIDER_PLAY_H

#include <jansson.h>
#include <stdio.h>
#include <zlib.h>

#include "base/crypto/hash.h"
#include "base/hex.h"
#include "tests/unit/fake_server.h"

#define PLAY_PAUSE_MS 4u /* before each answer, so that what is asked side by side is seen to be */
#define PLAY_CALLS 7u
#define PLAY_ROOT_LEN 1066u /* digits of the state's root node, with 0x */

/* How a batch is refused as a whole. */
typedef enum {
    FORM_500,       /* HTTP status with a text */
    FORM_400,       /* ... with an error object */
    FORM_403,       /* ... with nothing */
    FORM_413,       /* ... with a page */
    FORM_OBJECT,    /* 200, one error object */
    FORM_BARE,      /* 200, an error object without id and version */
    FORM_LIST_NULL, /* 200, a list of one error whose id is null */
    FORM_TEXT,      /* 200, a text that is no JSON */
    FORM_FIRST,     /* 200, a list of one error that has the id of the first element: geth */
    FORM_EACH,      /* 200, the same error for each element */
    FORM_REST,      /* 200, as many answers as may be, an error for each further element: geth, of the answers' size */
    FORM_CUT,       /* 200, as many answers as may be, and no more */
    FORM_402,       /* HTTP status, nothing */
    FORM_401,       /* ... as of a login, */
    FORM_404,       /* ... and of an unknown address, with a page */
    FORM_PAGE,      /* 200, a page */
    FORM_EMPTY,     /* 200, nothing */
    FORM_429,       /* ... as if it were asked too often, */
    FORM_429_AFTER, /* ... and with Retry-After */
    FORM_32005,     /* 200, one error object of that kind */
    FORM_EACH_BUSY, /* 200, such an error for each element */
    FORM_NULLS,     /* 200, a list of errors whose ids are null */
    FORM_WORDS,     /* 200, an error that is a text */
    FORM_MESSAGE,   /* 200, a message and nothing else */
    FORMS
} form_t;

/* One provider: what it does, and what it was asked. */
typedef struct play {
    /* limits */
    unsigned batch_max;                                  /* elements; 0: any */
    bool no_lists;                                       /* not even a list of one */
    form_t form;                                         /* of refusing what is over the limit */
    unsigned keys_max;                                   /* slots of one eth_getProof; 0: any */
    bool numbers_only;                                   /* blocks by number, as old servers take them: else */
    enum { HASH_REFUSED, HASH_INTERNAL, HASH_500 } hash; /* ... an error that says so, one that does not, or HTTP */
    bool no_hashes;                                      /* ... and whatever else is a block that it does not know */
    /* eth_createAccessList */
    enum {
        HINT_GOOD,
        HINT_403,
        HINT_WHOLE,
        HINT_METHOD,
        HINT_ABSENT,
        HINT_FUNDS,
        HINT_PENNILESS,
        HINT_NULL_KEYS,
        HINT_BAD_ROW,
        HINT_PAGE,  /* a page for the batch, */
        HINT_EMPTY, /* nothing for it, */
        HINT_WORDS  /* an error that is a text for the element */
    } hint;
    /* how late it is */
    unsigned late_ms; /* from the first request on */
    bool split;       /* ... and only the server that gives proofs and code; another one gives headers */
    enum { LATE_HEADER, LATE_NULL, LATE_UNKNOWN, LATE_BRANCH, LATE_TRIE, LATE_STATE } late;
    /* how often it may be asked */
    unsigned every; /* so many-th request or element is too much; 0: none is */
    enum {
        RATE_429,
        RATE_429_AFTER,
        RATE_ELEMENT_429,
        RATE_ELEMENT_32005,
        RATE_OBJECT,
        RATE_503,
        RATE_522,
        RATE_TEMPORARY
    } rate;
    /* odd forms */
    bool long_values, short_keys;  /* slots' values with leading zeros; slots named as quantities */
    const char *envelope, *member; /* further members, with a comma before them */
    bool gzip, x_gzip, false_gzip, chunked, reversed, text_ids, same_ids, page;
    bool no_ids;  /* errors have none */
    int redirect; /* status of the first answer, to the same server's /moved */
    enum { LIE_NONE, LIE_BALANCE, LIE_VALUE, LIE_OTHER_SLOT, LIE_EXTRA_NODE, LIE_NODE, LIE_CODE, LIE_ROOT } lie;
    enum { HEADER_GOOD, HEADER_BROKEN, HEADER_BEFORE } header; /* ... no hash of 32 bytes in it; of the block before */
    unsigned drip_ms;                                          /* the answer comes in pieces over so long */
    unsigned pause_ms;                                         /* before each answer */
    int status;                                                /* of all answers; 0: 200 */
    size_t pad;                                                /* spaces behind each answer */
    const char *chain;                                         /* another one's id */

    /* what it was asked */
    pthread_mutex_t lock;
    uint64_t began_ms;
    unsigned requests, elements, proofs, trips, trips_done, moved, posts_moved;
    unsigned call;  /* which of the seven is running */
    bool on_branch; /* this request's server is on another branch */
    unsigned early; /* requests before Retry-After had passed, */
    uint64_t not_before_ms;
} play_t;

static json_t *play_world; /* the recording */

static inline void play_load(void)
{
    char path[512];
    snprintf(path, sizeof path, "%s/mainnet-calls/seven.json", getenv("TEST_DATA"));
    play_world = json_load_file(path, 0, NULL);
    ck_assert_msg(play_world != NULL, "%s", path);
}

static inline const char *play_text(const json_t *o, const char *key)
{
    return json_string_value(json_object_get(o, key));
}

/* ---- results ---- */

static inline const json_t *play_account(const char *address)
{
    const json_t *a;
    size_t i;
    json_array_foreach (json_object_get(play_world, "accounts"), i, a)
        if (address && !strcasecmp(play_text(a, "address"), address))
            return a;
    return NULL;
}

/* Of a root, which is a branch that is full: a digit of the hash that stands beside the path of an address. */
static inline size_t play_beside(const char *address)
{
    uint8_t addr[20];
    hash32_t path;
    ck_assert_int_eq(hex_decode_exact(addr, 20, address, 42), RC_OK);
    keccak256(&path, view_of(addr, 20));
    return 2 + 2 * (3 + 33 * (((path.b[0] >> 4) + 1u) % 16) + 1);
}

/* A list of nodes; other: a digit of the first that is another one, 0: none is. */
static inline void play_nodes(FILE *out, const json_t *list, size_t other, bool extra)
{
    size_t i;
    const json_t *index;
    fputc('[', out);
    json_array_foreach (list, i, index) {
        const json_t *node = json_array_get(json_object_get(play_world, "nodes"), (size_t)json_integer_value(index));
        char *hex = strdup(json_string_value(node));
        if (other && !i)
            hex[other] = hex[other] == '0' ? '1' : '0';
        fprintf(out, "%s\"%s\"", i ? "," : "", hex);
        free(hex);
    }
    fputs(extra ? ",\"0xc0\"]" : "]", out);
}

static inline bool play_same_word(const char *a, const char *b)
{
    for (a += 2; *a == '0';)
        a++;
    for (b += 2; *b == '0';)
        b++;
    return !strcasecmp(a, b);
}

static inline const json_t *play_slot(const json_t *account, const char *key)
{
    const json_t *s;
    size_t i;
    json_array_foreach (json_object_get(account, "storageProof"), i, s)
        if (play_same_word(play_text(s, "key"), key))
            return s;
    return NULL;
}

/* False: a slot of it is not recorded. */
static inline bool play_slots(FILE *out, const play_t *p, const json_t *account, const json_t *keys)
{
    static const char zeros[] = "0000000000000000000000000000000000000000000000000000000000000000";
    size_t i;
    const json_t *key;
    fprintf(out, ",\"storageProof\":[");
    json_array_foreach (keys, i, key) {
        const char *k = json_string_value(key);
        const json_t *s = play_slot(account, k);
        const bool absent = json_is_false(json_object_get(account, "exists"));
        if (!s && !absent)
            return false;
        const char *value = s ? play_text(s, "value") : "0x0";
        const char *digits = k + 2 + strspn(k + 2, "0");
        fprintf(out, "%s{\"key\":\"0x%s\",\"value\":\"0x%.*s%s%s\",\"proof\":", i ? "," : "",
                p->lie == LIE_OTHER_SLOT          ? "77"
                : p->short_keys && digits[0] == 0 ? "0"
                : p->short_keys                   ? digits
                                                  : k + 2,
                p->long_values ? (int)(66 - strlen(value)) : 0, zeros, value + 2, p->lie == LIE_VALUE ? "1" : "");
        play_nodes(out, s ? json_object_get(s, "proof") : NULL, 0, p->lie == LIE_EXTRA_NODE);
        fprintf(out, "%s}", p->member ? p->member : "");
    }
    fprintf(out, "]");
    return true;
}

/* On another branch it is as good, from another root. */
static inline bool play_proof(FILE *out, const play_t *p, const json_t *params, bool branch)
{
    const json_t *account = play_account(json_string_value(json_array_get(params, 0)));
    if (!account)
        return false;
    fprintf(
        out,
        "{\"address\":\"%s\",\"nonce\":\"%s\",\"balance\":\"%s%s\",\"codeHash\":\"%s\",\"storageHash\":\"%s\",\"accountProof\":",
        play_text(account, "address"), play_text(account, "nonce"), play_text(account, "balance"),
        p->lie == LIE_BALANCE ? "1" : "", play_text(account, "codeHash"), play_text(account, "storageHash"));
    const size_t beside = play_beside(play_text(account, "address"));
    play_nodes(out, json_object_get(account, "accountProof"),
               p->lie == LIE_NODE ? PLAY_ROOT_LEN - 1
               : branch           ? beside
                                  : 0,
               false);
    if (!play_slots(out, p, account, json_array_get(params, 1)))
        return false;
    fprintf(out, "%s}", p->member ? p->member : "");
    return true;
}

static inline bool play_code(FILE *out, const play_t *p, const json_t *params)
{
    const json_t *account = play_account(json_string_value(json_array_get(params, 0)));
    const char *code = account ? play_text(account, "code") : NULL;
    if (!code && !(account && json_is_false(json_object_get(account, "exists"))))
        return false;
    fprintf(out, "\"%s%s\"", code ? code : "0x", p->lie == LIE_CODE ? "00" : "");
    return true;
}

static inline unsigned long long play_number(const json_t *o, const char *key, unsigned long long usual)
{
    const char *text = play_text(o, key);
    return text ? strtoull(text, NULL, 16) : usual;
}

/* As geth does: fees are filled in when none are given, and 50 million gas; whoever cannot pay is refused. */
static inline bool play_can_pay(const play_t *p, const json_t *call)
{
    const unsigned long long base = play_number(json_object_get(play_world, "header"), "baseFeePerGas", 0);
    const unsigned long long gas = play_number(call, "gas", 50000000);
    const char *fee = json_object_get(call, "maxFeePerGas") ? "maxFeePerGas" : "gasPrice";
    const unsigned long long price = play_number(call, fee, 2 * base);
    const unsigned long long money = p->hint == HINT_PENNILESS ? 0 : 10000000000000000; /* 0.01 ether */
    const char *from = play_text(call, "from");
    const bool nobody = !from || strspn(from, "0x") == strlen(from); /* 13,000 ether on mainnet */
    return p->hint != HINT_FUNDS && p->hint != HINT_PENNILESS ? true
                                                              : price >= base && (nobody || gas * price <= money);
}

static inline bool play_hint(FILE *out, const play_t *p)
{
    size_t i, k;
    const json_t *row, *key, *call = json_array_get(json_object_get(play_world, "calls"), p->call);
    fprintf(out, "{\"accessList\":[");
    json_array_foreach (json_object_get(call, "hint"), i, row) {
        const json_t *keys = json_object_get(row, "storageKeys");
        fprintf(out, "%s{\"address\":\"%s\",\"storageKeys\":", i ? "," : "", play_text(row, "address"));
        if (!json_array_size(keys) && p->hint == HINT_NULL_KEYS)
            fprintf(out, "null");
        else {
            fprintf(out, "[");
            json_array_foreach (keys, k, key)
                fprintf(out, "%s\"%s\"", k ? "," : "", json_string_value(key));
            fprintf(out, "]");
        }
        fprintf(out, "}");
    }
    if (p->hint == HINT_BAD_ROW)
        fprintf(out, ",{\"address\":\"nobody\",\"storageKeys\":[7]}");
    fprintf(out, "],\"gasUsed\":\"0x5208\"}");
    return true;
}

/* The block's header; branch: that of another block of its number. */
static inline bool play_header(FILE *out, const play_t *p, bool branch)
{
    json_t *h = json_copy(json_object_get(play_world, "header"));
    if (p->member)
        json_object_set_new(h, "proofType", json_pack("[i]", 7));
    if (branch)
        json_object_set_new(h, "extraData", json_string("0x77"));
    if (p->header == HEADER_BROKEN)
        json_object_set_new(h, "parentHash", json_string("0x7"));
    if (p->header == HEADER_BEFORE)
        json_object_set_new(h, "number", json_string("0x15914ce"));
    const bool good = json_dumpf(h, out, JSON_COMPACT) == 0;
    json_decref(h);
    return good;
}

static inline void play_error(FILE *out, int code, const char *message)
{
    fprintf(out, "\"error\":{\"code\":%d,\"message\":\"%s\"}", code, message);
}

static inline bool play_rates_elements(const play_t *p)
{
    return p->rate == RATE_ELEMENT_429 || p->rate == RATE_ELEMENT_32005 || p->rate == RATE_TEMPORARY;
}

static inline bool play_is_late(const play_t *p)
{
    return p->late_ms && clock_ms() - p->began_ms < p->late_ms;
}

/* What one element is answered with instead of a result. True: that is done. */
static inline bool play_refuses(FILE *out, play_t *p, const char *method, const json_t *params)
{
    const json_t *block = json_array_get(params, json_array_size(params) - 1), *keys = json_array_get(params, 1);
    const bool hint = !strcmp(method, "eth_createAccessList");
    if (p->every && play_rates_elements(p) && p->elements % p->every == 0)
        play_error(out,
                   p->rate == RATE_ELEMENT_429 ? 429
                   : p->rate == RATE_TEMPORARY ? 19
                                               : -32005,
                   p->rate == RATE_ELEMENT_429 ? "Your app has exceeded its compute units per second capacity"
                   : p->rate == RATE_TEMPORARY ? "Temporary internal error. Please retry"
                                               : "limit exceeded");
    else if (hint && p->hint == HINT_WORDS)
        fprintf(out, "\"error\":\"not supported\"");
    else if (hint && p->hint == HINT_METHOD)
        play_error(out, -32601, "the method eth_createAccessList does not exist/is not available");
    else if (hint && !play_can_pay(p, json_array_get(params, 0)))
        play_error(out, -32000, "failed to apply transaction: 0x11: insufficient funds for gas * price + value");
    else if (p->numbers_only && p->hash == HASH_INTERNAL && json_is_object(block))
        play_error(out, -32603, "internal error");
    else if (p->numbers_only && json_is_object(block))
        play_error(out, -32602, "invalid argument 2: json: cannot unmarshal object into Go value of type string");
    else if (p->no_hashes && json_is_object(block))
        play_error(out, -32001, "unknown block");
    else if (play_is_late(p) && p->late == LATE_HEADER)
        play_error(out, -32000, "header not found");
    else if (play_is_late(p) && p->late == LATE_UNKNOWN)
        play_error(out, -32001, "Unknown block");
    else if (play_is_late(p) && p->late == LATE_TRIE && !hint)
        play_error(out, -32000, "missing trie node 00ab (path ) state 0x00ab is not available");
    else if (play_is_late(p) && p->late == LATE_STATE && !hint)
        play_error(out, -32002, "No state available for block 0x1591c0f");
    else if (play_is_late(p) && p->late == LATE_NULL)
        fprintf(out, "\"result\":null");
    else if (p->on_branch && json_is_object(block))
        play_error(out, -32000, "header for hash not found");
    else if (p->keys_max && !strcmp(method, "eth_getProof") && json_array_size(keys) > p->keys_max)
        play_error(out, -32602, "too many slots requested");
    else
        return false;
    return true;
}

static inline void play_element(FILE *out, play_t *p, const json_t *element)
{
    const char *method = play_text(element, "method");
    const json_t *params = json_object_get(element, "params");
    const long long id = json_integer_value(json_object_get(element, "id"));
    char *result = NULL;
    size_t len = 0;
    bool good = false;
    p->elements++;
    p->proofs += !strcmp(method, "eth_getProof");
    char *refusal = NULL;
    FILE *words = open_memstream(&refusal, &len);
    const bool refused = play_refuses(words, p, method, params);
    fclose(words);
    if (refused && p->no_ids)
        fprintf(out, "{\"jsonrpc\":\"2.0\",\"id\":null,");
    else
        fprintf(out, p->text_ids ? "{\"jsonrpc\":\"2.0\",\"id\":\"%lld\"," : "{\"jsonrpc\":\"2.0\",\"id\":%lld,",
                p->same_ids ? 1 : id);
    fputs(refused ? refusal : "", out);
    free(refusal);
    if (!refused) {
        FILE *text = open_memstream(&result, &len);
        if (!strcmp(method, "eth_chainId"))
            good = fprintf(text, "\"%s\"", p->chain ? p->chain : "0x1") > 0;
        else if (!strcmp(method, "eth_getProof"))
            good = play_proof(text, p, params, p->on_branch || p->lie == LIE_ROOT);
        else if (!strcmp(method, "eth_getBlockByNumber"))
            good = play_header(text, p, p->on_branch);
        else if (!strcmp(method, "eth_getCode"))
            good = play_code(text, p, params);
        else if (!strcmp(method, "eth_createAccessList"))
            good = play_hint(text, p);
        fclose(text);
        if (good)
            fprintf(out, "\"result\":%s%s", result, p->envelope ? p->envelope : "");
        else
            play_error(out, -32000, "not recorded");
        free(result);
    }
    fputs("}", out);
}

/* ---- answers ---- */

typedef struct {
    int status;
    const char *more; /* header lines */
    char *body;       /* from malloc */
    size_t len;
    bool coded; /* it says that it is in gzip, and is not */
} play_answer_t;

static inline bool play_has_hint(const char *request)
{
    return strstr(request, "eth_createAccessList") != NULL;
}

#define REFUSED_NULL "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,\"message\":\"Invalid Request\"}}"

/* Refuses the request as a whole, in the words of providers. */
static inline void play_refuse(play_answer_t *a, form_t form)
{
    static const struct {
        int status;
        const char *text;
    } words[FORMS] = {
        [FORM_500] = { 500,
                       "Batch of more than 3 requests are not allowed on free tier, to use this feature register paid account" },
        [FORM_400] = { 400,
                       "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,\"message\":\"batch limit exceeded\"}}" },
        [FORM_403] = { 403, "" },
        [FORM_413] = { 413, "<html><h1>413 Request Entity Too Large</h1></html>" },
        [FORM_OBJECT] = { 200,
                          "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,\"message\":\"batch too large\"}}" },
        [FORM_BARE] = { 200, "{\"error\":{\"code\":-32000,\"message\":\"too many requests in one batch\"}}" },
        [FORM_LIST_NULL] = { 200,
                             "[{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,\"message\":\"batch too large\"}}]" },
        [FORM_TEXT] = { 200, "batch requests are not allowed" },
        [FORM_FIRST] = { 200,
                         "[{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32600,\"message\":\"batch too large\"}}]" },
        [FORM_402] = { 402, "" },
        [FORM_401] = { 401, "{\"message\":\"Unauthorized\"}" },
        [FORM_404] = { 404, "<!DOCTYPE html><pre>Cannot POST /</pre>" },
        [FORM_PAGE] = { 200, "<!DOCTYPE html><html><title>Error</title></html>" },
        [FORM_EMPTY] = { 200, "" },
        [FORM_429] = { 429, "Too Many Requests" },
        [FORM_429_AFTER] = { 429, "Too Many Requests" },
        [FORM_32005] = { 200,
                         "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32005,\"message\":\"limit exceeded\"}}" },
        [FORM_NULLS] = { 200, "[" REFUSED_NULL "," REFUSED_NULL "," REFUSED_NULL "]" },
        [FORM_WORDS] = { 200, "{\"error\":\"batch requests are not supported\"}" },
        [FORM_MESSAGE] = { 200, "{\"message\":\"batch requests are disabled\"}" },
    };
    a->more = form == FORM_429_AFTER ? "Retry-After: 1\r\n" : a->more;
    a->status = words[form].status;
    a->body = strdup(words[form].text);
}

static inline bool play_rate(play_answer_t *a, const play_t *p)
{
    if (!p->every || p->requests % p->every || play_rates_elements(p))
        return false;
    a->status = p->rate == RATE_503 ? 503 : p->rate == RATE_522 ? 522 : p->rate == RATE_OBJECT ? 200 : 429;
    a->more = p->rate == RATE_429_AFTER ? "Retry-After: 1\r\n" : "";
    a->body = strdup(p->rate == RATE_503 ? "<html>503 Service Temporarily Unavailable</html>"
                     : p->rate == RATE_OBJECT
                         ? "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":429,\"message\":\"rate limited\"}}"
                         : "Too Many Requests");
    return true;
}

static inline bool play_is_too_many(const play_t *p, size_t n)
{
    return p->no_lists || (p->batch_max && n > p->batch_max);
}

/* How a batch with a hint is refused; FORMS: it is not. */
static inline form_t play_refuses_hint(const play_t *p)
{
    return p->hint == HINT_403     ? FORM_403
           : p->hint == HINT_WHOLE ? FORM_OBJECT
           : p->hint == HINT_PAGE  ? FORM_PAGE
           : p->hint == HINT_EMPTY ? FORM_EMPTY
                                   : FORMS;
}

/* Whether it is elements that are refused. */
static inline bool play_refuses_elements(const play_t *p)
{
    return p->form == FORM_EACH || p->form == FORM_EACH_BUSY || p->form == FORM_REST || p->form == FORM_CUT;
}

/* Whether the request is refused before anybody looks into its elements. */
static inline bool play_whole(play_answer_t *a, play_t *p, const char *request, const json_t *body)
{
    const bool list = json_is_array(body);
    if (p->status) {
        a->status = p->status;
        a->body = strdup("not today");
    } else if (p->page) {
        a->more = "Content-Type: text/html\r\n";
        a->body = strdup("<!DOCTYPE html><html><title>Just a moment...</title></html>");
    } else if (play_rate(a, p)) {
    } else if (play_has_hint(request) && play_refuses_hint(p) < FORMS) {
        play_refuse(a, play_refuses_hint(p));
    } else if (p->numbers_only && p->hash == HASH_500 && strstr(request, "blockHash")) {
        a->status = 500;
        a->body = strdup("Internal Server Error");
    } else if (list && play_is_too_many(p, json_array_size(body)) && !play_refuses_elements(p)) {
        play_refuse(a, p->form);
    } else {
        return false;
    }
    return true;
}

static inline void play_one_too_many(FILE *out, const play_t *p, const json_t *element)
{
    fprintf(out, "{\"jsonrpc\":\"2.0\",\"id\":%lld,", json_integer_value(json_object_get(element, "id")));
    if (p->form == FORM_REST)
        play_error(out, -32003, "response too large");
    else if (p->form == FORM_EACH_BUSY)
        play_error(out, -32005, "limit exceeded");
    else
        play_error(out, -32600, "Batch of more than 3 requests are not allowed on free tier");
    fprintf(out, "}");
}

static inline void play_elements(FILE *out, play_t *p, const json_t *body)
{
    const size_t n = json_array_size(body);
    bool first = true;
    if (!json_is_array(body)) {
        play_element(out, p, body);
        return;
    }
    fprintf(out, "[");
    for (size_t i = 0; i < n; i++) {
        const json_t *element = json_array_get(body, p->reversed ? n - 1 - i : i);
        const bool over = play_is_too_many(p, n) && play_refuses_elements(p) &&
                          (p->form == FORM_EACH || p->form == FORM_EACH_BUSY || i >= p->batch_max);
        if ((p->hint == HINT_ABSENT && !strcmp(play_text(element, "method"), "eth_createAccessList")) ||
            (over && p->form == FORM_CUT))
            continue;
        fputs(first ? "" : ",", out);
        if (over)
            play_one_too_many(out, p, element);
        else
            play_element(out, p, element);
        first = false;
    }
    fprintf(out, "]");
}

static inline void play_pack(play_answer_t *a)
{
    z_stream z = { .next_in = (Bytef *)a->body, .avail_in = (uInt)a->len };
    const size_t cap = a->len + 4096;
    char *out = malloc(cap);
    ck_assert_int_eq(deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_out = (Bytef *)out;
    z.avail_out = (uInt)cap;
    ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
    free(a->body);
    a->body = out;
    a->len = z.total_out;
    (void)deflateEnd(&z);
}

static inline bool play_send_pieces(int fd, const play_answer_t *a, unsigned over_ms)
{
    const size_t pieces = 60, each = a->len / pieces + 1;
    for (size_t at = 0; at < a->len; at += each) {
        if (!send_all(fd, a->body + at, a->len - at < each ? a->len - at : each))
            return false;
        pause_ms(over_ms / (unsigned)pieces);
    }
    return true;
}

static inline bool play_send(int fd, const play_t *p, play_answer_t *a)
{
    char head[320];
    a->len = strlen(a->body);
    if (p->pad) {
        a->body = realloc(a->body, a->len + p->pad);
        memset(a->body + a->len, ' ', p->pad);
        a->len += p->pad;
    }
    if (p->gzip || p->x_gzip)
        play_pack(a);
    int n = snprintf(head, sizeof head, "HTTP/1.1 %d X\r\n%s%s", a->status, a->more,
                     p->gzip || a->coded ? "Content-Encoding: gzip\r\n"
                     : p->x_gzip         ? "Content-Encoding: x-gzip\r\n"
                                         : "");
    snprintf(head + n, sizeof head - (size_t)n,
             p->chunked ? "Transfer-Encoding: chunked\r\n\r\n%zx\r\n" : "Content-Length: %zu\r\n\r\n", a->len);
    if (!say(fd, head))
        return false;
    if (p->drip_ms)
        return play_send_pieces(fd, a, p->drip_ms);
    return send_all(fd, a->body, a->len) && (!p->chunked || say(fd, "\r\n0\r\n\r\n"));
}

/* Another place is named, unless the request is there already. True: so it is. */
static inline bool play_moves(int fd, play_t *p, const char *request)
{
    char head[200];
    if (!p->redirect || strncmp(request, "POST /moved", 11) == 0) {
        p->posts_moved += p->redirect != 0;
        return false;
    }
    p->moved++;
    snprintf(head, sizeof head, "HTTP/1.1 %d Moved\r\nLocation: /moved\r\nContent-Length: 0\r\n\r\n", p->redirect);
    return say(fd, head);
}

static inline bool play_serve(int fd, const char *request)
{
    play_t *p = fake_self->ctx;
    play_answer_t a = { .status = 200, .more = "Content-Type: application/json\r\n" };
    json_t *body = json_loads(strstr(request, "\r\n\r\n") + 4, 0, NULL);
    a.coded = p->false_gzip && !strstr(request, "\r\nAccept-Encoding: identity\r\n");
    pthread_mutex_lock(&p->lock);
    if (!p->began_ms)
        p->began_ms = clock_ms();
    p->requests++;
    p->on_branch = play_is_late(p) && p->late == LATE_BRANCH &&
                   (!p->split || strstr(request, "eth_getProof") || strstr(request, "eth_getCode"));
    p->early += clock_ms() < p->not_before_ms;
    const unsigned trip = p->trips_done + 1;
    if (trip > p->trips)
        p->trips = trip;
    bool moves = p->redirect && strncmp(request, "POST /moved", 11) != 0;
    if (!moves && !play_whole(&a, p, request, body)) {
        FILE *out = open_memstream(&a.body, &a.len);
        play_elements(out, p, body);
        fclose(out);
    }
    if (strstr(a.more, "Retry-After"))
        p->not_before_ms = clock_ms() + 1000;
    pthread_mutex_unlock(&p->lock);
    pause_ms(PLAY_PAUSE_MS + p->pause_ms);
    pthread_mutex_lock(&p->lock);
    if (trip > p->trips_done)
        p->trips_done = trip;
    pthread_mutex_unlock(&p->lock);
    const bool sent = moves ? play_moves(fd, p, request) : (play_moves(fd, p, request), play_send(fd, p, &a));
    json_decref(body);
    free(a.body);
    return sent;
}

#endif
