/* beacon: paths; recorded pairs of JSON and SSZ answers; the layout of every fork written out by hand; refusal of what
 * the schema does not know. */
#include <check.h>

#include "tests/unit/lc_fixture.h"

#include "rpc/upstream/beacon.h"
#include "tests/unit/unit.h"

static const char JSON[] = "application/json", SSZ[] = "application/octet-stream";
static const lc_want_t OPTIMISTIC = { .kind = LC_OPTIMISTIC }, UPDATES = { .kind = LC_UPDATE, .count = 2 };

static bn_object_t objects[LC_UPDATES_PER_REQUEST_MAX];
static size_t count;
static char why[320];
static arena_t arena;

static rc_t decode(const lc_network_t *net, const lc_want_t *want, const char *type, const char *version, view_t body)
{
    arena_free(&arena);
    arena_init(&arena, 64 << 20);
    memset(objects, 0, sizeof objects);
    count = 77;
    why[0] = '\0';
    err_t e = { .rc = RC_OK };
    rc_t rc = bn_decode(objects, &count, &e, &arena, net, want, type, version, body);
    if (rc)
        snprintf(why, sizeof why, "%s: %s", *e.field ? e.field : "answer", e.text);
    ck_assert_msg(rc == RC_OK || (count == 77 && why[0]), "a refusal says why, and leaves the count");
    return rc;
}

static rc_t decode_text(const lc_want_t *want, const char *version, const char *text)
{
    lc_network_t net = fx_minimal_fulu();
    net.fork_epoch[LC_GLOAS] = 1000;
    return decode(&net, want, JSON, version, view_str(text));
}

/* The optimistic update of slot 144 as text; freed by the caller. */
static char *recorded(void)
{
    view_t v = fx_read("minimal-fulu/optimistic-144.json");
    char *s = calloc(1, v.n + 1);
    memcpy(s, v.p, v.n);
    free((void *)(uintptr_t)v.p);
    return s;
}

/* A copy of text in which the first occurrence of from after the text at is replaced; freed by the caller. */
static char *replaced(const char *text, const char *after, const char *from, const char *to)
{
    const char *start = strstr(text, after), *at = start ? strstr(start, from) : NULL;
    ck_assert_msg(at != NULL, "no \"%s\" after \"%s\"", from, after);
    char *out = calloc(1, strlen(text) + strlen(to) + 1);
    memcpy(out, text, (size_t)(at - text));
    strcat(out, to);
    strcat(out, at + strlen(from));
    return out;
}

START_TEST(paths_are_those_of_the_beacon_api)
{
    char path[BN_PATH_MAX];
    lc_want_t want = { .kind = LC_BOOTSTRAP, .block_root = fx_hash(FX_FULU_CHECKPOINT_8) };
    bn_path(path, &want);
    ck_assert_str_eq(path, "/eth/v1/beacon/light_client/bootstrap/0x" FX_FULU_CHECKPOINT_8);
    want = (lc_want_t){ .kind = LC_UPDATE, .period = UINT64_MAX, .count = 128 };
    bn_path(path, &want);
    ck_assert_str_eq(path, "/eth/v1/beacon/light_client/updates?start_period=18446744073709551615&count=128");
    want.kind = LC_FINALITY;
    bn_path(path, &want);
    ck_assert_str_eq(path, "/eth/v1/beacon/light_client/finality_update");
    want.kind = LC_OPTIMISTIC;
    bn_path(path, &want);
    ck_assert_str_eq(path, "/eth/v1/beacon/light_client/optimistic_update");
}
END_TEST

START_TEST(recorded_json_gives_the_recorded_ssz)
{
    static const struct {
        const char *name;
        lc_kind_t kind;
        lc_fork_t fork;
    } rows[] = {
        { "minimal-fulu/optimistic-144", LC_OPTIMISTIC, LC_FULU },
        { "minimal-fulu/update-0", LC_UPDATE, LC_FULU },
        { "minimal-forks/bootstrap-8", LC_BOOTSTRAP, LC_DENEB },
        { "minimal-forks/finality-40", LC_FINALITY, LC_DENEB },
        { "minimal-forks/update-0", LC_UPDATE, LC_DENEB },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char name[64];
        lc_network_t net = strstr(rows[i].name, "fulu") ? fx_minimal_fulu() : fx_minimal_forks();
        const lc_want_t want = { .kind = rows[i].kind, .count = 1 };
        snprintf(name, sizeof name, "%s.json", rows[i].name);
        view_t json = fx_read(name);
        snprintf(name, sizeof name, "%s.ssz", rows[i].name);
        view_t ssz = fx_read(name);
        rc_t rc = decode(&net, &want, "Application/JSON; charset=utf-8", NULL, json);
        ck_assert_msg(rc == RC_OK, "%s: %s", rows[i].name, why);
        ck_assert_uint_eq(count, 1);
        ck_assert_int_eq(objects[0].fork, rows[i].fork);
        ck_assert_msg(view_eq(objects[0].ssz, ssz), "%s", rows[i].name);
        free((void *)(uintptr_t)json.p);
        free((void *)(uintptr_t)ssz.p);
    }
}
END_TEST

