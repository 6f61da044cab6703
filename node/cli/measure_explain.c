#include "node/cli/measure_explain.h"

#include <stdio.h>

#include "base/json.h"
#include "node/cli/say.h"

#define REGISTERS_MAX 4096u /* rows of a list of releases */
#define WHAT_MAX 256u       /* bytes of a row's text */
#define INPUTS_MAX 1024u
#define PATH_MAX_LEN 512u
#define VALUE_MAX 4096u

/* --- releases --- */

static const char *const register_names[] = { "mrtd", "rtmr0", "rtmr1", "rtmr2", NULL };
#define REGISTERS 4u

static const uint8_t *register_of(const quote_td_t *td, size_t i)
{
    return i ? td->rtmr[i - 1] : td->mr_td;
}

/* Prints all rows that have the register's value; how many there are. */
static size_t print_rows(const jo_t *o, size_t which, const uint8_t value[48])
{
    jo_t list = jo_list(o, "registers", 0, REGISTERS_MAX), row;
    size_t found = 0;
    while (jo_next(&list, &row)) {
        uint8_t listed[48] = { 0 };
        const size_t name = jo_word(&row, "register", register_names);
        const view_t what = jo_text(&row, "what", 1, WHAT_MAX);
        if (!jo_hex(&row, listed, sizeof listed, "value", HEX_ANY) || jo_rc(&row))
            return found;
        if (name != which || memcmp(listed, value, sizeof listed) != 0)
            continue;
        say(stdout, "%s: %.*s", register_names[which], (int)what.n, (const char *)what.p);
        found++;
    }
    return found;
}

rc_t explain_release(unsigned *unknown, err_t *e, view_t list, const quote_td_t *td)
{
    unsigned missing = 0;
    jo_doc_t doc;
    const jo_t o = jo_open(&doc, e, list, EXPLAIN_LIST_MAX, JO_STRICT);
    jo_u64(&o, "version", 1, 1);
    for (size_t i = 0; i < REGISTERS; i++) {
        if (print_rows(&o, i, register_of(td, i)) || jo_rc(&o))
            continue;
        say(stdout, "%s: of no release in the list", register_names[i]);
        missing += i != 1; /* RTMR0 is the machine's */
    }
    const rc_t rc = jo_done(&o);
    jo_close(&doc);
    *unknown = missing;
    return rc;
}

/* --- events --- */

const char *explain_event(unsigned imr, size_t at)
{
    static const char machine[] = "the host's QEMU: its version and the machine's shape (processors, memory, devices); "
                                  "no file of the image";
    static const char variables[] = "the variables of secure boot in the host's flash, which a direct boot has empty";
    static const char *const rtmr0[] = { "the machine's memory (--memory) and the firmware's own (--firmware)",
                                         "the firmware's variable store (--firmware)",
                                         variables,
                                         variables,
                                         variables,
                                         variables,
                                         variables,
                                         "nothing that could differ: another firmware measures other events",
                                         machine,
                                         machine,
                                         machine,
                                         "the firmware's boot options (--firmware, or a disk that it boots from)",
                                         "the firmware's boot options (--firmware, or a disk that it boots from)" };
    static const char *const rtmr1[] = { "the kernel (--kernel); in its header the size of --initrd and --memory" };
    static const char *const rtmr2[] = {
        "the command line (--cmdline), with the hash of a root file system on it",
        "the initial RAM disk (--initrd): programs, libraries, modules, configuration"
    };
    if (imr == 0 && at < sizeof rtmr0 / sizeof rtmr0[0])
        return rtmr0[at];
    if (imr == 1 && at < sizeof rtmr1 / sizeof rtmr1[0])
        return rtmr1[at];
    if (imr == 2 && at < sizeof rtmr2 / sizeof rtmr2[0])
        return rtmr2[at];
    return "another way to boot: by a boot loader, a unified kernel image, or other firmware";
}

/* --- inputs of two images --- */

typedef struct {
    const char *path; /* "files[etc/kettle/kettle.json]" */
    view_t value;     /* JSON */
    bool seen;
} input_t;

typedef struct {
    input_t *rows;
    size_t count;
} inputs_list_t;

