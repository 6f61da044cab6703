/* measure.c - `kettle measure`: computes what MRTD and RTMR0 to RTMR2 must be when an image boots, and writes the entry
 * of a policy that admits it. Works offline on files. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/os/file.h"
#include "node/cli/command.h"
#include "node/cli/evidence.h"
#include "node/cli/measure_explain.h"
#include "tee/measure/bzimage.h"
#include "tee/measure/osimage.h"
#include "tee/verify/policy.h"

#define ARENA_MAX ((size_t)64 << 20)
#define FILES_MAX 16u
#define COMPOSE_MAX (1u << 20)   /* bytes of an app-compose.json */
#define METADATA_MAX (64u << 10) /* bytes of an image's metadata.json */
#define PATH_LEN 4096u
#define EVENTS_MAX 14u /* --event; with compose-hash and key-provider-name what a policy takes */
#define PINS_MAX 32u   /* --rtmr0 */
#define OUTPUT_MAX ((size_t)4 << 20)

typedef struct {
    const char *name; /* points into argv, cut at "=" */
    const char *hex;
} event_option_t;

typedef struct {
    const char *image, *firmware, *kernel, *initrd, *cmdline, *acpi[MEASURE_ACPI_COUNT], *evidence, *compose,
        *key_provider, *name, *output, *measurement, *checksums, *known, *theirs;
    uint64_t memory;
    event_option_t events[EVENTS_MAX];
    const char *pins[PINS_MAX];
    size_t event_count, pin_count;
    bool whole_policy, list_events, explain, by_image, any_acpi;
} options_t;

/* --- reading --- */

/* What was read; freed together. */
typedef struct {
    arena_t arena;
    view_t files[FILES_MAX];
    size_t count;
} inputs_t;

static rc_t read_file(inputs_t *in, view_t *out, err_t *e, const char *path, size_t max)
{
    if (in->count == FILES_MAX)
        return err_set(e, RC_BUG, "%s: more than %u files", path, FILES_MAX);
    rc_t rc = file_read(&in->files[in->count], e, path, max, FILE_DASH_IS_STDIN);
    if (!rc)
        *out = in->files[in->count++];
    return rc;
}

static void free_inputs(inputs_t *in)
{
    for (size_t i = 0; i < in->count; i++)
        file_free(in->files[i]);
    arena_free(&in->arena);
}

/* NULL: too long, or no memory. */
static const char *join(arena_t *a, const char *folder, const char *name)
{
    char path[PATH_LEN];
    int n = snprintf(path, sizeof path, "%s/%s", folder, name);
    return n > 0 && (size_t)n < sizeof path ? arena_strdup(a, view_of(path, (size_t)n)) : NULL;
}

/* A member of metadata.json, unless the option says it already. */
static void take_member(const char **option, arena_t *a, const jo_t *o, const char *key, const char *folder)
{
    if (*option)
        return;
    const view_t text = jo_text_copy(o, a, key, 0, METADATA_MAX);
    if (text.p)
        *option = folder ? join(a, folder, (const char *)text.p) : (const char *)text.p;
    if (!*option)
        jo_fail(o, key, RC_LIMIT, "is too long");
}

/* What the options do not name, metadata.json of the image does. */
static rc_t read_metadata(options_t *o, inputs_t *in, err_t *e)
{
    const char *path = join(&in->arena, o->image, "metadata.json");
    view_t text;
    jo_doc_t doc;
    if (!path)
        return err_set(e, RC_LIMIT, "%s: the path is too long", o->image);
    rc_t rc = read_file(in, &text, e, path, METADATA_MAX);
    if (rc)
        return rc;
    const jo_t root = jo_open(&doc, e, text, METADATA_MAX, JO_LENIENT);
    take_member(&o->firmware, &in->arena, &root, "bios", o->image);
    take_member(&o->kernel, &in->arena, &root, "kernel", o->image);
    take_member(&o->initrd, &in->arena, &root, "initrd", o->image);
    take_member(&o->cmdline, &in->arena, &root, "cmdline", NULL);
    rc = jo_done(&root);
    jo_close(&doc);
    return err_before(e, rc, "%s: ", path);
}