/* Objects of all forks and kinds: what is written is read as the same bytes, and no other length is written. */
START_TEST(what_is_written_as_json_is_read_as_the_same_ssz)
{
    static const struct {
        const char *name;
        lc_kind_t kind;
        lc_fork_t fork;
    } rows[] = {
        { "minimal-fulu/bootstrap-8", LC_BOOTSTRAP, LC_FULU },
        { "minimal-fulu/update-1", LC_UPDATE, LC_FULU },
        { "minimal-fulu/finality-144", LC_FINALITY, LC_FULU },
        { "minimal-fulu/optimistic-144", LC_OPTIMISTIC, LC_FULU },
        { "minimal-forks/finality-40", LC_FINALITY, LC_DENEB },
        { "minimal-forks/finality-96", LC_FINALITY, LC_FULU },
        { "minimal-gloas/bootstrap-8", LC_BOOTSTRAP, LC_FULU },
        { "minimal-gloas/update-32", LC_UPDATE, LC_GLOAS },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char name[64];
        const lc_network_t net = strstr(rows[i].name, "fulu")    ? fx_minimal_fulu()
                                 : strstr(rows[i].name, "forks") ? fx_minimal_forks()
                                                                 : fx_minimal_gloas();
        const lc_want_t want = { .kind = rows[i].kind, .count = 1 };
        snprintf(name, sizeof name, "%s.ssz", rows[i].name);
        view_t ssz = fx_read(name);
        jw_t w = jw_of(NULL, 1 << 20);
        if (want.kind == LC_UPDATE)
            jw_array(&w, NULL);
        jw_object(&w, NULL);
        jw_str(&w, "version", lc_fork_name(rows[i].fork));
        ck_assert_msg(!bn_write(&w, "data", &net, rows[i].kind, &(bn_object_t){ rows[i].fork, ssz, false }), "%s",
                      name);
        jw_end(&w);
        if (want.kind == LC_UPDATE)
            jw_end(&w);
        rc_t rc = decode(&net, &want, JSON, NULL, jw_done(&w));
        ck_assert_msg(rc == RC_OK && view_eq(objects[0].ssz, ssz), "%s: %s", name, why);
        jw_free(&w);
        for (size_t n = 0; n < ssz.n; n += n < 1200 ? 1 : 97) {
            w = jw_of(NULL, 1 << 20);
            ck_assert_msg(bn_write(&w, NULL, &net, rows[i].kind,
                                   &(bn_object_t){ rows[i].fork, view_of(ssz.p, n), false }) == RC_MALFORMED,
                          "%s: %zu bytes", name, n);
            jw_free(&w);
        }
        free((void *)(uintptr_t)ssz.p);
    }
}
END_TEST

/* ---- an optimistic update in the form of each fork, text and bytes written side by side ---- */

static void repeat(char *out, const char *two, size_t times)
{
    out += strlen(out);
    while (times--) {
        memcpy(out, two, 2);
        out += 2;
    }
    *out = '\0';
}

/* "name":"0x<byte n times>", */
static void text_bytes(char *out, const char *name, const char *two, size_t n)
{
    strcat(out, "\"");
    strcat(out, name);
    strcat(out, "\":\"0x");
    repeat(out, two, n);
    strcat(out, "\",");
}

static void ssz_fill(wr_t *w, uint8_t b, size_t n)
{
    uint8_t *at = wr_grab(w, n);
    ck_assert_ptr_nonnull(at);
    memset(at, b, n);
}

static const char MAX256[] = "115792089237316195423570985008687907853269984665640564039457584007913129639935";

static void text_branch(char *out, unsigned nodes)
{
    strcat(out, ",\"execution_branch\":[");
    for (unsigned i = 0; i < nodes; i++) {
        strcat(out, i ? ",\"0x" : "\"0x");
        repeat(out, "c4", 32);
        strcat(out, "\"");
    }
    strcat(out, "]");
}

static void made_text(char *out, const char *version, lc_fork_t fork)
{
    out[0] = '\0';
    strcat(out, "{\"version\":\"");
    strcat(out, version);
    strcat(out,
           "\",\"data\":{\"attested_header\":{\"beacon\":{\"slot\":\"1\",\"proposer_index\":\"18446744073709551615\",");
    text_bytes(out, "parent_root", "a1", 32);
    text_bytes(out, "state_root", "a2", 32);
    text_bytes(out, "body_root", "a3", 32);
    out[strlen(out) - 1] = '}';
    if (fork >= LC_GLOAS) {
        strcat(out, ",");
        text_bytes(out, "execution_block_hash", "b8", 32);
        out[strlen(out) - 1] = '\0';
        text_branch(out, 11);
    } else if (fork >= LC_CAPELLA) {
        strcat(out, ",\"execution\":{");
        text_bytes(out, "parent_hash", "b1", 32);
        text_bytes(out, "fee_recipient", "B2", 20);
        text_bytes(out, "state_root", "b3", 32);
        text_bytes(out, "receipts_root", "b4", 32);
        text_bytes(out, "logs_bloom", "b5", 256);
        text_bytes(out, "prev_randao", "b6", 32);
        strcat(out,
               "\"block_number\":\"256\",\"gas_limit\":\"65536\",\"gas_used\":\"0\",\"timestamp\":\"1700000000\",");
        text_bytes(out, "extra_data", "b7", 3);
        strcat(out, "\"base_fee_per_gas\":\"");
        strcat(out, MAX256);
        strcat(out, "\",");
        text_bytes(out, "block_hash", "b8", 32);
        text_bytes(out, "transactions_root", "b9", 32);
        text_bytes(out, "withdrawals_root", "ba", 32);
        if (fork >= LC_DENEB)
            strcat(out, "\"blob_gas_used\":\"131072\",\"excess_blob_gas\":\"7\",");
        out[strlen(out) - 1] = '}';
        text_branch(out, 4);
    }
    strcat(out, "},\"sync_aggregate\":{");
    text_bytes(out, "sync_committee_bits", "d1", 4);
    text_bytes(out, "sync_committee_signature", "d2", 96);
    out[strlen(out) - 1] = '}';
    strcat(out, ",\"signature_slot\":\"2\"}}");
}