static void add_input(inputs_list_t *l, arena_t *a, const jo_t *o, const char *group, const char *name)
{
    char path[PATH_MAX_LEN];
    const int n = name ? snprintf(path, sizeof path, "%s[%s]", group, name) : snprintf(path, sizeof path, "%s", group);
    if (n < 0 || (size_t)n >= sizeof path || l->count == INPUTS_MAX) {
        jo_fail(o, NULL, RC_LIMIT, "has a name that is too long, or too many members");
        return;
    }
    const char *copy = arena_strdup(a, view_of(path, (size_t)n));
    const view_t value = jo_compact(o, a, NULL);
    if (!copy || !value.p)
        jo_fail(o, NULL, RC_NOMEM, "out of memory");
    else
        l->rows[l->count++] = (input_t){ .path = copy, .value = value };
}

/* A member of kettle-image.json: each of its own members, or elements with a name, is an input; else it is one. */
static void add_group(inputs_list_t *l, arena_t *a, jo_t *group)
{
    jo_t one;
    const jo_kind_t kind = jo_kind(group, NULL);
    jo_t below = kind == JO_OBJECT ? jo_object(group, NULL) : *group;
    if (kind == JO_LIST)
        below = jo_list(group, NULL, 0, INPUTS_MAX);
    if (kind != JO_OBJECT && kind != JO_LIST) {
        add_input(l, a, group, group->name, NULL);
        return;
    }
    while (jo_next(&below, &one)) {
        view_t name = view_str(one.name ? one.name : "");
        char number[24];
        if (!one.name && (jo_kind(&one, NULL) != JO_OBJECT || !jo_opt_text(&one, &name, "name", 1, PATH_MAX_LEN))) {
            snprintf(number, sizeof number, "%zu", one.index);
            name = view_str(number);
        }
        add_input(l, a, &one, group->name, (const char *)name.p);
    }
}

static rc_t read_inputs(inputs_list_t *l, err_t *e, arena_t *a, view_t text)
{
    jo_doc_t doc;
    jo_t o = jo_open(&doc, e, text, EXPLAIN_LIST_MAX, JO_LENIENT), group;
    jo_t all = jo_object(&o, NULL);
    l->count = 0;
    l->rows = arena_calloc(a, INPUTS_MAX, sizeof *l->rows);
    if (!l->rows)
        jo_fail(&o, NULL, RC_NOMEM, "out of memory");
    while (jo_next(&all, &group))
        add_group(l, a, &group);
    const rc_t rc = jo_done(&o);
    jo_close(&doc);
    return rc;
}

static void print_difference(const char *path, const input_t *ours, const input_t *theirs)
{
    static const input_t none = { .value = { (const uint8_t *)"none", 4 } };
    const view_t x = (ours ? ours : &none)->value, y = (theirs ? theirs : &none)->value;
    say(stdout, "%s differs: ours %.*s, theirs %.*s", path, (int)(x.n > VALUE_MAX ? VALUE_MAX : x.n), (const char *)x.p,
        (int)(y.n > VALUE_MAX ? VALUE_MAX : y.n), (const char *)y.p);
}

rc_t explain_inputs(size_t *different, err_t *e, arena_t *a, view_t ours, view_t theirs)
{
    inputs_list_t x, y;
    rc_t rc = err_under(e, read_inputs(&x, e, a, ours), "ours");
    if (!rc)
        rc = err_under(e, read_inputs(&y, e, a, theirs), "theirs");
    if (rc)
        return rc;
    *different = 0;
    for (size_t i = 0; i < x.count; i++) {
        input_t *other = NULL;
        for (size_t k = 0; k < y.count && !other; k++)
            if (!y.rows[k].seen && !strcmp(y.rows[k].path, x.rows[i].path))
                other = &y.rows[k];
        if (other)
            other->seen = true;
        if (other && view_eq(other->value, x.rows[i].value))
            continue;
        print_difference(x.rows[i].path, &x.rows[i], other);
        ++*different;
    }
    for (size_t k = 0; k < y.count; k++)
        if (!y.rows[k].seen) {
            print_difference(y.rows[k].path, NULL, &y.rows[k]);
            ++*different;
        }
    return RC_OK;
}