static rc_t read_image(measure_image_t *image, inputs_t *in, err_t *e, const options_t *o)
{
    image->cmdline = view_str(o->cmdline);
    rc_t rc = read_file(in, &image->firmware, e, o->firmware, TDVF_FIRMWARE_MAX);
    if (!rc)
        rc = read_file(in, &image->kernel, e, o->kernel, BZIMAGE_MAX);
    if (!rc)
        rc = read_file(in, &image->initrd, e, o->initrd, MEASURE_INITRD_MAX);
    return rc;
}

static rc_t read_acpi(measure_image_t *image, inputs_t *in, err_t *e, const options_t *o)
{
    rc_t rc = RC_OK;
    for (size_t i = 0; !rc && o->acpi[0] && i < MEASURE_ACPI_COUNT; i++) {
        view_t file;
        rc = read_file(in, &file, e, o->acpi[i], MEASURE_ACPI_MAX);
        if (!rc)
            sha384_parts(image->acpi[i], &file, 1);
        image->has_acpi = true;
    }
    return rc;
}

/* --- evidence --- */

typedef struct {
    quote_t quote;
    bool has_log;
    eventlog_t log; /* when has_log */
} evidence_t;

/* Faults of tee/ with their code before the sentence. */
static rc_t coded(err_t *e, rc_t rc)
{
    return err_before(e, rc, "%s: ", rc ? tee_code_name(e->code) : "");
}

/* A kept attestation whose event log gives its quote's registers; with needs_log false, a quote alone does. */
static rc_t read_evidence(evidence_t *out, inputs_t *in, err_t *e, const char *path, bool needs_log)
{
    attestation_t x;
    evidence_form_t form;
    view_t text;
    rc_t rc = read_file(in, &text, e, path, ATTESTATION_MAX);
    if (rc)
        return rc;
    rc = evidence_read(&x, &form, e, &in->arena, text);
    if (rc)
        return err_before(e, rc, "%s: ", path);
    out->has_log = form == EVIDENCE_V1 && x.event_log.n;
    if (!out->has_log && needs_log)
        rc = err_say(e, RC_MALFORMED, "it has no event log: give an answer of GET /v1/attest");
    else
        rc = coded(e, quote_parse(&out->quote, e, x.quote));
    if (!rc && out->has_log) {
        const quote_td_t *td = &out->quote.td;
        const uint8_t *const rtmr[4] = { td->rtmr[0], td->rtmr[1], td->rtmr[2], td->rtmr[3] };
        rc = coded(e, eventlog_verify(&out->log, e, &in->arena, x.event_log, rtmr));
    }
    return err_before(e, rc, "%s: ", path);
}

/* Register i is as computed; else it is said from which event on it differs, and what is behind that. */
static bool check_register(const evidence_t *e, const measurement_t *m, const char *path, unsigned i)
{
    const uint8_t *said = e->quote.td.rtmr[i];
    const bool as_built = i == 1 && m->rtmr1_as_built.known && !memcmp(said, m->rtmr1_as_built.value, 48);
    const measure_register_t *r = as_built ? &m->rtmr1_as_built : &m->rtmr[i];
    const size_t at = e->has_log ? measure_differs(m, &e->log, i) : MEASURE_SAME;
    if (as_built)
        say(stderr, "kettle: the host of %s hands the kernel over as it was built (QEMU from 10.2 on)", path);
    if (at == MEASURE_SAME && r->known && !memcmp(said, r->value, 48))
        return true;
    if (at == MEASURE_SAME && !r->known)
        command_failed("%s: RTMR%u is not known without ACPI tables", path, i);
    else if (!e->has_log)
        command_failed("%s: RTMR%u differs; without an event log nobody can say in which event", path, i);
    else
        command_failed("%s: RTMR%u differs from event %zu on: %s", path, i, at == MEASURE_SAME ? 0 : at,
                       at < r->count ? r->events[at].what : "nothing more was expected");
    if (e->has_log)
        say(stderr, "kettle: behind it: %s", explain_event(i, at));
    return false;
}

/* The evidence is of what was measured; else says in what it is not. */
static bool check_evidence(const evidence_t *e, const measurement_t *m, const char *path)
{
    const quote_td_t *td = &e->quote.td;
    bool same =
        !memcmp(td->mr_td, m->mr_td[TDVF_PAGE_BY_PAGE], 48) || !memcmp(td->mr_td, m->mr_td[TDVF_PAGES_FIRST], 48);
    if (!same)
        command_failed("%s: MRTD is not that of this firmware", path);
    for (unsigned i = 0; i < 3; i++)
        same = check_register(e, m, path, i) && same;
    return same;
}

