/* ask_world.h - the engine of node/query/ask.h against JSON-RPC servers on loopback that answer from a small world, and leave
 * out or falsify what a test says. */
#ifndef TESTS_ASK_WORLD_H
#define TESTS_ASK_WORLD_H

#include <jansson.h>

#include "base/os/log.h"
#include "node/query/flight.h"
#include "rpc/api/objects.h"
#include "tests/ask_wait.h"
#include "tests/unit/call_set.h"
#include "tests/unit/fake_server.h"
#include "tests/unit/unit.h"
#include "tests/unit/world_json.h"

#define TEST_IN_AIR_MAX 12u
#define WIDE_SLOTS 60u /* of one proof, whose answer may be longer than 1 MiB */
#define BALANCES_900 "6103845b803150600190038060035750602a5f5260205ff3" /* balance(900), ..., balance(1); return 42 */
#define SLOADS_1200 "6104b05b805450600190038060035750602a5f5260205ff3"  /* sload(1200), ..., sload(1); return 42 */
#define SLOADS_40                                                                                                      \
    "60285b8054506001900380600257"                                                                                     \
    "50602a5f5260205ff3" /* sload(40), ..., sload(1); return 42 */
#define PROOF_OF_A "\"eth_getProof\",\"params\":[\"0xac0000000000000000000000000000000000a000\""
#define PROOF_OF_B "\"eth_getProof\",\"params\":[\"0xbb01"

/* One endpoint: how it behaves, and what it was asked. */
typedef struct {
    const char *refused;   /* elements whose text has this get an error */
    const char *words;     /* ... in these; NULL: that say nothing */
    unsigned refusing;     /* ... in so many batches; 0: in all */
    const char *falsified; /* proofs that were asked for with this text name another balance */
    const char *broken;    /* elements whose text has this get a result that is none */
    const char *failing;   /* batches whose text has this get status 500, */
    const char *busy;      /* ... or this, 429 */
    int status;            /* of HTTP; 0: 200 */
    bool after;            /* ... with Retry-After: a minute */
    bool miscoded;         /* the first answer says that it is packed, and is not */
    unsigned pause_ms;
    bool held;           /* answers nothing until it is false, */
    size_t held_from;    /* ... of requests that have at least so many characters, */
    const char *held_at; /* ... and this text; NULL: any */
    const char *where;   /* the block that it names for a transaction; NULL: the one that has it */
    bool null;           /* so it answers what it does not refuse, */
    unsigned null_for;   /* ... or in so many batches only */
    unsigned other_for;  /* so many batches it is on another branch: no block has the hashes of this one, */
    uint64_t other_from; /* ... which has other blocks from this number on, and other state */
    const char *hint;    /* its access list; NULL: none */
    const char *pad;     /* a value beside each result, or to what has this text; NULL: none */
    const char *pad_at;
    const char *list;  /* its block access lists; NULL: those of blocks that changed nothing */
    unsigned keys_max; /* slots of one proof; 0: any */
    unsigned batches, hints, elements, most_elements, most_slots, most_keys, now,
        most_now;     /* keys: slots of one proof */
    unsigned wide_at; /* the first batch with so many slots that its answer may be long, counted from 1; 0: none came */
} endpoint_t;

static set_t s;
static endpoint_t ends[2];
static const ex_header_t *past; /* blocks that endpoints know by number or hash; NULL: none */
static size_t past_count;
static size_t past_hashes;            /* transactions whose hashes they come with */
static const api_block_t *past_block; /* the last of them, whole, with its receipts; NULL: only headers are known */
static fake_t *fakes[2];
static up_t *upstream;
static hc_t *http;
static pool_t *pool;
static ask_t *engine;
static char url[2][64];
static uint32_t gather_ms;                               /* of the next engine */
static uint64_t per_minute;                              /* questions of the next engine; 0: no bound */
static size_t answers_max;                               /* bytes of the next engine; 0: as usual */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* the world and the endpoints */

/* Of the one block that is known whole. */
static inline void put_whole(char *out, const char *method)
{
    jw_t text = jw_of(NULL, 1u << 18);
    arena_t scratch;
    arena_init(&scratch, 1u << 20);
    if (!strcmp(method, "eth_getBlockReceipts"))
        api_put_receipts(&text, NULL, &scratch, past_block);
    else if (!strcmp(method, "eth_getTransactionByHash"))
        api_put_transaction(&text, NULL, &scratch, past_block, 0);
    else
        api_put_block(&text, NULL, &scratch, past_block, true);
    const view_t json = jw_done(&text);
    WORLD_MUST(json.p);
    put(out, "%.*s", (int)json.n, (const char *)json.p);
    jw_free(&text);
    arena_free(&scratch);
}