static void made_beacon(wr_t *w)
{
    wr_u64le(w, 1);
    wr_u64le(w, UINT64_MAX);
    ssz_fill(w, 0xa1, 32);
    ssz_fill(w, 0xa2, 32);
    ssz_fill(w, 0xa3, 32);
}

/* Offsets are literals: 112 = 4 + (4 + 96) + 8 before the header; 244 = 112 + 4 + 128. */
static void made_ssz(wr_t *w, lc_fork_t fork)
{
    const bool fixed = fork < LC_CAPELLA || fork >= LC_GLOAS;
    if (fixed)
        made_beacon(w);
    else
        wr_u32le(w, 112);
    if (fork >= LC_GLOAS) {
        ssz_fill(w, 0xb8, 32);
        ssz_fill(w, 0xc4, 11 * 32);
    }
    ssz_fill(w, 0xd1, 4);
    ssz_fill(w, 0xd2, 96);
    wr_u64le(w, 2);
    if (fixed)
        return;
    made_beacon(w);
    wr_u32le(w, 244);
    ssz_fill(w, 0xc4, 128);
    ssz_fill(w, 0xb1, 32);
    ssz_fill(w, 0xb2, 20);
    ssz_fill(w, 0xb3, 32);
    ssz_fill(w, 0xb4, 32);
    ssz_fill(w, 0xb5, 256);
    ssz_fill(w, 0xb6, 32);
    wr_u64le(w, 256);
    wr_u64le(w, 65536);
    wr_u64le(w, 0);
    wr_u64le(w, 1700000000);
    wr_u32le(w, fork >= LC_DENEB ? 584 : 568);
    ssz_fill(w, 0xff, 32);
    ssz_fill(w, 0xb8, 32);
    ssz_fill(w, 0xb9, 32);
    ssz_fill(w, 0xba, 32);
    if (fork >= LC_DENEB) {
        wr_u64le(w, 131072);
        wr_u64le(w, 7);
    }
    ssz_fill(w, 0xb7, 3);
}

START_TEST(each_fork_has_its_layout_and_no_other)
{
    static const char *const names[LC_FORKS] = {
        "altair", "bellatrix", "capella", "deneb", "electra", "fulu", "gloas"
    };
    static char text[8192];
    for (lc_fork_t form = LC_ALTAIR; form < LC_FORKS; form++)
        for (lc_fork_t said = LC_ALTAIR; said < LC_FORKS; said++) {
            uint8_t want[2048];
            wr_t w = wr_of(want, sizeof want);
            bool same = (form < LC_CAPELLA && said < LC_CAPELLA) || (form == LC_CAPELLA && said == LC_CAPELLA) ||
                        (form >= LC_DENEB && form < LC_GLOAS && said >= LC_DENEB && said < LC_GLOAS) ||
                        (form == LC_GLOAS && said == LC_GLOAS);
            made_text(text, names[said], form);
            made_ssz(&w, form);
            rc_t rc = decode_text(&OPTIMISTIC, NULL, text);
            ck_assert_msg(rc == (same ? RC_OK : RC_MALFORMED), "%s in the form of %s: %s", names[said], names[form],
                          why);
            if (!same)
                continue;
            ck_assert_int_eq(objects[0].fork, said);
            ck_assert_msg(view_eq(objects[0].ssz, wr_view(&w)), "%s", names[said]);
        }
}
END_TEST

/* ---- refusals ---- */

START_TEST(every_truncation_is_refused)
{
    char *text = recorded();
    lc_network_t net = fx_minimal_fulu();
    size_t n = strlen(text);
    while (n && text[n - 1] != '}')
        n--;
    for (size_t i = 0; i < n; i++) {
        char *part = malloc(i ? i : 1);
        memcpy(part, text, i);
        ck_assert_int_eq(decode(&net, &OPTIMISTIC, JSON, NULL, view_of(part, i)), RC_MALFORMED);
        free(part);
    }
    free(text);
}
END_TEST