/* --- writing --- */

static void put_digest(jw_t *w, const char *key, const uint8_t digest[48])
{
    jw_digits(w, key, view_of(digest, 48));
}

/* A digest, or null where it is not known. */
static void put_known(jw_t *w, const char *key, bool known, const uint8_t digest[48])
{
    if (known)
        put_digest(w, key, digest);
    else
        jw_null(w, key);
}

static void put_register(jw_t *w, const char *key, const measure_register_t *r)
{
    jw_object(w, key);
    put_known(w, "value", r->known, r->value);
    jw_array(w, "events");
    for (size_t i = 0; i < r->count; i++) {
        jw_object(w, NULL);
        jw_str(w, "event", r->events[i].what);
        put_known(w, "digest", r->events[i].known, r->events[i].digest);
        jw_end(w);
    }
    jw_end(w);
    jw_end(w);
}

/* All that was measured: what an auditor compares by eye. */
static void put_events(jw_t *w, const measurement_t *m, const hash32_t *name)
{
    static const char *const names[] = { "rtmr0", "rtmr1", "rtmr2" };
    jw_object(w, NULL);
    if (name)
        jw_digits(w, "os_image_hash", view_of(name->b, 32));
    jw_object(w, "mrtd");
    put_digest(w, "page_by_page", m->mr_td[TDVF_PAGE_BY_PAGE]);
    put_digest(w, "pages_first", m->mr_td[TDVF_PAGES_FIRST]);
    jw_end(w);
    for (size_t i = 0; i < 3; i++)
        put_register(w, names[i], &m->rtmr[i]);
    if (m->rtmr1_as_built.known)
        put_register(w, "rtmr1_as_built", &m->rtmr1_as_built);
    jw_end(w);
}

static bool is_first_of_name(const options_t *o, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (!strcmp(o->events[k].name, o->events[i].name))
            return false;
    return true;
}

/* The values of one name: the same name again is an alternative. */
static void put_event(jw_t *w, const options_t *o, const char *name)
{
    jw_array(w, name);
    for (size_t i = 0; i < o->event_count; i++)
        if (!strcmp(o->events[i].name, name))
            jw_str(w, NULL, o->events[i].hex);
    jw_end(w);
}

/* What is demanded of RTMR3; where nothing is, it has to be zero. */
static void put_rtmr3(jw_t *w, view_t compose, const options_t *o)
{
    if (!o->compose && !o->key_provider && !o->event_count)
        return;
    jw_object(w, "rtmr3");
    jw_str(w, "mode", "events");
    jw_object(w, "require");
    if (o->compose) {
        hash32_t hash;
        sha256(&hash, compose);
        jw_array(w, "compose-hash");
        jw_digits(w, NULL, view_of(hash.b, 32));
        jw_end(w);
    }
    if (o->key_provider) {
        jw_array(w, "key-provider-name");
        jw_str(w, NULL, o->key_provider);
        jw_end(w);
    }
    for (size_t i = 0; i < o->event_count; i++)
        if (is_first_of_name(o, i))
            put_event(w, o, o->events[i].name);
    jw_end(w);
    jw_end(w);
}

/* What goes into a result. */
typedef struct {
    measurement_t m;
    view_t compose;
    hash32_t name; /* with --checksums */
} result_t;

/* --by-image: the image's name, and the ACPI tables that are admitted. */
static void put_image(jw_t *w, const result_t *x, const options_t *o)
{
    jw_object(w, "dstack_image");
    jw_digits(w, "os_image_hash", view_of(x->name.b, 32));
    if (o->any_acpi) {
        jw_str(w, "acpi", POLICY_ACPI_UNVERIFIED);
    } else {
        jw_array(w, "acpi");
        for (size_t i = 0; i < MEASURE_ACPI_COUNT; i++)
            put_digest(w, NULL, x->m.rtmr[0].events[MEASURE_ACPI_AT + i].digest);
        jw_end(w);
    }
    jw_end(w);
}