static inline bool is_on_other(const endpoint_t *e)
{
    return e->batches <= e->other_for;
}

/* Hashes of transactions, into the object that a text ends with. */
static inline void put_hashes(char *out)
{
    const size_t room = past_hashes * 70 + 32;
    char *list = malloc(room);
    WORLD_MUST(list);
    size_t n = (size_t)snprintf(list, room, ",\"transactions\":[");
    for (size_t i = 0; i < past_hashes; i++)
        n += (size_t)snprintf(list + n, room - n, "%s\"0x%064zx\"", i ? "," : "", i);
    WORLD_MUST(n < room && out[strlen(out) - 1] == '}');
    out[strlen(out) - 1] = 0;
    put(out, "%s]}", list);
    free(list);
}

/* The header that a number or a hash names, or null. */
static inline void put_block(char *out, const endpoint_t *e, const char *name)
{
    jw_t text = jw_of(NULL, 1u << 16);
    for (size_t i = 0; i < past_count && !text.n; i++) {
        char number[24], hex[65];
        hash32_t hash;
        ex_header_hash(&hash, &past[i]);
        snprintf(number, sizeof number, "0x%llx", (unsigned long long)past[i].number);
        hex_encode(hex, view_of(hash.b, sizeof hash.b));
        const bool other = is_on_other(e) && past[i].number >= e->other_from;
        ex_header_t header = past[i];
        header.gas_used += other;
        if (!strcmp(name, number) || (!other && !strncmp(name + 2, hex, 64)))
            api_put_header(&text, NULL, &header, &hash);
    }
    const view_t json = jw_done(&text);
    put(out, "%.*s", json.p ? (int)json.n : 4, json.p ? (const char *)json.p : "null");
    if (json.p && past_hashes)
        put_hashes(out);
    jw_free(&text);
}

/* "0x" and up to 64 digits. */
static inline hash32_t slot_of(const char *text)
{
    hash32_t slot;
    char digits[65];
    snprintf(digits, sizeof digits, "%064d", 0);
    const size_t n = strlen(text + 2);
    WORLD_MUST(n <= 64);
    memcpy(digits + 64 - n, text + 2, n);
    WORLD_MUST(hex_decode_exact(slot.b, 32, digits, 64) == RC_OK);
    return slot;
}

/* The hash of a transaction. */
static inline void put_sent(char *out, const char *raw)
{
    uint8_t bytes[512];
    hash32_t hash;
    const size_t n = strlen(raw) / 2 - 1;
    WORLD_MUST(n <= sizeof bytes && hex_decode_exact(bytes, n, raw + 2, 2 * n) == RC_OK);
    keccak256(&hash, view_of(bytes, n));
    put_hex(out, view_of(hash.b, sizeof hash.b));
}

static inline void put_result(char *out, const endpoint_t *e, const char *method, const json_t *params,
                              const char *text)
{
    const char *account = json_string_value(json_array_get(params, 0));
    char number[24] = "", hex[65] = "";
    if (e->broken && strstr(text, e->broken)) {
        put(out, "7");
        return;
    }
    if (!strcmp(method, "eth_sendRawTransaction")) {
        put_sent(out, account);
        return;
    }
    if (e->where && !strcmp(method, "eth_getTransactionByHash")) {
        put(out, "{\"blockNumber\":\"%s\"}", e->where);
        return;
    }
    if (past_block) {
        snprintf(number, sizeof number, "0x%llx", (unsigned long long)past_block->block->header.number);
        hex_encode(hex, view_of(past_block->block->hash.b, 32));
    }
    const bool whole = past_block && (!strcmp(account, number) || !strncmp(account + 2, hex, 64));
    if ((whole && !strncmp(method, "eth_getBlock", 12)) ||
        (past_block && !strcmp(method, "eth_getTransactionByHash"))) {
        put_whole(out, method);
        return;
    }
    if (!strncmp(method, "eth_getBlockBy", 14)) {
        put_block(out, e, account);
        return;
    }
    if (!strcmp(method, "eth_getBlockAccessList")) {
        put(out, "%s", e->list ? e->list : "[]");
        return;
    }
    if (!strcmp(method, "eth_getTransactionByHash")) {
        put(out, "null");
        return;
    }
    const json_t *keys = json_array_get(params, 1);
    size_t count = json_array_size(keys), at = strlen(out);
    hash32_t *slots = calloc(count + 1, sizeof *slots);
    addr_t addr;
    WORLD_MUST(hex_decode_exact(addr.b, 20, account, strlen(account)) == RC_OK);
    for (size_t i = 0; i < count; i++)
        slots[i] = slot_of(json_string_value(json_array_get(keys, i)));
    if (!strcmp(method, "eth_getCode"))
        put_hex(out, world_code(&s.w, &addr));
    else
        put_proof(out, &s.w, &addr, slots, count);
    char *balance = strstr(out + at, "\"balance\":\"0x");
    const bool falsified = e->falsified && strstr(text, e->falsified);
    if ((falsified || is_on_other(e)) && balance)
        balance[strlen("\"balance\":\"0x")] ^= 1;
    free(slots);
}

