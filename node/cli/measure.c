/* measure.c - `kettle measure`: computes what MRTD and RTMR0 to RTMR2 must be when an image boots, and writes the entry
 * of a policy that admits it. Works offline on files. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "base/hex.h"
#include "base/json_tree.h"
#include "node/cli/command.h"
#include "node/cli/evidence.h"
#include "tee/measure/bzimage.h"
#include "tee/measure/measure.h"
#include "tee/verify/policy.h"

#define ARENA_MAX ((size_t)64 << 20)
#define FILES_MAX 10u
#define COMPOSE_MAX (1u << 20)   /* bytes of an app-compose.json */
#define METADATA_MAX (64u << 10) /* bytes of an image's metadata.json */
#define PATH_LEN 4096u
#define EVENTS_MAX 14u /* --event; with compose-hash and key-provider-name what a policy takes */
#define PINS_MAX 32u   /* --rtmr0 */

static const char HELP[] =
    "usage: kettle measure --image FOLDER --memory SIZE [OPTIONS]\n"
    "       kettle measure --firmware FILE --kernel FILE --initrd FILE --cmdline TEXT --memory SIZE [OPTIONS]\n"
    "\n"
    "Computes MRTD and RTMR0 to RTMR2 of a TD that QEMU boots from these files, prints an entry for \"images\" of\n"
    "a policy (docs/measure.md). RTMR0 covers ACPI tables, which QEMU makes and no file of the image holds: --acpi-*,\n"
    "--evidence or --rtmr0 has to supply what is missing.\n"
    "\n"
    "  --image FOLDER       an unpacked dstack image: its metadata.json names firmware, kernel, initrd, command line\n"
    "  --firmware FILE      virtual firmware (OVMF with TDX metadata)\n"
    "  --kernel FILE        Linux bzImage\n"
    "  --initrd FILE        its initial RAM disk\n"
    "  --cmdline TEXT       kernel command line as given to QEMU; the firmware adds \" initrd=initrd\", so does this\n"
    "  --memory SIZE        memory of the guest: bytes, or a number with K, M, G or T\n"
    "  --acpi-loader FILE   QEMU's etc/table-loader, \\\n"
    "  --acpi-rsdp FILE     etc/acpi/rsdp and         > as the guest sees them; all three or none\n"
    "  --acpi-tables FILE   etc/acpi/tables          /\n"
    "  --evidence FILE      an answer of GET /v1/attest of a boot that is trusted: its event log supplies the ACPI\n"
    "                       digests unless --acpi-* do, and all else has to be as computed. Its quote is not\n"
    "                       verified: that is `kettle verify`\n"
    "  --rtmr0 HEX          a further RTMR0 that is admitted; may be repeated\n"
    "  --compose FILE       the application's app-compose.json: its compose-hash is demanded of RTMR3\n"
    "  --key-provider NAME  key provider that is demanded: kms, local-sgx, tpm or none\n"
    "  --event NAME=HEX     a further RTMR3 event that is demanded; may be repeated\n"
    "  --name NAME          name of the entry; default: image\n"
    "  --policy             print a whole policy with this one image\n"
    "  --events             print all events with their digests instead, as JSON\n"
    "  --output FILE        write there instead of standard output\n"
    "\n"
    "exit status: 0 written, 1 not measurable, or the evidence differs, 2 wrong usage\n";

typedef struct {
    const char *name; /* points into argv, cut at "=" */
    const char *hex;
} event_option_t;

typedef struct {
    const char *image, *firmware, *kernel, *initrd, *cmdline, *acpi[MEASURE_ACPI_COUNT], *evidence, *compose,
        *key_provider, *name, *output;
    uint64_t memory;
    event_option_t events[EVENTS_MAX];
    const char *pins[PINS_MAX];
    size_t event_count, pin_count;
    bool whole_policy, list_events;
} options_t;

/* --- reading --- */

/* What was read; freed together. */
typedef struct {
    arena_t arena;
    view_t files[FILES_MAX];
    size_t count;
} inputs_t;

static bool read_file(view_t *out, inputs_t *in, const char *path, size_t max)
{
    if (in->count == FILES_MAX || command_read_file(&in->files[in->count], path, max))
        return false;
    *out = in->files[in->count++];
    return true;
}