START_TEST(each_missing_field_is_named)
{
    static const char *const names[] = {
        "attested_header",
        "beacon",
        "slot",
        "proposer_index",
        "parent_root",
        "body_root",
        "execution",
        "parent_hash",
        "fee_recipient",
        "receipts_root",
        "logs_bloom",
        "prev_randao",
        "block_number",
        "gas_limit",
        "gas_used",
        "timestamp",
        "extra_data",
        "base_fee_per_gas",
        "block_hash",
        "transactions_root",
        "withdrawals_root",
        "blob_gas_used",
        "excess_blob_gas",
        "execution_branch",
        "sync_aggregate",
        "sync_committee_bits",
        "sync_committee_signature",
        "signature_slot",
    };
    char *text = recorded();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char key[64], other[64];
        snprintf(key, sizeof key, "\"%s\":", names[i]);
        snprintf(other, sizeof other, "\"%s_\":", names[i]);
        char *changed = replaced(text, "\"data\"", key, other);
        ck_assert_int_eq(decode_text(&OPTIMISTIC, NULL, changed), RC_MALFORMED);
        ck_assert_msg(strstr(why, names[i]) && strstr(why, "is required"), "%s: %s", names[i], why);
        free(changed);
    }
    char *changed = replaced(text, "", "\"data\"", "\"Data\"");
    ck_assert_int_eq(decode_text(&OPTIMISTIC, NULL, changed), RC_MALFORMED);
    free(changed);
    free(text);
}
END_TEST

/* They prove nothing and break nothing. */
START_TEST(unknown_members_are_passed_over_in_every_object)
{
    static const char *const members[] = { "\"x\":\"0\",", "\"meta\":{\"y\":[1,{}]},", "\"Slot\":null,",
                                           "\"execution_optimistic\":false," };
    char *text = recorded();
    for (char *at = text; (at = strchr(at, '{')); at++)
        for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
            char *changed = calloc(1, strlen(text) + 64);
            memcpy(changed, text, (size_t)(at - text) + 1);
            strcat(changed, members[i]);
            strcat(changed, at + 1);
            ck_assert_msg(decode_text(&OPTIMISTIC, NULL, changed) == RC_OK, "%s: %s", members[i], why);
            free(changed);
        }
    free(text);
}
END_TEST

START_TEST(repeated_fields_and_those_of_another_fork_are_refused)
{
    char *text = recorded();
    char *twice =
        replaced(text, "", "\"signature_slot\":\"145\"", "\"signature_slot\":\"145\",\"signature_slot\":\"145\"");
    ck_assert_int_eq(decode_text(&OPTIMISTIC, NULL, twice), RC_MALFORMED);
    free(twice);
    char *older = replaced(text, "", "\"version\":\"fulu\"", "\"version\":\"capella\"");
    ck_assert_int_eq(decode_text(&OPTIMISTIC, NULL, older), RC_MALFORMED);
    ck_assert_msg(strstr(why, "blob") && strstr(why, "is a field of another fork"), "%s", why);
    free(older);
    free(text);
}
END_TEST

/* Nothing of what an API chooses is repeated, so no length of it matters. */
START_TEST(names_versions_and_types_of_any_length_are_not_repeated)
{
    static const size_t lengths[] = { 1, 23, 24, 63, 64, 255, 256, 257, 5000, 100000 };
    lc_network_t net = fx_minimal_fulu();
    static char letters[100001], changed[100100];
    char *text = recorded();
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        memset(letters, 'q', lengths[i]);
        sprintf(changed, "\"slot\":\"144\",\"%s\":\"0\"", letters);
        char *bad = replaced(text, "", "\"slot\":\"144\"", changed);
        ck_assert_msg(decode_text(&OPTIMISTIC, NULL, bad) == RC_OK, "%s", why); /* what is unknown is passed over */
        free(bad);
        sprintf(changed, "{\"%s\":1,", letters);
        bad = replaced(text, "", "{", changed);
        ck_assert_msg(decode_text(&OPTIMISTIC, NULL, bad) == RC_OK, "%s", why);
        free(bad);
        sprintf(changed, "\"version\":\"%s\"", letters);
        bad = replaced(text, "", "\"version\":\"fulu\"", changed);
        ck_assert_int_eq(decode_text(&OPTIMISTIC, NULL, bad), RC_UNSUPPORTED);
        ck_assert_msg(!strstr(why, "qq") && why[0], "%s", why);
        free(bad);
        sprintf(changed, "\"slot\":\"%s\"", letters);
        bad = replaced(text, "", "\"slot\":\"144\"", changed);
        ck_assert_int_eq(decode_text(&OPTIMISTIC, NULL, bad), RC_MALFORMED);
        ck_assert_msg(strncmp(why, "data.attested_header.beacon.slot: ", 34) == 0 && !strstr(why, "qq"), "%s", why);
        free(bad);
        ck_assert_int_eq(decode(&net, &OPTIMISTIC, JSON, letters, view_str(text)), RC_MALFORMED);
        ck_assert_msg(!strstr(why, "qq"), "%s", why);
        ck_assert_int_eq(decode(&net, &OPTIMISTIC, letters, NULL, view_str(text)), RC_MALFORMED);
        ck_assert_msg(!strstr(why, "qq"), "%s", why);
    }
    free(text);
}
END_TEST