/* Whether a proof is asked for more slots than it gives. */
static inline bool is_too_much(const endpoint_t *e, const char *method, const json_t *params)
{
    return e->keys_max && !strcmp(method, "eth_getProof") && json_array_size(json_array_get(params, 1)) > e->keys_max;
}

static inline bool refuses(const endpoint_t *e, const char *text)
{
    return e->refused && strstr(text, e->refused) && (!e->refusing || e->batches <= e->refusing);
}

static inline void put_answer(char *out, endpoint_t *e, const json_t *element)
{
    const char *method = json_string_value(json_object_get(element, "method"));
    const json_t *params = json_object_get(element, "params");
    char *text = json_dumps(element, JSON_COMPACT);
    put(out, "{\"jsonrpc\":\"2.0\",\"id\":%lld,", json_integer_value(json_object_get(element, "id")));
    const bool hint = !strcmp(method, "eth_createAccessList");
    e->hints += hint;
    if (e->pad && (!e->pad_at || strstr(text, e->pad_at)))
        put(out, "\"pad\":%s,", e->pad);
    if (is_too_much(e, method, params))
        put(out, "\"error\":{\"code\":-32602,\"message\":\"too many slots (max %u)\"}", e->keys_max);
    else if ((hint && !e->hint) || refuses(e, text))
        put(out, "\"error\":{\"code\":-32000,\"message\":\"%s\"}", e->words ? e->words : "not here");
    else if (hint)
        put(out, "\"result\":%s", e->hint);
    else if (e->null || e->batches <= e->null_for)
        put(out, "\"result\":null");
    else if (is_on_other(e) && strstr(text, "blockHash"))
        put(out, "\"error\":{\"code\":-32000,\"message\":\"header for hash not found\"}");
    else {
        put(out, "\"result\":");
        put_result(out, e, method, params, text);
    }
    put(out, "}");
    free(text);
}

static inline void raise_to(unsigned *most, unsigned x)
{
    if (x > *most)
        *most = x;
}

/* keys: raised to the most that one proof has. */
static inline unsigned slots_of(const json_t *batch, unsigned *keys)
{
    const json_t *element;
    size_t i, n = 0;
    json_array_foreach (batch, i, element)
        if (!strcmp(json_string_value(json_object_get(element, "method")), "eth_getProof")) {
            const size_t slots = json_array_size(json_array_get(json_object_get(element, "params"), 1));
            raise_to(keys, (unsigned)slots);
            n += slots;
        }
    return (unsigned)n;
}

/* The answer's body, from malloc; counts what was asked. */
static char *answer_batch(endpoint_t *e, const char *request)
{
    json_t *batch = json_loads(strstr(request, "\r\n\r\n") + 4, 0, NULL), *element;
    if (json_is_object(batch)) /* one alone */
        batch = json_pack("[o]", batch);
    char *out = calloc(1, WORLD_TEXT_MAX);
    size_t i, n = json_array_size(batch);
    e->batches++;
    e->elements += (unsigned)n;
    raise_to(&e->most_elements, (unsigned)n);
    const unsigned slots = slots_of(batch, &e->most_keys);
    raise_to(&e->most_slots, slots);
    if (!e->wide_at && slots >= WIDE_SLOTS)
        e->wide_at = e->batches;
    put(out, "[");
    json_array_foreach (batch, i, element) {
        arena_mark_t mark = arena_mark(&s.w.arena);
        put(out, i ? "," : "");
        put_answer(out, e, element);
        arena_rollback(&s.w.arena, mark);
    }
    put(out, "]");
    json_decref(batch);
    return out;
}