static void free_inputs(inputs_t *in)
{
    for (size_t i = 0; i < in->count; i++)
        free((void *)(uintptr_t)in->files[i].p);
    arena_free(&in->arena);
}

static const char *join(arena_t *a, const char *folder, const char *name)
{
    char path[PATH_LEN];
    int n = snprintf(path, sizeof path, "%s/%s", folder, name);
    return n > 0 && (size_t)n < sizeof path ? arena_strdup(a, view_of(path, (size_t)n)) : NULL;
}

/* What the options do not name, metadata.json of the image does. */
static bool read_metadata(options_t *o, inputs_t *in)
{
    const struct {
        const char *key;
        const char **option;
        bool is_file;
    } members[] = { { "bios", &o->firmware, true },
                    { "kernel", &o->kernel, true },
                    { "initrd", &o->initrd, true },
                    { "cmdline", &o->cmdline, false } };
    arena_t *a = &in->arena;
    const char *path = join(a, o->image, "metadata.json");
    view_t text;
    json_t *root;
    bool ok = true;
    if (!path)
        return command_failed("%s: the path is too long", o->image), false;
    if (!read_file(&text, in, path, METADATA_MAX))
        return false;
    if (json_load_strict(&root, text, METADATA_MAX))
        return command_failed("%s: not JSON", path), false;
    for (size_t i = 0; ok && i < sizeof members / sizeof members[0]; i++) {
        const json_t *v = json_object_get(root, members[i].key);
        if (*members[i].option)
            continue;
        if (json_is_string(v))
            *members[i].option = members[i].is_file ? join(a, o->image, json_string_value(v))
                                                    : arena_strdup(a, view_str(json_string_value(v)));
        ok = *members[i].option != NULL;
        if (!ok)
            command_failed("%s: %s is missing or too long", path, members[i].key);
    }
    json_decref(root);
    return ok;
}

static bool read_image(measure_image_t *image, inputs_t *in, const options_t *o)
{
    image->memory = o->memory;
    image->cmdline = view_str(o->cmdline);
    if (!read_file(&image->firmware, in, o->firmware, TDVF_FIRMWARE_MAX) ||
        !read_file(&image->kernel, in, o->kernel, BZIMAGE_MAX) ||
        !read_file(&image->initrd, in, o->initrd, MEASURE_INITRD_MAX))
        return false;
    for (size_t i = 0; o->acpi[0] && i < MEASURE_ACPI_COUNT; i++) {
        view_t file;
        if (!read_file(&file, in, o->acpi[i], MEASURE_ACPI_MAX))
            return false;
        sha384_parts(image->acpi[i], &file, 1);
        image->has_acpi = true;
    }
    return true;
}

/* --- evidence --- */

typedef struct {
    quote_t quote;
    eventlog_t log;
} evidence_t;

/* A kept attestation whose event log gives its quote's registers. */
static bool read_evidence(evidence_t *out, inputs_t *in, const char *path)
{
    attestation_t x;
    evidence_form_t form;
    err_t f;
    char why[256];
    view_t text;
    if (!read_file(&text, in, path, ATTESTATION_MAX))
        return false;
    if (evidence_read(&x, &form, why, sizeof why, &in->arena, text))
        return command_failed("%s: %s", path, why), false;
    if (form != EVIDENCE_V1 || !x.event_log.n)
        return command_failed("%s: it has no event log: give an answer of GET /v1/attest", path), false;
    if (quote_parse(&out->quote, &f, x.quote))
        return command_failed("%s: %s: %s", path, tee_code_name(f.code), f.text), false;
    const quote_td_t *td = &out->quote.td;
    const uint8_t *const rtmr[4] = { td->rtmr[0], td->rtmr[1], td->rtmr[2], td->rtmr[3] };
    if (eventlog_verify(&out->log, &f, &in->arena, x.event_log, rtmr))
        return command_failed("%s: %s: %s", path, tee_code_name(f.code), f.text), false;
    return true;
}

