/* Event logs: one that dstack wrote (tests/data/tdx/dstack_event_log.json, with the registers of its quote), and mutations of
 * it. Numbers are those of tee-facts section 12.4. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "base/hex.h"
#include "tee/quote/eventlog.h"
#include "tests/unit/unit.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define COMPOSE 22u /* index of compose-hash in the log */
#define READY 26u
#define LAST 27u
#define COMPOSE_PAYLOAD "3763bc34552cf3a27ff71ad5f7a90471562a1a2df552dfc1998cba2d60da27e7"

/* The registers of the quote that came with the log (vectors tdx, quote-report.json). */
static const char *const quote_rtmr[4] = {
    "2e3843265f8ecdd4e2282694747f6f2f111605c33f2a8882f5734ee6f3a6ce63d8f34aeef06093dcda76fa5f9d33d8d6",
    "a1b79d76021970f57c45c4a7c395f780bab37011a4df27fe44e8559bd1abb4d6e52f12f866d1d08405448eb797a5970f",
    "1e31b59d605df7ee8160cf7966be9bafa6d0e1905de7e09695a24cd9748e71a603a51fae1297619fa0c30517addbcd07",
    "0f787c3877f3e95095d5a4d13dd0fe0233803b30120d8469866719dc28f519ce021fe1e53459121e7a5a4443147185a8",
};

static arena_t arena;
static json_t *list;
static uint8_t regs[4][48];

static void setup(void)
{
    char path[512];
    snprintf(path, sizeof path, "%s/tdx/dstack_event_log.json", getenv("TEST_DATA"));
    arena_init(&arena, 64u << 20);
    list = json_load_file(path, 0, NULL);
    ck_assert_msg(json_array_size(list) == LAST + 1, "%s", path);
    for (unsigned i = 0; i < 4; i++)
        ck_assert_int_eq(hex_decode_exact(regs[i], 48, quote_rtmr[i], 96), RC_OK);
}

static void teardown(void)
{
    json_decref(list);
    arena_free(&arena);
}

static tee_code_t verify(eventlog_t *out, view_t text)
{
    const uint8_t *const rtmr[4] = { regs[0], regs[1], regs[2], regs[3] };
    eventlog_t before;
    err_t fault = { 0 };
    memset(&before, 0x5a, sizeof before);
    *out = before;
    rc_t rc = eventlog_verify(out, &fault, &arena, text, rtmr);
    ck_assert((rc == RC_OK) == (fault.code == TEE_OK));
    if (rc) {
        ck_assert_mem_eq(out, &before, sizeof before);
        ck_assert_str_ne(fault.text, "");
    }
    return fault.code;
}

/* Of the list as it is now. */
static tee_code_t code(eventlog_t *out)
{
    eventlog_t ignored;
    char *text = json_dumps(list, JSON_COMPACT);
    ck_assert_ptr_nonnull(text);
    tee_code_t c = verify(out ? out : &ignored, view_str(text));
    free(text);
    return c;
}

static void set(size_t at, const char *key, const char *value)
{
    ck_assert_int_eq(json_object_set_new(json_array_get(list, at), key, json_loads(value, JSON_DECODE_ANY, NULL)), 0);
}

static void drop(size_t at, const char *key)
{
    json_object_del(json_array_get(list, at), key);
}

static view_t bytes_of(const json_t *hex)
{
    size_t n = 0;
    uint8_t *p = arena_alloc(&arena, json_string_length(hex) / 2 + 1);
    ck_assert_int_eq(hex_decode(p, &n, json_string_length(hex) / 2, json_string_value(hex), json_string_length(hex)),
                     RC_OK);
    return view_of(p, n);
}

/* The registers that a guest would have that measured this list (version 1; the type as the log says it), and the digests
 * written into it. */