START_TEST(values_of_another_form_are_refused)
{
    static const struct {
        const char *after, *from, *to;
        rc_t rc;
    } rows[] = {
        { "\"signature_slot\"", "\"145\"", "145", RC_MALFORMED },
        { "\"signature_slot\"", "\"145\"", "null", RC_MALFORMED },
        { "\"signature_slot\"", "\"145\"", "[\"145\"]", RC_MALFORMED },
        { "\"signature_slot\"", "\"145\"", "\"\"", RC_MALFORMED },
        { "\"signature_slot\"", "\"145\"", "\"-1\"", RC_MALFORMED },
        { "\"signature_slot\"", "\"145\"", "\"+1\"", RC_MALFORMED },
        { "\"signature_slot\"", "\"145\"", "\" 1\"", RC_MALFORMED },
        { "\"signature_slot\"", "\"145\"", "\"1 \"", RC_MALFORMED },
        { "\"signature_slot\"", "\"145\"", "\"0145\"", RC_MALFORMED },
        { "\"signature_slot\"", "\"145\"", "\"0x91\"", RC_MALFORMED },
        { "\"signature_slot\"", "\"145\"", "\"1e2\"", RC_MALFORMED },
        { "\"signature_slot\"", "\"145\"", "\"1\\u0000\"", RC_MALFORMED },
        { "\"signature_slot\"", "\"145\"", "\"0\"", RC_OK },
        { "\"signature_slot\"", "\"145\"", "\"18446744073709551615\"", RC_OK },
        { "\"signature_slot\"", "\"145\"", "\"18446744073709551616\"", RC_LIMIT },
        { "\"base_fee_per_gas\"", ":\"",
          ":\"115792089237316195423570985008687907853269984665640564039457584007913129639936\",\"y\":\"", RC_LIMIT },
        { "\"base_fee_per_gas\"", ":\"",
          ":\"1157920892373161954235709850086879078532699846656405640394575840079131296399350\",\"y\":\"", RC_LIMIT },
        { "\"body_root\"", "\"0x", "\"", RC_MALFORMED },
        { "\"body_root\"", "\"0x", "\"0X", RC_MALFORMED },
        { "\"body_root\"", "\"0x", "\"0x00", RC_MALFORMED },
        { "\"body_root\"", "\"0x", "\"0x0", RC_MALFORMED },
        { "\"body_root\"", "\"0x", "\"0x0x", RC_MALFORMED },
        { "\"body_root\"", "\"0x", "\"\",\"z\":\"0x", RC_MALFORMED },
        { "\"extra_data\"", "\"0x", "\"0x00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff0011223344",
          RC_LIMIT },
        { "\"extra_data\"", "\"0x", "\"0x0", RC_MALFORMED },
        { "\"execution_branch\"", "[", "[\"0x00\",", RC_MALFORMED },
        { "\"execution_branch\"", "[", "{\"a\":[", RC_MALFORMED },
        { "\"execution_branch\"", "[\"0x", "[\"0xg", RC_MALFORMED },
        { "\"sync_committee_bits\"", "\"0x", "\"0xff", RC_MALFORMED },
        { "\"sync_aggregate\"", ":{", ":[{", RC_MALFORMED },
        { "\"version\"", "\"fulu\"", "\"phase0\"", RC_UNSUPPORTED },
        { "\"version\"", "\"fulu\"", "\"Fulu\"", RC_UNSUPPORTED },
        { "\"version\"", "\"fulu\"", "\"\"", RC_UNSUPPORTED },
        { "\"version\"", "\"fulu\"", "6", RC_MALFORMED },
        { "\"version\"", "\"fulu\"", "\"altair\"", RC_MALFORMED },
    };
    char *text = recorded();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *changed = replaced(text, rows[i].after, rows[i].from, rows[i].to);
        rc_t rc = decode_text(&OPTIMISTIC, NULL, changed);
        ck_assert_msg(rc == rows[i].rc, "%s %s: got %s, %s", rows[i].after, rows[i].to, rc_name(rc), why);
        free(changed);
    }
    free(text);
}
END_TEST

START_TEST(what_would_hurt_the_parser_never_reaches_it)
{
    lc_network_t net = fx_minimal_fulu();
    static char text[300000];
    memset(text, '[', 17);
    ck_assert_int_eq(decode_text(&UPDATES, NULL, text), RC_LIMIT);
    ck_assert_ptr_nonnull(strstr(why, "deep"));
    memset(text, 0, sizeof text);
    text[0] = '[';
    for (size_t i = 0; i < 5000; i++)
        memcpy(text + 1 + 3 * i, "[],", 3);
    ck_assert_int_eq(decode_text(&UPDATES, NULL, text), RC_LIMIT);
    ck_assert_ptr_nonnull(strstr(why, "many"));
    memset(text, ' ', sizeof text);
    ck_assert_uint_eq(bn_body_max(&OPTIMISTIC), 256 << 10);
    ck_assert_int_eq(decode(&net, &OPTIMISTIC, JSON, NULL, view_of(text, (256 << 10) + 1)), RC_LIMIT);
    ck_assert_int_eq(decode(&net, &OPTIMISTIC, JSON, NULL, view_of(text, 256 << 10)), RC_MALFORMED);
    ck_assert_int_eq(decode(&net, &OPTIMISTIC, JSON, NULL, view_of("{}\0", 3)), RC_MALFORMED);
    ck_assert_int_eq(decode(&net, &OPTIMISTIC, JSON, NULL, view_of("\"\\", 2)), RC_MALFORMED);
    ck_assert_int_eq(decode(&net, &OPTIMISTIC, JSON, NULL, view_of("", 0)), RC_MALFORMED);
    ck_assert_int_eq(decode_text(&OPTIMISTIC, NULL, "[]"), RC_MALFORMED);
    ck_assert_int_eq(decode_text(&UPDATES, NULL, "{}"), RC_MALFORMED);
    char *object = recorded();
    strcpy(text, object);
    strcat(text, " x");
    ck_assert_int_eq(decode_text(&OPTIMISTIC, NULL, text), RC_MALFORMED);
    free(object);
}
END_TEST