/* The evidence is of what was measured; else says in which events it is not. */
static bool check_evidence(const evidence_t *e, const measurement_t *m, const char *path)
{
    const quote_td_t *td = &e->quote.td;
    bool same =
        !memcmp(td->mr_td, m->mr_td[TDVF_PAGE_BY_PAGE], 48) || !memcmp(td->mr_td, m->mr_td[TDVF_PAGES_FIRST], 48);
    if (!same)
        command_failed("%s: MRTD is not that of this firmware", path);
    for (unsigned i = 0; i < 3; i++) {
        const measure_register_t *r = &m->rtmr[i];
        size_t at = measure_differs(m, &e->log, i);
        if (at == MEASURE_SAME && r->known && !memcmp(td->rtmr[i], r->value, 48))
            continue;
        command_failed("%s: RTMR%u differs from event %zu on: %s", path, i, at == MEASURE_SAME ? 0 : at,
                       at < r->count ? r->events[at].what : "nothing more was expected");
        same = false;
    }
    return same;
}

/* --- writing --- */

static json_t *hex_json(view_t bytes)
{
    char text[2 * 48 + 1];
    if (bytes.n > 48)
        return NULL;
    hex_encode(text, bytes);
    return json_string(text);
}

static json_t *digest_json(const uint8_t digest[48])
{
    return hex_json(view_of(digest, 48));
}

static json_t *mr_td_json(const measurement_t *m)
{
    return json_pack("[o, o]", digest_json(m->mr_td[TDVF_PAGE_BY_PAGE]), digest_json(m->mr_td[TDVF_PAGES_FIRST]));
}

/* All that was measured: what an auditor compares by eye. */
static json_t *events_json(const measurement_t *m)
{
    static const char *const names[] = { "rtmr0", "rtmr1", "rtmr2" };
    json_t *root = json_pack("{s:{s:o, s:o}}", "mrtd", "page_by_page", digest_json(m->mr_td[TDVF_PAGE_BY_PAGE]),
                             "pages_first", digest_json(m->mr_td[TDVF_PAGES_FIRST]));
    bool ok = root != NULL;
    for (size_t i = 0; ok && i < 3; i++) {
        const measure_register_t *r = &m->rtmr[i];
        json_t *list = json_array();
        for (size_t k = 0; ok && k < r->count; k++)
            ok = !json_array_append_new(list,
                                        json_pack("{s:s, s:o}", "event", r->events[k].what, "digest",
                                                  r->events[k].known ? digest_json(r->events[k].digest) : json_null()));
        json_t *all = json_pack("{s:o, s:o}", "value", r->known ? digest_json(r->value) : json_null(), "events", list);
        ok = ok && !json_object_set_new(root, names[i], all);
    }
    if (ok)
        return root;
    json_decref(root);
    return NULL;
}

/* What is demanded of RTMR3; NULL with *ok: nothing, it has to be zero. */
static json_t *rtmr3_json(bool *ok, const view_t *compose, const options_t *o)
{
    json_t *require = json_object();
    *ok = require != NULL;
    if (o->compose) {
        hash32_t hash;
        sha256(&hash, *compose);
        *ok = *ok && !json_object_set_new(require, "compose-hash", json_pack("[o]", hex_json(view_of(hash.b, 32))));
    }
    if (o->key_provider)
        *ok = *ok && !json_object_set_new(require, "key-provider-name", json_pack("[s]", o->key_provider));
    for (size_t i = 0; *ok && i < o->event_count; i++) {
        json_t *list = json_object_get(require, o->events[i].name);
        if (list) /* the same name again: an alternative */
            *ok = !json_array_append_new(list, json_string(o->events[i].hex));
        else
            *ok = !json_object_set_new(require, o->events[i].name, json_pack("[s]", o->events[i].hex));
    }
    if (*ok && json_object_size(require))
        return json_pack("{s:s, s:o}", "mode", "events", "require", require);
    json_decref(require);
    return NULL;
}

static json_t *entry_json(const measurement_t *m, const view_t *compose, const options_t *o)
{
    bool ok;
    json_t *rtmr3 = rtmr3_json(&ok, compose, o), *rtmr0 = json_array();
    ok = ok && rtmr0;
    if (ok && m->rtmr[0].known)
        ok = !json_array_append_new(rtmr0, digest_json(m->rtmr[0].value));
    for (size_t i = 0; ok && i < o->pin_count; i++)
        ok = !json_array_append_new(rtmr0, json_string(o->pins[i]));
    if (!ok) {
        json_decref(rtmr3);
        json_decref(rtmr0);
        return NULL;
    }
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o*}", "name", o->name, "mrtd", mr_td_json(m), "rtmr0", rtmr0, "rtmr1",
                     digest_json(m->rtmr[1].value), "rtmr2", digest_json(m->rtmr[2].value), "rtmr3", rtmr3);
}