static void put_registers(jw_t *w, const measurement_t *m, const options_t *o)
{
    jw_array(w, "mrtd");
    put_digest(w, NULL, m->mr_td[TDVF_PAGE_BY_PAGE]);
    put_digest(w, NULL, m->mr_td[TDVF_PAGES_FIRST]);
    jw_end(w);
    jw_array(w, "rtmr0");
    if (m->rtmr[0].known)
        put_digest(w, NULL, m->rtmr[0].value);
    for (size_t i = 0; i < o->pin_count; i++)
        jw_str(w, NULL, o->pins[i]);
    jw_end(w);
    jw_array(w, "rtmr1");
    put_digest(w, NULL, m->rtmr[1].value);
    if (m->rtmr1_as_built.known)
        put_digest(w, NULL, m->rtmr1_as_built.value);
    jw_end(w);
    put_digest(w, "rtmr2", m->rtmr[2].value);
}

static void put_entry(jw_t *w, const result_t *x, const options_t *o)
{
    jw_object(w, NULL);
    jw_str(w, "name", o->name);
    if (o->by_image)
        put_image(w, x, o);
    else
        put_registers(w, &x->m, o);
    put_rtmr3(w, x->compose, o);
    jw_end(w);
}

static void put_policy(jw_t *w, const result_t *x, const options_t *o)
{
    jw_object(w, NULL);
    jw_u64(w, "version", 1);
    jw_str(w, "mode", "list");
    jw_array(w, "images");
    put_entry(w, x, o);
    jw_end(w);
    jw_end(w);
}

/* That a policy with this entry is one: nothing is printed that kettle would not read. */
static rc_t check_policy(err_t *e, arena_t *a, const result_t *x, const options_t *o)
{
    policy_t *p = NULL;
    jw_t w = jw_of(a, POLICY_MAX);
    put_policy(&w, x, o);
    const view_t text = jw_done(&w);
    const rc_t rc =
        w.rc ? err_set(e, w.rc, "the policy cannot be written: %s", rc_name(w.rc)) : policy_read_consumer(&p, e, text);
    policy_free(p);
    return rc;
}

static rc_t write_result(err_t *e, arena_t *a, const result_t *x, const options_t *o)
{
    jw_t w = jw_of(a, OUTPUT_MAX);
    rc_t rc = o->list_events ? RC_OK : check_policy(e, a, x, o);
    if (rc)
        return rc;
    jw_indent(&w, 2);
    if (o->list_events)
        put_events(&w, &x->m, o->checksums ? &x->name : NULL);
    else
        (o->whole_policy ? put_policy : put_entry)(&w, x, o);
    const view_t text = jw_done(&w);
    if (w.rc)
        return err_set(e, w.rc, "the result cannot be written: %s", rc_name(w.rc));
    ((char *)(uintptr_t)text.p)[text.n] = '\n'; /* in place of the NUL */
    return command_write(e, o->output, view_of(text.p, text.n + 1));
}

/* --- the command --- */

/* What the digests of the ACPI tables are, where no file says it. */
static rc_t take_acpi(measure_image_t *image, err_t *e, const evidence_t *from, const char *path)
{
    if (image->has_acpi)
        return RC_OK;
    const rc_t rc = err_before(e, measure_take_acpi(image->acpi, e, &from->log), "%s: ", path);
    image->has_acpi = !rc;
    if (!rc)
        say(stderr, "kettle: the digests of the ACPI tables are those of %s; what the tables hold was not checked",
            path);
    return rc;
}

/* The image's name, by its checksum file: which must list what the registers were computed from. */
static rc_t name_image(hash32_t *name, inputs_t *in, err_t *e, const options_t *o, view_t document)
{
    view_t sums, metadata = document;
    rc_t rc = read_file(in, &sums, e, o->checksums, OSIMAGE_SUMS_MAX);
    const char *path = o->measurement ? NULL : join(&in->arena, o->image, "metadata.json");
    if (!rc && !o->measurement)
        rc = path ? read_file(in, &metadata, e, path, METADATA_MAX) : err_say(e, RC_LIMIT, "the path is too long");
    if (!rc)
        rc = err_before(e, osimage_hash(name, e, sums, o->measurement ? OSIMAGE_DOCUMENT : "metadata.json", metadata),
                        "%s: ", o->checksums);
    char hex[65];
    if (!rc) {
        hex_encode(hex, view_of(name->b, 32));
        say(stderr, "kettle: os_image_hash %s", hex);
    }
    return rc;
}