START_TEST(memory_that_runs_out_blames_nobody)
{
    lc_network_t net = fx_minimal_fulu();
    char *text = recorded();
    arena_t small;
    arena_init(&small, 32 << 10);
    ck_assert_int_eq(bn_decode(objects, &count, NULL, &small, &net, &OPTIMISTIC, JSON, NULL, view_str(text)), RC_NOMEM);
    arena_free(&small);
    free(text);
}
END_TEST

START_TEST(the_fork_comes_from_version_or_header_or_slot)
{
    lc_network_t net = fx_minimal_fulu();
    char *text = recorded();
    ck_assert_int_eq(decode(&net, &OPTIMISTIC, JSON, "fulu", view_str(text)), RC_OK);
    ck_assert_int_eq(decode(&net, &OPTIMISTIC, JSON, "electra", view_str(text)), RC_MALFORMED);
    ck_assert_ptr_nonnull(strstr(why, "version"));
    char *bare = replaced(text, "", "\"version\":\"fulu\"", "\"meta\":{}");
    ck_assert_int_eq(decode(&net, &OPTIMISTIC, JSON, "deneb", view_str(bare)), RC_OK);
    ck_assert_int_eq(objects[0].fork, LC_DENEB);
    ck_assert_int_eq(decode(&net, &OPTIMISTIC, JSON, "phase0", view_str(bare)), RC_UNSUPPORTED);
    net.fork_epoch[LC_ELECTRA] = 18; /* slot 144 */
    net.fork_epoch[LC_FULU] = 19;
    ck_assert_int_eq(decode(&net, &OPTIMISTIC, JSON, NULL, view_str(bare)), RC_OK);
    ck_assert_int_eq(objects[0].fork, LC_ELECTRA);
    char *no_slot = replaced(bare, "", "\"144\"", "144");
    ck_assert_int_eq(decode(&net, &OPTIMISTIC, JSON, NULL, view_str(no_slot)), RC_MALFORMED);
    ck_assert_ptr_nonnull(strstr(why, "data.attested_header.beacon.slot"));
    net.fork_epoch[LC_FULU] = LC_EPOCH_NEVER; /* a known form is read: whoever signed it decides */
    ck_assert_int_eq(decode(&net, &OPTIMISTIC, JSON, NULL, view_str(text)), RC_OK);
    ck_assert_int_eq(objects[0].fork, LC_FULU);
    free(no_slot);
    free(bare);
    free(text);
}
END_TEST

START_TEST(lists_hold_at_most_what_was_asked_for)
{
    lc_network_t net = fx_minimal_fulu();
    view_t one = fx_read("minimal-fulu/update-0.json");
    static char text[65536];
    const lc_want_t three = { .kind = LC_UPDATE, .count = 3 };
    size_t n = one.n;
    while (one.p[n - 1] != ']')
        n--;
    text[0] = '\0';
    for (unsigned i = 0; i < 3; i++) {
        strcat(text, i ? "," : "[");
        strncat(text, (const char *)one.p + 1, n - 2);
    }
    strcat(text, "]");
    ck_assert_int_eq(decode(&net, &three, JSON, NULL, view_str(text)), RC_OK);
    ck_assert_uint_eq(count, 3);
    ck_assert(view_eq(objects[0].ssz, objects[2].ssz));
    ck_assert_int_eq(decode(&net, &UPDATES, JSON, NULL, view_str(text)), RC_LIMIT);
    ck_assert_int_eq(decode(&net, &three, JSON, NULL, view_str("[]")), RC_OK);
    ck_assert_uint_eq(count, 0);
    char *changed = replaced(text, "\"data\":{\"attested_header\"", "},{", "},7,{");
    ck_assert_int_eq(decode(&net, &three, JSON, NULL, view_str(changed)), RC_LIMIT);
    free(changed);
    changed = replaced(text, "signature_slot\":", "\"}", "\"},\"x\":0");
    ck_assert_int_eq(decode(&net, &three, JSON, NULL, view_str(changed)), RC_OK);
    free(changed);
    free((void *)(uintptr_t)one.p);
}
END_TEST

/* Two updates as the API frames them in SSZ: length of the rest, fork digest, object. */
static size_t framed(uint8_t *out, size_t cap, const lc_network_t *net, view_t object)
{
    wr_t w = wr_of(out, cap);
    uint8_t digest[4];
    lc_fork_digest(digest, net, 0);
    for (unsigned i = 0; i < 2; i++) {
        wr_u64le(&w, 4 + object.n);
        wr_bytes(&w, digest, 4);
        wr_bytes(&w, object.p, object.n);
    }
    ck_assert(!w.bad);
    return w.n;
}