/* That a policy with this entry is one: nothing is printed that kettle would not read. */
static bool check_policy(const json_t *policy)
{
    err_t e = { .text = "out of memory" };
    policy_t *p = NULL;
    char *text = json_dumps(policy, JSON_COMPACT);
    rc_t rc = text ? policy_read(&p, &e, view_str(text)) : RC_NOMEM;
    if (rc)
        command_failed("%s%s%s", e.field, e.field[0] ? ": " : "", e.text);
    policy_free(p);
    free(text);
    return rc == RC_OK;
}

static bool write_json(const json_t *o, const char *path)
{
    FILE *f = path ? fopen(path, "w") : stdout;
    bool ok = f && !json_dumpf(o, f, JSON_INDENT(2)) && putc('\n', f) != EOF && !fflush(f);
    if (f && path)
        ok &= !fclose(f);
    if (!ok)
        command_failed("%s: cannot be written", path ? path : "standard output");
    return ok;
}

static bool write_result(const measurement_t *m, const view_t *compose, const options_t *o)
{
    json_t *policy = NULL, *out;
    if (o->list_events)
        out = events_json(m);
    else {
        json_t *entry = entry_json(m, compose, o);
        policy = entry ? json_pack("{s:i, s:s, s:[O]}", "version", 1, "mode", "list", "images", entry) : NULL;
        out = o->whole_policy ? json_incref(policy) : json_incref(entry);
        json_decref(entry);
    }
    if (!out)
        command_failed("out of memory, or a name is not UTF-8");
    bool ok = out && (o->list_events || check_policy(policy)) && write_json(out, o->output);
    json_decref(policy);
    json_decref(out);
    return ok;
}

/* --- the command --- */

static bool measure(inputs_t *in, options_t *o)
{
    measure_image_t image = { .memory = 0 };
    measurement_t m;
    evidence_t e;
    view_t compose = { NULL, 0 };
    err_t f;
    if (o->image && !read_metadata(o, in))
        return false;
    if (!read_image(&image, in, o))
        return false;
    if (o->compose && !read_file(&compose, in, o->compose, COMPOSE_MAX))
        return false;
    if (o->evidence && !read_evidence(&e, in, o->evidence))
        return false;
    if (o->evidence && !image.has_acpi) {
        if (measure_take_acpi(image.acpi, &f, &e.log))
            return command_failed("%s: %s", o->evidence, f.text), false;
        image.has_acpi = true;
        fprintf(stderr,
                "kettle: the digests of the ACPI tables are those of %s; what the tables hold was not checked\n",
                o->evidence);
    }
    if (measure_image(&m, &f, &image))
        return command_failed("%s", f.text), false;
    if (o->evidence && !check_evidence(&e, &m, o->evidence))
        return false;
    if (!m.rtmr[0].known && !o->pin_count && !o->list_events)
        return command_failed("RTMR0 is not known without ACPI tables: give --acpi-*, --evidence or --rtmr0"), false;
    return write_result(&m, &compose, o);
}

/* Bytes, or a number with a binary suffix. */
static bool parse_size(uint64_t *out, const char *text)
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
        return false;
    *out = (uint64_t)n << shift;
    return true;
}

/* NAME=HEX: cuts it in argv. */
static bool parse_event(event_option_t *out, char *text)
{
    char *equals = strchr(text, '=');
    if (!equals || equals == text)
        return false;
    *equals = '\0';
    *out = (event_option_t){ text, equals + 1 };
    return strcmp(text, "compose-hash") != 0 &&
           strcmp(text, "key-provider-name") != 0; /* those have options of their own */
}

enum { OPT_ACPI = 256 }; /* and the two behind it */