/* The registers, from the files of an image or from its measurement document. */
static rc_t compute(measurement_t *m, inputs_t *in, err_t *e, options_t *o, const evidence_t *from, view_t *document)
{
    measure_image_t image = { .memory = o->memory };
    osimage_t described;
    rc_t rc = o->image ? read_metadata(o, in, e) : RC_OK;
    if (!rc)
        rc =
            o->measurement ? read_file(in, document, e, o->measurement, OSIMAGE_LEN_MAX) : read_image(&image, in, e, o);
    if (!rc)
        rc = read_acpi(&image, in, e, o);
    if (!rc && from && from->has_log)
        rc = take_acpi(&image, e, from, o->evidence);
    if (rc || !o->measurement)
        return rc ? rc : measure_image(m, e, &image);
    rc = osimage_read(&described, e, *document);
    if (!rc)
        rc = osimage_measure(m, e, &described, o->memory, image.has_acpi ? (const uint8_t(*)[48])image.acpi : NULL);
    return err_before(e, rc, "%s: ", o->measurement);
}

/* --known: whose registers the evidence has. */
static rc_t name_release(inputs_t *in, err_t *e, options_t *o)
{
    evidence_t from;
    view_t list;
    unsigned unknown = 0;
    rc_t rc = read_evidence(&from, in, e, o->evidence, false);
    if (!rc)
        rc = read_file(in, &list, e, o->known, EXPLAIN_LIST_MAX);
    if (!rc)
        rc = err_before(e, explain_release(&unknown, e, list, &from.quote.td), "%s: ", o->known);
    if (!rc && unknown)
        rc = err_set(e, RC_REFUSED, "%s: %u of MRTD, RTMR1 and RTMR2 belong to no release", o->evidence, unknown);
    return rc;
}

/* --theirs: the inputs in which another image differs from this one. */
static rc_t compare_inputs(inputs_t *in, err_t *e, options_t *o)
{
    view_t ours, theirs;
    size_t different = 0;
    const char *path = join(&in->arena, o->image, "kettle-image.json");
    if (!path)
        return err_set(e, RC_LIMIT, "%s: the path is too long", o->image);
    rc_t rc = read_file(in, &ours, e, path, EXPLAIN_LIST_MAX);
    if (!rc)
        rc = read_file(in, &theirs, e, o->theirs, EXPLAIN_LIST_MAX);
    if (!rc)
        rc = explain_inputs(&different, e, &in->arena, ours, theirs);
    if (!rc && different)
        rc = err_set(e, RC_REFUSED, "%s: %zu inputs differ", o->theirs, different);
    return rc;
}

/* What an entry cannot be without. */
static rc_t check_whole(err_t *e, const result_t *x, const options_t *o)
{
    if (o->list_events || x->m.rtmr[0].known || (!o->by_image && o->pin_count) || (o->by_image && o->any_acpi))
        return RC_OK;
    return err_say(e, RC_REFUSED,
                   o->by_image ? "the digests of the ACPI tables are not known: give --acpi-*, --evidence or "
                                 "--acpi-unverified"
                               : "RTMR0 is not known without ACPI tables: give --acpi-*, --evidence or --rtmr0");
}

static rc_t measure(inputs_t *in, err_t *e, options_t *o)
{
    result_t x = { .compose = { NULL, 0 } };
    evidence_t from;
    view_t document = { NULL, 0 };
    rc_t rc = o->compose ? read_file(in, &x.compose, e, o->compose, COMPOSE_MAX) : RC_OK;
    if (!rc && o->evidence)
        rc = read_evidence(&from, in, e, o->evidence, !o->explain);
    if (!rc)
        rc = compute(&x.m, in, e, o, o->evidence ? &from : NULL, &document);
    if (!rc && o->checksums)
        rc = name_image(&x.name, in, e, o, document);
    if (rc)
        return rc;
    if (o->evidence && !check_evidence(&from, &x.m, o->evidence))
        return err_set(e, RC_REFUSED, "%s: the evidence is of something else", o->evidence);
    if (o->explain)
        return say(stdout, "MRTD, RTMR0, RTMR1 and RTMR2 of %s are those of the image", o->evidence) ? RC_OK : RC_IO;
    rc = check_whole(e, &x, o);
    return rc ? rc : write_result(e, &in->arena, &x, o);
}