START_TEST(framed_updates_are_cut_at_their_lengths)
{
    lc_network_t net = fx_minimal_fulu();
    view_t object = fx_read("minimal-fulu/update-0.ssz");
    static uint8_t body[16384];
    size_t n = framed(body, sizeof body, &net, object), half = n / 2;
    ck_assert_int_eq(decode(&net, &UPDATES, SSZ, "fulu,fulu", view_of(body, n)), RC_OK);
    ck_assert_uint_eq(count, 2);
    ck_assert_int_eq(objects[1].fork, LC_FULU);
    ck_assert(view_eq(objects[0].ssz, object) && view_eq(objects[1].ssz, object));
    ck_assert_int_eq(decode(&net, &UPDATES, SSZ, NULL, view_of(body, 0)), RC_OK);
    ck_assert_uint_eq(count, 0);
    for (size_t i = 1; i < n; i++) {
        uint8_t *part = malloc(i);
        memcpy(part, body, i);
        ck_assert_int_eq(decode(&net, &UPDATES, SSZ, NULL, view_of(part, i)), i == half ? RC_OK : RC_MALFORMED);
        free(part);
    }
    const lc_want_t one = { .kind = LC_UPDATE, .count = 1 };
    ck_assert_int_eq(decode(&net, &one, SSZ, NULL, view_of(body, n)), RC_LIMIT);
    body[8] ^= 1; /* digest */
    ck_assert_int_eq(decode(&net, &UPDATES, SSZ, NULL, view_of(body, n)), RC_UNSUPPORTED);
    body[8] ^= 1;
    static const struct {
        uint64_t length;
        rc_t rc;
    } rows[] = { { 0, RC_MALFORMED },
                 { 3, RC_MALFORMED },
                 { 4, RC_MALFORMED },
                 { LC_OBJECT_LEN_MAX + 4, RC_MALFORMED },
                 { LC_OBJECT_LEN_MAX + 5, RC_LIMIT },
                 { UINT64_MAX, RC_LIMIT } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        store_u64le(body, rows[i].length);
        ck_assert_msg(decode(&net, &UPDATES, SSZ, NULL, view_of(body, n)) == rows[i].rc, "length %zu",
                      (size_t)rows[i].length);
    }
    free((void *)(uintptr_t)object.p);
}
END_TEST

START_TEST(the_period_of_an_update_is_that_of_its_attested_slot)
{
    const lc_network_t net = fx_minimal_fulu(); /* 8 slots an epoch, 8 epochs a period */
    static const char *const names[] = { "minimal-fulu/update-0.ssz", "minimal-fulu/update-1.ssz",
                                         "minimal-fulu/update-2.ssz", "minimal-fulu/optimistic-144.ssz" };
    uint8_t altair[8] = { 128 }; /* the slot comes first, before Capella */
    uint64_t period = 99;
    for (uint64_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const view_t ssz = fx_read(names[i]);
        ck_assert(bn_period(&period, &net, &(bn_object_t){ LC_FULU, ssz, false }));
        ck_assert_uint_eq(period, i < 3 ? i : 144 / 64);
        for (size_t n = 0; n < 16; n++)
            ck_assert(!bn_period(&period, &net, &(bn_object_t){ LC_FULU, view_of(ssz.p, n), false }));
        free((void *)(uintptr_t)ssz.p);
    }
    ck_assert(bn_period(&period, &net, &(bn_object_t){ LC_ALTAIR, view_of(altair, 8), false }));
    ck_assert_uint_eq(period, 2);
    ck_assert(!bn_period(&period, &net, &(bn_object_t){ LC_ALTAIR, view_of(altair, 7), false }));
}
END_TEST

/* From Gloas on headers have one length again, and the slot comes first. */
START_TEST(the_slot_of_an_update_is_found_in_each_form)
{
    static const struct {
        const char *name;
        lc_fork_t form;
        uint64_t slot;
    } rows[] = { { "minimal-gloas/update-16.ssz", LC_FULU, 16 },
                 { "minimal-gloas/update-24.ssz", LC_GLOAS, 24 },
                 { "minimal-gloas/update-72.ssz", LC_GLOAS, 72 } };
    const lc_network_t net = fx_minimal_gloas();
    for (size_t i = 0; i < 3; i++) {
        uint64_t slot, period;
        const view_t ssz = fx_read(rows[i].name);
        const bn_object_t update = { rows[i].form, ssz, false };
        ck_assert(bn_slot(&slot, &update) && slot == rows[i].slot);
        ck_assert(bn_period(&period, &net, &update) && period == rows[i].slot / 64);
        ck_assert(!bn_slot(&slot, &(bn_object_t){ rows[i].form, view_of(ssz.p, 7), false }));
        free((void *)(uintptr_t)ssz.p);
    }
}
END_TEST

/* ... and with it the fork of an answer that does not say it; of the whole file, as its first object is. */
START_TEST(ssz_without_a_version_is_of_the_fork_at_its_slot)
{
    static const struct {
        const char *name;
        lc_fork_t fork;
    } rows[] = { { "minimal-gloas/update-16.ssz", LC_FULU },
                 { "minimal-gloas/update-24.ssz", LC_GLOAS },
                 { "minimal-gloas/update-72.ssz", LC_GLOAS },
                 { "minimal-fulu/optimistic-144.ssz", LC_FULU },
                 { "minimal-fulu/optimistic-153.ssz", LC_FULU } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const lc_network_t net = i < 3 ? fx_minimal_gloas() : fx_minimal_fulu();
        const view_t ssz = fx_read(rows[i].name);
        ck_assert_int_eq(decode(&net, &OPTIMISTIC, SSZ, NULL, ssz), RC_OK);
        ck_assert_uint_eq(objects[0].fork, rows[i].fork);
        ck_assert(!objects[0].newer && objects[0].ssz.p == ssz.p && objects[0].ssz.n == ssz.n);
        for (size_t n = 0; n < 8; n++) /* too short to have a slot */
            ck_assert_int_eq(decode(&net, &OPTIMISTIC, SSZ, NULL, view_of(ssz.p, n)), RC_MALFORMED);
        free((void *)(uintptr_t)ssz.p);
    }
}
END_TEST