static const struct option LONGS[] = {
    { "image", required_argument, NULL, 'i' },
    { "firmware", required_argument, NULL, 'f' },
    { "kernel", required_argument, NULL, 'k' },
    { "initrd", required_argument, NULL, 'r' },
    { "cmdline", required_argument, NULL, 'c' },
    { "memory", required_argument, NULL, 'm' },
    { "acpi-loader", required_argument, NULL, OPT_ACPI + MEASURE_ACPI_LOADER },
    { "acpi-rsdp", required_argument, NULL, OPT_ACPI + MEASURE_ACPI_RSDP },
    { "acpi-tables", required_argument, NULL, OPT_ACPI + MEASURE_ACPI_TABLES },
    { "evidence", required_argument, NULL, 'e' },
    { "rtmr0", required_argument, NULL, '0' },
    { "compose", required_argument, NULL, 'C' },
    { "key-provider", required_argument, NULL, 'K' },
    { "event", required_argument, NULL, 'E' },
    { "name", required_argument, NULL, 'n' },
    { "policy", no_argument, NULL, 'p' },
    { "events", no_argument, NULL, 'l' },
    { "output", required_argument, NULL, 'o' },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static int parse_one(options_t *o, int c, char **argv)
{
    switch (c) {
    case 'i': o->image = optarg; break;
    case 'f': o->firmware = optarg; break;
    case 'k': o->kernel = optarg; break;
    case 'r': o->initrd = optarg; break;
    case 'c': o->cmdline = optarg; break;
    case 'e': o->evidence = optarg; break;
    case 'C': o->compose = optarg; break;
    case 'K': o->key_provider = optarg; break;
    case 'n': o->name = optarg; break;
    case 'p': o->whole_policy = true; break;
    case 'l': o->list_events = true; break;
    case 'o': o->output = optarg; break;
    case OPT_ACPI + MEASURE_ACPI_LOADER:
    case OPT_ACPI + MEASURE_ACPI_RSDP:
    case OPT_ACPI + MEASURE_ACPI_TABLES: o->acpi[c - OPT_ACPI] = optarg; break;
    case 'm':
        if (!parse_size(&o->memory, optarg))
            return 1 + command_usage("--memory %s: must be a number of bytes, or one with K, M, G or T", optarg);
        break;
    case '0':
        if (o->pin_count == PINS_MAX)
            return 1 + command_usage("--rtmr0: more than %u", PINS_MAX);
        o->pins[o->pin_count++] = optarg;
        break;
    case 'E':
        if (o->event_count == EVENTS_MAX)
            return 1 + command_usage("--event: more than %u", EVENTS_MAX);
        if (!parse_event(&o->events[o->event_count++], optarg))
            return 1 + command_usage(
                           "--event: must be NAME=HEX; compose-hash and key-provider-name have options of their own");
        break;
    case 'h': fputs(HELP, stdout); return 1 + COMMAND_DONE;
    case ':': return 1 + command_usage("%s needs a value", argv[optind - 1]);
    default: return 1 + command_usage("unknown option %s", argv[optind - 1]);
    }
    return 0;
}

/* 0 to go on, else the exit status plus one. */
static int parse(options_t *o, int argc, char **argv)
{
    for (int c; (c = getopt_long(argc, argv, ":h", LONGS, NULL)) != -1;) {
        int status = parse_one(o, c, argv);
        if (status)
            return status;
    }
    if (argc != optind)
        return 1 + command_usage("measure takes no argument without an option: %s", argv[optind]);
    if (!o->image && !(o->firmware && o->kernel && o->initrd && o->cmdline))
        return 1 + command_usage("measure needs --image, or --firmware, --kernel, --initrd and --cmdline");
    if (!o->memory)
        return 1 + command_usage("measure needs --memory: the memory map is measured");
    if (!o->acpi[0] != !o->acpi[1] || !o->acpi[0] != !o->acpi[2])
        return 1 + command_usage("--acpi-loader, --acpi-rsdp and --acpi-tables belong together");
    return 0;
}

int command_measure(int argc, char **argv)
{
    options_t o = { .name = "image" };
    inputs_t in = { .count = 0 };
    int status = parse(&o, argc, argv);
    if (status)
        return status - 1;
    arena_init(&in.arena, ARENA_MAX);
    bool ok = measure(&in, &o);
    free_inputs(&in);
    return ok ? COMMAND_DONE : COMMAND_FAILED;
}