/* Bytes, or a number with a binary suffix. */
static rc_t read_memory(void *values, err_t *e, char *text)
{
    static const char suffixes[] = "KMGT";
    char *end;
    unsigned shift = 0;
    unsigned long long n = strtoull(text, &end, 10);
    const char *suffix = *end ? strchr(suffixes, *end) : NULL;
    if (suffix) {
        shift = 10 * (unsigned)(suffix - suffixes + 1);
        end++;
    }
    if (text[0] < '0' || text[0] > '9' || *end || !n || n > TDVF_MEMORY_MAX >> shift)
        return err_say(e, RC_MALFORMED, "must be a number of bytes, or one with K, M, G or T");
    ((options_t *)values)->memory = (uint64_t)n << shift;
    return RC_OK;
}

static rc_t read_pin(void *values, err_t *e, char *text)
{
    options_t *o = values;
    if (o->pin_count == PINS_MAX)
        return err_set(e, RC_LIMIT, "more than %u", PINS_MAX);
    o->pins[o->pin_count++] = text;
    return RC_OK;
}

/* NAME=HEX: cuts it in argv. */
static rc_t read_event(void *values, err_t *e, char *text)
{
    options_t *o = values;
    char *equals = strchr(text, '=');
    if (o->event_count == EVENTS_MAX)
        return err_set(e, RC_LIMIT, "more than %u", EVENTS_MAX);
    if (!equals || equals == text)
        return err_say(e, RC_MALFORMED, "must be NAME=HEX");
    *equals = '\0';
    if (!strcmp(text, "compose-hash") || !strcmp(text, "key-provider-name"))
        return err_say(e, RC_MALFORMED, "has an option of its own: --compose, --key-provider");
    o->events[o->event_count++] = (event_option_t){ text, equals + 1 };
    return RC_OK;
}

#define TEXT(member, NAME, ARGUMENT, HELP)                                                                             \
    {                                                                                                                  \
        .name = NAME, .argument = ARGUMENT, .help = HELP, .at = offsetof(options_t, member)                            \
    }

static const cli_option_t options[] = {
    TEXT(image, "image", "FOLDER",
         "an unpacked dstack image: its metadata.json names firmware, kernel, initrd, command line"),
    TEXT(measurement, "measurement", "FILE",
         "the measurement.tdx.cbor of an image of dstack 0.6, in place of its files"),
    TEXT(checksums, "checksums", "FILE",
         "the image's sha256sum.txt, which must list what was measured: os_image_hash, its SHA-256, is said"),
    TEXT(firmware, "firmware", "FILE", "virtual firmware (OVMF with TDX metadata)"),
    TEXT(kernel, "kernel", "FILE", "Linux bzImage"),
    TEXT(initrd, "initrd", "FILE", "its initial RAM disk"),
    { .name = "cmdline",
      .argument = "TEXT",
      .help = "kernel command line as given to QEMU; the firmware adds \" initrd=initrd\", so does this",
      .may_be_empty = true,
      .at = offsetof(options_t, cmdline) },
    { .name = "memory",
      .argument = "SIZE",
      .help = "memory of the guest: bytes, or a number with K, M, G or T",
      .read = read_memory },
    TEXT(acpi[MEASURE_ACPI_LOADER], "acpi-loader", "FILE",
         "QEMU's etc/table-loader as the guest sees it; of the three of these, all or none"),
    TEXT(acpi[MEASURE_ACPI_RSDP], "acpi-rsdp", "FILE", "etc/acpi/rsdp, likewise"),
    TEXT(acpi[MEASURE_ACPI_TABLES], "acpi-tables", "FILE", "etc/acpi/tables, likewise"),
    TEXT(evidence, "evidence", "FILE",
         "an answer of GET /v1/attest of a boot that is trusted: its event log supplies the ACPI digests unless "
         "--acpi-* do, and all else has to be as computed. Its quote is not verified: that is `kettle verify`"),
    { .name = "rtmr0",
      .argument = "HEX",
      .help = "a further RTMR0 that is admitted; may be repeated",
      .read = read_pin },
    { .name = "explain",
      .help =
          "only says whether --evidence, which may be a quote alone, is of the image; if not, in which register and "
          "event first, and what is behind it",
      .at = offsetof(options_t, explain) },
    TEXT(theirs, "theirs", "FILE",
         "only names the inputs in which this kettle-image.json, of another build, differs from that in --image"),
    TEXT(known, "known", "FILE", "only names the releases of this list (releases.json) whose registers --evidence has"),
    TEXT(compose, "compose", "FILE", "the application's app-compose.json: its compose-hash is demanded of RTMR3"),
    TEXT(key_provider, "key-provider", "NAME", "key provider that is demanded: kms, local-sgx, tpm or none"),
    { .name = "event",
      .argument = "NAME=HEX",
      .help = "a further RTMR3 event that is demanded; may be repeated",
      .read = read_event },
    { .name = "name",
      .argument = "NAME",
      .help = "name of the entry",
      .normal = "image",
      .at = offsetof(options_t, name) },
    { .name = "by-image",
      .help = "the entry names the image (os_image_hash) and the ACPI digests in place of the registers: for guests "
              "whose evidence brings the measurement document. With --measurement and --checksums",
      .at = offsetof(options_t, by_image) },
    { .name = "acpi-unverified",
      .help = "... and any ACPI tables: the host can then run code in the guest's kernel, and no node takes such a "
              "policy for its own",
      .at = offsetof(options_t, any_acpi) },
    { .name = "policy", .help = "prints a whole policy with this one image", .at = offsetof(options_t, whole_policy) },
    { .name = "events",
      .help = "prints all events with their digests instead, as JSON",
      .at = offsetof(options_t, list_events) },
    TEXT(output, "output", "FILE", "writes there instead of standard output"),
};