static void measure(void)
{
    memset(regs, 0, sizeof regs);
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *o = json_array_get(list, i);
        unsigned imr = (unsigned)json_integer_value(json_object_get(o, "imr"));
        uint8_t digest[48], type[4];
        char hex[97];
        if (imr == 3) {
            uint32_t t = (uint32_t)json_integer_value(json_object_get(o, "event_type"));
            memcpy(type, &t, sizeof type);
            const view_t parts[] = { view_of(type, 4), view_str(":"),
                                     view_str(json_string_value(json_object_get(o, "event"))), view_str(":"),
                                     bytes_of(json_object_get(o, "event_payload")) };
            sha384_parts(digest, parts, COUNT(parts));
            hex_encode(hex, view_of(digest, sizeof digest));
            json_object_set_new(o, "digest", json_string(hex));
        } else
            memcpy(digest, bytes_of(json_object_get(o, "digest")).p, sizeof digest);
        const view_t both[] = { view_of(regs[imr], 48), view_of(digest, 48) };
        sha384_parts(regs[imr], both, 2);
    }
}

static void insert(size_t at, const char *name, const char *payload)
{
    json_t *o = json_pack("{s:i, s:I, s:s, s:s, s:s}", "imr", 3, "event_type", (json_int_t)EVENTLOG_RUNTIME, "digest",
                          "", "event", name, "event_payload", payload);
    ck_assert_ptr_nonnull(o);
    ck_assert_int_eq(json_array_insert_new(list, at, o), 0);
}

/* ---- what holds ---- */

START_TEST(a_real_log_leads_to_the_registers_of_its_quote)
{
    eventlog_t log;
    view_t payload;
    err_t fault;
    uint8_t want[32];
    ck_assert_int_eq(code(&log), TEE_OK);
    ck_assert_uint_eq(log.count, LAST + 1);
    ck_assert_uint_eq(log.ready, READY);
    ck_assert(log.events[0].imr == 0 && log.events[0].type == 2147483659u && log.events[0].payload.n == 0);
    ck_assert(view_eq(log.events[LAST].name, view_str("LIUM_MINER_HOTKEY")) && log.events[LAST].payload.n == 48);
    ck_assert_int_eq(hex_decode_exact(want, 32, COMPOSE_PAYLOAD, 64), RC_OK);
    ck_assert_int_eq(eventlog_identity(&payload, &fault, &log, "compose-hash"), RC_OK);
    ck_assert(view_eq(payload, view_of(want, 32)));
    ck_assert_int_eq(eventlog_identity(&payload, &fault, &log, "app-id"), RC_OK);
    ck_assert(view_eq(payload, view_of(want, 20)));
    ck_assert_int_eq(eventlog_identity(&payload, &fault, &log, "system-ready"), RC_OK);
    ck_assert_uint_eq(payload.n, 0);
    ck_assert_int_eq(eventlog_identity(&payload, &fault, &log, "os-image-hash"), RC_REFUSED);
    ck_assert_int_eq(fault.code, E_EVENT_REQUIRED);
}
END_TEST

START_TEST(digests_of_runtime_events_may_be_left_out)
{
    for (size_t i = COMPOSE - 2; i <= LAST; i++)
        set(i, "digest", "\"\"");
    ck_assert_int_eq(code(NULL), TEE_OK);
    for (size_t i = COMPOSE - 2; i <= LAST; i++)
        drop(i, "digest");
    ck_assert_int_eq(code(NULL), TEE_OK);
    set(COMPOSE, "version", "1");
    ck_assert_int_eq(code(NULL), TEE_OK);
}
END_TEST

START_TEST(a_log_without_events_belongs_to_registers_of_zeros)
{
    eventlog_t log;
    ck_assert_int_eq(verify(&log, view_str("[]")), E_EVENTLOG);
    memset(regs, 0, sizeof regs);
    ck_assert_int_eq(verify(&log, view_str("[]")), TEE_OK);
    ck_assert(log.count == 0 && log.ready == 0);
    for (unsigned i = 0; i < 4; i++) {
        regs[i][47] = 1;
        ck_assert_int_eq(verify(&log, view_str("[]")), E_EVENTLOG);
        regs[i][47] = 0;
    }
}
END_TEST