START_TEST(the_version_header_decides_of_what_fork_single_ssz_objects_are)
{
    lc_network_t net = fx_minimal_fulu();
    static uint8_t body[LC_OBJECT_LEN_MAX + 1];
    ck_assert_int_eq(decode(&net, &OPTIMISTIC, SSZ, "fulu", view_of(body, 940)), RC_OK);
    ck_assert_int_eq(objects[0].fork, LC_FULU);
    ck_assert_ptr_eq(objects[0].ssz.p, body);
    ck_assert_uint_eq(objects[0].ssz.n, 940);
    ck_assert_int_eq(decode(&net, &OPTIMISTIC, SSZ, "heze", view_of(body, 940)), RC_UNSUPPORTED);
    ck_assert_int_eq(decode(&net, &OPTIMISTIC, SSZ, "fulu", view_of(body, 0)), RC_MALFORMED);
    ck_assert_int_eq(decode(&net, &OPTIMISTIC, SSZ, "fulu", view_of(body, LC_OBJECT_LEN_MAX)), RC_OK);
    ck_assert_int_eq(decode(&net, &OPTIMISTIC, SSZ, "fulu", view_of(body, LC_OBJECT_LEN_MAX + 1)), RC_LIMIT);
}
END_TEST

/* A fork that the configuration names: what is signed of its objects can be looked at. */
START_TEST(objects_of_a_fork_without_rows_are_in_the_newest_form)
{
    static const lc_want_t bootstrap = { .kind = LC_BOOTSTRAP };
    const lc_unknown_fork_t fork = { .name = "heze", .epoch = LC_EPOCH_NEVER };
    lc_network_t net = fx_minimal_fulu();
    static uint8_t body[940];
    char *text = recorded(), *heze = replaced(text, "\"version\"", "\"fulu\"", "\"heze\"");
    ck_assert(lc_unknown_fork_add(&net, &fork));
    ck_assert_int_eq(decode(&net, &OPTIMISTIC, SSZ, "heze", view_of(body, 604)), RC_OK);
    ck_assert(objects[0].newer && objects[0].fork == LC_FORKS - 1 && objects[0].ssz.n == 604);
    ck_assert_int_eq(decode(&net, &OPTIMISTIC, SSZ, "fulu", view_of(body, 940)), RC_OK);
    ck_assert(!objects[0].newer);
    ck_assert_int_eq(decode(&net, &OPTIMISTIC, SSZ, "imax", view_of(body, 604)), RC_UNSUPPORTED);
    ck_assert_int_eq(decode(&net, &bootstrap, SSZ, "heze", view_of(body, 604)), RC_UNSUPPORTED);
    ck_assert_int_eq(decode(&net, &OPTIMISTIC, JSON, NULL, view_str(heze)), RC_UNSUPPORTED); /* of Fulu's form */
    ck_assert_str_eq(why, "version: names a fork that this build does not know");
    free(heze);
    free(text);
}
END_TEST

START_TEST(other_content_types_are_refused)
{
    static const char *const types[] = {
        NULL,  "", "text/html", "application/jsonp", "application/json5; charset=utf-8", "application/octet-streams",
        "json"
    };
    lc_network_t net = fx_minimal_fulu();
    char *text = recorded();
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        ck_assert_int_eq(decode(&net, &OPTIMISTIC, types[i], "fulu", view_str(text)), RC_MALFORMED);
    free(text);
}
END_TEST

int main(void)
{
    int failed =
        UNIT_RUN("beacon", paths_are_those_of_the_beacon_api, recorded_json_gives_the_recorded_ssz,
                 what_is_written_as_json_is_read_as_the_same_ssz, each_fork_has_its_layout_and_no_other,
                 every_truncation_is_refused, each_missing_field_is_named,
                 unknown_members_are_passed_over_in_every_object, repeated_fields_and_those_of_another_fork_are_refused,
                 names_versions_and_types_of_any_length_are_not_repeated, values_of_another_form_are_refused,
                 what_would_hurt_the_parser_never_reaches_it, memory_that_runs_out_blames_nobody,
                 the_fork_comes_from_version_or_header_or_slot, lists_hold_at_most_what_was_asked_for,
                 framed_updates_are_cut_at_their_lengths, the_period_of_an_update_is_that_of_its_attested_slot,
                 the_slot_of_an_update_is_found_in_each_form, ssz_without_a_version_is_of_the_fork_at_its_slot,
                 the_version_header_decides_of_what_fork_single_ssz_objects_are,
                 objects_of_a_fork_without_rows_are_in_the_newest_form, other_content_types_are_refused);
    arena_free(&arena);
    return failed;
}