static int run(int argc, char **argv);

const cli_command_t COMMAND_MEASURE = {
    .name = "measure",
    .what = "computes the measurements of an image, for a policy",
    .usage = "kettle measure --image FOLDER --memory SIZE [OPTIONS]\n"
             "       kettle measure --firmware FILE --kernel FILE --initrd FILE --cmdline TEXT --memory SIZE "
             "[OPTIONS]\n"
             "       kettle measure --measurement FILE --memory SIZE [OPTIONS]\n"
             "       kettle measure --known FILE --evidence FILE\n"
             "       kettle measure --image FOLDER --theirs FILE\n",
    .about =
        "Computes MRTD and RTMR0 to RTMR2 of a TD that QEMU boots from these files, prints an entry for \"images\" of "
        "a policy (docs/measure.md). RTMR0 covers ACPI tables, which QEMU makes and no file of the image holds: "
        "--acpi-*, --evidence or --rtmr0 has to supply what is missing.",
    .status = "0 written, 1 not measurable, or the evidence differs",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};

/* 0 to go on, else the exit status plus one. */
static int parse(options_t *o, int argc, char **argv)
{
    const int status = cli_parse(o, NULL, &COMMAND_MEASURE, argc, argv);
    if (status)
        return status;
    if (o->known)
        return o->evidence ? 0 : 1 + command_usage("--known needs --evidence: whose registers are they?");
    if (o->theirs)
        return o->image ? 0 : 1 + command_usage("--theirs needs --image: with what is it compared?");
    if (o->explain && !o->evidence)
        return 1 + command_usage("--explain needs --evidence: what is explained?");
    if (o->measurement && (o->image || o->firmware || o->kernel || o->initrd || o->cmdline))
        return 1 + command_usage("--measurement takes the place of the image's files");
    if (o->checksums && !o->measurement && !o->image)
        return 1 + command_usage("--checksums needs --measurement or --image");
    if (o->by_image && !(o->measurement && o->checksums))
        return 1 + command_usage("--by-image needs --measurement and --checksums: they are what the evidence brings");
    if (o->any_acpi && (!o->by_image || o->acpi[0]))
        return 1 + command_usage("--acpi-unverified belongs to --by-image, without --acpi-*");
    if (!o->measurement && !o->image && !(o->firmware && o->kernel && o->initrd && o->cmdline))
        return 1 +
               command_usage("measure needs --image, --measurement, or --firmware, --kernel, --initrd and --cmdline");
    if (!o->memory)
        return 1 + command_usage("measure needs --memory: the memory map is measured");
    if (!o->acpi[0] != !o->acpi[1] || !o->acpi[0] != !o->acpi[2])
        return 1 + command_usage("--acpi-loader, --acpi-rsdp and --acpi-tables belong together");
    return 0;
}

static int run(int argc, char **argv)
{
    options_t o = { .name = "image" };
    inputs_t in = { .count = 0 };
    err_t e;
    int status = parse(&o, argc, argv);
    if (status)
        return status - 1;
    arena_init(&in.arena, ARENA_MAX);
    if ((o.known ? name_release : o.theirs ? compare_inputs : measure)(&in, &e, &o))
        status = command_failed("%s%s%s", e.field, e.field[0] ? ": " : "", e.text);
    free_inputs(&in);
    return status;
}