static inline bool serve(endpoint_t *e, int fd, const char *request)
{
    char head[120];
    pthread_mutex_lock(&lock);
    raise_to(&e->most_now, ++e->now);
    pthread_mutex_unlock(&lock);
    pause_ms(e->pause_ms);
    pthread_mutex_lock(&lock);
    while (e->held && strlen(request) >= e->held_from && (!e->held_at || strstr(request, e->held_at))) {
        pthread_mutex_unlock(&lock);
        pause_ms(10);
        pthread_mutex_lock(&lock);
    }
    char *body = answer_batch(e, request);
    e->now--;
    pthread_mutex_unlock(&lock);
    const bool failing = e->failing && strstr(request, e->failing), busy = e->busy && strstr(request, e->busy);
    const int status = failing ? 500 : busy ? 429 : e->status ? e->status : 200;
    snprintf(head, sizeof head, "HTTP/1.1 %d X\r\n%s%sContent-Length: %zu\r\n\r\n", status,
             e->after ? "Retry-After: 60\r\n" : "", e->miscoded && e->batches == 1 ? "Content-Encoding: gzip\r\n" : "",
             strlen(body));
    bool sent = say(fd, head) && say(fd, body);
    free(body);
    return sent;
}

static inline bool serve_0(int fd, const char *request)
{
    return serve(&ends[0], fd, request);
}

static inline bool serve_1(int fd, const char *request)
{
    return serve(&ends[1], fd, request);
}

static inline int know_hashes(cap_t *c, void *unused)
{
    (void)unused;
    c->knows = true;
    return 0;
}

/* An engine for one or two endpoints, which have answered by hash before; monotonic: NULL for the system's clock. */
static inline void open_engine(const char *first, const char *second, clock_fn monotonic)
{
    err_t e;
    upstream = up_new((const char *const[]){ first, second }, second ? 2 : 1);
    while (up_hedge(upstream, 0, 0, 1)) /* nobody is asked because another is slow: test_providers.c is about that */
        continue;
    for (size_t i = 0; i < up_count(upstream); i++)
        up_learn(upstream, i, know_hashes, NULL);
    const ask_config_t config = { .http = http,
                                  .upstream = upstream,
                                  .pool = pool,
                                  .now_ms = clock_system_ms,
                                  .monotonic_ms = monotonic,
                                  .gather_ms = gather_ms,
                                  .per_minute = per_minute,
                                  .bytes_max = answers_max,
                                  .in_air_max = TEST_IN_AIR_MAX };
    ck_assert_msg(ask_new(&engine, &e, &config) == RC_OK, "%s", e.text);
}

static inline void close_engine(void)
{
    ask_free(engine);
    up_free(upstream);
    engine = NULL;
    upstream = NULL;
}

/* A world with a contract at A, and two endpoints. */
static inline void open_world(const char *code)
{
    static const behave_t behave[2] = { serve_0, serve_1 };
    begin(&s, code);
    s.block.state_root = world_root(&s.w);
    memset(ends, 0, sizeof ends);
    for (unsigned i = 0; i < 2; i++) {
        fakes[i] = fake_new(behave[i]);
        snprintf(url[i], sizeof url[i], "http://127.0.0.1:%u", fakes[i]->port);
    }
    log_set_level(LOG_ERROR);
    s.block.state_root = world_root(&s.w);
    http = hc_new(NULL);
    ck_assert_int_eq(pool_new(&pool, NULL, 2), RC_OK);
    open_engine(url[0], url[1], NULL);
}

static inline void close_world(void)
{
    close_engine();
    pthread_mutex_lock(&lock);
    for (unsigned i = 0; i < 2; i++)
        ends[i].held = false;
    pthread_mutex_unlock(&lock);
    hc_free(http);
    pool_free(pool);
    for (unsigned i = 0; i < 2; i++)
        fake_free(fakes[i]);
    end(&s);
}

/* A call on the world as it is, whose state must not change any more. */
static inline query_t *new_call(const ex_request_t *request)
{
    query_t *q;
    err_t e;
    s.config.use_hint = true;
    s.config.request = request;
    ck_assert_msg(ex_call_new(&q, &e, &s.config) == RC_OK, "%s", e.text);
    return q;
}

/* Runs s.request; the call is s.call, its failure s.e. */
static inline rc_t run_call(void)
{
    query_free(s.call);
    s.block.state_root = world_root(&s.w);
    return ask_wait(&s.call, &s.e, engine, new_call(&s.request));
}

static inline void expect_word(uint64_t word, unsigned rounds)
{
    rc_t rc = run_call();
    ck_assert_msg(rc == RC_OK, "%s: %s", rc_name(rc), s.e.text);
    ck_assert_uint_eq(result_word(&s), word);
    ck_assert_uint_eq(ex_call_rounds(s.call), rounds);
}

static inline up_status_t status_of(unsigned i)
{
    up_status_t all[UP_ENDPOINTS_MAX];
    up_snapshot(upstream, all);
    return all[i];
}

#endif