START_TEST(each_register_is_compared_whole)
{
    for (unsigned bit = 0; bit < 4 * 384; bit += 7) {
        regs[bit / 384][bit % 384 / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert_int_eq(code(NULL), E_EVENTLOG);
        regs[bit / 384][bit % 384 / 8] ^= (uint8_t)(1u << bit % 8);
    }
    ck_assert_int_eq(code(NULL), TEE_OK);
}
END_TEST

START_TEST(extending_is_what_replay_recomputes)
{
    uint8_t reg[48] = { 0 };
    for (size_t i = COMPOSE - 2; i <= LAST; i++) {
        const json_t *o = json_array_get(list, i);
        eventlog_extend(reg, json_string_value(json_object_get(o, "event")),
                        bytes_of(json_object_get(o, "event_payload")));
    }
    ck_assert_mem_eq(reg, regs[3], 48);
}
END_TEST

/* ---- 60 to 67 ---- */

static void miss_last(void)
{
    json_array_remove(list, LAST);
}
static void miss_first(void)
{
    json_array_remove(list, 0);
}
static void miss_compose(void)
{
    json_array_remove(list, COMPOSE);
}

static void reorder(size_t at)
{
    json_t *o = json_incref(json_array_get(list, at));
    json_array_remove(list, at);
    json_array_insert_new(list, at - 1, o);
}

static void reorder_runtime(void)
{
    reorder(COMPOSE);
}
static void reorder_boot(void)
{
    reorder(1);
}
static void duplicate(void)
{
    json_array_append(list, json_array_get(list, LAST));
}
static void duplicate_boot(void)
{
    json_array_insert(list, 0, json_array_get(list, 0));
}
static void other_register(void)
{
    set(COMPOSE, "imr", "2");
}
static void other_type(void)
{
    set(COMPOSE, "event_type", "1");
}
static void type_next_to_it(void)
{
    set(COMPOSE, "event_type", "134217730");
}
static void payload_changed(void)
{
    set(COMPOSE, "event_payload", "\"00\"");
}

static void payload_changed_without_digest(void)
{
    payload_changed();
    set(COMPOSE, "digest", "\"\"");
}

static void name_changed(void)
{
    set(COMPOSE, "event", "\"compose-hasi\"");
}
static void digest_changed(void)
{
    set(COMPOSE, "digest", "\"" COMPOSE_PAYLOAD "00000000000000000000000000000000\"");
}
static void name_with_colon(void)
{
    insert(COMPOSE, "compose-hash:", "00");
}
static void name_empty(void)
{
    insert(COMPOSE, "", "00");
}
static void name_with_space(void)
{
    insert(COMPOSE, "compose hash", "00");
}
static void name_with_quote(void)
{
    insert(COMPOSE, "a\\\"b", "00");
}

START_TEST(a_log_that_was_tampered_with_is_refused)
{
    static const struct {
        const char *name;
        void (*change)(void);
        bool measured; /* the registers follow the change: the log is refused for what it is */
    } rows[] = {
        { "60 last event missing", miss_last, false },
        { "60 first event missing", miss_first, false },
        { "60 compose-hash missing", miss_compose, false },
        { "60 runtime events reordered", reorder_runtime, false },
        { "60 boot events reordered", reorder_boot, false },
        { "60 runtime event twice", duplicate, false },
        { "60 boot event twice", duplicate_boot, false },
        { "60 runtime event moved to another register", other_register, false },
        { "61 register 3 with a boot type", other_type, true },
        { "61 register 3 with the next type", type_next_to_it, true },
        { "61 runtime type in a register of the boot", other_register, true },
        { "62 payload changed, digest kept", payload_changed, false },
        { "62 payload changed, no digest", payload_changed_without_digest, false },
        { "62 name changed, digest kept", name_changed, false },
        { "62 digest changed", digest_changed, false },
        { "65 name with a colon", name_with_colon, true },
        { "65 name empty", name_empty, true },
        { "65 name with a space", name_with_space, true },
        { "65 name with a quotation mark", name_with_quote, true },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        teardown();
        setup();
        rows[i].change();
        if (rows[i].measured)
            measure();
        tee_code_t got = code(NULL);
        ck_assert_msg(got == E_EVENTLOG, "%s: %s", rows[i].name, tee_code_name(got));
    }
}
END_TEST

/* A guest may extend its register by anything, zeros too: an event that has no digest of its own does not pass for it. */
START_TEST(an_event_that_is_refused_has_no_digest_of_zeros)
{
    static const struct {
        const char *key, *value;
    } rows[] = {
        { "event_type", "1" },        { "event_type", "0" },    { "event", "\"\"" }, { "event", "\"compose:hash\"" },
        { "event_payload", "\"0\"" }, { "event_payload", "7" }, { "version", "3" },  { "version", "2" },
        { "version", "null" },        { "event", "7" },
    };
    static const uint8_t zeros[48];
    for (size_t i = 0; i < COUNT(rows); i++) {
        teardown();
        setup();
        memset(regs[3], 0, 48);
        for (size_t k = COMPOSE - 2; k <= LAST; k++) {
            view_t one =
                k == COMPOSE ? view_of(zeros, 48) : bytes_of(json_object_get(json_array_get(list, k), "digest"));
            const view_t both[] = { view_of(regs[3], 48), one };
            sha384_parts(regs[3], both, 2);
        }
        set(COMPOSE, rows[i].key, rows[i].value);
        drop(COMPOSE, "digest");
        ck_assert_msg(code(NULL) == E_EVENTLOG, "%s: %s", rows[i].key, rows[i].value);
    }
}
END_TEST

#define CANONICAL "{\"name\":\"compose-hash\",\"payload\":\"" COMPOSE_PAYLOAD "\",\"type\":134217729}"

/* Makes compose-hash an event of version 2 with this preimage, in a log whose register follows the canonical one. */
static tee_code_t version_2(const char *preimage)
{
    const view_t text = view_str(CANONICAL);
    uint8_t digest[48], reg[48] = { 0 };
    char hex[97], *pre = arena_alloc(&arena, 2 * strlen(preimage) + 3);
    sha384_parts(digest, &text, 1);
    hex_encode(hex, view_of(digest, 48));
    pre[0] = '"';
    hex_encode(pre + 1, view_str(preimage));
    strcat(pre, "\"");
    set(COMPOSE, "version", "2");
    set(COMPOSE, "preimage", pre);
    json_object_set_new(json_array_get(list, COMPOSE), "digest", json_string(hex));
    for (size_t i = COMPOSE - 2; i <= LAST; i++) {
        const json_t *o = json_array_get(list, i);
        const view_t both[] = { view_of(reg, 48), bytes_of(json_object_get(o, "digest")) };
        sha384_parts(reg, both, 2);
    }
    memcpy(regs[3], reg, 48);
    return code(NULL);
}

START_TEST(an_event_of_version_2_needs_the_canonical_preimage_63)
{
    static const char *const wrong[] = {
        "",
        "{}",
        CANONICAL " ",
        " " CANONICAL,
        "{\"payload\":\"" COMPOSE_PAYLOAD "\",\"name\":\"compose-hash\",\"type\":134217729}",
        "{\"name\": \"compose-hash\",\"payload\":\"" COMPOSE_PAYLOAD "\",\"type\":134217729}",
        "{\"name\":\"compose-hash\",\"payload\":\"3763BC34552CF3A27FF71AD5F7A90471562A1A2DF552DFC1998CBA2D60DA27E7\",\"type\":134217729}",
        "{\"name\":\"compose-hash\",\"payload\":\"" COMPOSE_PAYLOAD "\",\"type\":134217730}",
        "{\"name\":\"compose-hash\",\"payload\":\"" COMPOSE_PAYLOAD "\",\"type\":1.34217729e8}",
        "{\"name\":\"compose-hash\",\"payload\":\"00\",\"type\":134217729}",
        "{\"name\":\"compose-hasi\",\"payload\":\"" COMPOSE_PAYLOAD "\",\"type\":134217729}",
        "{\"a\":0,\"name\":\"compose-hash\",\"payload\":\"" COMPOSE_PAYLOAD "\",\"type\":134217729}",
    };
    ck_assert_int_eq(version_2(CANONICAL), TEE_OK);
    drop(COMPOSE, "digest");
    ck_assert_int_eq(code(NULL), TEE_OK);
    for (size_t i = 0; i < COUNT(wrong); i++)
        ck_assert_msg(version_2(wrong[i]) == E_EVENTLOG, "%s", wrong[i]);
    for (size_t n = 0; n < strlen(CANONICAL); n++) {
        char cut[sizeof CANONICAL];
        memcpy(cut, CANONICAL, n);
        cut[n] = '\0';
        ck_assert_int_eq(version_2(cut), E_EVENTLOG);
    }
    ck_assert_int_eq(version_2(CANONICAL), TEE_OK);
    set(COMPOSE, "version", "1"); /* the same event is not of version 1 */
    ck_assert_int_eq(code(NULL), E_EVENTLOG);
    set(COMPOSE, "version", "2");
    drop(COMPOSE, "preimage");
    ck_assert_int_eq(code(NULL), E_EVENTLOG);
}
END_TEST

START_TEST(an_event_of_version_2_may_be_empty)
{
    static const char canonical[] = "{\"name\":\"compose-hash\",\"payload\":\"\",\"type\":134217729}";
    set(COMPOSE, "event_payload", "\"\"");
    const view_t text = view_str(canonical);
    uint8_t digest[48];
    char hex[2 * sizeof canonical + 2];
    hex[0] = '"';
    hex_encode(hex + 1, text);
    strcat(hex, "\"");
    set(COMPOSE, "version", "2");
    set(COMPOSE, "preimage", hex);
    sha384_parts(digest, &text, 1);
    memset(regs[3], 0, 48);
    for (size_t i = COMPOSE - 2; i <= LAST; i++) {
        view_t one = i == COMPOSE ? view_of(digest, 48) : bytes_of(json_object_get(json_array_get(list, i), "digest"));
        const view_t both[] = { view_of(regs[3], 48), one };
        sha384_parts(regs[3], both, 2);
    }
    drop(COMPOSE, "digest");
    ck_assert_int_eq(code(NULL), TEE_OK);
    for (size_t i = COMPOSE - 2; i <= LAST; i++) { /* nor does an empty payload pass for another */
        json_t *changed = json_deep_copy(list);
        json_object_set_new(json_array_get(list, i), "event_payload", json_string(i == COMPOSE ? "00" : "1234"));
        ck_assert_int_eq(code(NULL), E_EVENTLOG);
        json_decref(list);
        list = changed;
    }
}
END_TEST

START_TEST(names_have_their_maximum)
{
    static const size_t lengths[] = { 1, 255, 256, 257, 50000 };
    char *name = malloc(50001);
    for (size_t i = 0; i < COUNT(lengths); i++) {
        teardown();
        setup();
        memset(name, 'n', lengths[i]);
        name[lengths[i]] = '\0';
        insert(COMPOSE, name, "00");
        measure();
        ck_assert_msg(code(NULL) == (lengths[i] <= 256 ? TEE_OK : E_EVENTLOG), "%zu characters", lengths[i]);
    }
    free(name);
}
END_TEST

/* Printable ASCII but ' ', ':', '"' and '\\', as the first, a middle and the last character. */
START_TEST(names_have_only_characters_that_need_no_escapes)
{
    static const char good[] = "!9;[]~z", bad[] = " :\"\\\t\x01\x1f\x7f";
    for (size_t i = 0; i < sizeof good + sizeof bad - 2; i++)
        for (size_t at = 0; at < 3; at++) {
            const bool is_good = i < sizeof good - 1;
            char name[] = "abc";
            teardown();
            setup();
            name[at] = is_good ? good[i] : bad[i - (sizeof good - 1)];
            insert(COMPOSE, name, "00");
            measure();
            ck_assert_msg(code(NULL) == (is_good ? TEE_OK : E_EVENTLOG), "row %zu at %zu", i, at);
        }
}
END_TEST

/* A digest that differs in one byte, of the first and the last event that the guest measured. */
START_TEST(each_byte_of_a_digest_counts)
{
    static const size_t events[] = { COMPOSE - 2, COMPOSE, LAST };
    for (size_t i = 0; i < COUNT(events); i++)
        for (size_t at = 0; at < 48; at++) {
            json_t *o = json_array_get(list, events[i]);
            json_t *genuine = json_incref(json_object_get(o, "digest"));
            char hex[97];
            strcpy(hex, json_string_value(genuine));
            hex[2 * at + 1] = hex[2 * at + 1] == '0' ? '1' : '0';
            json_object_set_new(o, "digest", json_string(hex));
            ck_assert_msg(code(NULL) == E_EVENTLOG, "event %zu, byte %zu", events[i], at);
            json_object_set_new(o, "digest", genuine);
        }
    ck_assert_int_eq(code(NULL), TEE_OK);
}
END_TEST

static tee_code_t identity(const char *name)
{
    eventlog_t log;
    view_t payload = { NULL, 77 };
    err_t fault = { 0 };
    ck_assert_int_eq(code(&log), TEE_OK);
    rc_t rc = eventlog_identity(&payload, &fault, &log, name);
    ck_assert((rc == RC_OK) == (fault.code == TEE_OK));
    ck_assert(rc == RC_OK || payload.n == 77);
    return fault.code;
}

START_TEST(an_identity_event_stands_once_and_before_system_ready_64_67)
{
    insert(COMPOSE, "compose-hash", "00"); /* 64 */
    measure();
    ck_assert_int_eq(identity("compose-hash"), E_EVENTLOG);
    ck_assert_int_eq(identity("app-id"), TEE_OK);
    json_array_remove(list, COMPOSE);
    insert(LAST + 1, "compose-hash", COMPOSE_PAYLOAD); /* 64: once before, once behind */
    measure();
    ck_assert_int_eq(identity("compose-hash"), E_EVENTLOG);
    json_array_remove(list, COMPOSE);
    measure(); /* 67: only behind */
    ck_assert_int_eq(identity("compose-hash"), E_EVENT_REQUIRED);
    ck_assert_int_eq(identity("LIUM_MINER_HOTKEY"), E_EVENT_REQUIRED);
    insert(0, "system-ready", ""); /* the first one counts */
    measure();
    ck_assert_int_eq(identity("app-id"), E_EVENT_REQUIRED);
    ck_assert_int_eq(identity("system-ready"), E_EVENTLOG);
    for (size_t i = json_array_size(list); i-- > 0;)
        if (!strcmp(json_string_value(json_object_get(json_array_get(list, i), "event")), "system-ready"))
            json_array_remove(list, i);
    measure(); /* 67: system-ready never came */
    ck_assert_int_eq(identity("app-id"), E_EVENT_REQUIRED);
}
END_TEST

START_TEST(a_name_in_another_register_is_no_identity_event)
{
    set(0, "event", "\"compose-hash\"");
    set(1, "event", "\"system-ready\"");
    ck_assert_int_eq(identity("compose-hash"), TEE_OK);
    json_array_remove(list, COMPOSE);
    measure();
    ck_assert_int_eq(identity("compose-hash"), E_EVENT_REQUIRED);
}
END_TEST

START_TEST(logs_have_their_maximum_66)
{
    eventlog_t log;
    size_t large = (size_t)10 << 20;
    json_array_clear(list);
    for (size_t i = 0; i < EVENTLOG_EVENTS_MAX; i++)
        insert(i, "a", "");
    measure();
    for (size_t i = 0; i < EVENTLOG_EVENTS_MAX; i++)
        drop(i, "digest");
    ck_assert_int_eq(code(NULL), TEE_OK);
    insert(0, "a", "");
    measure();
    for (size_t i = 0; i <= EVENTLOG_EVENTS_MAX; i++)
        drop(i, "digest");
    ck_assert_int_eq(code(NULL), E_LIMIT);
    char *text = malloc(large);
    ck_assert_ptr_nonnull(text);
    memset(text, ' ', large);
    memcpy(text, "[", 1);
    for (size_t i = 0; i < 100000; i++)
        memcpy(text + 1 + 3 * i, i ? ",{}" : " {}", 3);
    text[1 + 3 * 100000] = ']';
    ck_assert_int_eq(verify(&log, view_of(text, 2 + 3 * 100000)), E_LIMIT); /* 100,000 events */
    ck_assert_int_eq(verify(&log, view_of(text, large)), E_LIMIT);          /* 10 MiB */
    free(text);
}
END_TEST

/* ---- malformed ---- */

START_TEST(a_malformed_event_is_refused)
{
    static const struct {
        size_t at;
        const char *key, *value; /* NULL: dropped */
    } rows[] = {
        { 0, "imr", NULL },
        { 0, "imr", "4" },
        { 0, "imr", "-1" },
        { 0, "imr", "\"0\"" },
        { 0, "imr", "0.0" },
        { 0, "imr", "null" },
        { 0, "event_type", NULL },
        { 0, "event_type", "-1" },
        { 0, "event_type", "4294967296" },
        { 0, "event_type", "\"1\"" },
        { 0, "event_type", "134217729" },
        { 0, "digest", NULL },
        { 0, "digest", "\"\"" },
        { 0, "digest", "7" },
        { 0, "digest", "\"00\"" },
        { 0, "digest", "\"zz\"" },
        { COMPOSE, "digest", "7" },
        { COMPOSE, "digest", "\"00\"" },
        { COMPOSE, "event", NULL },
        { COMPOSE, "event", "7" },
        { COMPOSE, "event", "\"\\u00e4\"" },
        { COMPOSE, "event_payload", NULL },
        { COMPOSE, "event_payload", "7" },
        { COMPOSE, "event_payload", "\"0\"" },
        { COMPOSE, "event_payload", "\"zz\"" },
        { COMPOSE, "version", "0" },
        { COMPOSE, "version", "3" },
        { COMPOSE, "version", "\"2\"" },
        { COMPOSE, "version", "null" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        teardown();
        setup();
        if (rows[i].value)
            set(rows[i].at, rows[i].key, rows[i].value);
        else
            drop(rows[i].at, rows[i].key);
        ck_assert_msg(code(NULL) == E_EVENTLOG, "row %zu", i);
    }
    for (size_t i = 0; i <= LAST; i++) {
        json_array_set_new(list, i, json_string("event"));
        ck_assert_int_eq(code(NULL), E_EVENTLOG);
    }
}
END_TEST

START_TEST(a_log_is_one_list_and_whole)
{
    static const char *const wrong[] = { "", "{}", "[[]]", "[] x", "[{\"imr\":0,\"imr\":0}]", "[", "null" };
    eventlog_t log;
    char *text = json_dumps(list, JSON_COMPACT);
    for (size_t n = 0; n < strlen(text); n += n < 600 ? 1 : 37)
        ck_assert_int_eq(verify(&log, view_of(text, n)), E_EVENTLOG);
    free(text);
    for (size_t i = 0; i < COUNT(wrong); i++)
        ck_assert_msg(verify(&log, view_str(wrong[i])) == E_EVENTLOG, "%s", wrong[i]);
}
END_TEST

START_TEST(memory_that_ends_is_told_as_such)
{
    const uint8_t *const rtmr[4] = { regs[0], regs[1], regs[2], regs[3] };
    version_2(CANONICAL); /* which needs more than version 1 */
    char *text = json_dumps(list, JSON_COMPACT);
    bool whole = false;
    for (size_t limit = 0; !whole; limit += 16) {
        arena_t small;
        eventlog_t log, before;
        err_t fault = { 0 };
        memset(&before, 0x5a, sizeof before);
        log = before;
        arena_init(&small, limit);
        rc_t rc = eventlog_verify(&log, &fault, &small, view_str(text), rtmr);
        ck_assert(rc == RC_OK || (rc == RC_NOMEM && fault.code == E_NOMEM));
        ck_assert(rc == RC_OK || memcmp(&log, &before, sizeof log) == 0);
        whole = rc == RC_OK;
        arena_free(&small);
    }
    free(text);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("eventlog", setup, teardown, a_real_log_leads_to_the_registers_of_its_quote,
                           digests_of_runtime_events_may_be_left_out,
                           a_log_without_events_belongs_to_registers_of_zeros, each_register_is_compared_whole,
                           extending_is_what_replay_recomputes, a_log_that_was_tampered_with_is_refused,
                           an_event_of_version_2_needs_the_canonical_preimage_63, an_event_of_version_2_may_be_empty,
                           an_event_that_is_refused_has_no_digest_of_zeros, names_have_their_maximum,
                           names_have_only_characters_that_need_no_escapes, each_byte_of_a_digest_counts,
                           an_identity_event_stands_once_and_before_system_ready_64_67,
                           a_name_in_another_register_is_no_identity_event, logs_have_their_maximum_66,
                           a_malformed_event_is_refused, a_log_is_one_list_and_whole, memory_that_ends_is_told_as_such);
}
